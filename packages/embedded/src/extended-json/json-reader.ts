import { Double, Int32, Long } from 'bson';
import { type Document, MAX_DEPTH, type Value } from '../values/value.ts';

/** The wrappers of Extended JSON's types lie inside the documents. */
const DEEPEST = MAX_DEPTH + 8;

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const WORDS = new Map<string, Value>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/**
 * Reads JSON with the members of objects in their order, which `JSON.parse` does not keep. Numbers become int, long or
 * double, whichever holds them. `convert` may put another value in the place of an object.
 * @throws SyntaxError, with the position
 */
export function readJson(text: string, convert: (object: Document) => Value): Value {
  return new JsonReader(text, convert).read();
}

class JsonReader {
  readonly #text: string;
  readonly #convert: (object: Document) => Value;
  #position = 0;

  constructor(text: string, convert: (object: Document) => Value) {
    this.#text = text;
    this.#convert = convert;
  }

  read(): Value {
    const value = this.#value(1);
    this.#match(SPACE);
    return this.#position === this.#text.length ? value : this.#fail('the end');
  }

  #value(depth: number): Value {
    if (depth > DEEPEST) this.#fail(`no more than ${MAX_DEPTH} levels`);
    this.#match(SPACE);
    switch (this.#text[this.#position]) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      default: {
        const word = this.#word();
        return word === undefined ? this.#number() : word;
      }
    }
  }

  #object(depth: number): Value {
    const object: Document = new Map();
    this.#items('}', () => {
      this.#match(SPACE);
      const name = this.#string();
      if (!this.#skip(':')) this.#fail('":"');
      const value = this.#value(depth + 1);
      // As in a BSON document with one key twice, the first counts.
      if (!object.has(name)) object.set(name, value);
    });
    return this.#convert(object);
  }

  #array(depth: number): Value[] {
    const array: Value[] = [];
    this.#items(']', () => array.push(this.#value(depth + 1)));
    return array;
  }

  /** Reads what stands between brackets, commas between the items. */
  #items(end: string, read: () => void): void {
    this.#position += 1;
    if (this.#skip(end)) return;
    do read();
    while (this.#skip(','));
    if (!this.#skip(end)) this.#fail(`"," or "${end}"`);
  }

  #string(): string {
    const start = this.#position;
    if (this.#text[start] !== '"') this.#fail('a string');
    let end = this.#text.indexOf('"', start + 1);
    while (end !== -1 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) this.#fail('a string that ends');
    this.#position = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string;
    } catch {
      this.#position = start;
      return this.#fail('a string without control characters and unknown escapes');
    }
  }

  #isEscaped(position: number): boolean {
    let start = position;
    while (this.#text[start - 1] === '\\') start -= 1;
    return (position - start) % 2 === 1;
  }

  #word(): Value | undefined {
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#position)) continue;
      this.#position += word.length;
      return value;
    }
    return undefined;
  }

  #number(): Value {
    const [literal, fraction, exponent] = this.#match(NUMBER) ?? this.#fail('a value');
    const number = Number(literal);
    if (fraction !== undefined || exponent !== undefined || Object.is(number, -0)) return new Double(number);
    if (number === (number | 0)) return new Int32(number);
    const integer = BigInt(literal);
    return integer === BigInt.asIntN(64, integer) ? Long.fromBigInt(integer) : new Double(number);
  }

  #skip(token: string): boolean {
    this.#match(SPACE);
    const found = this.#text.startsWith(token, this.#position);
    if (found) this.#position += token.length;
    return found;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#position = pattern.lastIndex;
    return found;
  }

  #fail(expected: string): never {
    throw new SyntaxError(`expected ${expected} at character ${this.#position + 1}`);
  }
}

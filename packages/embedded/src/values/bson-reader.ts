// BSON bytes → typed values. Format: https://bsonspec.org/spec.html
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { ServerError } from '../errors.ts';
import * as types from './types.ts';
import {
  CodeWithScope,
  DateTime,
  DbPointer,
  type Document,
  MAX_DEPTH,
  SHORT_TEXT,
  UNDEFINED,
  type Value,
} from './value.ts';

const INVALID_BSON = 22;
const OVERFLOW = 15;
const MIN_KEY = new MinKey();
const MAX_KEY = new MaxKey();

// A byte order mark is part of a string, and bytes that are no UTF-8 must not be replaced: they could not be written back.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads one document, from a start on. Every read is checked against the end of the innermost document. */
export class Reader {
  readonly #bytes: Buffer;
  #position: number;
  #end: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = bytes.length;
  }

  document(depth: number): Document {
    const outer = this.#enter(depth);
    const document: Document = new Map();
    for (let type = this.#byte(); type !== 0; type = this.#byte()) {
      const key = this.#cstring();
      const value = this.#value(type, depth);
      if (!document.has(key)) document.set(key, value);
    }
    this.#leave(outer);
    return document;
  }

  /** The document with its first member alone. */
  firstMember(): Document {
    const outer = this.#enter(1);
    const document: Document = new Map();
    const type = this.#byte();
    if (type !== 0) document.set(this.#cstring(), this.#value(type, 1));
    this.#end = outer;
    return document;
  }

  #array(depth: number): Value[] {
    const outer = this.#enter(depth);
    const array: Value[] = [];
    for (let type = this.#byte(); type !== 0; type = this.#byte()) {
      this.#skipCstring();
      array.push(this.#value(type, depth));
    }
    this.#leave(outer);
    return array;
  }

  /** Starts a document or array: from here to `leave` nothing beyond its own bytes can be read. */
  #enter(depth: number): number {
    if (depth > MAX_DEPTH)
      throw new ServerError(OVERFLOW, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`);
    const start = this.#position;
    const size = this.#int32();
    if (size < 5 || start + size > this.#end) this.#fail('invalid document length');
    const outer = this.#end;
    this.#end = start + size;
    return outer;
  }

  #leave(outer: number): void {
    if (this.#position !== this.#end) this.#fail('document ends before its length');
    this.#end = outer;
  }

  #value(type: number, depth: number): Value {
    switch (type) {
      case types.DOUBLE:
        return new Double(this.#bytes.readDoubleLE(this.#take(8)));
      case types.STRING:
        return this.#string();
      case types.DOCUMENT:
        return this.document(depth + 1);
      case types.ARRAY:
        return this.#array(depth + 1);
      case types.BINARY:
        return this.#binary();
      case types.UNDEFINED:
        return UNDEFINED;
      case types.OBJECT_ID:
        return this.#objectId();
      case types.BOOLEAN:
        return this.#boolean();
      case types.DATE:
        return new DateTime(this.#bytes.readBigInt64LE(this.#take(8)));
      case types.NULL:
        return null;
      case types.REGEX:
        return regExp(this.#cstring(), this.#cstring());
      case types.DB_POINTER:
        return new DbPointer(this.#string(), this.#objectId());
      case types.CODE:
        return new Code(this.#string());
      case types.SYMBOL:
        return new BSONSymbol(this.#string());
      case types.CODE_WITH_SCOPE:
        return this.#codeWithScope(depth);
      case types.INT32:
        return new Int32(this.#int32());
      case types.TIMESTAMP:
        return new Timestamp(Long.fromBits(this.#int32(), this.#int32(), true));
      case types.INT64:
        return Long.fromBits(this.#int32(), this.#int32());
      case types.DECIMAL128:
        return new Decimal128(Buffer.from(this.#slice(16)));
      case types.MIN_KEY:
        return MIN_KEY;
      case types.MAX_KEY:
        return MAX_KEY;
      default:
        return this.#fail(`unknown type ${type}`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #int32(): number {
    const bytes = this.#bytes;
    const at = this.#take(4);
    return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
  }

  #boolean(): boolean {
    const byte = this.#byte();
    if (byte > 1) this.#fail('invalid boolean');
    return byte === 1;
  }

  #string(): string {
    const size = this.#int32();
    if (size < 1) this.#fail('invalid string length');
    const start = this.#take(size);
    const end = this.#position - 1;
    if (this.#bytes[end] !== 0) this.#fail('string without a terminating NUL');
    return this.#text(start, end);
  }

  #cstring(): string {
    const start = this.#position;
    this.#skipCstring();
    return this.#text(start, this.#position - 1);
  }

  #skipCstring(): void {
    const bytes = this.#bytes;
    let end = this.#position;
    while (end < this.#end && bytes[end] !== 0) end++;
    if (end >= this.#end) this.#fail('key without a terminating NUL');
    this.#position = end + 1;
  }

  #text(start: number, end: number): string {
    // Native calls cost more than they save on short texts, and most texts are short and ASCII.
    if (end - start > SHORT_TEXT) return this.#longText(start, end);
    const bytes = this.#bytes;
    let text = '';
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0;
      if (byte >= 0x80) return this.#longText(start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #longText(start: number, end: number): string {
    try {
      return utf8.decode(this.#bytes.subarray(start, end));
    } catch {
      return this.#fail('text that is not UTF-8');
    }
  }

  #binary(): Binary {
    const size = this.#int32();
    if (size < 0) this.#fail('invalid binary length');
    const subtype = this.#byte();
    return new Binary(this.#slice(size), subtype);
  }

  #objectId(): ObjectId {
    return new ObjectId(Buffer.from(this.#slice(12)));
  }

  #codeWithScope(depth: number): CodeWithScope {
    const start = this.#position;
    const size = this.#int32();
    const value = new CodeWithScope(this.#string(), this.document(depth + 1));
    if (this.#position !== start + size) this.#fail('invalid length of code with scope');
    return value;
  }

  #slice(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  #take(length: number): number {
    const start = this.#position;
    if (length > this.#end - start) this.#fail('value ends beyond its document');
    this.#position = start + length;
    return start;
  }

  #fail(problem: string): never {
    throw new ServerError(INVALID_BSON, `Invalid BSON: ${problem} at byte ${this.#position}`);
  }
}

/** A stored expression may have options that the bson package's constructor sorts or refuses; the bytes must survive. */
function regExp(pattern: string, options: string): BSONRegExp {
  const value = new BSONRegExp(pattern);
  value.options = options;
  return value;
}

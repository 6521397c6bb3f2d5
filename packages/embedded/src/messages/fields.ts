import { Timestamp } from 'bson';
import { ServerError } from '../errors.ts';
import { toNumber } from '../values/number.ts';
import { type Document, isNumeric, typeOf, type Value } from '../values/value.ts';

const MAX_MILLISECONDS = 2 ** 31 - 1;

/**
 * Reads the fields of a command, or of a statement inside one, by name and type. A null field counts as absent, as in
 * MongoDB. Every reader throws 14 (TypeMismatch) for a value of another type.
 */
export class Fields {
  /** What error messages put before the names: `find`, `update.updates` … */
  readonly #owner: string;
  readonly #document: Document;

  constructor(owner: string, document: Document) {
    this.#owner = owner;
    this.#document = document;
  }

  /** The value as it is, undefined where there is none. */
  value(name: string): Value | undefined {
    return this.#document.get(name) ?? undefined;
  }

  string(name: string): string | undefined {
    const value = this.value(name);
    if (value === undefined || typeof value === 'string') return value;
    throw this.#wrongType(name, value, 'string');
  }

  timestamp(name: string): Timestamp | undefined {
    const value = this.value(name);
    if (value === undefined || value instanceof Timestamp) return value;
    throw this.#wrongType(name, value, 'timestamp');
  }

  document(name: string): Document | undefined {
    const value = this.value(name);
    if (value === undefined || value instanceof Map) return value;
    throw this.#wrongType(name, value, 'object');
  }

  array(name: string): Value[] | undefined {
    const value = this.value(name);
    if (value === undefined || Array.isArray(value)) return value;
    throw this.#wrongType(name, value, 'array');
  }

  documents(name: string): Document[] | undefined {
    return this.array(name)?.map((element, position) => {
      if (element instanceof Map) return element;
      throw this.#wrongType(`${name}.${position}`, element, 'object');
    });
  }

  /** False where absent. Any number stands for a boolean too. */
  boolean(name: string): boolean {
    const value = this.value(name);
    if (value === undefined || typeof value === 'boolean') return value === true;
    if (isNumeric(value)) return toNumber(value) !== 0;
    throw this.#wrongType(name, value, '[bool, long, int, decimal, double]', "types '", "'");
  }

  /** A number without its fraction. */
  integer(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined) return undefined;
    if (isNumeric(value)) return Math.trunc(toNumber(value));
    throw this.#wrongType(name, value, '[long, int, decimal, double]', "types '", "'");
  }

  /** Like `integer`, and throws 51024 for a negative one. */
  count(name: string): number | undefined {
    const value = this.integer(name);
    if (value === undefined || value >= 0) return value;
    throw new ServerError(51024, `BSON field '${name}' value must be >= 0, actual value '${value}'`);
  }

  /** Like `count`, and throws 51024 for more milliseconds than a timer can wait. */
  milliseconds(name: string): number | undefined {
    const value = this.count(name);
    if (value === undefined || value <= MAX_MILLISECONDS) return value;
    throw new ServerError(51024, `BSON field '${name}' value must be <= ${MAX_MILLISECONDS}, actual value '${value}'`);
  }

  /**
   * Throws 40415 for a field that is neither in the lists nor the command's name: what is not understood must not be
   * passed over.
   */
  check(known: ReadonlySet<string>, alsoKnown?: ReadonlySet<string>): void {
    for (const name of this.#document.keys()) {
      if (known.has(name) || alsoKnown?.has(name) || name === this.#owner) continue;
      throw this.unknown(name);
    }
  }

  /** Throws 238 for each of these options that is given and not just `false` or null. */
  refuse(unsupported: Iterable<string>): void {
    for (const name of unsupported) {
      if ((this.value(name) ?? false) === false) continue;
      throw new ServerError(238, `The embedded server does not support the option '${this.#owner}.${name}'.`);
    }
  }

  /** The error for a field that must be there and is not. */
  missing(name: string): ServerError {
    return new ServerError(40414, `BSON field '${this.#owner}.${name}' is missing but a required field`);
  }

  unknown(name: string): ServerError {
    return new ServerError(40415, `BSON field '${this.#owner}.${name}' is an unknown field.`);
  }

  duplicate(name: string): ServerError {
    return new ServerError(40413, `BSON field '${this.#owner}.${name}' is a duplicate field`);
  }

  #wrongType(name: string, value: Value, expected: string, before = "type '", after = "'"): ServerError {
    const field = `${this.#owner}.${name}`;
    return new ServerError(
      14,
      `BSON field '${field}' is the wrong type '${typeOf(value)}', expected ${before}${expected}${after}`,
    );
  }
}

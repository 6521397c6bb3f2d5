// Typed values → BSON bytes. Format: https://bsonspec.org/spec.html
import { ServerError } from '../errors.ts';
import { BSON_TYPES } from './types.ts';
import { type CodeWithScope, type Document, MAX_DEPTH, SHORT_TEXT, typeOf, type Value } from './value.ts';

const INVALID_BSON = 22;
const OVERFLOW = 15;

/** Appends to a buffer, which it replaces by a larger one when it is full. */
export class Writer {
  bytes: Buffer;
  position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  document(document: Document, depth: number): void {
    const start = this.#open(depth);
    for (const [key, value] of document) this.#element(key, value, depth);
    this.#close(start);
  }

  #array(array: readonly Value[], depth: number): void {
    const start = this.#open(depth);
    for (let index = 0; index < array.length; index++) this.#element(String(index), array[index] ?? null, depth);
    this.#close(start);
  }

  #open(depth: number): number {
    if (depth > MAX_DEPTH)
      throw new ServerError(OVERFLOW, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`);
    return this.#take(4);
  }

  #close(start: number): void {
    this.#byte(0);
    this.#putInt32(this.position - start, start);
  }

  #element(key: string, value: Value, depth: number): void {
    const type = typeOf(value);
    this.#byte(BSON_TYPES[type].code);
    this.#cstring(key);
    this.#value(value, depth);
  }

  #value(value: Value, depth: number): void {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value === 'boolean') return this.#byte(value ? 1 : 0);
    if (value === null) return;
    if (value instanceof Map) return this.document(value, depth + 1);
    if (Array.isArray(value)) return this.#array(value, depth + 1);
    switch (value._bsontype) {
      case 'Int32':
        return this.#int32(value.value);
      case 'Double':
        return this.#double(value.value);
      case 'Long':
      case 'Timestamp':
        this.#int32(value.low);
        return this.#int32(value.high);
      case 'Decimal128':
        return this.#raw(value.bytes);
      case 'ObjectId':
        return this.#raw(value.id);
      case 'DateTime':
        return this.#int64(value.milliseconds);
      case 'Binary':
        this.#int32(value.position);
        this.#byte(value.sub_type);
        return this.#raw(value.buffer.subarray(0, value.position));
      case 'BSONRegExp':
        this.#cstring(value.pattern);
        return this.#cstring(value.options);
      case 'Code':
        return this.#string(String(value.code));
      case 'BSONSymbol':
        return this.#string(value.value);
      case 'DbPointer':
        this.#string(value.namespace);
        return this.#raw(value.id.id);
      case 'CodeWithScope':
        return this.#codeWithScope(value, depth);
      case 'MinKey':
      case 'MaxKey':
      case 'Undefined':
        return;
    }
  }

  #codeWithScope(value: CodeWithScope, depth: number): void {
    const start = this.#take(4);
    this.#string(value.code);
    this.document(value.scope, depth + 1);
    this.#putInt32(this.position - start, start);
  }

  #string(text: string): void {
    const start = this.#take(4);
    const length = this.#text(text);
    this.#byte(0);
    this.#putInt32(length + 1, start);
  }

  #cstring(text: string): void {
    if (text.includes('\0'))
      throw new ServerError(INVALID_BSON, 'A key or regular expression cannot contain a NUL byte');
    this.#text(text);
    this.#byte(0);
  }

  #text(text: string): number {
    // Three bytes are enough for any UTF-16 unit.
    const start = this.#reserve(text.length * 3);
    const length = (text.length <= SHORT_TEXT && this.#ascii(text, start)) || this.bytes.write(text, start, 'utf8');
    this.position = start + length;
    return length;
  }

  /** The length of the text if it could be written as ASCII, else 0. */
  #ascii(text: string, start: number): number {
    const bytes = this.bytes;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) return 0;
      bytes[start + i] = unit;
    }
    return text.length;
  }

  #byte(byte: number): void {
    const at = this.#take(1);
    this.bytes[at] = byte;
  }

  #int32(value: number): void {
    this.#putInt32(value, this.#take(4));
  }

  #putInt32(value: number, at: number): void {
    const bytes = this.bytes;
    bytes[at] = value;
    bytes[at + 1] = value >> 8;
    bytes[at + 2] = value >> 16;
    bytes[at + 3] = value >> 24;
  }

  #raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.bytes.set(bytes, at);
  }

  #double(value: number): void {
    const at = this.#take(8);
    this.bytes.writeDoubleLE(value, at);
  }

  #int64(value: bigint): void {
    const at = this.#take(8);
    this.bytes.writeBigInt64LE(value, at);
  }

  /** Makes room and gives its place. It may put another buffer in the place of `bytes`, which is to be read after it. */
  #take(length: number): number {
    const start = this.#reserve(length);
    this.position = start + length;
    return start;
  }

  #reserve(length: number): number {
    const needed = this.position + length;
    if (needed > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(larger, 0, 0, this.position);
      this.bytes = larger;
    }
    return this.position;
  }
}

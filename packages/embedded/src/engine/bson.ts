// The codec between BSON bytes and typed values. Format: https://bsonspec.org/spec.html
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
import { BSON_TYPES, CodeWithScope, DateTime, DbPointer, typeOf, UNDEFINED } from './value.ts';
import type { Document, Value } from './value.ts';

export type { Document, Value } from './value.ts';

/** How deep documents and arrays may nest, the outermost document included, as in MongoDB. */
export const MAX_DEPTH = 200;

const MIN_KEY_BYTE = 0xff;
const INVALID_BSON = 22;
const OVERFLOW = 15;

const MIN_KEY = new MinKey();
const MAX_KEY = new MaxKey();

// A byte order mark is part of a string, and bytes that are no UTF-8 must not be replaced: they could not be written back.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the BSON document that starts at `start`. Binary values share memory with `bytes`.
 * @throws ServerError 22 (InvalidBSON) where the bytes are no valid document, 15 (Overflow) where it nests too deep.
 */
export function decode(bytes: Uint8Array, start = 0): Document {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Reader(buffer, start).document(1);
}

/**
 * Writes a document as BSON, in a buffer of its own.
 * @throws ServerError 22 for a key or regular expression with a NUL, 15 where the document nests too deep.
 */
export function encode(document: Document): Buffer {
  const writer = new Writer(scratch);
  writer.document(document, 1);
  const bytes = Buffer.from(writer.bytes.subarray(0, writer.position));
  if (writer.bytes.length <= MAX_SCRATCH) scratch = writer.bytes;
  return bytes;
}

// Encoding never calls out, so one buffer serves every call; a large one is not kept.
const MAX_SCRATCH = 1 << 20;
let scratch: Buffer = Buffer.allocUnsafeSlow(1 << 14);

class Reader {
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
      case BSON_TYPES.double:
        return new Double(this.#bytes.readDoubleLE(this.#take(8)));
      case BSON_TYPES.string:
        return this.#string();
      case BSON_TYPES.object:
        return this.document(depth + 1);
      case BSON_TYPES.array:
        return this.#array(depth + 1);
      case BSON_TYPES.binData:
        return this.#binary();
      case BSON_TYPES.undefined:
        return UNDEFINED;
      case BSON_TYPES.objectId:
        return this.#objectId();
      case BSON_TYPES.bool:
        return this.#boolean();
      case BSON_TYPES.date:
        return new DateTime(this.#bytes.readBigInt64LE(this.#take(8)));
      case BSON_TYPES.null:
        return null;
      case BSON_TYPES.regex:
        return regExp(this.#cstring(), this.#cstring());
      case BSON_TYPES.dbPointer:
        return new DbPointer(this.#string(), this.#objectId());
      case BSON_TYPES.javascript:
        return new Code(this.#string());
      case BSON_TYPES.symbol:
        return new BSONSymbol(this.#string());
      case BSON_TYPES.javascriptWithScope:
        return this.#codeWithScope(depth);
      case BSON_TYPES.int:
        return new Int32(this.#int32());
      case BSON_TYPES.timestamp:
        return new Timestamp(Long.fromBits(this.#int32(), this.#int32(), true));
      case BSON_TYPES.long:
        return Long.fromBits(this.#int32(), this.#int32());
      case BSON_TYPES.decimal:
        return new Decimal128(Buffer.from(this.#slice(16)));
      case MIN_KEY_BYTE:
        return MIN_KEY;
      case BSON_TYPES.maxKey:
        return MAX_KEY;
      default:
        return this.#fail(`unknown type ${type}`);
    }
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  #int32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
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
    const end = this.#bytes.indexOf(0, this.#position);
    if (end === -1 || end >= this.#end) this.#fail('key without a terminating NUL');
    this.#position = end + 1;
  }

  #text(start: number, end: number): string {
    let ascii = true;
    for (let i = start; i < end && ascii; i++) ascii = (this.#bytes[i] ?? 0) < 0x80;
    if (ascii) return this.#bytes.toString('latin1', start, end);
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

class Writer {
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
    for (const [index, value] of array.entries()) this.#element(String(index), value, depth);
    this.#close(start);
  }

  #open(depth: number): number {
    if (depth > MAX_DEPTH)
      throw new ServerError(OVERFLOW, `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`);
    return this.#take(4);
  }

  #close(start: number): void {
    this.#byte(0);
    this.bytes.writeInt32LE(this.position - start, start);
  }

  #element(key: string, value: Value, depth: number): void {
    const type = typeOf(value);
    this.#byte(BSON_TYPES[type] & 0xff);
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
        this.bytes.writeDoubleLE(value.value, this.#take(8));
        return;
      case 'Long':
      case 'Timestamp':
        this.#int32(value.low);
        return this.#int32(value.high);
      case 'Decimal128':
        return this.#raw(value.bytes);
      case 'ObjectId':
        return this.#raw(value.id);
      case 'DateTime':
        this.bytes.writeBigInt64LE(value.milliseconds, this.#take(8));
        return;
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
    this.bytes.writeInt32LE(this.position - start, start);
  }

  #string(text: string): void {
    const start = this.#take(4);
    const length = this.#text(text);
    this.#byte(0);
    this.bytes.writeInt32LE(length + 1, start);
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
    const length = this.bytes.write(text, start, 'utf8');
    this.position += length;
    return length;
  }

  #byte(byte: number): void {
    this.bytes[this.#take(1)] = byte;
  }

  #int32(value: number): void {
    this.bytes.writeInt32LE(value | 0, this.#take(4));
  }

  #raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#take(bytes.length));
  }

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

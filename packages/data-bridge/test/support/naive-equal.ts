import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';

/*
 * BSON's equality said once more, by decoded values and without regard to speed: what the comparison with bytes is
 * checked against. It knows only the values that the tests make.
 */

/**
 * @param live as the program has it; `toBSON` is called once on each value.
 * @param exact a stored value as BSON classes.
 * @param anySubtype whether binary values of every subtype are decoded as Buffers.
 */
export function naiveEqual(live: unknown, exact: unknown, anySubtype: boolean): boolean {
  return storedEqual(storedFor(live), exact, anySubtype);
}

function storedEqual(value: unknown, exact: unknown, anySubtype: boolean): boolean {
  const equal = (a: unknown, b: unknown): boolean => storedEqual(a, b, anySubtype);
  if (exact === undefined || exact === null) return value === exact;
  if (typeof exact === 'string') return textOf(value) === exact;
  if (typeof exact === 'boolean') return value === exact;
  if (exact instanceof BSONSymbol) return textOf(value) === exact.value;
  if (exact instanceof Int32) {
    return value instanceof Int32 ? value.value === exact.value : integer(value) === BigInt(exact.value);
  }
  if (exact instanceof Double) {
    if (typeof value === 'bigint') return Number.isInteger(exact.value) && BigInt(exact.value) === value;
    return Object.is(value instanceof Double ? value.value : value, exact.value);
  }
  // A Timestamp is a Long.
  if (exact instanceof Timestamp) return value instanceof Timestamp && value.toString() === exact.toString();
  if (exact instanceof Long) {
    if (value instanceof Timestamp) return false;
    return (value instanceof Long ? value.toBigInt() : integer(value)) === exact.toBigInt();
  }
  if (exact instanceof ObjectId) return value instanceof ObjectId && value.toHexString() === exact.toHexString();
  if (exact instanceof Date) return value instanceof Date && String(value.getTime()) === String(exact.getTime());
  if (exact instanceof Decimal128) return value instanceof Decimal128 && hex(value.bytes) === hex(exact.bytes);
  if (exact instanceof Binary) {
    if (value instanceof Binary) return value.sub_type === exact.sub_type && hex(value.value()) === hex(exact.value());
    return value instanceof Uint8Array && (anySubtype || exact.sub_type === 0) && hex(value) === hex(exact.value());
  }
  if (exact instanceof BSONRegExp) return equalExpression(value, exact);
  if (exact instanceof Code) {
    if (!(value instanceof Code) || value.code !== exact.code) return false;
    return exact.scope === null ? value.scope === null : value.scope !== null && equal(value.scope, exact.scope);
  }
  if (exact instanceof MinKey) return value instanceof MinKey;
  if (exact instanceof MaxKey) return value instanceof MaxKey;
  if (exact instanceof DBRef || value instanceof DBRef) {
    const a = toReference(value);
    const b = toReference(exact);
    return a !== null && b !== null && a.name === b.name && equal(a.id, b.id) && equal(a.fields, b.fields);
  }
  if (Array.isArray(exact)) {
    if (!Array.isArray(value) || value.length !== exact.length) return false;
    return exact.every((element, i) => equal(storedFor(value[i]) ?? null, element ?? null));
  }
  const a = membersOf(value);
  const b = membersOf(exact);
  return (
    a !== null && b !== null && a.size === b.size && [...a].every(([key, v]) => b.has(key) && equal(v, b.get(key)))
  );
}

function storedFor(live: unknown): unknown {
  const { toBSON } = (live ?? {}) as { toBSON?: () => unknown };
  return typeof toBSON === 'function' ? toBSON.call(live) : live;
}

function textOf(value: unknown): unknown {
  return value instanceof BSONSymbol ? value.value : value;
}

function integer(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0) ? BigInt(value) : null;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function letters(text: string): string {
  return text.split('').toSorted().join('');
}

function equalExpression(value: unknown, exact: BSONRegExp): boolean {
  if (value instanceof BSONRegExp) {
    return value.pattern === exact.pattern && letters(value.options) === letters(exact.options);
  }
  if (!(value instanceof RegExp)) return false;
  const flags = `${value.ignoreCase ? 'i' : ''}${value.multiline ? 'm' : ''}${value.global ? 's' : ''}`;
  if (flags !== letters(exact.options)) return false;
  try {
    return new RegExp(exact.pattern).source === value.source;
  } catch {
    return false;
  }
}

function membersOf(value: unknown): Map<string, unknown> | null {
  if (typeof value !== 'object' || value === null) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!(value instanceof Map) && prototype !== Object.prototype && prototype !== null) return null;
  const entries = value instanceof Map ? [...(value as Map<string, unknown>)] : Object.entries(value);
  return new Map(entries.map(([key, v]) => [key, storedFor(v)] as const).filter(([, v]) => v !== undefined));
}

interface Reference {
  readonly name: string;
  readonly id: unknown;
  readonly fields: object;
}

function toReference(value: unknown): Reference | null {
  if (value instanceof DBRef)
    return { name: `${value.db ?? ''}\0${value.collection}`, id: storedFor(value.oid), fields: value.fields };
  const members = membersOf(value);
  const collection = textOf(members?.get('$ref'));
  const database = textOf(members?.get('$db') ?? '');
  if (!members || typeof collection !== 'string' || typeof database !== 'string') return null;
  const id = members.get('$id') ?? null;
  if (id === null) return null;
  const fields = Object.fromEntries([...members].filter(([key]) => !['$ref', '$id', '$db'].includes(key)));
  return toReference(new DBRef(collection, id as ObjectId, members.has('$db') ? database : undefined, fields));
}

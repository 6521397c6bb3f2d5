import { BSON } from 'mongodb';
import { isPlainObject, setOwn } from './plain-object.ts';
import { carryShown } from './shown-defaults.ts';

/** BSON classes whose instances nobody changes: shared by reference, never copied. */
const IMMUTABLE = new Set(['ObjectId', 'MinKey', 'MaxKey']);

/** BSON classes whose members are public and can be assigned: `age.value = 6`. */
const ASSIGNABLE = new Set(['Int32', 'Double', 'Long', 'Timestamp', 'BSONSymbol', 'BSONRegExp']);

/** True for a value that can be changed in place: handing it out means keeping an original beside it. */
export function isMutable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return false;
  const type: unknown = (value as { _bsontype?: unknown })._bsontype;
  return !(typeof type === 'string' && IMMUTABLE.has(type));
}

/**
 * A deep copy of a value as BSON sees it: everything that could be changed in place is new. A class instance with
 * `toBSON` is copied as what that returns; one without is kept by reference, since it cannot be stored anyway. So is a
 * reference back to a container that holds it.
 */
export function copyValue<V>(value: V): V {
  return copy(value, []) as V;
}

function copy(value: unknown, ancestors: object[]): unknown {
  if (!isMutable(value)) return value;
  if (value instanceof Date) return new Date(value);
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof BSON.UUID) return new BSON.UUID(Buffer.from(value.value()));
  if (value instanceof BSON.Binary) return new BSON.Binary(Buffer.from(value.value()), value.sub_type);
  if (value instanceof BSON.Decimal128) return new BSON.Decimal128(Buffer.from(value.bytes));
  if (isAssignable(value)) return Object.assign(Object.create(Object.getPrototypeOf(value) as object) as object, value);
  if (ancestors.includes(value)) return value;
  ancestors.push(value);
  const copied = copyMembers(value, ancestors);
  ancestors.pop();
  return copied;
}

function isAssignable(value: object): boolean {
  const type: unknown = (value as { _bsontype?: unknown })._bsontype;
  return typeof type === 'string' && ASSIGNABLE.has(type) && !isPlainObject(value);
}

function copyMembers(value: object, ancestors: object[]): unknown {
  if (Array.isArray(value)) return Array.from(value, (element) => copy(element, ancestors));
  if (value instanceof Map) return new Map(Array.from(value, ([key, member]) => [key, copy(member, ancestors)]));
  if (value instanceof BSON.Code)
    return new BSON.Code(value.code, copy(value.scope, ancestors) as BSON.Document | null);
  if (value instanceof BSON.DBRef)
    return new BSON.DBRef(value.collection, value.oid, value.db, copy(value.fields, ancestors) as BSON.Document);
  if (!isPlainObject(value)) return hasToBson(value) ? copy(value.toBSON(), ancestors) : value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setOwn(result, key, copy(value[key], ancestors));
  carryShown(value, result);
  return result;
}

/** True for an object whose class defines how it is stored. */
export function hasToBson(value: object): value is { toBSON(): unknown } {
  return typeof (value as { toBSON?: unknown }).toBSON === 'function';
}

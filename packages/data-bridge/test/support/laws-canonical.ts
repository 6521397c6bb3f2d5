import { BSON } from 'mongodb';

/**
 * A text that two values share exactly when BSON takes them for equal, key order aside. Written without the code under
 * test. Number types count only when asked for.
 */
export function canonical(value: unknown, types = false): string {
  const inner = (each: unknown) => canonical(each, types);
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return `[${Array.from(value, inner).join()}]`;
  if (typeof value === 'number') return number(value, types ? numberType(value) : '');
  if (typeof value === 'bigint') return `${types ? 'long' : ''}${value}`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return `${typeof value}:${String(value)}`;
  if (value instanceof Date) return `date:${value.getTime()}`;
  if (value instanceof RegExp) return `regexp:${value.source}/${options(value.flags.replace('g', 's'))}`;
  if (value instanceof Uint8Array) return `binary:0:${Buffer.from(value).toString('hex')}`;
  if (value instanceof BSON.Int32) return number(value.value, types ? 'int' : '');
  if (value instanceof BSON.Double) return number(value.value, types ? 'double' : '');
  if (value instanceof BSON.Timestamp) return `timestamp:${value.t}:${value.i}`;
  if (value instanceof BSON.Long) return `${types ? 'long' : ''}${value.toString()}`;
  if (value instanceof BSON.Decimal128) return `decimal:${value.toString()}`;
  if (value instanceof BSON.ObjectId) return `id:${value.toHexString()}`;
  if (value instanceof BSON.BSONRegExp) return `regexp:${value.pattern}/${options(value.options)}`;
  if (value instanceof BSON.Binary) return `binary:${value.sub_type}:${Buffer.from(value.value()).toString('hex')}`;
  if (value instanceof BSON.BSONSymbol) return types ? `symbol:${value.value}` : JSON.stringify(value.value);
  if (value instanceof BSON.Code) return `code:${value.code}:${inner(value.scope)}`;
  if (value instanceof BSON.DBRef)
    return `reference:${value.collection}:${value.db}:${inner(value.oid)}:${inner(value.fields)}`;
  if (value instanceof BSON.MinKey || value instanceof BSON.MaxKey) return value._bsontype;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${entries
    .map(([key, member]) => `${JSON.stringify(key)}:${inner(member)}`)
    .sort()
    .join()}}`;
}

function number(value: number, type: string): string {
  return type + (Object.is(value, -0) ? '-0' : String(value));
}

/** The type that the bson package writes. */
function numberType(value: number): string {
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 31 && value !== 2 ** 31 && !Object.is(value, -0)
    ? 'int'
    : 'double';
}

function options(flags: string): string {
  return [...flags].sort().join('');
}

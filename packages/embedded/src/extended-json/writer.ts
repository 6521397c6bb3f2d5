// Values as canonical Extended JSON (source: the specification "MongoDB Extended JSON (v2)").
import type { Binary, Double } from 'bson';
import type { Value } from '../values/value.ts';

/** Bytes before the payload of the old binary subtype 2, which repeat its length: Extended JSON leaves them out. */
export const INNER_LENGTH_BYTES = 4;

/** A value as text in one line. Members keep their order, and every value its type. */
export function toEjson(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(toEjson).join(',')}]`;
  if (value instanceof Map) {
    return `{${Array.from(value, ([name, member]) => `${JSON.stringify(name)}:${toEjson(member)}`).join(',')}}`;
  }
  switch (value._bsontype) {
    case 'Int32':
      return wrapped('numberInt', String(value.value));
    case 'Double':
      return wrapped('numberDouble', doubleText(value));
    case 'Long':
      return wrapped('numberLong', value.toString());
    case 'Decimal128':
      return wrapped('numberDecimal', value.toString());
    case 'ObjectId':
      return wrapped('oid', value.toHexString());
    case 'DateTime':
      return `{"$date":${wrapped('numberLong', String(value.milliseconds))}}`;
    case 'Binary':
      return binaryText(value);
    case 'BSONRegExp':
      return `{"$regularExpression":{"pattern":${JSON.stringify(value.pattern)},"options":${JSON.stringify(value.options)}}}`;
    case 'Timestamp':
      return `{"$timestamp":{"t":${value.getHighBitsUnsigned()},"i":${value.getLowBitsUnsigned()}}}`;
    case 'Code':
      return wrapped('code', value.code);
    case 'CodeWithScope':
      return `{"$code":${JSON.stringify(value.code)},"$scope":${toEjson(value.scope)}}`;
    case 'BSONSymbol':
      return wrapped('symbol', value.value);
    case 'DbPointer':
      return `{"$dbPointer":{"$ref":${JSON.stringify(value.namespace)},"$id":${toEjson(value.id)}}}`;
    case 'MinKey':
      return '{"$minKey":1}';
    case 'MaxKey':
      return '{"$maxKey":1}';
    case 'Undefined':
      return '{"$undefined":true}';
  }
}

function wrapped(type: string, text: string): string {
  return `{"$${type}":${JSON.stringify(text)}}`;
}

function doubleText({ value }: Double): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1) : String(value);
}

function binaryText(value: Binary): string {
  const start = value.sub_type === 2 ? INNER_LENGTH_BYTES : 0;
  const base64 = Buffer.from(value.value()).toString('base64', start);
  const subtype = value.sub_type.toString(16).padStart(2, '0');
  return `{"$binary":{"base64":"${base64}","subType":"${subtype}"}}`;
}

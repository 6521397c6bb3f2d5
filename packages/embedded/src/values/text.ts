// Values in the texts of errors, in the manner of MongoDB.
import { typeOf, type Value } from './value.ts';

const LONGEST = 300;

/** A value for an error text, such as `{ a: 1, b: [ "x", null ] }`; long ones are cut. */
export function show(value: Value | undefined): string {
  const text = write(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}

/** `name: value`, as MongoDB shows one element of a document. */
export function showElement(name: string, value: Value | undefined): string {
  return `${name}: ${show(value)}`;
}

function write(value: Value | undefined): string {
  if (value === undefined) return 'MISSING';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean' || value === null) return String(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(write).join(', ')} ]`;
  if (value instanceof Map) {
    const members = Array.from(value, ([key, inner]) => `${key}: ${write(inner)}`);
    return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
  }
  switch (value._bsontype) {
    case 'Int32':
      return String(value.value);
    case 'Double':
      return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
    case 'Long':
      return value.toString();
    case 'Decimal128':
      return value.toString();
    case 'ObjectId':
      return `ObjectId('${value.toHexString()}')`;
    case 'DateTime':
      return `new Date(${value.milliseconds})`;
    case 'BSONRegExp':
      return `/${value.pattern}/${value.options}`;
    case 'BSONSymbol':
      return JSON.stringify(value.value);
    default:
      return typeOf(value);
  }
}

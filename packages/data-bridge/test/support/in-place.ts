import { Binary, BSON, Double, Int32, Long, ObjectId } from 'mongodb';
import type { Choose } from './edits.ts';

/*
 * What a program does to a value that it holds: many small ways to change it in place, those included that no document can
 * hold.
 */

class Point {
  readonly x = 1;
}

class Money {
  readonly cents = 5;
  toBSON(): unknown {
    return { cents: this.cents };
  }
}

const cyclic: Record<string, unknown> = {};
cyclic['self'] = { cyclic };

/** Objects in objects. */
function nested(levels: number): object {
  let value: object = { end: 1 };
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { value } : [value];
  return value;
}

/** Values to put anywhere. Those that BSON cannot hold come last. */
const values: readonly (() => unknown)[] = [
  () => null,
  () => undefined,
  () => 0,
  () => -0,
  () => 1,
  () => 2,
  () => 5,
  () => 1.5,
  () => Number.NaN,
  () => 2 ** 31,
  () => 2 ** 53,
  () => 7n,
  () => true,
  () => false,
  () => '',
  () => 'text',
  () => 'café',
  () => 'b'.repeat(40),
  () => new Date(5),
  () => new ObjectId('0123456789abcdef01234567'),
  () => new ObjectId(),
  () => new Int32(5),
  () => new Double(5),
  () => new Double(1.5),
  () => Long.fromNumber(5),
  () => BSON.Decimal128.fromString('1.5'),
  () => new Binary(Buffer.of(1, 2)),
  () => new Binary(Buffer.of(1, 2), 5),
  () => Buffer.of(1, 2),
  () => new BSON.Timestamp({ t: 1, i: 2 }),
  () => new BSON.BSONSymbol('text'),
  () => /a/i,
  () => [],
  () => [1, 2],
  () => [1, undefined, 3],
  // oxlint-disable-next-line no-sparse-arrays
  () => [1, , 3],
  () => ({}),
  () => ({ a: 1, b: 'x' }),
  () => ({ a: { b: { c: 5 } } }),
  () => ({ a: undefined, b: 1 }),
  () => ({ _id: new ObjectId(), qty: 1 }),
  () => ({ _id: 'a', qty: 1.5 }),
  () => ({ [Symbol('s')]: 1, a: 1 }),
  () => Object.freeze({ a: 1 }),
  () => new Map([['a', 1]]),
  () => new Money(),
  () => ({ toBSON: () => 5 }),
  () => ({ toBSON: 'no function' }),
  () => Object.defineProperty({ a: 1 }, 'b', { get: () => 2, enumerable: true, configurable: true }),
  (): unknown => Object.assign(Object.create(null) as object, { a: 1 }),
  (): unknown => Object.assign(Object.create({ inherited: 1 }) as object, { a: 1 }),
  () => JSON.parse('{"__proto__": 1}') as unknown,
  () => ({ $ref: 'c', $id: 1 }),
  () => ({ 'a.b': 1, '': 2, 0: 3 }),
  () => nested(12),
  () => nested(60),
  () => new Point(),
  () => cyclic,
  () => nested(120),
  () => '\ud800',
  () => ({ '\udc00': 1 }),
  () => ({ 'a\0b': 1 }),
  () => ({ _bsontype: 'Int32' }),
  () => [new Date(Number.NaN)],
  () => () => 1,
  () => new Set([1]),
  () => 2n ** 70n,
];
/** How many of the last of them cannot be stored. */
const refused = 10;

/** Chooses one, seldom what cannot be stored. */
export function anyOf(choose: Choose): unknown {
  const count = choose(8) === 0 ? values.length : values.length - refused;
  return values[choose(count)]?.();
}

const keys = [
  'a',
  'b',
  'c',
  'qty',
  'price',
  '_id',
  'sku',
  'new',
  '0',
  '',
  'a.b',
  '$x',
  '$ref',
  '__proto__',
  'toString',
];

function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, configurable: true, enumerable: true, writable: true });
}

type Members = Record<string, unknown>;

/** Changes a container somewhere inside. Gives what to put in its place where it is none. */
export function changeInPlace(value: unknown, choose: Choose): unknown {
  if (value instanceof Date) {
    value.setTime(choose(12) === 0 ? Number.NaN : choose(5));
    return value;
  }
  if (value instanceof Uint8Array && value.length > 0 && choose(2) === 0) {
    value[0] = choose(3);
    return value;
  }
  if (Array.isArray(value)) return changeArray(value as unknown[], choose);
  const isPlain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isPlain && !Object.isFrozen(value) ? changeMembers(value as Members, choose) : another(value, choose);
}

/** A value like this one, or any. */
function another(value: unknown, choose: Choose): unknown {
  if (typeof value === 'number' && choose(3) > 0) {
    const ways = [
      value + 1,
      -value,
      value + 0.5,
      Math.trunc(value),
      new Double(value),
      BigInt(Math.trunc(Number.isFinite(value) ? value : 0)),
    ];
    return ways[choose(ways.length)];
  }
  if (typeof value === 'string' && choose(3) > 0) return choose(2) === 0 ? `${value}é` : value.slice(1);
  if (value instanceof Int32 || value instanceof Double) return choose(2) === 0 ? value.value : new Double(value.value);
  return anyOf(choose);
}

function changeArray(array: unknown[], choose: Choose): unknown[] {
  const place = choose(array.length + 1);
  const other = choose(array.length + 1);
  const inside = (): void => {
    if (place < array.length) array[place] = changeInPlace(array[place], choose);
  };
  const ways = [
    inside,
    inside,
    inside,
    inside,
    () => void array.push(anyOf(choose)),
    () => void array.push({ _id: new ObjectId(), qty: 1 }, { _id: new ObjectId() }),
    () => void array.push(array[place]),
    () => void array.pop(),
    () => void array.splice(place, 1),
    () => void array.splice(place, 0, anyOf(choose)),
    () => void ([array[place], array[other]] = [array[other], array[place]]),
    () => void array.reverse(),
    () => void (array.length = place),
    () => void (array[array.length + 1] = 1),
    () => void delete array[place],
  ];
  ways[choose(ways.length)]?.();
  return array;
}

function changeMembers(members: Members, choose: Choose): Members {
  const names = Object.keys(members);
  const name = names[choose(names.length)] ?? 'a';
  const inside = (): void => define(members, name, changeInPlace(members[name], choose));
  const ways = [
    inside,
    inside,
    inside,
    inside,
    inside,
    () => define(members, keys[choose(keys.length)] ?? 'a', anyOf(choose)),
    () => define(members, `new${choose(3)}`, anyOf(choose)),
    () => void delete members[name],
    () => define(members, name, undefined),
    () => {
      const { [name]: member } = members;
      delete members[name];
      define(members, name, member);
    },
    () => define(members, name, anyOf(choose)),
    () => void Object.freeze(members),
    () => void Object.defineProperty(members, name, { get: () => 3, enumerable: true, configurable: true }),
    () => define(members, 'toBSON', () => ({ a: 1 })),
    () => void Object.setPrototypeOf(members, null),
  ];
  // The last ways are rare: they change the nature of an object.
  ways[choose(choose(6) === 0 ? ways.length : ways.length - 4)]?.();
  return members;
}

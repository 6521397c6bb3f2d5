import { BSON, DBRef, Double, Int32, Long } from 'mongodb';
import { types } from 'node:util';

/** A seeded choice among numbers below `n`. */
export type Choose = (n: number) => number;

/** A linear congruential generator with the constants of Numerical Recipes: enough to choose places. */
export function chooser(seed: number): Choose {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

/** A copy of a live value with one thing about it changed somewhere inside; sometimes only how it is said. */
export function edited(value: unknown, choose: Choose, pool: readonly unknown[]): unknown {
  const inside = choose(3) > 0;
  if (inside && Array.isArray(value) && value.length > 0) return editedArray(value, choose, pool);
  if (inside && isPlain(value) && Object.keys(value).length > 0) return editedObject(value, choose, pool);
  const ways = [
    () => pool[choose(pool.length)],
    () => respelled(value, choose),
    () => respelled(value, choose),
    () => (isPlain(value) ? new Map(Object.entries(value)) : value),
    () => ({ toBSON: () => value }),
  ];
  return ways[choose(ways.length)]?.();
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function editedArray(value: readonly unknown[], choose: Choose, pool: readonly unknown[]): unknown[] {
  const copy = [...value];
  const place = choose(copy.length);
  const ways = [
    () => void (copy[place] = edited(copy[place], choose, pool)),
    () => void delete copy[place],
    () => void copy.splice(place, 1),
    () => void copy.push(pool[choose(pool.length)]),
    () => void copy.reverse(),
  ];
  ways[choose(ways.length)]?.();
  return copy;
}

function editedObject(value: Record<string, unknown>, choose: Choose, pool: readonly unknown[]): object {
  let entries = Object.entries(value);
  const place = choose(entries.length);
  const [key, member] = entries[place] as [string, unknown];
  const ways = [
    () => void (entries[place] = [key, edited(member, choose, pool)]),
    () => void (entries[place] = [key, undefined]),
    () => void entries.splice(place, 1),
    () => void entries.push([`${key}+`, undefined]),
    () => void entries.push(['a', pool[choose(pool.length)]]),
    () => void (entries = entries.toReversed()),
    () => void entries.unshift(...entries.splice(place, 1)),
  ];
  ways[choose(ways.length)]?.();
  // fromEntries defines: `__proto__` becomes a key like any other.
  return Object.fromEntries(entries);
}

/** The same number or text as another type. */
function respelled(value: unknown, choose: Choose): unknown {
  if (typeof value === 'number') {
    const ways = [
      () => new Int32(value),
      () => new Double(value),
      () => (Number.isInteger(value) ? BigInt(value) : value),
      () => (Number.isInteger(value) ? Long.fromNumber(value) : value),
      () => -value,
    ];
    return ways[choose(ways.length)]?.();
  }
  if (value instanceof Int32 || value instanceof Double) return value.value;
  if (value instanceof Long) return choose(2) === 0 ? value.toBigInt() : value.toNumber();
  if (typeof value === 'bigint') return choose(2) === 0 ? Number(value) : new Long(BigInt.asIntN(64, value));
  if (typeof value === 'string') return choose(2) === 0 ? new BSON.BSONSymbol(value) : `${value}.`;
  if (value instanceof BSON.BSONSymbol) return value.value;
  if (types.isRegExp(value)) return new RegExp(value.source, 'g');
  if (types.isUint8Array(value)) return new BSON.Binary(value, choose(3));
  if (value instanceof BSON.UUID) return value.toBinary();
  if (value instanceof BSON.Binary) return choose(2) === 0 ? value.value() : new Uint8Array(value.value());
  // case: the bson package makes a member `__proto__` of a DBRef its prototype, so `instanceof` tells too much
  if (types.isDate(value)) return new Date(value.getTime() + choose(2));
  // One with a database may have been stored with a dotted name, and that is another document.
  if (value instanceof DBRef && value.db === undefined) return value.toJSON();
  return value === null ? undefined : null;
}

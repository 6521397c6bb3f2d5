import { BSON } from 'mongodb';
import { setOwn } from '../../src/bson/plain-object.ts';
import { canonical } from './laws-canonical.ts';
import type { Random } from './laws-random.ts';

const {
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
  UUID,
} = BSON;

/** Any object that holds members: a document or a nested one. */
export type Members = Record<string, unknown>;

const plainKeys = ['a', 'b', 'c', 'k1', 'Z', 'é', 'qty', 'n'];
const oddKeys = ['', 'a.b', '$x', '$set', '.', 'x.', '0', '1', '10', '__proto__', 'constructor', 'toString', '$[]'];
const texts = ['', 'x', 'y', '$x', '$$ROOT', '$a.b', 'a.b', 'é', 'A', 'a'];
const lookalikes = [
  { $literal: 1 },
  { $ne: null },
  { $eq: [1, 1] },
  { $type: 'string' },
  [],
  {},
  [[1]],
  [[]],
  { 0: 1 },
];

const scalars: readonly ((random: Random) => unknown)[] = [
  (random) => random.below(5),
  (random) => random.below(5) + 0.5,
  (random) => new Double(random.below(5)),
  (random) => new Int32(random.below(5)),
  (random) => Long.fromNumber(random.below(3)),
  (random) => Long.fromString(`900719925474099${random.below(10)}`),
  (random) => BigInt(random.below(3)),
  () => -0,
  () => 0,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => 2 ** 31,
  (random) => Decimal128.fromString(random.pick(['1.1', '1.10', '2', 'NaN'])),
  (random) => new Date(random.below(3) * 1000),
  (random) => new Binary(Buffer.from([random.below(3), 2]), random.pick([0, 0, 5, 128])),
  (random) => Buffer.from([random.below(3)]),
  (random) => new UUID(`0123456789abcdef0123456789abcde${random.below(3)}`),
  (random) => new ObjectId(Buffer.from(random.list(12, () => random.below(256)))),
  (random) => new RegExp(random.pick(['x', '^a']), random.pick(['', 'i', 'm', 'g'])),
  () => new BSONRegExp('x', 'x'),
  (random) => random.pick(texts),
  (random) => random.pick(texts),
  (random) => random.pick(texts),
  () => null,
  () => true,
  () => false,
  (random) => new Timestamp({ t: random.below(3) + 1, i: 1 }),
  () => new MinKey(),
  () => new MaxKey(),
  (random) => new BSONSymbol(random.pick(texts)),
  (random) => new Code('return 1', random.chance(0.5) ? { n: random.below(3) } : null),
  (random) => new DBRef('others', new ObjectId(Buffer.alloc(12, random.below(3)))),
];

function randomKey(random: Random): string {
  return random.chance(0.25) ? random.pick(oddKeys) : random.pick(plainKeys);
}

/** A value of any BSON type, nested at most three levels from level 0. */
export function randomValue(random: Random, level = 0): unknown {
  const kind = random.next();
  if (level < 3 && kind < 0.22) return randomMembers(random, level + 1);
  if (level < 3 && kind < 0.4) return random.list(random.below(4), () => randomValue(random, level + 1));
  return kind < 0.43 ? structuredClone(random.pick(lookalikes)) : random.pick(scalars)(random);
}

function randomMembers(random: Random, level: number): Members {
  const members = {};
  for (let n = random.below(4); n > 0; n -= 1) setOwn(members, randomKey(random), randomValue(random, level));
  return members;
}

/** A document with odd keys at the top and below, a map under number-like keys, arrays of scalars and of objects. */
export function randomDocument(random: Random): Members {
  const document: Members = {};
  for (const key of [...plainKeys.slice(0, 5), ...oddKeys])
    if (random.chance(0.4)) setOwn(document, key, randomValue(random));
  const nested = {};
  for (const key of [...plainKeys, ...oddKeys]) {
    if (random.chance(0.4)) setOwn(nested, key, random.chance(0.3) ? randomMembers(random, 1) : randomValue(random, 1));
  }
  const map: Members = {};
  for (const key of ['0', '7', '14', '21']) {
    if (random.chance(0.6))
      map[key] = random.chance(0.5) ? { x: random.below(3), y: random.below(3) } : random.below(5);
  }
  const line = () => ({ p: random.below(3), q: randomValue(random, 2), r: [random.below(3), random.below(3)] });
  return Object.assign(document, {
    nested,
    map,
    tags: random.list(random.below(5), () => random.pick(texts)),
    list: random.list(random.below(4), line),
    deep: { map: { 3: { list: random.list(random.below(4), line), lines: randomItems(random) } } },
    rows: randomElements(random, '_id', () => ({ n: random.below(3), items: randomItems(random) })),
    items: randomItems(random),
  });
}

/** Values that tell elements apart. None equals another; some look as if they did. */
const ids: readonly (() => unknown)[] = [
  () => 'A',
  () => 'a',
  () => '$x',
  () => '1',
  () => 1,
  () => 2.5,
  () => Long.fromString('9007199254740993'),
  () => Decimal128.fromString('7.10'),
  () => true,
  () => new Date(1),
  () => new ObjectId('0123456789abcdef01234567'),
  () => new UUID('0123456789abcdef0123456789abcdef'),
  () => new Binary(Buffer.from([1]), 0),
];

/** An array whose elements are told apart by their `sku`. */
function randomItems(random: Random): unknown[] {
  return randomElements(random, 'sku', () => ({
    qty: random.pick([1, 1.5, new Double(2), Long.fromNumber(3)]),
    at: random.chance(0.3) ? { x: random.below(3), y: random.below(3) } : randomValue(random, 2),
    list: random.list(random.below(3), () => random.below(3)),
    ...(random.chance(0.3) && {
      rows: randomElements(random, '_id', () => ({ q: random.below(3), 7: random.below(3) })),
    }),
  }));
}

/** Elements that are told apart by a member; now and then one of them has none, or the same as another. */
function randomElements(random: Random, key: string, members: () => Members): unknown[] {
  const elements = random.list<Members>(random.below(4), () => ({ ...members(), [key]: random.pick(ids)() }));
  const known = new Set<string>();
  const unique = elements.filter((element) => {
    const id = identity(element[key]);
    return !known.has(id) && known.add(id);
  });
  const odd = random.pick<unknown>([null, 5, {}, { [key]: null }, { ...unique[0], twice: true }]);
  return random.chance(0.08) ? [...unique, odd] : unique;
}

/** The key by which the elements of an array of this name can be told apart; null where they cannot. */
export function keyOfElements(name: string, value: unknown): string | null {
  if (!Array.isArray(value)) return null;
  const key = name === 'items' || name === 'lines' ? 'sku' : '_id';
  const known = value.map((element: unknown) => (isMembers(element) ? identity(element[key]) : 'null'));
  return known.includes('null') || new Set(known).size < known.length ? null : key;
}

/** A text for each identity, the same for those that a server takes for equal. */
export function identity(id: unknown): string {
  const isScalar = ids.some((make) => typeof make() === typeof id);
  return isScalar && id !== null ? canonical(id) : 'null';
}

/** A new element with an identity that none of the others has. */
export function newElement(random: Random, key: string, serial: number): Members {
  return {
    [key]: random.pick([`new${serial}`, new ObjectId(Buffer.alloc(12, serial))]),
    at: randomValue(random, 2),
    list: [serial],
  };
}

/** A changed copy: mostly small changes, sometimes another value. */
export function mutated(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && random.chance(0.9)) return mutatedArray(random, value);
  if (isMembers(value) && random.chance(0.9)) return mutatedMembers(random, value);
  return randomValue(random, 1);
}

function mutatedArray(random: Random, array: readonly unknown[]): unknown[] {
  const at = random.below(Math.max(1, array.length));
  const another = () => randomValue(random, 2);
  const changes: readonly (() => unknown[])[] = [
    () => [...array, ...random.list(1 + random.below(2), another)],
    () => [...array, another()],
    () => array.toSpliced(at, 1),
    () => array.toSpliced(at, 0, another()),
    () => array.toReversed(),
    () => array.slice(0, -1),
    () => array.map((element, i) => (i === at ? undefined : element)),
    () => array.map((element, i) => (i === at ? mutated(random, element) : element)),
    () => array.map((element) => (random.chance(0.5) ? mutated(random, element) : element)),
  ];
  return random.pick(changes)();
}

function mutatedMembers(random: Random, members: Members): Members {
  const result: Members = {};
  const keys = random.chance(0.05) ? Object.keys(members).reverse() : Object.keys(members);
  for (const key of keys) setOwn(result, key, members[key]);
  for (let n = 1 + random.below(3); n > 0; n -= 1) {
    const key = keys.length > 0 && random.chance(0.6) ? random.pick(keys) : randomKey(random);
    const known = Object.hasOwn(result, key) && result[key] !== undefined;
    const dice = random.next();
    if (dice < 0.12) delete result[key];
    else if (dice < 0.24) setOwn(result, key, undefined);
    else setOwn(result, key, known ? mutated(random, result[key]) : randomValue(random, 2));
  }
  return result;
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

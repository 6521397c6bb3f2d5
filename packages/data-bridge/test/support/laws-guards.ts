import { BSON } from 'mongodb';
import { isMembers, type Members } from './laws-documents.ts';

const { Binary, Code, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp } = BSON;

/** Stands for no value. */
export const NOTHING = Symbol('nothing');

const decimal = (text: string) => Decimal128.fromString(text);

/** Originals and stored values: pairs that filters take for equal although they are not, and others that they take apart. */
export const VALUES: readonly unknown[] = [
  NOTHING,
  null,
  0,
  -0,
  1,
  new Double(1),
  Long.fromNumber(1),
  1.5,
  decimal('1.5'),
  decimal('1.50'),
  decimal('NaN'),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Long.fromString('9007199254740993'),
  9007199254740992,
  '',
  'a',
  'A',
  '$a',
  true,
  false,
  new Date(0),
  new ObjectId('0123456789abcdef01234567'),
  new Binary(Buffer.from([1])),
  new Binary(Buffer.from([1]), 5),
  /a/,
  /a/i,
  new Code('a'),
  new Code('a', { b: 1 }),
  new Timestamp({ t: 1, i: 1 }),
  new MinKey(),
  new MaxKey(),
  {},
  { x: 1 },
  { x: 1, y: 2 },
  { y: 2, x: 1 },
  { $x: 1 },
  { $gt: 0 },
  { 'a.b': 1 },
  { '': 1 },
  { x: null },
  { 0: 1 },
  new Map([
    ['2', 1],
    ['1', 1],
  ]),
  new Map([
    ['1', 1],
    ['2', 1],
  ]),
  { x: { y: [1] } },
  { x: [{ y: 1 }] },
  [],
  [1],
  [[1]],
  [null],
  ['a'],
  [/a/],
  [{ x: 1 }],
  [[]],
  [1, 2],
  [{ x: 1, y: 2 }],
  [{ y: 2, x: 1 }],
  [Number.NaN],
];

/** A place in a document: how a document is made that holds a value there, and the keys that lead there. */
export interface Shape {
  readonly name: string;
  readonly keys: readonly (string | number)[];
  readonly hold: (value: unknown) => Members;
}

const under = (key: string, value: unknown): Members => (value === NOTHING ? {} : { [key]: value });
const inside =
  (...keys: readonly string[]) =>
  (value: unknown): Members => {
    const [key = '', ...inner] = keys;
    return inner.length === 0 ? under(key, value) : { [key]: inside(...inner)(value) };
  };

export const SHAPES: readonly Shape[] = [
  { name: 'a field', keys: ['a'], hold: inside('a') },
  { name: 'a member', keys: ['o', 'a'], hold: inside('o', 'a') },
  { name: 'a member of a member', keys: ['o', 'p', 'a'], hold: inside('o', 'p', 'a') },
  { name: 'a member under a number', keys: ['m', '1'], hold: inside('m', '1') },
  { name: 'a member below a number', keys: ['m', '1', 'a'], hold: inside('m', '1', 'a') },
  { name: 'a member with a dot', keys: ['o', 'a.b'], hold: inside('o', 'a.b') },
  { name: 'a member without a name', keys: ['o', ''], hold: inside('o', '') },
  { name: 'a member below a dollar', keys: ['o', '$k', 'a'], hold: inside('o', '$k', 'a') },
  { name: 'a field with a dollar', keys: ['$k'], hold: inside('$k') },
  { name: 'a member of a field with a dot', keys: ['k.l', 'a'], hold: inside('k.l', 'a') },
  { name: 'an element', keys: ['l', 1], hold: (value) => ({ l: value === NOTHING ? ['q'] : ['q', value] }) },
  {
    name: 'an element of a member',
    keys: ['o', 'l', 0],
    hold: (value) => ({ o: { l: value === NOTHING ? [] : [value] } }),
  },
];

/** Documents of other shapes, which a careless path goes through. */
export const STRANGERS: readonly Members[] = [
  {},
  { o: null },
  { o: 5 },
  { o: [] },
  { o: [{ a: 1 }] },
  { o: [{ a: 'a' }] },
  { o: [{ p: { a: 1 } }] },
  { o: 'x' },
  { o: { p: [{ a: 1 }] } },
  { o: { p: null } },
  { o: { l: { 0: 1 } } },
  { o: [{ l: [1] }] },
  { o: { a: { b: 1 } } },
  { l: 1 },
  { l: null },
  { l: [{ 1: 1 }] },
  { l: [{ 1: 'a' }] },
  { l: { 1: 1 } },
  { l: [{ 1: { a: 1 } }, 0] },
  { l: ['q', [1]] },
  { l: ['q', [{ a: 1 }]] },
  { l: [[0, 1]] },
  { m: [0, 1] },
  { m: [{ 1: 1 }] },
  { m: [0, { a: 1 }] },
  { a: [[1]] },
  { a: { b: 1 } },
  { k: { l: { a: 1 } } },
];

/** The value at those keys, `NOTHING` where it could be and is not, `undefined` where the shape is another. */
export function valueIn(document: unknown, keys: readonly (string | number)[]): unknown {
  const [key, ...inner] = keys;
  if (key === undefined) return document;
  const isFitting = typeof key === 'number' ? Array.isArray(document) : isMembers(document);
  if (!isFitting) return undefined;
  const holder = document as Record<string | number, unknown>;
  if (Object.hasOwn(holder, key)) return valueIn(holder[key], inner);
  return inner.length === 0 ? NOTHING : undefined;
}

/** A text that two values share exactly when the server takes them for equal. @param ordered does the order of keys count? */
export function served(value: unknown, ordered: boolean): string {
  const inner = (each: unknown): string => served(each, ordered);
  if (value === NOTHING) return 'nothing';
  if (Array.isArray(value)) return `[${value.map(inner).join()}]`;
  if (value instanceof Map || isMembers(value)) {
    const members = [...(value instanceof Map ? value : Object.entries(value))];
    const texts = members.map(([key, member]) => `${JSON.stringify(key)}:${inner(member)}`);
    return `{${(ordered ? texts : texts.toSorted()).join()}}`;
  }
  if (typeof value === 'number') return numberText(value);
  if (value instanceof Double || value instanceof BSON.Int32) return numberText(value.value);
  if (value instanceof Long && !(value instanceof Timestamp)) return value.toString();
  if (value instanceof Decimal128) return numberText(Number(value.toString()));
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof RegExp) return `/${value.source}/${value.flags}`;
  if (value instanceof BSON.BSONRegExp) return `/${value.pattern}/${value.options}`;
  return BSON.EJSON.stringify({ value }, { relaxed: false });
}

function numberText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}

import { encodeField } from '../bson/encode.ts';
import { BSON_TYPES, type BsonTypeName } from '../bson/types.ts';
import type { Position } from './page-token.ts';

/** One key of an order: a stored path, ascending or descending. */
export interface OrderKey {
  readonly path: string;
  readonly direction: 1 | -1;
}

/** A condition of a filter. */
type Condition = Readonly<Record<string, unknown>>;

/** BSON types whose values are compared with each other: the types' names for `$type`, by their codes. */
interface Bracket {
  readonly kind: Kind;
  readonly types: ReadonlyMap<number, BsonTypeName>;
}

/**
 * How operators of filters order the values of a bracket:
 *
 * - `single`: there is only one value.
 * - `null`: there is only one value, and a missing one equals it.
 * - `number`: as a sort does, but for NaN, which a sort puts before other numbers and operators do not compare.
 * - `plain`: as a sort does.
 * - `none`: not at all, or not as a sort does.
 */
type Kind = 'single' | 'null' | 'number' | 'plain' | 'none';

/** The kinds of all brackets that are not plain, each by one of its types. */
const KINDS: { readonly [Name in BsonTypeName]?: Kind } = {
  minKey: 'single',
  undefined: 'none',
  null: 'null',
  double: 'number',
  array: 'none',
  regex: 'none',
  dbPointer: 'none',
  maxKey: 'single',
};

/** In MongoDB's order. Operators such as `$gt` stay inside the bracket of their operand. */
const BRACKETS: readonly Bracket[] = [...new Set(BSON_TYPES.map(({ rank }) => rank))].map((own) => {
  const types = BSON_TYPES.filter(({ rank }) => rank === own);
  const kind = types.map(({ name }) => KINDS[name]).find((found) => found !== undefined);
  return { kind: kind ?? 'plain', types: new Map(types.map(({ code, name }) => [code, name])) };
});

/** The name of the value's BSON type if a filter cannot say what comes after it in a sort. */
export function unpageableType(value: unknown): string | undefined {
  const { kind, types } = bracketOf(value);
  return kind === 'none' ? types.get(codeOf(value)) : undefined;
}

/**
 * The condition of the documents that come after a position in the order of these keys, whatever the types of their values.
 *
 * @param keys no two documents have the same values under all of them.
 */
export function afterPosition(keys: readonly OrderKey[], { values, side }: Position): Condition {
  const ways = keys.flatMap((key, i) => {
    const later = after(key, values[i]);
    return later.length === 0 ? [] : [allOf([...equal(keys.slice(0, i), values), anyOf(later)])];
  });
  return anyOf(side === 'before' ? [...ways, allOf(equal(keys, values))] : ways);
}

/** The conditions of documents that have these values under the keys. */
function equal(keys: readonly OrderKey[], values: readonly unknown[]): Condition[] {
  return keys.map(({ path }, i) => {
    const { kind, types } = bracketOf(values[i]);
    if (kind === 'null') return anyOf(nothingAt(path));
    // As operands MinKey and MaxKey stand for all types.
    return { [path]: kind === 'single' ? { $type: [...types.values()] } : { $eq: values[i] } };
  });
}

/** Null, or no value. Where there is an array on the way the first does not match. */
function nothingAt(path: string): Condition[] {
  return [{ [path]: { $eq: null } }, { [path]: { $exists: false } }];
}

/** The ways in which a path can hold a value that comes after this one. */
function after({ path, direction }: OrderKey, value: unknown): Condition[] {
  const own = bracketOf(value);
  const at = BRACKETS.indexOf(own);
  const later = direction === 1 ? BRACKETS.slice(at + 1) : BRACKETS.slice(0, at);
  const types = later.filter(({ kind }) => kind !== 'null').flatMap((each) => [...each.types.values()]);
  return [
    ...afterInside({ path, direction }, value, own),
    ...(types.length > 0 ? [{ [path]: { $type: types } }] : []),
    ...(later.some(({ kind }) => kind === 'null') ? nothingAt(path) : []),
  ];
}

/** The same among the values of its own bracket. */
function afterInside({ path, direction }: OrderKey, value: unknown, { kind }: Bracket): Condition[] {
  if (kind === 'single' || kind === 'null') return [];
  const later = { [path]: direction === 1 ? { $gt: value } : { $lt: value } };
  if (kind !== 'number') return [later];
  // NaN comes before all numbers, and operators do not compare it.
  const isNaN = Number.isNaN(Number(String(value)));
  if (direction === 1) return [isNaN ? { [path]: { $gte: Number.NEGATIVE_INFINITY } } : later];
  return isNaN ? [] : [later, { [path]: { $eq: Number.NaN } }];
}

function bracketOf(value: unknown): Bracket {
  const code = codeOf(value);
  return BRACKETS.find(({ types }) => types.has(code)) as Bracket;
}

function codeOf(value: unknown): number {
  return encodeField('', value)[0] as number;
}

function anyOf(conditions: readonly Condition[]): Condition {
  const [first, ...others] = conditions;
  if (first === undefined) return { $nor: [{}] };
  return others.length === 0 ? first : { $or: conditions };
}

function allOf(conditions: readonly Condition[]): Condition {
  const [first, ...others] = conditions;
  return first !== undefined && others.length === 0 ? first : { $and: conditions };
}

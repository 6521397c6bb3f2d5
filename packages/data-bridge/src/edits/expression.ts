import type { BsonTypeName } from '../bson/types.ts';

/** An aggregation expression. */
export type Expression = string | number | boolean | null | readonly Expression[] | { readonly [key: string]: unknown };

/** A value as it is: a bare object would be computed, and a string `'$b'` would read a field. */
export function literal(value: unknown): Expression {
  return { $literal: value };
}

/** A member of an object, under any key. `'$a.b'` would map over an array. */
export function member(object: Expression, key: string): Expression {
  return { $getField: { field: literal(key), input: object } };
}

export function element(array: Expression, index: number): Expression {
  return { $arrayElemAt: [array, index] };
}

/** True for an object. */
export function isObject(value: Expression): Expression {
  return isOfType(value, ['object']);
}

export function isArray(value: Expression): Expression {
  return { $isArray: [value] };
}

/** True for a value of these types. A missing one is read as null: not every server knows the type of a missing expression. */
export function isOfType(value: Expression, types: readonly BsonTypeName[]): Expression {
  const type = { $type: { $ifNull: [value, null] } };
  const [first, ...others] = types;
  return first !== undefined && others.length === 0 ? { $eq: [type, first] } : { $in: [type, types] };
}

/** A missing value is less than null. Its type is not asked for: not every server knows that of a missing expression. */
export function isMissing(value: Expression): Expression {
  return { $lt: [value, null] };
}

/** The elements of the first array that are not in the second. */
export function valuesNotIn(array: Expression, others: Expression): Expression {
  return { $filter: { input: array, as: 'v', cond: { $not: [{ $in: ['$$v', others] }] } } };
}

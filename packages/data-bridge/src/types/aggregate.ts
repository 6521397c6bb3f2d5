import type { BSON } from 'mongodb';
import type { Leaf, Paths } from './paths.ts';
import type { Flat } from './shape.ts';

/** A path through stored data as an expression reads it: through an array it gives the members of all elements. */
type At<S, P> = unknown extends S
  ? unknown
  : P extends keyof S
    ? S[P]
    : P extends `${infer Head}.${infer Rest}`
      ? Head extends keyof S
        ? Through<S[Head], Rest>
        : undefined
      : undefined;

type Through<V, Rest> = unknown extends V
  ? unknown
  : V extends readonly (infer E)[]
    ? Exclude<Through<E, Rest>, undefined>[]
    : V extends object
      ? At<V, Rest>
      : undefined;

/** A field of the documents that a stage gets, as expressions name it: `'$address.city'`. */
export type FieldReference<S> = `$${Paths<S>}`;

/** An operator with its arguments, such as `{ $add: ['$price', 1] }`. */
interface Operator {
  readonly [operator: `$${string}`]: unknown;
}

/** What a stage computes from a document. Text that is no field is `{ $literal: 'text' }`. */
export type Expression<S> = ExpressionOn<FieldReference<S>>;

/** By the fields that there are, so that messages name them and compilers look for them once. */
type ExpressionOn<Field extends string> =
  | Field
  | '$$ROOT'
  | '$$NOW'
  | '$$REMOVE'
  | number
  | bigint
  | boolean
  | Date
  | null
  | BSON.ObjectId
  | BSON.Decimal128
  | BSON.Long
  | Operator;

/** An expression, or an object or a list of them. */
export type Computed<S> = ComputedOn<FieldReference<S>>;

type ComputedOn<Field extends string> =
  | ExpressionOn<Field>
  | { readonly [name: string]: ComputedOn<Field> }
  | readonly ComputedOn<Field>[];

/**
 * What a stage computes, `E`, with a `NoSuchField` in the place of each wrong one at any depth: a constraint looks at the
 * outside alone, since the arguments of operators may be any text.
 */
export type Checked<S, E> = CheckedBy<FieldReference<S>, E>;

type CheckedBy<Field extends string, E> = E extends string
  ? CheckedText<Field, E>
  : E extends Leaf | { readonly $literal: unknown }
    ? E
    : IsOpen<E> extends true
      ? E
      : { readonly [K in keyof E]: CheckedBy<Field, E[K]> };

/** True of lists and objects whose members the compiler does not know one by one. */
type IsOpen<E> = E extends readonly unknown[]
  ? number extends E['length']
    ? true
    : false
  : `$${string}` extends keyof E
    ? true
    : false;

type CheckedText<Field extends string, E extends string> = E extends `$$${infer Variable}`
  ? Variable extends `${'ROOT' | 'CURRENT'}.${infer P}`
    ? `$${P}` extends Field
      ? E
      : NoSuchField<Field>
    : E
  : E extends `$${string}`
    ? E extends Field
      ? E
      : NoSuchField<Field>
    : E;

/** No text is one of these, also together with itself: so messages name what was written, and the fields. */
interface NoSuchField<Field extends string> {
  readonly fields: Field;
}

type NumberOperator =
  | '$abs'
  | '$add'
  | '$bsonSize'
  | '$ceil'
  | '$cmp'
  | '$dayOfMonth'
  | '$dayOfWeek'
  | '$dayOfYear'
  | '$divide'
  | '$exp'
  | '$floor'
  | '$hour'
  | '$indexOfArray'
  | '$indexOfCP'
  | '$minute'
  | '$mod'
  | '$month'
  | '$multiply'
  | '$pow'
  | '$round'
  | '$second'
  | '$size'
  | '$sqrt'
  | '$strLenCP'
  | '$subtract'
  | '$sum'
  | '$toDouble'
  | '$toInt'
  | '$trunc'
  | '$week'
  | '$year';
type TextOperator =
  | '$concat'
  | '$dateToString'
  | '$replaceAll'
  | '$replaceOne'
  | '$substrCP'
  | '$toLower'
  | '$toString'
  | '$toUpper'
  | '$trim'
  | '$type';
type TruthOperator =
  | '$allElementsTrue'
  | '$and'
  | '$anyElementTrue'
  | '$eq'
  | '$gt'
  | '$gte'
  | '$in'
  | '$isArray'
  | '$isNumber'
  | '$lt'
  | '$lte'
  | '$ne'
  | '$not'
  | '$or'
  | '$regexMatch'
  | '$setEquals'
  | '$setIsSubset'
  | '$toBool';

/** What an operator gives. Of arithmetic on what may be null it is null, which the type leaves out. */
type OperatorValue<S, E> = E extends { readonly $literal: infer V }
  ? V
  : E extends { readonly $meta: 'textScore' }
    ? number
    : E extends { readonly $ifNull: readonly [infer A, infer B] }
      ? NonNullable<ValueOf<S, A>> | ValueOf<S, B>
      : E extends { readonly $cond: readonly [unknown, infer A, infer B] }
        ? ValueOf<S, A> | ValueOf<S, B>
        : keyof E extends NumberOperator
          ? number
          : keyof E extends TextOperator
            ? string
            : keyof E extends TruthOperator
              ? boolean
              : unknown;

/** The value of an expression over documents `S`. A field that may be missing is `undefined`. */
export type ValueOf<S, E> = E extends '$$ROOT'
  ? S
  : E extends '$$NOW'
    ? Date
    : E extends '$$REMOVE'
      ? undefined
      : E extends `$${infer P}`
        ? At<S, P>
        : E extends string | number | bigint | boolean | Date | null | { readonly _bsontype: string }
          ? E
          : E extends readonly unknown[]
            ? { -readonly [K in keyof E]: OrNull<ValueOf<S, E[K]>> }
            : [keyof E] extends [`$${string}`]
              ? OperatorValue<S, E>
              : { -readonly [K in keyof E]: ValueOf<S, E[K]> };

/** Where a missing field is null: the key of a group, what an accumulator takes, an element of a list. */
type OrNull<V> = unknown extends V ? V : undefined extends V ? Exclude<V, undefined> | null : V;

/** What a group computes from its documents, by one of these. */
export interface Accumulator<S> {
  readonly $sum?: Expression<S>;
  readonly $avg?: Expression<S>;
  readonly $min?: Expression<S>;
  readonly $max?: Expression<S>;
  readonly $first?: Computed<S>;
  readonly $last?: Computed<S>;
  readonly $push?: Computed<S>;
  readonly $addToSet?: Computed<S>;
  readonly $mergeObjects?: Expression<S>;
  readonly $stdDevPop?: Expression<S>;
  readonly $stdDevSamp?: Expression<S>;
  readonly $count?: Readonly<Record<string, never>>;
}

type AccumulatorValue<S, A> = A extends { readonly $sum: unknown } | { readonly $count: unknown }
  ? number
  : A extends { readonly $avg: unknown } | { readonly $stdDevPop: unknown } | { readonly $stdDevSamp: unknown }
    ? number | null
    : A extends
          | { readonly $first: infer E }
          | { readonly $last: infer E }
          | { readonly $min: infer E }
          | { readonly $max: infer E }
      ? OrNull<ValueOf<S, E>>
      : A extends { readonly $push: infer E } | { readonly $addToSet: infer E }
        ? Exclude<ValueOf<S, E>, undefined>[]
        : unknown;

/** What `group` takes: `_id`, the key of the groups, and an accumulator for each other field. */
export type GroupFields<S, G> = {
  readonly [K in keyof G]: K extends '_id' ? Computed<S> : AccumulatorOf<S, keyof G[K]>;
};

/** A message where it is none. */
type AccumulatorOf<S, Operator> = [Operator] extends [never]
  ? 'a group computes by an accumulator, such as { $sum: 1 }'
  : [Operator] extends [keyof Accumulator<S>]
    ? Accumulator<S>
    : 'a group computes by an accumulator, such as { $sum: 1 }';

export type Grouped<S, G> = Flat<{
  -readonly [K in keyof G]: K extends '_id' ? OrNull<ValueOf<S, G[K]>> : AccumulatorValue<S, G[K]>;
}>;

/** What `project` takes: fields to keep (1, true), to leave out (0, false), or to compute. */
export type ProjectFields<S> = { readonly [K in keyof S]?: Computed<S> } & { readonly [name: string]: Computed<S> };

type IsLeftOut<E> = E extends 0 | false ? true : false;

/** True where it says only what to leave out: then all else stays. */
type LeavesOut<P> = [{ [K in keyof P]: IsLeftOut<P[K]> extends true ? never : K }[keyof P]] extends [never]
  ? true
  : false;

type Kept<S, P> = {
  -readonly [K in keyof P as IsLeftOut<P[K]> extends true ? never : K]: P[K] extends 1 | true
    ? K extends keyof S
      ? S[K]
      : unknown
    : Computed<S> extends P[K]
      ? unknown // of a wrong field, say: going through all that there may be would hide the message that names it
      : ValueOf<S, P[K]>;
} & (P extends { readonly _id: unknown } ? unknown : S extends { readonly _id: infer I } ? { _id: I } : unknown);

export type Projected<S, P> = LeavesOut<P> extends true ? Flat<Omit<S, keyof P>> : Flat<Kept<S, P>>;

export type WithFields<S, P> = AllOf<Omit<S, keyof P> & { -readonly [K in keyof P]: ValueOf<S, P[K]> }>;

/** As `Flat`, by name: what arguments of operators may be is too deep for compilers to look at where nobody asks. */
type AllOf<T> = { [K in keyof T]: T[K] };

/** The names of the fields that hold lists, each under itself: what is looked up in it is listed by messages. */
export type Lists<S> = { [K in keyof S & string]: NonNullable<S[K]> extends readonly unknown[] ? K : never };

export type Unwound<S, K extends keyof S> = Flat<
  Omit<S, K> & { [P in K]-?: NonNullable<S[P]> extends readonly (infer E)[] ? E : never }
>;

export type With<S, A extends string, V> = Flat<Omit<S, A> & { [K in A]: V }>;

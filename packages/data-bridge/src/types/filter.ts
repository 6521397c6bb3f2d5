import type { BSONRegExp, BSONType, BSONTypeAlias, ObjectId } from 'mongodb';
import type { GeoCondition } from '../filter/geo.ts';
import type { Literal } from '../filter/literal.ts';
import type { AnyNumber, ElementOf, FilterPathsIn, Leaf, ValueIn } from './paths.ts';
import type { IdFor } from './ref.ts';
import type { AnyRef } from './stored-id.ts';
import type { AnyDocument, Late, NoDocument, shape, ShapeOf } from './shape.ts';

/**
 * What finds documents: conditions on fields and dotted paths, joined by `$and`, `$or`, `$nor`.
 *
 * ```ts
 * User.find({ age: { $gte: 18 }, 'address.city': 'Rome', tags: 'admin', items: { $elemMatch: { sku: 'a', qty: { $gt: 1 } } } });
 * ```
 *
 * `D` is a document class, or the plain type of an element. A string of 24 hexadecimal digits, the document that has it as
 * its `_id`, and a reference to that may stand for an ObjectId where it is compared for equality in a document.
 */
export type Filter<D> = Late<D, Conditions<ShapeOf<D>, HexIn<D>>> & Joined<D>;

/** Values that fields and paths are to equal: never operators. */
export type Equality<D> = Late<D, Equalities<ShapeOf<D>, HexIn<D>>> & NoDocument;

/** What may stand for an ObjectId in fields of documents: its text, the document that has it, a reference; nothing for other objects. */
export type HexIn<D> = D extends { readonly [shape]: unknown } ? string | AnyDocument | AnyRef : never;

type Conditions<S, Hex> = {
  readonly [K in FilterPathsIn<S>]?: Condition<ValueIn<S, K>, Hex>;
};

type Equalities<S, Hex> = {
  readonly [K in FilterPathsIn<S>]?: Equal<ValueIn<S, K>, Hex>;
};

type Equal<V, Hex> = unknown extends V ? unknown : Comparand<Matched<NonNullable<V>>, Hex> | null;

/** Conditions that are on no field. */
interface Joined<D> extends NoDocument {
  readonly $and?: readonly Filter<D>[];
  readonly $or?: readonly Filter<D>[];
  readonly $nor?: readonly Filter<D>[];
  readonly $expr?: unknown;
  readonly $text?: TextSearch;
  readonly $jsonSchema?: Readonly<Record<string, unknown>>;
  readonly $comment?: string;
}

interface TextSearch {
  readonly $search: string;
  readonly $language?: string;
  readonly $caseSensitive?: boolean;
  readonly $diacriticSensitive?: boolean;
}

/** A condition on a value of this type. Anything goes where the type is not known; null also finds what is absent. */
export type Condition<V, Hex = never> = unknown extends V
  ? unknown
  : ConditionOn<NonNullable<V>, Matched<NonNullable<V>>, Hex> | null;

/** On a value `V`, which is compared as an `M`. That it may be a string is asked once: compilers count. */
type ConditionOn<V, M, Hex> =
  | Literal
  | Comparand<M, Hex>
  | ([Extract<M, string>] extends [never]
      ? OperatorsOnOthers<V, M, Hex>
      : RegExp | BSONRegExp | (OperatorsOnOthers<V, M, Hex> & OnString))
  | ([Extract<V, Place>] extends [never] ? never : GeoCondition);

/** What a condition is compared with: an array as a whole, and each of its elements. */
type Matched<V> = V extends readonly (infer E)[] ? V | E : V;

/** What a value of this type may be compared with: numbers of different BSON types compare by their value. */
type Comparand<V, Hex> = V extends AnyNumber
  ? IsWide<V> extends true
    ? AnyNumber
    : V
  : V extends ObjectId
    ? V | Hex
    : V extends { readonly $isLoaded: boolean }
      ? V | IdFor<V, Hex>
      : V;

/** True for a type of numbers, not for one of a few numbers. */
type IsWide<V> = V extends number ? (number extends V ? true : false) : true;

/** Regular expressions, where the value may be a string. */
export type Pattern<V> = [Extract<V, string>] extends [never] ? never : RegExp | BSONRegExp;

/** What the server can take for a place: GeoJSON, or a pair of coordinates. */
type Place = { readonly type: string; readonly coordinates: readonly unknown[] } | readonly number[];

/** The operators on a value `V`, which they compare as an `M`. */
type Operators<V, M, Hex> = OperatorsOnOthers<V, M, Hex> & ([Extract<M, string>] extends [never] ? unknown : OnString);

/** Those that not only strings have. */
type OperatorsOnOthers<V, M, Hex> = Comparisons<V, M, Hex> &
  ([Extract<M, AnyNumber>] extends [never] ? unknown : OnNumber) &
  ([Extract<V, readonly unknown[]>] extends [never]
    ? unknown
    : OnArray<ElementOf<Extract<V, readonly unknown[]>>, Hex>);

/** For order, strings do not stand for ObjectIds. Types stand in the members, since compilers work them out only where they are used. */
interface Comparisons<V, M, Hex> {
  readonly $eq?: Comparand<M, Hex> | Literal | null;
  readonly $ne?: Comparand<M, Hex> | Literal | null;
  readonly $in?: readonly (Comparand<M, Hex> | Literal | Pattern<M> | null)[];
  readonly $nin?: readonly (Comparand<M, Hex> | Literal | Pattern<M> | null)[];
  readonly $gt?: Comparand<M, never> | Literal;
  readonly $gte?: Comparand<M, never> | Literal | null;
  readonly $lt?: Comparand<M, never> | Literal;
  readonly $lte?: Comparand<M, never> | Literal | null;
  readonly $exists?: boolean;
  readonly $type?: BsonTypeName | readonly BsonTypeName[];
  readonly $not?: Operators<V, M, Hex> | Pattern<M> | ([Extract<V, Place>] extends [never] ? never : GeoCondition);
}

type BsonTypeName = BSONTypeAlias | BSONType | 'number';

interface OnString {
  readonly $regex?: string | RegExp | BSONRegExp;
  readonly $options?: string;
}

interface OnNumber {
  readonly $mod?: readonly [divisor: AnyNumber, remainder: AnyNumber];
  readonly $bitsAllSet?: Bits;
  readonly $bitsAnySet?: Bits;
  readonly $bitsAllClear?: Bits;
  readonly $bitsAnyClear?: Bits;
}

/** A mask, or the positions of bits. */
type Bits = AnyNumber | readonly number[];

interface OnArray<E, Hex> {
  readonly $size?: number;
  readonly $all?: readonly (Comparand<E, Hex> | Pattern<E> | { readonly $elemMatch: ElementFilter<E, Hex> })[];
  readonly $elemMatch?: ElementFilter<E, Hex>;
}

/** A condition on an array's elements: on the members of objects, of each kind of a union; on other elements themselves. */
export type ElementFilter<E, Hex = never> = unknown extends E
  ? Readonly<Record<string, unknown>>
  : | OnObjects<Exclude<E, Leaf | readonly unknown[]>, Hex>
    | OnValues<Extract<NonNullable<E>, Leaf | readonly unknown[]>, Hex>;

type OnObjects<E, Hex> = [E] extends [never]
  ? never
  : IsUnion<E> extends true
    ? KindNames<E> extends never
      ? OnMembers<E, Hex>
      : OnKinds<E, E, Hex> | OnShared<Pick<E, keyof E>, E, Hex>
    : OnMembers<E, Hex>;

type OnMembers<E, Hex> = [Hex] extends [never] ? Filter<E> : Conditions<E, Hex> & Joined<E>;

type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never;

/** The names of the members that tell the kinds of a union apart: each kind has some of their values. */
type KindNames<E> = {
  [K in keyof E & string]: [E[K]] extends [string | number | boolean]
    ? HasAll<E, E[K], K> extends false
      ? K
      : never
    : never;
}[keyof E & string];

type HasAll<E, V, K extends keyof E> = E extends unknown ? ([V] extends [E[K]] ? true : false) : never;

/** Conditions on an element of a union `All`: those on one kind, for each, since no element is of two. */
type OnKinds<E, All, Hex> = E extends unknown
  ? Omit<Conditions<E, Hex>, KindNames<All>> & {
      readonly [K in KindNames<All> & keyof E & keyof All]?: KindCondition<E[K], All[K], Hex>;
    } & {
      readonly [K in Exclude<FilterPathsIn<All>, FilterPathsIn<E>>]?: 'another kind of the union has this field';
    } & JoinedKinds<All, Hex>
  : never;

/** Conditions on what all kinds have. */
type OnShared<E, All, Hex> = Conditions<E, Hex> & {
  readonly [K in Exclude<FilterPathsIn<All>, FilterPathsIn<E>>]?: 'only some kinds of the union have this field';
} & JoinedKinds<All, Hex>;

interface JoinedKinds<E, Hex> {
  readonly $and?: readonly OnObjects<E, Hex>[];
  readonly $or?: readonly OnObjects<E, Hex>[];
  readonly $nor?: readonly OnObjects<E, Hex>[];
}

/** A value of the kind, or operators that leave several kinds. */
type KindCondition<V, All, Hex> = Literal | V | (Omit<Operators<All, All, Hex>, '$eq'> & { readonly $eq?: V }) | null;

type OnValues<E, Hex> = [E] extends [never] ? never : Operators<E, E, Hex>;

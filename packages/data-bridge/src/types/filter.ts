import type { BSONRegExp, BSONType, BSONTypeAlias, ObjectId } from 'mongodb';
import type { GeoCondition } from '../filter/geo.ts';
import type { Literal } from '../filter/literal.ts';
import type { AnyNumber, ElementOf, FilterPathsIn, Leaf, ValueIn } from './paths.ts';
import type { AnyRef, IdFor } from './ref.ts';
import type { AnyDocument, Late, shape, ShapeOf } from './shape.ts';

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
export type Equality<D> = Late<D, Equalities<ShapeOf<D>, HexIn<D>>>;

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
interface Joined<D> {
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
export type Condition<V, Hex = never> = unknown extends V ? unknown : ConditionOn<NonNullable<V>, Hex> | null;

type ConditionOn<V, Hex> =
  | Literal
  | Comparand<Matched<V>, Hex>
  | Pattern<Matched<V>>
  | Operators<V, Matched<V>, Hex>
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
type Pattern<V> = [Extract<V, string>] extends [never] ? never : RegExp | BSONRegExp;

/** What the server can take for a place: GeoJSON, or a pair of coordinates. */
type Place = { readonly type: string; readonly coordinates: readonly unknown[] } | readonly number[];

/** The operators on a value `V`, which they compare as an `M`. */
type Operators<V, M, Hex> = Comparisons<V, M, Comparand<M, Hex> | Literal, Comparand<M, never> | Literal> &
  ([Extract<M, string>] extends [never] ? unknown : OnString) &
  ([Extract<M, AnyNumber>] extends [never] ? unknown : OnNumber) &
  ([Extract<V, readonly unknown[]>] extends [never]
    ? unknown
    : OnArray<ElementOf<Extract<V, readonly unknown[]>>, Hex>);

/** `C` is what is compared for equality, `O` for order: strings that stand for ObjectIds are cast in the former only. */
interface Comparisons<V, M, C, O> {
  readonly $eq?: C | null;
  readonly $ne?: C | null;
  readonly $in?: readonly (C | Pattern<M> | null)[];
  readonly $nin?: readonly (C | Pattern<M> | null)[];
  readonly $gt?: O;
  readonly $gte?: O | null;
  readonly $lt?: O;
  readonly $lte?: O | null;
  readonly $exists?: boolean;
  readonly $type?: BsonTypeName | readonly BsonTypeName[];
  readonly $not?: Operators<V, M, never> | Pattern<M> | ([Extract<V, Place>] extends [never] ? never : GeoCondition);
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
  : [Hex] extends [never]
    ? Filter<E>
    : Conditions<E, Hex> & Joined<E>;

type OnValues<E, Hex> = [E] extends [never] ? never : Operators<E, E, Hex>;

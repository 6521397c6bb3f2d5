import type { BSON, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import type { ElementFilter, HexIn, Pattern } from './filter.ts';
import type {
  AnyInteger,
  AnyNumber,
  ElementOf,
  Inside,
  Leaf,
  PathValue,
  UpdatePaths,
  UpdatePathsIn,
  ValueIn,
} from './paths.ts';
import type { AnyDocument, Late, NoDocument, ShapeOf } from './shape.ts';
import type { IdFor } from './ref.ts';
import type { Removals, Renames } from './removable.ts';

/**
 * What changes documents: update operators on fields and dotted paths, or an aggregation pipeline.
 *
 * ```ts
 * User.updateMany({}, { $set: { 'address.city': 'Rome' }, $inc: { 'items.$[].qty': 1 }, $push: { tags: { $each: ['a', 'b'] } } });
 * ```
 */
export type Update<D> = UpdateOperators<D>;

/** The operators. */
export interface UpdateOperators<D> {
  /** An array of stages is an update, too: said so, since a union would have compilers work out all members of both. */
  readonly [Symbol.iterator]?: () => Iterator<BSON.Document>;
  readonly $set?: Late<D, Values<D>>;
  readonly $setOnInsert?: Late<D, Values<D>>;
  readonly $min?: Late<D, Values<D>>;
  readonly $max?: Late<D, Values<D>>;
  readonly $unset?: Removals<D>;
  readonly $rename?: Renames<D>;
  readonly $inc?: Late<D, Numbers<D, AnyNumber>>;
  readonly $mul?: Late<D, Numbers<D, AnyNumber>>;
  readonly $bit?: Late<D, Numbers<D, BitOperation>>;
  readonly $currentDate?: { readonly [K in UpdatePaths<D>]?: OnDate<PathValue<D, K>> };
  readonly $push?: Late<D, Arrays<D, 'push'>>;
  readonly $addToSet?: Late<D, Arrays<D, 'add'>>;
  readonly $pull?: Late<D, Arrays<D, 'pull'>>;
  readonly $pullAll?: Late<D, Arrays<D, 'pullAll'>>;
  readonly $pop?: Late<D, Arrays<D, 'pop'>>;
}

// Aliases of aliases, so that messages name `Values<User>` and compilers look for the shape once.
type Values<D> = ValuesIn<ShapeOf<D>, HexIn<D>> & NoDocument;
type Numbers<D, Operand> = NumbersIn<ShapeOf<D>, Operand>;
type Arrays<D, Operator extends keyof ArrayOperands<unknown>> = ArraysIn<ShapeOf<D>, Operator>;

type ValuesIn<S, Hex> = {
  readonly [K in UpdatePathsIn<S>]?: Settable<ValueIn<S, K>, Hex>;
};

type NumbersIn<S, Operand> = { readonly [K in UpdatePathsIn<S>]?: OnNumber<ValueIn<S, K>, Operand> };

type ArraysIn<S, Operator extends keyof ArrayOperands<unknown>> = {
  readonly [K in UpdatePathsIn<S>]?: OnArray<ValueIn<S, K>, Operator>;
};

/** A number may be written as a certain BSON type; `undefined` is no value. */
type Settable<V, Hex> = unknown extends V
  ? unknown
  : V extends undefined
    ? never
    : V extends number
      ? V | (number extends V ? Double | Int32 | Long : never)
      : V extends bigint
        ? V | Long
        : V extends ObjectId
          ? V | Hex
          : V extends { readonly $isLoaded: boolean }
            ? V | IdFor<V, Hex>
            : V;

/** What `$bit` does to an integer; several are done in their order. */
export type BitOperation = { readonly and: AnyInteger } | { readonly or: AnyInteger } | { readonly xor: AnyInteger };

type OnNumber<V, Operand> = unknown extends V
  ? Operand
  : [V] extends [AnyNumber | null | undefined]
    ? Operand
    : Inside extends V
      ? HasInside<V, AnyNumber, Operand, 'this operator needs a field of numbers'>
      : 'this operator needs a field of numbers';

/** Of a pattern that takes in what is inside a record's members: the operand where there is a `W`. */
type HasInside<V, W, Operand, Message> = [Extract<V, W>] extends [never] ? Message : Operand;

type OnDate<V> = unknown extends V
  ? true | { readonly $type: 'date' | 'timestamp' }
  : [NonNullable<V>] extends [Date]
    ? true | { readonly $type: 'date' }
    : [NonNullable<V>] extends [Timestamp]
      ? { readonly $type: 'timestamp' }
      : Inside extends V
        ? HasInside<
            V,
            Date | Timestamp,
            true | { readonly $type: 'date' | 'timestamp' },
            'this operator needs a field of dates'
          >
        : 'this operator needs a field of dates';

type OnArray<V, Operator extends keyof ArrayOperands<unknown>> = unknown extends V
  ? ArrayOperands<unknown>[Operator]
  : [V] extends [readonly unknown[] | null | undefined]
    ? ArrayOperands<ElementOf<NonNullable<V>>>[Operator]
    : Inside extends V
      ? HasInside<
          V,
          readonly unknown[],
          ArrayOperands<ElementOf<Extract<V, readonly unknown[]>>>[Operator],
          'this operator needs a field of arrays'
        >
      : 'this operator needs a field of arrays';

/** What may stand for an ObjectId in the documents of any model. */
type AnyHex = HexIn<AnyDocument>;

/** An element, or what may stand for an ObjectId or a reference. */
type Element<E> = E | IdFor<E, string> | (E extends ObjectId ? AnyHex : never);

/** What a document adds to the array at a path, or takes from it. */
export type ElementsAt<S, P> = ElementAtPath<S, P>[];

type ElementAtPath<S, P> = unknown extends P ? unknown : Element<ElementOf<NonNullable<PathValue<S, P>>>>;

/** What each operator on arrays takes for an array of `E`. */
interface ArrayOperands<E> {
  readonly push: Element<E> | Modifiers<E>;
  readonly add: Element<E> | { readonly $each: readonly Element<E>[] };
  readonly pull: Element<E> | Pattern<E> | ElementFilter<E, AnyHex>;
  readonly pullAll: readonly Element<E>[];
  readonly pop: 1 | -1;
}

interface Modifiers<E> {
  readonly $each: readonly Element<E>[];
  readonly $position?: number;
  readonly $slice?: number;
  readonly $sort?: 1 | -1 | (E extends Leaf ? never : Readonly<Record<string, 1 | -1>>);
}

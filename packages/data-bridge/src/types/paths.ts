import type { BSON, ObjectId } from 'mongodb';
import type { ShapeOf } from './shape.ts';

/** What `$inc` and `$mul` take. */
export type AnyNumber = number | bigint | BSON.Long | BSON.Decimal128 | BSON.Double | BSON.Int32;

/** What `$bit` takes. */
export type AnyInteger = Exclude<AnyNumber, BSON.Decimal128 | BSON.Double>;

/** What `$min` and `$max` compare. */
export type Comparable = AnyNumber | string | boolean | Date | ObjectId;

/** Values that paths do not enter. */
export type Leaf =
  | string
  | number
  | boolean
  | bigint
  | symbol
  | null
  | undefined
  | Date
  | RegExp
  | Uint8Array
  | { readonly _bsontype: string }
  | { readonly $isLoaded: boolean }
  | ((...parameters: never) => unknown);

/** How an update names elements of an array: by position, the one that matched, all, or those of an array filter. */
export type ElementStep = `${number}` | '$' | `$[${string}]`;

/** The type of an array's elements; other types are themselves. */
export type ElementOf<V> = V extends readonly (infer E)[] ? E : V;

/**
 * The dotted paths of the fields of `D`, a document class or a plain type, eight levels deep. Arrays are passed as filters
 * do it: `items.qty` is the `qty` of every item. Of what is unknown, of types inside themselves and of deeper levels it has
 * any path below; of records any key, and what is below it; of a union, the paths of each of its kinds.
 */
export type Paths<D> = PathsIn<ShapeOf<D>, 'names', []>;

/** The paths of filters and sorts, which may name an array's elements by their places, too: `items.0.qty`, `pair.1`. */
export type FilterPaths<D> = FilterPathsIn<ShapeOf<D>>;

/** The same of the fields `S`. */
export type FilterPathsIn<S> = PathsIn<S, 'filter', []>;

/** Any path, those of the type first: a document has stored fields too that the type does not name. */
export type AnyPath<D> = unknown extends D ? string : Paths<D> | (string & {});

/**
 * The paths that `get` and `set` of a document take: those of its fields, or any where its model keeps fields that the schema
 * does not name. `T` is what the model was declared with.
 */
export type OwnPaths<S, T> = unknown extends T
  ? AnyPath<S>
  : T extends { readonly isOpen: true }
    ? AnyPath<S>
    : ElementPaths<S>;

/** A path that is known at run time only. */
export type RunTimePath<P> = string extends P ? P : never;

/**
 * The paths of updates, which name an array's elements: `items.0.qty`, `items.$.qty`, `items.$[].qty`, `items.$[name].qty`.
 * Of arrays inside arrays they have any path below, since the steps of each would multiply.
 */
export type UpdatePaths<D> = UpdatePathsIn<ShapeOf<D>>;

/** The same of the fields `S`. */
export type UpdatePathsIn<S> = PathsIn<S, 'update', []>;

/** The paths of values in a document, which name an array's elements by their places: `items.0.qty`. */
export type ElementPaths<D> = PathsIn<ShapeOf<D>, 'places', []>;

/** How paths name an array's elements: not at all, as filters or updates do, by places, or in any way inside another array. */
type Mode = 'names' | 'filter' | 'update' | 'places' | 'inner';

/** `Seen` are the types on the way, the one around first. */
type PathsIn<T, M extends Mode, Seen extends unknown[]> = T extends unknown ? PathsOf<T, Entered<T>, M, Seen> : never;

type PathsOf<T, Names extends keyof T & string, M extends Mode, Seen extends unknown[]> = [Names] extends [never]
  ? keyof T & string
  : IsEnd<T, Seen> extends true
    ? string
    : (keyof T & string) | { [K in Names]: `${K}.${PathsBelow<T[K], M, [T, ...Seen]>}` }[Names];

/** The names of the members that paths enter: found once for all modes. */
type Entered<T> = { [K in keyof T & string]: T[K] extends Leaf ? never : K }[keyof T & string];

/**
 * True of a type that is inside itself, and of what is eight levels deep. Most types have two levels. Identities must stand
 * here in full: those of a type alias are compared by assignability, so that `{ a }` would count as seen inside
 * `{ a, b?: { a } }`.
 */
type IsEnd<T, Seen extends unknown[]> = Seen['length'] extends 0 | 1
  ? false
  : Seen['length'] extends 8
    ? true
    : (<X>() => X extends T ? 1 : 2) extends { [I in keyof Seen]: <X>() => X extends Seen[I] ? 1 : 2 }[number]
      ? true
      : false;

type PathsBelow<V, M extends Mode, Seen extends unknown[]> = unknown extends V
  ? string
  : V extends Leaf
    ? never
    : V extends readonly unknown[]
      ? M extends 'inner'
        ? string
        : (M extends 'names' | 'filter' ? PathsThrough<V[number], Seen> : never) | PathsAt<V, M, Seen>
      : IsRecord<V> extends true
        ? PathsOfRecord<RecordValue<V>, M, [V, ...Seen]>
        : PathsIn<V, M, Seen>;

/** Any key, and the paths below it. */
type PathsOfRecord<E, M extends Mode, Seen extends unknown[]> = [E] extends [Leaf]
  ? string
  : IsEnd<E, Seen> extends true
    ? string
    : AnyKey | `${AnyKey}.${PathsBelow<E, M, Seen>}`;

/** As `string`, which a union would take in all else for. */
// oxlint-disable-next-line no-unnecessary-template-expression -- as a template, it is no string
type AnyKey = `${string & {}}`;

/** The type of what a record or a Map holds. */
type RecordValue<V> = V extends ReadonlyMap<unknown, infer E> ? E : V[keyof V];

/** A filter enters an array, and not the arrays in it. */
type PathsThrough<E, Seen extends unknown[]> = E extends readonly unknown[] ? never : PathsBelow<E, 'names', Seen>;

/** The paths that name an element: in an array by steps, in a tuple by its places. */
type PathsAt<V extends readonly unknown[], M extends Mode, Seen extends unknown[]> = M extends 'names'
  ? never
  : number extends V['length']
    ? PathsAtStep<V[number], M, M extends 'update' ? ElementStep : `${number}`, Seen>
    : | { [I in PlacesOf<V>]: I | `${I}.${PathsBelow<V[I], M, Seen>}` }[PlacesOf<V>]
      | (M extends 'update' ? PathsAtStep<V[number], M, Exclude<ElementStep, `${number}`>, Seen> : never);

type PathsAtStep<E, M extends Mode, Step extends string, Seen extends unknown[]> = [E] extends [Leaf]
  ? M extends 'filter'
    ? Step
    : string // one pattern costs compilers less than a pattern for each kind of step
  : Step | `${Step}.${PathsBelow<E, 'inner', Seen>}`;

/** `0`, `1` and so on: the places of a tuple. */
type PlacesOf<V> = keyof V & `${number}`;

/** True where its keys are data, as those of a record or a Map. */
export type IsRecord<V> = string extends keyof V ? true : V extends ReadonlyMap<unknown, unknown> ? true : false;

/**
 * The type of the value at a path: of a path through an array that of one element's member. `unknown` where an unknown
 * value lies on the way, `never` for a path that is not there.
 */
export type PathValue<D, P> = ValueIn<ShapeOf<D>, P>;

/** The same in the fields `S`. The usual cases come first, here and below: they cost compilers least. */
export type ValueIn<S, P> = P extends keyof S
  ? S[P]
  : P extends `${infer K}.${infer Rest}`
    ? K extends keyof S
      ? ValueBelow<S[K], Rest>
      : ValueBelow<S, P>
    : ValueBelow<S, P>;

type ValueBelow<V, P> = P extends `${infer K}.${infer Rest}`
  ? ValueBelow<Member<V, K>, Rest>
  : `$[${string}]` extends P
    ? MemberBelow<V, P>
    : P extends keyof V
      ? V extends Leaf | readonly unknown[]
        ? Member<V, P>
        : V[P]
      : Member<V, P>;

/** As patterns, `a.$[${string}]` takes in `a.$[x].b.$[y]` too, and `a.${string}` of a record what is below its members. */
type MemberBelow<V, K> = V extends readonly unknown[]
  ? V[number] extends Leaf
    ? V[number]
    : unknown
  : IsRecord<V> extends true
    ? [RecordValue<V>] extends [Leaf]
      ? RecordValue<V>
      : Within<RecordValue<V>, []> | Inside
    : ObjectMember<V, K>;

declare const inside: unique symbol;

/** Marks the type of what a pattern takes in: a record's members, and all that is inside them. */
export interface Inside {
  readonly [inside]: never;
}

/** A member of an object, of an array's elements, or an element. */
type Member<V, K> = unknown extends V
  ? unknown
  : V extends readonly unknown[]
    ? K extends ElementStep
      ? number extends V['length']
        ? V[number]
        : ElementAt<V, K>
      : ObjectMember<V[number], K>
    : ObjectMember<V, K>;

/** An element of a tuple, nothing at a place that it has not; of steps to any element, each. */
type ElementAt<V extends readonly unknown[], K> = K extends keyof V
  ? V[K]
  : K extends `${number}`
    ? `${number}` extends K
      ? V[number]
      : never
    : V[number];

/** A member of an object. A key that is a pattern may stand for a path further down. */
type ObjectMember<V, K> = unknown extends V
  ? unknown
  : V extends Leaf | readonly unknown[] | ReadonlyMap<unknown, unknown>
    ? MemberOfValue<V, K>
    : K extends keyof V
      ? V[K]
      : string extends K
        ? unknown
        : never;

type MemberOfValue<V, K> = V extends ReadonlyMap<unknown, infer M> ? M : string extends K ? unknown : never;

/** A value, and those inside it, four levels deep. */
type Within<V, Depth extends unknown[]> = unknown extends V
  ? V
  : V extends Leaf
    ? V
    : Depth['length'] extends 4
      ? unknown
      : | V
        | Within<
            V extends ReadonlyMap<unknown, infer E> ? E : V extends readonly (infer E)[] ? E : V[keyof V],
            [V, ...Depth]
          >;

/**
 * What reading a path gives: the value, or `undefined` where something on the way may be absent. `unknown` for a path that
 * the type does not name.
 */
export type ReadValue<S, P> = unknown extends P
  ? unknown
  : P extends keyof S
    ? S[P]
    : [ValueBelow<S, P>] extends [never]
      ? unknown
      : ValueBelow<S, P> | Absence<S, P>;

/** `undefined` where a member on the way may be absent, else nothing. */
type Absence<V, P> = string extends keyof V
  ? undefined
  : P extends keyof V
    ? never
    : P extends `${infer K}.${infer Rest}`
      ? K extends keyof V
        ? Absence<V[K], Rest>
        : undefined
      : undefined;

/**
 * What setting a path takes: a value of its type, the text of an ObjectId for `_id` too. For a path that the type does not
 * name anything, and nothing where its model keeps no other fields. `T` is what the model was declared with.
 */
export type SetValue<S, T, P> = unknown extends P
  ? unknown
  : [ValueIn<S, P>] extends [never]
    ? T extends { readonly isOpen: false }
      ? 'the schema has no such path'
      : unknown
    : ValueIn<S, P> | (P extends '_id' ? HexOf<ValueIn<S, P>> : never);

/** A string of 24 hexadecimal digits may stand for an ObjectId. */
type HexOf<V> = V extends ObjectId ? string : never;

/** The paths through objects that hold a `V`, or what is not known. */
export type PathsTo<D, V> = D extends unknown ? PathsAmong<Paths<D>, ShapeOf<D>, V> : never;

type PathsAmong<P, S, V> = P extends unknown ? (Holds<ObjectValue<S, P>, V> extends true ? P : never) : never;

/** What is compared with the value at a path. Anything with `any` for the path, as where compilers compare methods. */
export type OperandAt<S, P> = unknown extends P ? unknown : NonNullable<PathValue<S, P>>;

type ObjectValue<V, P> = P extends `${infer K}.${infer Rest}`
  ? ObjectValue<ObjectMember<V, K>, Rest>
  : ObjectMember<V, P>;

type Holds<M, V> = unknown extends M
  ? true
  : [NonNullable<M>] extends [never]
    ? false
    : [NonNullable<M>] extends [V]
      ? true
      : false;

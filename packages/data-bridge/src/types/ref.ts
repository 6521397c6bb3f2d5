import type { ObjectId } from 'mongodb';
import type { IsRecord, Leaf } from './paths.ts';
import type { IdOf, shape, ShapeOf } from './shape.ts';
import type { StoredShape } from './stored.ts';
import type { AnyRef, StoredId, StoredRef, storedRef } from './stored-id.ts';

/**
 * A reference to a document of another model: what a field made by `ref()` reads as. It is stored as the document's `_id`. A
 * document is a loaded reference to itself, so it may stand wherever a reference to it is asked for.
 *
 * ```ts
 * book.author.$id;                 // what is stored
 * await book.author.$load();       // the document, null where it is gone
 * book.author = author;            // a document, or Author.ref(id)
 * ```
 */
export interface Ref<D> {
  /** The `_id` of the document. */
  readonly $id: IdOf<D>;
  /** True where the document is here, or is known to be gone. */
  readonly $isLoaded: boolean;
  /**
   * Gives the document, null where it is gone. It is read once, together with those that the same field of the documents
   * refers to which came with this one: a loop over a result asks the server once.
   */
  $load(): Promise<D | null>;
}

/** A reference to a document of one of several models, `D` any of them: what a field made by `ref.oneOf()` reads as. */
export interface OneOfRef<D> extends Ref<D> {
  readonly [storedRef]?: StoredRef<IdOf<D>>;
}

/** A reference whose document was asked for by `with()`. */
export interface LoadedRef<D> extends Ref<D> {
  /** The document, null where it is gone. @throws RefNotLoadedError where it was not loaded. */
  readonly $doc: D | null;
}

/**
 * The documents of another model that refer to this one: a list once they were loaded. Before, `length`, places and iteration
 * throw `RefNotLoadedError`.
 */
export interface BackRef<D> {
  readonly $isLoaded: boolean;
  /** Gives the documents, read once, together with those of the documents that came with this one. */
  $load(): Promise<readonly D[]>;
  /** How many there are, counted by the server, together with those of the documents that came with this one. */
  $count(): Promise<number>;
}

/** The key under which a document's type keeps its back references: they are no fields. */
declare const backRefs: unique symbol;

/** What the option `backRefs` adds to documents. */
export type BackRefsOf<O> = O extends { readonly backRefs: infer B } ? BackRefs<B> & HasBackRefs<BackRefs<B>> : unknown;

/** Tells types what of a document are back references. */
export interface HasBackRefs<B> {
  readonly [backRefs]: B;
}

type BackRefs<B> = { readonly [K in keyof B]: B[K] extends { readonly '~back': infer D } ? BackRef<D> : never };

/** Fields as plain objects have them: ids stand for references. */
export type Plain<S> = { [K in keyof S]: PlainValue<S[K]> };

type PlainValue<V> = unknown extends V
  ? V
  : V extends AnyRef
    ? StoredId<V>
    : V extends Leaf
      ? V
      : V extends ReadonlyMap<infer K, infer M>
        ? Map<K, PlainValue<M>>
        : V extends object
          ? { [K in keyof V]: PlainValue<V[K]> }
          : V;

/** The first name of a path. */
type Head<P> = P extends `${infer H}.${string}` ? H : P;

/** What comes after the name `H` in those paths that begin with it. */
type Tail<P, H> = P extends `${H & string}.${infer R}` ? R : never;

/** What may be loaded of a document: the references in its fields, and those back to it. */
type Links<D> = ShapeOf<D> & (D extends HasBackRefs<infer B> ? B : unknown);

/** A document `D` with what the references at the paths `P` refer to. */
export type Loaded<D, P> = [P] extends [never]
  ? D
  : { [H in Head<P> & keyof Links<D>]: LoadedIn<Links<D>[H], Tail<P, H>> } & D;

/** The same of each of several kinds of documents. */
type LoadedEach<D, P> = D extends unknown ? Loaded<D, P> : never;

/** A value with what the references in it refer to. */
type LoadedIn<V, P> =
  V extends Ref<infer D>
    ? LoadedRef<LoadedEach<D, P>>
    : V extends BackRef<infer D>
      ? BackRef<D> & readonly Loaded<D, P>[]
      : V extends Leaf
        ? V
        : V extends readonly unknown[]
          ? { [I in keyof V]: LoadedIn<V[I], P> }
          : V extends ReadonlyMap<infer K, infer M>
            ? Map<K, LoadedIn<M, P>>
            : IsRecord<V> extends true
              ? { [K in keyof V]: LoadedIn<V[K], P> }
              : { [K in keyof V]: K extends Head<P> ? LoadedIn<V[K], Tail<P, K>> : V[K] };

/** The names of what leads to references: references themselves, and containers up to three levels deep that hold some. */
type LinkNames<S, Depth extends unknown[] = []> = {
  [K in keyof S & string]: true extends LeadsToRef<NonNullable<S[K]>, Depth> ? K : never;
}[keyof S & string];

/** `true` or `false` for each kind of a union. */
type LeadsToRef<V, Depth extends unknown[]> = unknown extends V
  ? false
  : V extends { readonly $isLoaded: boolean }
    ? true
    : V extends Leaf
      ? false
      : V extends readonly (infer E)[]
        ? LeadsToRef<NonNullable<E>, Depth>
        : V extends ReadonlyMap<unknown, infer M>
          ? LeadsToRef<NonNullable<M>, Depth>
          : Depth['length'] extends 3
            ? false
            : IsRecord<V> extends true
              ? LeadsToRef<NonNullable<V[keyof V]>, [...Depth, 0]>
              : [LinkNames<V, [...Depth, 0]>] extends [never]
                ? false
                : true;

/** What the rest of a path is looked for in: the links of a reference's document, or the members of an object. */
type Inside<V> = unknown extends V
  ? never
  : V extends Ref<infer D> | BackRef<infer D>
    ? Links<D>
    : V extends Leaf
      ? never
      : V extends readonly (infer E)[]
        ? Inside<NonNullable<E>>
        : V extends ReadonlyMap<unknown, infer M>
          ? Inside<NonNullable<M>>
          : IsRecord<V> extends true
            ? Inside<NonNullable<V[keyof V]>>
            : V;

/** The member of any kind of a union. */
type MemberIn<S, K> = S extends unknown ? (K extends keyof S ? S[K] : never) : never;

/** The names in any kind of a union. */
type NamesIn<S> = S extends unknown ? LinkNames<S> : never;

/** The path itself where it leads to references, else those that would: `& string`, so that messages list them. */
type CheckedPath<S, P> = P extends `${infer H}.${infer R}`
  ? H extends NamesIn<S>
    ? `${H}.${CheckedPath<Inside<NonNullable<MemberIn<S, H>>>, R>}`
    : NamesIn<S> & string
  : P extends NamesIn<S>
    ? [DocumentIn<NonNullable<MemberIn<S, P>>>] extends [never]
      ? `${P}.${NamesIn<Inside<NonNullable<MemberIn<S, P>>>>}`
      : P
    : NamesIn<S> & string;

/** Paths to references of a document `D`: each itself, or those that would do in its place. */
export type LinkPaths<D, P extends readonly string[]> = { [I in keyof P]: CheckedPath<Links<D>, P[I]> };

/** The ids and texts that may stand for a reference where a document is compared or written. */
export type IdFor<V, Text> = V extends AnyRef
  ? StoredId<V> | (StoredId<V> extends ObjectId ? Extract<Text, string> : never)
  : never;

/** The document class that a path of references leads to, in one step or several. */
export type TargetOf<D, P> = TargetIn<Links<D>, P>;

type TargetIn<S, P> = P extends `${infer H}.${infer R}`
  ? TargetBelow<NonNullable<MemberIn<S, H>>, R>
  : DocumentIn<NonNullable<MemberIn<S, P>>>;

type TargetBelow<V, R> = TargetIn<Inside<V>, R>;

type DocumentIn<V> = unknown extends V
  ? never
  : V extends Ref<infer D> | BackRef<infer D>
    ? D
    : V extends Leaf
      ? never
      : V extends readonly (infer E)[]
        ? DocumentIn<NonNullable<E>>
        : V extends ReadonlyMap<unknown, infer M>
          ? DocumentIn<NonNullable<M>>
          : IsRecord<V> extends true
            ? DocumentIn<NonNullable<V[keyof V]>>
            : never;

/** A document `D` with what the reference at one path refers to, as a query `R` gave it. */
type LoadedAs<D, P, R> = P extends string
  ? { [H in Head<P> & keyof Links<D>]: AskedIn<Links<D>[H], Tail<P, H>, R> } & D
  : never;

type AskedIn<V, P, R> =
  V extends Ref<infer D>
    ? [P] extends [never]
      ? Ref<D> & { readonly $doc: R | null }
      : LoadedRef<LoadedAs<D, P, R>>
    : V extends BackRef<infer D>
      ? BackRef<D> & readonly ([P] extends [never] ? R : LoadedAs<D, P, R>)[]
      : V extends Leaf
        ? V
        : V extends readonly unknown[]
          ? { [I in keyof V]: AskedIn<V[I], P, R> }
          : V extends ReadonlyMap<infer K, infer M>
            ? Map<K, AskedIn<M, P, R>>
            : IsRecord<V> extends true
              ? { [K in keyof V]: AskedIn<V[K], P, R> }
              : { [K in keyof V]: K extends Head<P> ? AskedIn<V[K], Tail<P, K>, R> : V[K] };

/** What a query for `D` gives with what the references at the paths `P` of the documents `M` refer to: plain objects where `D` are such. */
export type WithLinks<D, M, P> = D extends { readonly [shape]: unknown } ? Loaded<D, P> : LeanLoaded<D, M, P>;

/** The same where the last reference of the path was asked for as a query that gives `R`. */
export type WithAsked<D, M, P, R> = D extends { readonly [shape]: unknown }
  ? LoadedAs<D, P, R>
  : LeanLoaded<D, M, P, R>;

/** Plain objects with plain objects in the place of ids. */
type LeanLoaded<D, M, P, R = never> = Omit<D, Head<P> & keyof Links<M>> & {
  [H in Head<P> & keyof Links<M>]: LeanIn<Links<M>[H], Tail<P, H>, R>;
};

type LeanIn<V, P, R> =
  V extends Ref<infer D>
    ? LeanOf<D, P, R> | null
    : V extends BackRef<infer D>
      ? LeanOf<D, P, R>[]
      : V extends Leaf
        ? V
        : V extends readonly unknown[]
          ? { [I in keyof V]: LeanIn<V[I], P, R> }
          : V extends ReadonlyMap<infer K, infer E>
            ? Map<K, LeanIn<E, P, R>>
            : IsRecord<V> extends true
              ? { [K in keyof V]: LeanIn<V[K], P, R> }
              : { [K in keyof V]: K extends Head<P> ? LeanIn<V[K], Tail<P, K>, R> : PlainValue<V[K]> };

/** Of a query that gives `R` those of its members that are fields. */
type LeanOf<D, P, R> = [P] extends [never]
  ? [R] extends [never]
    ? StoredShape<D>
    : Plain<Pick<R, keyof R & keyof ShapeOf<D>>>
  : LeanLoaded<StoredShape<D>, D, P, R>;

import type { IsRecord, Leaf } from './paths.ts';

/** The first name of a path. */
type Head<P> = P extends `${infer H}.${string}` ? H : P;

/** What comes after the name `H` in those paths that begin with it. */
type Tail<P, H> = P extends `${H & string}.${infer Rest}` ? Rest : never;

/** What has no members that are known by name: it is taken whole. */
type IsWhole<V> = unknown extends V ? true : V extends Leaf ? true : IsRecord<V>;

/** Of an object, or of each of an array, the members that paths name. */
type Picked<V, P> = V extends readonly (infer E)[]
  ? Picked<E, P>[]
  : IsWhole<V> extends true
    ? V
    : { [K in keyof V as K extends Head<P> ? K : never]: K extends P ? V[K] : Picked<V[K], Tail<P, K>> };

/** An object without the members that paths name. */
type Dropped<V, P> = V extends readonly (infer E)[]
  ? Dropped<E, P>[]
  : IsWhole<V> extends true
    ? V
    : { [K in keyof V as K extends P ? never : K]: [Tail<P, K>] extends [never] ? V[K] : Dropped<V[K], Tail<P, K>> };

/** Of the fields `S`, those that were asked for, and `_id`: what `select(...).lean()` gives. */
export type SelectedShape<S, P> = Picked<S, P | '_id'>;

/** Of the fields `S`, all but those that were named: what `omit(...).lean()` gives. */
export type OmittedShape<S, P> = Dropped<S, P>;

/**
 * A document of which only some fields were loaded: its methods and getters, and of its fields those that were asked for.
 *
 * `D` is the document class, `S` its fields, `P` the paths that were asked for.
 */
export type Selected<D, S, P> = D extends unknown
  ? SelectedShape<Pick<D, keyof S & keyof D>, P> & Omit<D, keyof S>
  : never;

/** A document of which some fields were not loaded. */
export type Omitted<D, S, P> = D extends unknown
  ? OmittedShape<Pick<D, keyof S & keyof D>, P> & Omit<D, keyof S>
  : never;

import type { Fields } from '../schema/schema-field.ts';
import type { IsRecord, Leaf } from './paths.ts';
import type { AnyRef, StoredId } from './stored-id.ts';
import type { AddedNames, declared, Flat, Input, InputOf, OptionalKeys, RequiredKeys } from './shape.ts';

/**
 * What types tell of a model beside its fields `S`. Its members are looked at only when they are asked for, and they alone are
 * compared: documents of two models whose fields have the same types are of the same type, whatever their schemas.
 */
export interface Declared<S, F extends Fields, O> {
  /**
   * The fields as they are stored, without defaults. A field that its schema may fill in is missing in documents that were
   * stored before it had a default.
   */
  readonly stored: StoredOf<S, F, O>;
  /** What `create` takes. As a method, whose parameters are compared either way. */
  takes(input: Input<F>): void;
  /** True where documents may have fields that the schema does not name. */
  readonly isOpen: O extends { readonly unknown: 'keep' } ? true : false;
}

/** The fields of a document as they are stored, without defaults: what `lean()` gives. Other types are themselves. */
export type StoredShape<D> = D extends { readonly [declared]: () => { readonly stored: infer L } } ? L : D;

// An `_id` that has a default is among both kinds of names, and so always there.
export type StoredOf<S, F extends Fields, O> = Flat<
  Always<S, F, (RequiredKeys<F> | AddedNames<O>) & keyof S> & Partial<Always<S, F, OptionalKeys<F> & keyof S>>
>;

type Always<S, F extends Fields, Names extends keyof S> = {
  [K in Names]: StoredValue<S[K], K extends keyof F ? InputOf<F[K]> : never>;
};

/** The fields `O` that schemas give, where they take `I`. Most objects have no member that may be missing. */
type StoredFields<O, I> =
  undefined extends MembersOf<I>
    ? Flat<
        { [K in keyof O as MayMiss<I, K> extends true ? never : K]: StoredValue<O[K], Member<I, K>> } & {
          [K in keyof O as MayMiss<I, K> extends true ? K : never]?: StoredValue<O[K], Member<I, K>>;
        }
      >
    : { [K in keyof O]: StoredValue<O[K], Member<I, K>> };

type StoredValue<O, I> = unknown extends O
  ? O
  : O extends Leaf
    ? O extends AnyRef
      ? StoredId<O>
      : O
    : O extends readonly unknown[]
      ? StoredElements<O, I extends readonly (infer E)[] ? E : never>
      : IsRecord<O> extends true
        ? StoredRecord<O, I>
        : StoredFields<O, I>;

/** A record or a Map. */
type StoredRecord<O, I> =
  O extends ReadonlyMap<infer K, infer E>
    ? Map<K, StoredValue<E, I extends ReadonlyMap<unknown, infer A> ? A : never>>
    : { [K in keyof O]: StoredValue<O[K], Member<I, K>> };

type StoredElements<O extends readonly unknown[], I> = { [K in keyof O]: StoredValue<O[K], I> };

/** What an input has under a key, of a union any of its kinds. */
type Member<I, K> = I extends unknown ? (K extends keyof I ? I[K] : never) : never;

type MembersOf<I> = I extends unknown ? I[keyof I] : never;

type MayMiss<I, K> = undefined extends Member<I, K> ? true : false;

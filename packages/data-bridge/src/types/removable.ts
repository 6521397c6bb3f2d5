import type { IsRecord, Leaf, UpdatePaths } from './paths.ts';
import type { declared } from './shape.ts';
import type { StoredShape } from './stored.ts';

/** What `$unset` takes: paths to what may be absent. */
export type Removals<D> = { readonly [K in UpdatePaths<D>]?: Removal<StoredShape<D>, K, true | 1 | ''> };

/** What `$rename` takes: the same, and where it goes. */
export type Renames<D> = { readonly [K in UpdatePaths<D>]?: Removal<StoredShape<D>, K, NewNames<D>> };

type Removal<S, P, Operand> = Refused<S, P> extends never ? Operand : Refused<S, P>;

/** A path of the schema, any where the model keeps fields that its schema does not name. */
type NewNames<D> = D extends { readonly [declared]: () => { readonly isOpen: false } } ? UpdatePaths<D> : string;

/**
 * The paths that `unset` of a document takes: those of what may be absent, or any other where its model keeps fields that the
 * schema does not name. `T` is what the model was declared with.
 */
export type OwnRemovals<T, P> = unknown extends P
  ? P
  : T extends { readonly stored: infer S }
    ? P extends unknown
      ? Refused<S, P> extends never
        ? P
        : Refused<S, P>
      : never
    : P;

/** A message for what must be there, nothing for what may go. */
type Refused<S, P> = true extends MustStay<S, P> ? 'the schema asks for this value, so it cannot be removed' : never;

/** True of a path to what the schema asks for, in any kind of a union. An element that goes leaves null. */
type MustStay<V, P> = unknown extends V
  ? false
  : V extends Leaf
    ? never
    : V extends readonly unknown[]
      ? P extends `${string}.${infer Rest}`
        ? MustStay<V[number], Rest>
        : MustStayElement<V[number], P>
      : V extends ReadonlyMap<unknown, infer M>
        ? MustStayKept<M, P>
        : IsRecord<V> extends true
          ? MustStayKept<V[keyof V], P>
          : P extends keyof V
            ? undefined extends V[P]
              ? false
              : true
            : P extends `${infer K}.${infer Rest}`
              ? K extends keyof V
                ? MustStay<V[K], Rest>
                : false
              : false;

/** As a pattern, `$[${string}]` takes in what comes below it, too: that says of itself whether it may go. */
type MustStayElement<E, P> = null extends E
  ? false
  : `$[${string}]` extends P
    ? [E] extends [Leaf]
      ? true
      : false
    : true;

/** A member of a record may go. */
type MustStayKept<M, P> = P extends `${string}.${infer Rest}` ? MustStay<M, Rest> : false;

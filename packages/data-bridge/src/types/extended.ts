import type { Fields } from '../schema/schema-field.ts';
import type { declared, Flat, Given, GivenFields, OutputsOf, shape, ShapeOf } from './shape.ts';
import type { StoredOf, StoredShape } from './stored.ts';

/** The fields of a class that extends that of the documents `P` by the fields `G`. */
export type ExtendedShape<P, G extends Fields> = ShapeOf<P> & OutputsOf<G>;

/** What types tell of it beside them. `takes` is looked at only when it is asked for: the class may refer to itself. */
export interface DeclaredBelow<P, G extends Fields> {
  readonly stored: Flat<StoredShape<P> & StoredOf<OutputsOf<G>, G, object>>;
  takes(input: GivenBelow<P, G>): void;
  readonly isOpen: P extends { readonly [declared]: () => { readonly isOpen: infer V } } ? V : false;
}

/**
 * What the types of a class that extends another tell of it, as the last of all that do: of several functions compilers look
 * at the last. The parameter tells these from the first, else they would be left out as the same.
 */
export interface Tells<S, T> {
  readonly [shape]: (last?: never) => S;
  readonly [declared]: (last?: never) => T;
}

/** What `new` and `create` take for a class that extends that of the documents `P`. */
export type GivenBelow<P, G extends Fields> = G extends unknown ? Given<P> & GivenFields<G> : never;

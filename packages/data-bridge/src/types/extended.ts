import type { Fields } from '../schema/schema-field.ts';
import type { declared, Given, GivenFields, OutputsOf, ShapeOf } from './shape.ts';
import type { StoredOf, StoredShape } from './stored.ts';

/** The fields of a class that extends that of the documents `P` by the fields `G`. */
export type ExtendedShape<P, G extends Fields> = ShapeOf<P> & OutputsOf<G>;

/** What types tell of it beside them; what `create` takes is told by `Takes`, after what the extended class tells. */
export interface DeclaredBelow<P, G extends Fields> {
  readonly stored: StoredShape<P> & StoredOf<OutputsOf<G>, G, object>;
  readonly isOpen: P extends { readonly [declared]: { readonly isOpen: infer V } } ? V : false;
}

/**
 * What `create` takes: the last of several `takes` is the one that counts. It is looked at only when it is asked for: the class
 * may refer to itself.
 */
export interface Takes<P, G extends Fields> {
  readonly [declared]: { takes(input: GivenBelow<P, G>): void };
}

/** What `new` and `create` take for a class that extends that of the documents `P`. */
export type GivenBelow<P, G extends Fields> = Given<P> & GivenFields<G>;

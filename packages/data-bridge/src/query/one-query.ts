import { customInspect } from '../bson/inspect.ts';
import type { Paths } from '../types/paths.ts';
import type { LinkPaths, TargetOf, WithAsked, WithLinks } from '../types/ref.ts';
import type { Omitted, OmittedShape, Selected, SelectedShape } from '../types/select.ts';
import type { ShapeOf } from '../types/shape.ts';
import type { StoredShape } from '../types/stored.ts';
import type { Query } from './query.ts';

/** A query that was made, or what is wrong with it. */
type Made<D, M, L> = { readonly query: Query<D, M, L> } | { readonly error: unknown };

/**
 * A query for one document: what `findOne` and `findById` give. Awaited it gives the document, or null where there is none.
 * Nothing is sent before that, and what is wrong with it is told then, as by any method that gives a promise. It may stand
 * wherever a promise is asked for.
 *
 * ```ts
 * const user = await User.findById(id);
 * const name = await User.findOne({ email }).select('name');
 * ```
 *
 * `D`, `M` and `L` are those of a `Query`.
 */
export class OneQuery<D, M = D, L = M> implements Promise<D | null> {
  readonly #made: Made<D, M, L>;

  /** @internal Made by a model's `findOne` and `findById`. @param make what it throws is told when the query is awaited. */
  constructor(make: () => Query<D, M, L>) {
    this.#made = attempt(make);
  }

  /** Only these fields, as a query's `select` does. */
  select<const P extends Paths<ShapeOf<M>>>(
    ...paths: readonly P[]
  ): OneQuery<Selected<D, StoredShape<L>, P>, M, SelectedShape<StoredShape<L>, P>> {
    return new OneQuery(() => this.#query().select(...paths));
  }

  /** All but these fields, as a query's `omit` does. */
  omit<const P extends Paths<ShapeOf<M>>>(
    ...paths: readonly P[]
  ): OneQuery<Omitted<D, StoredShape<L>, P>, M, OmittedShape<StoredShape<L>, P>> {
    return new OneQuery(() => this.#query().omit(...paths));
  }

  /** The whole document, as a query's `whole` does. */
  whole(): OneQuery<D, M, L> {
    return new OneQuery(() => this.#query().whole());
  }

  /** Leaves out the scopes of the model's extensions, as a query's `unscoped` does. */
  unscoped(...names: string[]): OneQuery<D, M, L> {
    return new OneQuery(() => this.#query().unscoped(...names));
  }

  /** The document with what the reference at one path refers to, asked more closely. */
  with<const P extends string, R>(
    path: P & NoInfer<LinkPaths<M, [P]>[0]>,
    ask: (targets: Query<TargetOf<M, P>>) => PromiseLike<readonly R[]>,
  ): OneQuery<WithAsked<D, M, P, R>, M, L>;
  /** The document with what the references at these paths refer to, as a query's `with` does. */
  with<const P extends readonly string[]>(...paths: LinkPaths<M, P>): OneQuery<WithLinks<D, M, P[number]>, M, L>;
  with(...given: never[]): OneQuery<never, M, L> {
    return new OneQuery(() =>
      (this.#query().with as (...all: never[]) => Query<never, M, L>).apply(this.#query(), given),
    );
  }

  /** A plain object instead of a document, as a query's `lean` does. */
  lean(): OneQuery<StoredShape<L>, M, L> {
    return new OneQuery(() => this.#query().lean());
  }

  /** Runs the query. */
  then<R = D | null, E = never>(
    resolve?: ((document: D | null) => R | PromiseLike<R>) | null,
    reject?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#run().then(resolve, reject);
  }

  /** Runs the query, as a promise's `catch` does. */
  // oxlint-disable-next-line no-explicit-any -- as a Promise has it
  catch<E = never>(reject?: ((error: any) => E | PromiseLike<E>) | null): Promise<D | null | E> {
    return this.#run().catch(reject);
  }

  /** Runs the query, as a promise's `finally` does. */
  finally(call?: (() => void) | null): Promise<D | null> {
    return this.#run().finally(call);
  }

  get [Symbol.toStringTag](): string {
    return 'OneQuery';
  }

  /** Logs show the query, and not the values in it. */
  [customInspect](): string {
    const made = this.#made;
    return 'query' in made
      ? made.query[customInspect]()
      : 'Query for one document that cannot be sent: awaited, it throws the reason';
  }

  async #run(): Promise<D | null> {
    return this.#query().first();
  }

  #query(): Query<D, M, L> {
    if ('error' in this.#made) throw this.#made.error;
    return this.#made.query;
  }
}

function attempt<D, M, L>(make: () => Query<D, M, L>): Made<D, M, L> {
  try {
    return { query: make() };
  } catch (error) {
    return { error };
  }
}

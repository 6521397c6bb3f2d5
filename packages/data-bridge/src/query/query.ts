import type {
  BSON,
  ClientSession,
  CollationOptions,
  DeleteOptions,
  DeleteResult,
  Hint,
  ReadPreferenceLike,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import {
  type Accumulator,
  accumulate,
  count,
  deleteAll,
  distinct,
  explain,
  only,
  updateAll,
  type Verbosity,
} from './query-operations.ts';
import type { Batch } from '../bson/batch.ts';
import { customInspect } from '../bson/inspect.ts';
import { checkUnscoped } from '../definition/extension.ts';
import { forEach, type ForEachOptions } from './for-each.ts';
import { leanSpec } from './lean.ts';
import { page, type Page, type PageOptions } from './page.ts';
import {
  checkCount,
  checkFunction,
  omit,
  open,
  type Finish,
  finished,
  type QuerySpec,
  querySpec,
  type ReadAll,
  readBatch,
  select,
  whole,
  withOptions,
} from './query-spec.ts';
import { classBelow, ofClass } from './of-class.ts';
import { queryText } from './query-text.ts';
import { Results } from './results.ts';
import { type Asked, askedMore, withLinks } from './with.ts';
import type { Targets } from '../references/linked.ts';
import type { LinkPaths, TargetOf, WithAsked, WithLinks } from '../types/ref.ts';
import type { AnyNumber, ElementOf, FilterPaths, Paths, PathsTo, PathValue } from '../types/paths.ts';
import type { Omitted, OmittedShape, Selected, SelectedShape } from '../types/select.ts';
import type { Average, Present, Sum } from './accumulated.ts';
import type { Class, ShapeOf } from '../types/shape.ts';
import type { StoredShape } from '../types/stored.ts';
import type { Sort, SortDirection } from '../types/sort.ts';
import type { Update } from '../types/update.ts';
import type { DeletionOptions } from '../write/static-writes.ts';
import type { ManyOptions, StampOptions } from '../write/write-options.ts';
import type { DriverOptions } from '../connection/taken-options.ts';
import { hintOf } from '../filter/sort-order.ts';
import { sortedAlso, sortedBy } from './sorted.ts';

/**
 * A query: nothing is sent until it is awaited or iterated. Each method gives a new query and leaves this one as it is.
 *
 * ```ts
 * const adults = User.find({ age: { $gte: 18 } }).sort({ name: 1 });
 * const first = await adults.limit(10);              // an array
 * for await (const user of adults) console.log(user); // one after another, in constant memory
 * ```
 *
 * `D` is what it gives, `M` the model's document, whose fields filters and paths are about, `L` what was asked for:
 * the model's document, or those of its stored fields that `select` or `omit` left.
 */
export class Query<D, M = D, L = M> implements PromiseLike<D[]>, AsyncIterable<D> {
  readonly #spec: QuerySpec<D>;

  /** @internal Made by a model's `find`. */
  constructor(spec: QuerySpec<D>) {
    this.#spec = spec;
  }

  /** @internal */
  static of<D>(...asked: Parameters<typeof querySpec<D>>): Query<D> {
    return new Query(querySpec(...asked));
  }

  // ── how it is asked ───────────────────────────────────────────────────────────────────────────────────────────────

  /** The order: `{ age: -1 }`, or a path or several for ascending order. Called again it adds keys. */
  sort(
    sort: Sort<M> | FilterPaths<M> | readonly FilterPaths<M>[] | ReadonlyMap<FilterPaths<M>, SortDirection>,
  ): Query<D, M, L> {
    return this.#with({ sort: sortedAlso(this.#spec, sort) });
  }

  /** The paths it is sorted by, in the order they count: `User.find().sort({ age: -1 }).sortedBy` is `['age']`. */
  get sortedBy(): readonly string[] {
    return sortedBy(this.#spec);
  }

  /** Leaves out the first `count` documents. */
  skip(count: number): Query<D, M, L> {
    return this.#with({ skip: checkCount('skip', count) });
  }

  /** At most `count` documents; 0 means all. */
  limit(count: number): Query<D, M, L> {
    return this.#with({ limit: checkCount('limit', count) });
  }

  /** How many documents the server sends at a time. */
  batchSize(count: number): Query<D, M, L> {
    return this.#with({ batchSize: checkCount('batchSize', count) });
  }

  /** The index to use: its name, or its key. */
  hint(index: Hint): Query<D, M, L> {
    return this.#with({ hint: hintOf(this.#spec.definition, index) });
  }

  /** The rules of a language for comparing strings. */
  collation(collation: CollationOptions): Query<D, M, L> {
    return this.#with({ collation });
  }

  /** How many milliseconds the server may work on it. */
  maxTimeMS(milliseconds: number): Query<D, M, L> {
    return this.#with({ maxTimeMS: checkCount('maxTimeMS', milliseconds) });
  }

  /** A note for the server's log and profiler. */
  comment(comment: string): Query<D, M, L> {
    return this.#with({ comment });
  }

  /** Which members of a replica set may answer. */
  readPreference(preference: ReadPreferenceLike): Query<D, M, L> {
    return this.#with({ readPreference: preference });
  }

  /** The driver's session, such as that of a transaction. */
  session(session: ClientSession): Query<D, M, L> {
    return this.#with({ session });
  }

  /** Ends it when the signal is aborted, with the signal's reason. */
  signal(signal: AbortSignal): Query<D, M, L> {
    return this.#with({ signal });
  }

  /**
   * Leaves out the scopes of the model's extensions: those of these names, or all where none is named.
   *
   * ```ts
   * const deleted = await Post.find({ deletedAt: { $ne: null } }).unscoped('softDelete');
   * ```
   */
  unscoped(...names: string[]): Query<D, M, L> {
    const unscoped = names.length === 0 ? true : names;
    checkUnscoped(this.#spec.definition.extensions, unscoped, this.#spec.definition.collectionName);
    return new Query({ ...this.#spec, unscoped });
  }

  /** Of these documents those of a class that extends the model: `Vehicle.find().of(Car)`. @throws UsageError for another class. */
  of<E extends M>(model: Class<E>): Query<E> {
    return this.#of('of', model);
  }

  /** The same without those of classes that extend that one. */
  exactly<E extends M>(model: Class<E>): Query<E> {
    return this.#of('exactly', model);
  }

  // ── what it gives ─────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Only these fields, by name or dotted path, with the `_id` and what the collection is sharded by. Reading another field
   * of the document throws `FieldNotLoadedError`, only what was loaded may be set, and a save never touches the rest. An
   * object loaded in part cannot be replaced, and an array loaded in part can only grow.
   *
   * ```ts
   * const [user] = await User.find().select('name', 'address.city');
   * ```
   */
  select<const P extends Paths<ShapeOf<M>>>(
    ...paths: readonly P[]
  ): Query<Selected<D, StoredShape<L>, P>, M, SelectedShape<StoredShape<L>, P>> {
    return new Query(select(this.#spec, paths) as QuerySpec<unknown> as QuerySpec<Selected<D, StoredShape<L>, P>>);
  }

  /** All but these fields, as `select` does it the other way round. A document without its `_id` cannot be saved. */
  omit<const P extends Paths<ShapeOf<M>>>(
    ...paths: readonly P[]
  ): Query<Omitted<D, StoredShape<L>, P>, M, OmittedShape<StoredShape<L>, P>> {
    return new Query(omit(this.#spec, paths) as QuerySpec<unknown> as QuerySpec<Omitted<D, StoredShape<L>, P>>);
  }

  /** Whole documents, also what the model's option `omit` leaves out. */
  whole(): Query<D, M, L> {
    return new Query(whole(this.#spec));
  }

  /**
   * Plain objects instead of documents: what is stored, without defaults (so that their fields may be missing) and without
   * tracking. `JSON.stringify` shows them as it shows documents.
   */
  lean(): Query<StoredShape<L>, M, L> {
    return new Query<StoredShape<L>, M, L>(leanSpec(this.#spec));
  }

  /** The documents with what the reference at one path refers to, asked more closely: `with('author', (authors) => authors.select('name'))`. */
  with<const P extends string, R>(
    path: P & NoInfer<LinkPaths<M, [P]>[0]>,
    ask: (targets: Query<TargetOf<M, P>>) => PromiseLike<readonly R[]>,
  ): Query<WithAsked<D, M, P, R>, M, L>;
  /**
   * The documents with what the references at these paths refer to, in `$doc`; null where it is gone. Each path costs one
   * query for each model. `JSON.stringify` shows what was asked for; after `lean()` plain objects stand in the place of ids.
   *
   * ```ts
   * const [book] = await Book.find().with('author.publisher', 'editors');
   * book?.author.$doc?.publisher?.$doc?.name;
   * ```
   *
   * @throws UsageError for a path that leads to no reference.
   */
  with<const P extends readonly string[]>(...paths: LinkPaths<M, P>): Query<WithLinks<D, M, P[number]>, M, L>;
  with(...given: readonly unknown[]): Query<never, M, L> {
    const [path, ask, ...others] = given;
    if (typeof ask !== 'function') return new Query(withLinks(this.#spec, given, null) as QuerySpec<never>);
    const asked = (targets: Targets, back: string | null): Asked => Query.#asked(targets, ask(targets), back);
    return new Query(withLinks(this.#spec, [path, ...others], asked) as QuerySpec<never>);
  }

  static #asked(targets: unknown, given: unknown, back: string | null): Asked {
    const spec = given instanceof Query ? given.#spec : null;
    const { asked, range } = askedMore(spec, (targets as Query<unknown>).#spec, given, back);
    return { targets: new Query(asked) as unknown as Targets, range };
  }

  /** What a function makes of each document, instead of the document. It does not wait for promises: `forEach` does. */
  map<R>(change: (document: D) => R): Query<R, M, L> {
    checkFunction('map', change);
    const { read, finish } = this.#spec;
    if (finish !== null) {
      const all: Finish = async (...given) => ((await finish(...given)) as readonly D[]).map((each) => change(each));
      return new Query<R, M, L>({ ...this.#spec, finish: all, isMapped: true } as QuerySpec<unknown> as QuerySpec<R>);
    }
    const readMapped: ReadAll<R> = (batch, selection) => read(batch, selection).map((each) => change(each));
    return new Query<R, M, L>({ ...this.#spec, read: readMapped, isMapped: true });
  }

  /** The first document, or null. */
  async first(): Promise<D | null> {
    return (await this.limit(1))[0] ?? null;
  }

  /**
   * The only document.
   *
   * @throws DocumentNotFoundError when there is none, UsageError when there are several.
   */
  async one(): Promise<D> {
    return only(this.#spec, await this.limit(this.#spec.options.limit === 1 ? 1 : 2));
  }

  /** Calls a function with each document, and waits for what it gives. The first error ends it and closes the cursor. */
  async forEach(call: (document: D) => unknown, options: ForEachOptions = {}): Promise<void> {
    await forEach(this.#spec, this[Symbol.asyncIterator](), call, options);
  }

  /**
   * Some documents of the query, and the places before and after them, as tokens to ask for other pages by. A page begins
   * at a place in the query's order, so documents that others insert or delete meanwhile shift nothing: each that stays is
   * met once. The `_id` breaks ties; null and what is missing, and values of different types, come in MongoDB's order.
   *
   * ```ts
   * const query = Post.find({ open: true }).sort({ score: -1 });
   * const first = await query.page({ size: 20, total: true });
   * const second = await query.page({ size: 20, after: first.next });
   * const again = await query.page({ size: 20, before: second.previous });
   * ```
   *
   * A token belongs to its query: the same model, filter, sort and collation. It is opaque and may be given to clients;
   * `connect(uri, { pageSecret })` keeps them from reading and forging it.
   *
   * @throws UsageError for a token that is damaged or of another query; for a query with skip or limit; and where a
   *   document holds an array, a regular expression or the like under a path of the sort.
   */
  async page(options: PageOptions): Promise<Page<D>> {
    return page(this.#spec, options);
  }

  /** How many documents match; `skip` and `limit` count too. */
  async count(): Promise<number> {
    return count(this.#spec);
  }

  /** True where any document matches. */
  async exists(): Promise<boolean> {
    return (await this.limit(1).count()) > 0;
  }

  /** The different values of a field; of an array field its elements. */
  async distinct<P extends Paths<ShapeOf<M>>>(
    path: P,
  ): Promise<ElementOf<Exclude<PathValue<ShapeOf<M>, P>, undefined>>[]> {
    return (await distinct(this.#spec, path)) as ElementOf<Exclude<PathValue<ShapeOf<M>, P>, undefined>>[];
  }

  /** The mean of a number over the query's documents; null where there is none. The server computes it. */
  avg<P extends PathsTo<ShapeOf<M>, AnyNumber>>(path: P): Promise<Average<Present<M, P>> | null>;
  // Over a model that is not known yet these types take compilers half a minute to compare with the code.
  async avg(path: never): Promise<never> {
    return this.#accumulate('$avg', path);
  }

  /** The sum of a number over the query's documents; null over no documents. The server computes it. */
  sum<P extends PathsTo<ShapeOf<M>, AnyNumber>>(path: P): Promise<Sum<Present<M, P>> | null>;
  // See avg().
  async sum(path: never): Promise<never> {
    return this.#accumulate('$sum', path);
  }

  /** The least value of a field in MongoDB's order; null where there is none. */
  async min<P extends Paths<ShapeOf<M>>>(path: P): Promise<Present<M, P> | null> {
    return this.#accumulate('$min', path);
  }

  /** The greatest value of a field in MongoDB's order; null where there is none. */
  async max<P extends Paths<ShapeOf<M>>>(path: P): Promise<Present<M, P> | null> {
    return this.#accumulate('$max', path);
  }

  /** How the server would run the query: what `verbosity` asks for, as the server reports it. */
  async explain(verbosity: Verbosity = 'queryPlanner'): Promise<BSON.Document> {
    return explain(this.#spec, verbosity);
  }

  // ── what it does ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Updates every document that matches, as `updateMany` does.
   *
   * @throws UsageError where the query has a sort, skip or limit, which the server cannot follow here.
   */
  async update(
    update: Update<M>,
    options?: Omit<DriverOptions<UpdateOptions, 'updateMany'>, 'upsert'> & StampOptions & ManyOptions,
  ): Promise<UpdateResult> {
    return updateAll(this.#spec, update, options);
  }

  /** Deletes every document that matches, as `deleteMany` does. @throws UsageError as `update` does. */
  async delete(
    options?: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions & ManyOptions,
  ): Promise<DeleteResult> {
    return deleteAll(this.#spec, options);
  }

  /** Runs the query. */
  then<R = D[], E = never>(
    resolve?: ((documents: D[]) => R | PromiseLike<R>) | null,
    reject?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#results().then(resolve, reject);
  }

  [Symbol.asyncIterator](): AsyncGenerator<D, void, undefined> {
    return this.#results()[Symbol.asyncIterator]();
  }

  /** Logs show the query, and not the values in it. */
  [customInspect](): string {
    return queryText(this.#spec);
  }

  #results(): Results<D> {
    const spec = this.#spec;
    const { definition, options } = spec;
    const read = (batch: Batch): D[] => readBatch(spec, batch);
    const finish = spec.finish && ((documents: readonly unknown[]) => finished(spec, documents as D[]));
    return new Results({ definition, open: () => open(spec), read, finish, signal: options.signal });
  }

  #of<E>(method: 'of' | 'exactly', model: unknown): Query<E> {
    const own = classBelow(this.#spec, method, model).find({}) as Query<E>;
    return new Query(ofClass(this.#spec, own.#spec, method) as QuerySpec<E>);
  }

  #accumulate<R>(operator: Accumulator, path: string): Promise<R> {
    return accumulate(this.#spec, operator, path) as Promise<R>;
  }

  #with(options: QuerySpec<D>['options']): Query<D, M, L> {
    return new Query(withOptions(this.#spec, options));
  }
}

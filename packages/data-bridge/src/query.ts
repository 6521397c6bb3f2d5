import type { Collection, FindCursor, FindOptions, Sort } from 'mongodb';
import { decodeStored } from './bson/decode.ts';
import { castFilter } from './cast.ts';
import type { ModelDefinition } from './definition.ts';
import { UsageError } from './errors.ts';
import { translate } from './outcome.ts';
import { typeName } from './bson/types.ts';

/** Reads the documents of one result. Their bytes lie in the driver's buffers: what is kept must be copied. */
export type ReadAll<D> = (documents: readonly Uint8Array[]) => D[];

interface QueryPlan<D> {
  readonly definition: ModelDefinition;
  readonly read: ReadAll<D>;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly options: FindOptions;
}

/** Options that would change what a document holds, or the bytes it is read from. */
const REFUSED = ['projection', 'raw', 'tailable', 'awaitData', 'fieldsAsRaw', 'explain'] as const;

/** What `find` takes: the driver's options but those that a query has methods for or that would change what a document is. */
export type QueryOptions = Omit<FindOptions, (typeof REFUSED)[number]>;

/**
 * A query: nothing is sent until it is awaited or iterated. Each method gives a new query and leaves this one as it is.
 *
 * ```ts
 * const adults = User.find({ age: { $gte: 18 } }).sort({ name: 1 });
 * const first = await adults.limit(10);              // an array
 * for await (const user of adults) console.log(user); // one after another, in constant memory
 * ```
 */
export class Query<D, L> implements PromiseLike<D[]>, AsyncIterable<D> {
  readonly #plan: QueryPlan<D>;

  /** @internal Made by a model's `find`. */
  constructor(plan: QueryPlan<D>) {
    this.#plan = plan;
  }

  /** @internal */
  static of<D, L>(
    definition: ModelDefinition,
    read: ReadAll<D>,
    filter: object,
    options: QueryOptions = {},
  ): Query<D, L> {
    const refused = REFUSED.find((name) => (options as FindOptions)[name] !== undefined);
    if (refused !== undefined)
      throw new UsageError(`find() does not take the option "${refused}".`, { model: definition.collectionName });
    return new Query({ definition, read, filter: castFilter(definition, filter), options });
  }

  /** The order: `{ age: -1 }`, or a field's name for ascending order. Called again it adds keys. */
  sort(sort: keyof L | Sort): Query<D, L> {
    const added = typeof sort === 'string' ? { [sort]: 1 } : sort;
    if (typeof added !== 'object' || added === null)
      throw new UsageError(`sort() takes an object or a field's name, got ${typeName(sort)}.`);
    return this.#with({ sort: new Map([...entriesOf(this.#plan.options.sort), ...entriesOf(added as Sort)]) as Sort });
  }

  /** Leaves out the first `count` documents. */
  skip(count: number): Query<D, L> {
    return this.#with({ skip: checkCount('skip', count) });
  }

  /** At most `count` documents; 0 means all. */
  limit(count: number): Query<D, L> {
    return this.#with({ limit: checkCount('limit', count) });
  }

  /** Plain objects instead of documents: what is stored, without defaults and without tracking. */
  lean(): Query<L, L> {
    const { definition } = this.#plan;
    const read = (documents: readonly Uint8Array[]): L[] => {
      const layout = definition.layout();
      return documents.map((bytes) => decodeStored<L>(layout, bytes, 0));
    };
    return new Query<L, L>({ ...this.#plan, read });
  }

  /** The first document, or null. */
  async first(): Promise<D | null> {
    const [first] = await this.limit(1);
    return first ?? null;
  }

  /** How many documents match; `skip` and `limit` count too. */
  async count(): Promise<number> {
    const { filter, options } = this.#plan;
    const { sort: _, limit, ...rest } = options;
    // The driver's type for counting lacks some options of find that the server's aggregate takes.
    const counting = { ...rest, ...(limit ? { limit } : {}) };
    // It is an Int32 where the driver's option `promoteValues` is off.
    return Number(await this.#run((collection) => collection.countDocuments(filter, counting)));
  }

  /** Runs the query. */
  then<R = D[], E = never>(
    resolve?: ((documents: D[]) => R | PromiseLike<R>) | null,
    reject?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#toArray().then(resolve, reject);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<D, void, undefined> {
    const { read } = this.#plan;
    const cursor = this.#open();
    try {
      while (await this.#run(() => cursor.hasNext())) {
        const batch = cursor.readBufferedDocuments() as unknown as Uint8Array[];
        yield* read(batch);
      }
    } finally {
      await cursor.close();
    }
  }

  async #toArray(): Promise<D[]> {
    const documents = await this.#run(() => this.#open().toArray());
    return this.#plan.read(documents);
  }

  #open(): FindCursor {
    const { definition, filter, options } = this.#plan;
    return definition.collection().find(filter, { ...options, raw: true });
  }

  async #run<R>(operation: (collection: Collection) => Promise<R>): Promise<R> {
    const { definition } = this.#plan;
    try {
      return await operation(definition.collection());
    } catch (error) {
      throw translate(error, { model: definition.collectionName });
    }
  }

  #with(options: FindOptions): Query<D, L> {
    return new Query({ ...this.#plan, options: { ...this.#plan.options, ...options } });
  }
}

function entriesOf(sort: Sort | undefined): [string, unknown][] {
  if (sort === undefined) return [];
  if (sort instanceof Map) return [...(sort as Map<string, unknown>)];
  if (typeof sort === 'string') return [[sort, 1]];
  if (!Array.isArray(sort)) return Object.entries(sort);
  return sort.map((entry: unknown) => (Array.isArray(entry) ? [String(entry[0]), entry[1]] : [String(entry), 1]));
}

function checkCount(method: string, count: number): number {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new UsageError(
      `${method}() takes a whole number from 0, got ${typeof count === 'number' ? count : typeName(count)}.`,
    );
  }
  return count;
}

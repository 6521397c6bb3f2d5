import type { AggregateOptions, BSON, ExplainVerbosityLike } from 'mongodb';
import type { Batch } from '../bson/batch.ts';
import { customInspect } from '../bson/inspect.ts';
import { decodeStored } from '../bson/decode.ts';
import { Layout } from '../bson/layout.ts';
import { typeName } from '../schema/bson-types.ts';
import { castFilter } from '../filter/cast-filter.ts';
import type { Cursor, SessionCollection } from '../connection/session-collection.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import { type Readers, readersAfter } from './result-readers.ts';
import { checkCount, type ReadAll } from '../query/query-spec.ts';
import { sortOf } from '../filter/sort-order.ts';
import { aggregationText } from '../query/query-text.ts';
import { Results } from '../query/results.ts';
import { backLinkOf, modelsAt } from '../references/back-link.ts';
import { safeFilter, safeStage } from '../filter/check-filter.ts';
import type {
  Checked,
  Computed,
  Grouped,
  GroupFields,
  Lists,
  Projected,
  ProjectFields,
  Unwound,
  With,
  WithFields,
} from '../types/aggregate.ts';
import type { Filter } from '../types/filter.ts';
import type { Paths } from '../types/paths.ts';
import type { LinkPaths, TargetOf } from '../types/ref.ts';
import type { Class, ShapeOf } from '../types/shape.ts';
import type { StoredShape } from '../types/stored.ts';
import type { Sort } from '../types/sort.ts';
import { run } from '../definition/operation.ts';
import { checkUnscoped, type ScopeOptions, type Unscoped } from '../definition/extension.ts';
import { joining, scopedStages } from './scoped-stages.ts';

/** What `aggregate` takes: the driver's options but those that would change what comes back. */
export type AggregationOptions = DriverOptions<AggregateOptions, 'aggregate'> & ScopeOptions;

type Stage = Readonly<Record<string, unknown>>;

interface Plan<D> {
  readonly definition: ModelDefinition;
  readonly read: ReadAll<D>;
  readonly options: Omit<AggregationOptions, 'unscoped'>;
  readonly unscoped: Unscoped | undefined;
  readonly stages: readonly Stage[];
  /** What the stages so far give: documents as they are stored, or anything. */
  readonly gives: 'documents' | 'rows';
  readonly readers: Readers;
}

/** Another model to join, and how its documents are found. */
export interface Lookup<R, J, A extends string> {
  /** The other model. */
  readonly from: Class<J>;
  /** A field of what is aggregated. */
  readonly localField: Paths<R>;
  /** The field of the other model that equals it. */
  readonly foreignField: Paths<ShapeOf<J>>;
  /** The field that the documents found are put into, as a list. */
  readonly as: A;
}

/** Where the type of the results is kept, for the compiler only. */
declare const row: unique symbol;

/** An aggregation of which only the results matter. */
export interface Rows<R> {
  readonly [row]: R;
}

/** The results of the branches of a facet. */
type Faceted<X> = { -readonly [K in keyof X]: X[K] extends (rows: never) => Rows<infer R> ? R[] : never };

/**
 * An aggregation: stages that the server runs one after another, typed by what the one before gives. Nothing is sent
 * until it is awaited or iterated; each method gives a new aggregation and leaves this one as it is.
 *
 * ```ts
 * const perCity = await User.aggregate()
 *   .match({ age: { $gte: 18 } })
 *   .group({ _id: '$address.city', people: { $sum: 1 }, oldest: { $max: '$age' } })
 *   .sort({ people: -1 });
 * ```
 *
 * `R` is what it gives; `D` the model's documents, as long as what it gives has their shape.
 */
export class Aggregate<R, D = never> implements PromiseLike<R[]>, AsyncIterable<R>, Rows<R> {
  declare readonly [row]: R;
  readonly #plan: Plan<D>;

  /** @internal Made by a model's `aggregate`. */
  constructor(plan: Plan<D>) {
    this.#plan = plan;
  }

  /** @internal */
  static of<R, D>(definition: ModelDefinition, read: ReadAll<D>, given: AggregationOptions = {}): Aggregate<R, D> {
    checkTaken('aggregate', definition, given, TAKEN.aggregate);
    const { unscoped, ...options } = given;
    checkUnscoped(definition.extensions, unscoped, definition.collectionName);
    const readers = new Map(definition.kin.all.flatMap((each) => [...each.definition.readers()]));
    return new Aggregate({ definition, read, options, unscoped, stages: [], gives: 'documents', readers });
  }

  /** Keeps what matches. At the beginning it can use indexes. */
  match(filter: [D] extends [never] ? Filter<R> : Filter<D>): Aggregate<R, D> {
    const { definition, gives } = this.#plan;
    const cast = gives === 'documents' ? castFilter : safeFilter;
    return this.#then({ $match: cast(definition, filter) });
  }

  /** Puts the results in order: `{ age: -1 }`. */
  sort(order: Sort<R>): Aggregate<R, D> {
    const { definition, gives } = this.#plan;
    return this.#then({ $sort: sortOf(gives === 'documents' ? definition : asNamed, order) });
  }

  /** At most `count` results. */
  limit(count: number): Aggregate<R, D> {
    return this.#then({ $limit: checkCount('limit', count, 1) });
  }

  /** Leaves out the first `count` results. */
  skip(count: number): Aggregate<R, D> {
    return this.#then({ $skip: checkCount('skip', count) });
  }

  /** Keeps, leaves out and computes fields: `{ name: 1, city: '$address.city', _id: 0 }`. */
  project<const P extends ProjectFields<R>>(fields: P & Checked<R, P>): Aggregate<Projected<R, P>> {
    return this.#reshape(this.#safe({ $project: fields }));
  }

  /** Adds computed fields: `{ total: { $multiply: ['$price', '$quantity'] } }`. */
  addFields<const P extends { readonly [name: string]: Computed<R> }>(
    fields: P & Checked<R, P>,
  ): Aggregate<WithFields<R, P>> {
    return this.#reshape(this.#safe({ $addFields: fields }));
  }

  /** One result for each different `_id`, with what accumulators make of those that have it. */
  group<const G extends { readonly _id: unknown }>(
    fields: G & GroupFields<R, G> & Checked<R, G>,
  ): Aggregate<Grouped<R, G>> {
    return this.#reshape(this.#safe({ $group: fields }));
  }

  /** One result for each element of a list; those without elements go. */
  unwind<const K extends Lists<R>[keyof R & string]>(list: K): Aggregate<Unwound<R, K>> {
    return this.#reshape({ $unwind: `$${list}` });
  }

  /**
   * Adds the documents of another model whose `foreignField` equals the `localField`, as a list of plain objects: those that are
   * in the scopes of that model's extensions. Both collections are in the database of this model's connection.
   *
   * @throws UsageError where `from` is no model.
   */
  lookup<J, const A extends string>(join: Lookup<R, J, A>): Aggregate<With<R, A, StoredShape<J>[]>>;
  /**
   * The same by a reference of the model's documents, or its back references: `lookup('author')`.
   *
   * @param as the field that the documents are put into: that of the reference itself, if nothing else is said.
   * @throws UsageError for a path that is no reference, and after a stage that makes something else of the documents.
   */
  lookup<const P extends string, const A extends string = P>(
    reference: P & NoInfer<LinkPaths<D, [P]>[0]>,
    as?: A,
  ): Aggregate<With<R, A, StoredShape<TargetOf<D, P>>[]>>;
  lookup(given: object | string, name?: string): unknown {
    const join = typeof given === 'string' ? this.#joinBy(given, name) : (given as Lookup<never, unknown, string>);
    const { from, localField, foreignField, as } = join;
    const { prototype } = (from ?? {}) as { readonly prototype?: { readonly [definitionKey]?: ModelDefinition } };
    const other = prototype?.[definitionKey];
    if (other === undefined) this.#refuse(`lookup() takes a model as "from", got ${typeName(from)}.`);
    const pipeline = [...(other.conditions === null ? [] : [{ $match: other.conditions }]), ...renaming(other)];
    const found = { from: other.collectionName, localField, foreignField: other.storedPath(foreignField), as };
    return this.#reshape(joining({ $lookup: pipeline.length === 0 ? found : { ...found, pipeline } }, other));
  }

  /** How many results there are, under this name; where there are none, no result. */
  count<const K extends string>(name: K): Aggregate<{ [P in K]: number }> {
    return this.#reshape({ $count: name });
  }

  /**
   * Several aggregations of the same results at once: one result with a list for each of them.
   *
   * ```ts
   * const [both] = await User.aggregate().facet({
   *   cities: (users) => users.group({ _id: '$address.city' }),
   *   all: (users) => users.count('n'),
   * });
   * ```
   */
  facet<const X extends Readonly<Record<string, (results: Aggregate<R>) => Rows<unknown>>>>(
    branches: X,
  ): Aggregate<Faceted<X>> {
    const start = this.#renamed();
    const facets = Object.entries(branches).map(([name, build]) => {
      const branch: unknown = build(new Aggregate<R>({ ...start, stages: [], read: unread }));
      if (!(branch instanceof Aggregate))
        this.#refuse(`facet() takes functions that give aggregations, and "${name}" gave ${typeName(branch)}.`);
      return [name, branch.#plan.stages] as const;
    });
    return this.#reshape({ $facet: Object.fromEntries(facets) });
  }

  /**
   * Any other stage of the server's, such as `{ $sample: { size: 3 } }`, as it is sent. What it gives is for the program to
   * say: `raw<{ total: number }>({ … })`.
   */
  raw<R2 = unknown>(stage: Stage): Aggregate<R2> {
    return this.#reshape(this.#safe(stage));
  }

  /**
   * The results as documents of the model, which can be changed and saved, instead of plain objects: for aggregations
   * that only choose documents and put them in order.
   *
   * @throws UsageError where an earlier stage made something else of the documents.
   */
  hydrate(
    ..._: [D] extends [never] ? ['hydrate() needs documents: call it before what makes something else of them'] : []
  ): Results<D> {
    const { gives, read, stages } = this.#plan;
    if (gives !== 'documents')
      this.#refuse('hydrate() needs documents of the model: call it before what makes something else of them.');
    return this.#run(stages, read);
  }

  /** The first result, or null. */
  async first(): Promise<R | null> {
    const [first] = await this.limit(1);
    return first ?? null;
  }

  /** How the server would run it. */
  async explain(verbosity: ExplainVerbosityLike = 'queryPlanner'): Promise<BSON.Document> {
    const { definition, options } = this.#plan;
    return run(definition, options, async (collection) =>
      this.#cursor(collection, this.#renamed().stages).explain(verbosity),
    );
  }

  then<A = R[], B = never>(
    resolve?: ((results: R[]) => A | PromiseLike<A>) | null,
    reject?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#rows().then(resolve, reject);
  }

  /** Logs show the stages, and not the values in them. */
  [customInspect](): string {
    const { definition, stages } = this.#plan;
    return aggregationText(definition.collectionName, stages);
  }

  [Symbol.asyncIterator](): AsyncGenerator<R, void, undefined> {
    return this.#rows()[Symbol.asyncIterator]();
  }

  /** The results as plain objects, under the names that the program uses. */
  #rows(): Results<R> {
    const { definition, readers, stages } = this.#renamed();
    // Results have any shape, so what was learned of the collection's documents predicts nothing here.
    const layout = new Layout(definition.layout().options, [], readers);
    return this.#run(stages, ({ bytes, starts }) => starts.map((start) => decodeStored<R>(layout, bytes, start)));
  }

  #run<X>(stages: readonly Stage[], read: (batch: Batch) => X[]): Results<X> {
    const { definition, options } = this.#plan;
    const open = () => this.#cursor(definition.collection(), stages, { raw: true }) as Cursor<never>;
    return new Results({ definition, open, read, signal: options.signal });
  }

  #cursor(collection: SessionCollection, stages: readonly Stage[], options: AggregateOptions = {}): Cursor {
    const { definition, unscoped } = this.#plan;
    return collection.aggregate(scopedStages(definition, stages, unscoped), { ...this.#plan.options, ...options });
  }

  /** The plan with one stage more, which leaves the documents as they are. */
  #then(stage: Stage): Aggregate<R, D> {
    return new Aggregate({ ...this.#plan, stages: [...this.#plan.stages, stage] });
  }

  /** The plan with one stage more, which makes something else of the documents. */
  #reshape<X>(stage: Stage): Aggregate<X> {
    const { stages, readers, ...plan } = this.#renamed();
    return new Aggregate<X>({ ...plan, stages: [...stages, stage], readers: readersAfter(readers, stage) });
  }

  /** The plan of which the results have the names that the program uses. */
  #renamed(): Plan<never> {
    const { definition, gives, readers, stages } = this.#plan;
    const added = gives === 'documents' ? renaming(definition) : [];
    return {
      ...this.#plan,
      gives: 'rows',
      read: unread,
      stages: [...stages, ...added],
      readers: added.reduce(readersAfter, readers),
    };
  }

  /** What `lookup()` takes, by the name of a reference. */
  #joinBy(path: string, as = path): Lookup<never, unknown, string> {
    const { definition, gives } = this.#plan;
    if (gives !== 'documents')
      this.#refuse(
        `lookup("${path}") follows a reference of documents, and a stage before makes something else of them.`,
      );
    if (as.includes('.'))
      this.#refuse(`lookup("${path}") needs a name without dots for what it adds: lookup("${path}", 'found').`);
    const back = backLinkOf(definition, path);
    const models = back === undefined ? modelsAt(definition, path) : [back.source];
    const [from, another] = models as readonly unknown[];
    if (from === undefined)
      this.#refuse(`lookup("${path}") takes one reference of this model, or its back references.`);
    if (another !== undefined)
      this.#refuse(`lookup("${path}") leads to several models, which the server cannot join at once.`);
    const fields =
      back === undefined ? { localField: path, foreignField: '_id' } : { localField: '_id', foreignField: back.field };
    return { from, ...fields, as } as unknown as Lookup<never, unknown, string>;
  }

  #safe(stage: Stage): Stage {
    return safeStage(this.#plan.definition, stage);
  }

  get #context(): ErrorContext {
    return this.#plan.definition.context;
  }

  #refuse(text: string): never {
    throw new UsageError(text, this.#context);
  }
}

/** What made something else of the documents gave the names itself. */
const asNamed = { storedPath: (path: string): string => path };

/** The stages that give fields the names that the program uses. */
function renaming(definition: ModelDefinition): Stage[] {
  const stored = [...definition.fields.keys()].filter((name) => definition.programName(name) !== name);
  if (stored.length === 0) return [];
  return [
    { $addFields: Object.fromEntries(stored.map((name) => [definition.programName(name), `$${name}`])) },
    { $unset: stored },
  ];
}

/** What is no document of the model is never read as one. */
function unread(): never[] {
  return [];
}

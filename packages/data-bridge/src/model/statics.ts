import type {
  Collection,
  DeleteOptions,
  DeleteResult,
  DistinctOptions,
  EstimatedDocumentCountOptions,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  FindOptions,
  ReplaceOptions,
  Sort,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import type { Aggregate, AggregationOptions } from '../aggregate/aggregate.ts';
import type { Bulk } from '../write/bulk.ts';
import type { ChangeStream, WatchOptions, WatchStage } from '../watch/change-stream.ts';
import type { Connection } from '../connection/connection.ts';
import type { Document } from '../save/document.ts';
import type { ExtendOptions } from '../definition/extend-options.ts';
import type { ScopeOptions } from '../definition/extension.ts';
import type { DeletionOptions } from '../write/static-writes.ts';
import type { HookName } from '../definition/hook-names.ts';
import type { SaveResult } from '../errors.ts';
import type { HistoryDocument } from './history-model.ts';
import type { HistoryOptions, HistoryPage } from '../history/page.ts';
import type { ReadOptions } from '../history/read.ts';
import type { HistoryRepair } from '../history/repair.ts';
import type { EnsureCollectionOptions, EnsureIndexesOptions } from '../collection-sync/ensure.ts';
import type { AuditFinding, AuditOptions } from '../query/audit.ts';
import type { Plan, PlanOptions } from '../collection-sync/plan-types.ts';
import type { InsertManyOptions } from '../write/insert-many.ts';
import type { OneQuery } from '../query/one-query.ts';
import type { Query } from '../query/query.ts';
import type { QueryOptions } from '../query/query-spec.ts';
import type { SaveAllOptions } from '../save/save-all.ts';
import type { SaveOptions } from '../save/save.ts';
import type { Fields, FieldSchema } from '../schema/schema-field.ts';
import type { ChangeEvent } from '../types/change-event.ts';
import type { DeclaredBelow, ExtendedShape, GivenBelow, Tells } from '../types/extended.ts';
import type { Equality, Filter } from '../types/filter.ts';
import type { ElementOf, Leaf, Paths, PathValue } from '../types/paths.ts';
import type {
  AnyDocument,
  Class,
  Given,
  IdOf,
  Input,
  InputOf,
  IsPlainContainer,
  ModelClass,
  OutputOf,
  OutputsOf,
  Shape,
  ShapeOf,
} from '../types/shape.ts';
import type { Ref } from '../types/ref.ts';
import type { Declared, StoredShape } from '../types/stored.ts';
import type { Update } from '../types/update.ts';
import type { DriverOptions } from '../connection/taken-options.ts';
import type { ManyOptions, StampOptions, ValidateOptions } from '../write/write-options.ts';

/** Members of every document, which no field may be called. */
export type Reserved = {
  readonly [
    K in Exclude<keyof Document<unknown>, symbol>
  ]?: `"${K}" is a member of every document: name the field otherwise and store it so: stored("${K}", schema)`;
};

/**
 * A message in the place of each field whose schema gives a simple value that it would refuse: what is stored is the output,
 * and a field is validated again when it changes. Objects and arrays are left to run time, since comparing what their
 * schemas take and give would cost compilers more than all queries; references too, since the class behind one may be
 * being declared.
 */
export type TakesOwnOutput<F extends Fields> =
  Refusals<F[keyof F]> extends readonly [never]
    ? unknown
    : { readonly [K in keyof F]: [OutputRefused<F[K]>] extends [never] ? unknown : OutputRefused<F[K]> };

/**
 * The messages of the different schemas that there are: most models have many fields of few schemas, and no message. In a
 * tuple each, since compilers then ask it once of each schema, however many models have it.
 */
type Refusals<S> = S extends FieldSchema ? readonly [OutputRefused<S>] : never;

/** What Zod's wrappers are around: asking them for their types could ask the class that is being declared. */
type Unwrapped<S> = S extends { readonly def: { readonly innerType: infer I } } ? Unwrapped<I> : S;

/** The message, nothing for a schema that takes what it gives. What is known without unwrapping comes first: it costs least. */
type OutputRefused<S extends FieldSchema> =
  IsPlainContainer<S> extends true
    ? never
    : S extends { readonly '~standard': { readonly vendor: 'data-bridge' } }
      ? never
      : IsPlainContainer<Unwrapped<S>> extends true
        ? never
        : '~target' extends keyof Unwrapped<S>
          ? never
          : OutputOf<S> extends Leaf
            ? OutputOf<S> extends InputOf<S>
              ? never
              : 'this schema gives another type than it takes, and could not be validated again: make it take its output too'
            : never;

/**
 * What a model's class has beside its constructor. It has no type parameters, so that compilers make its methods once and not
 * for each model, and that hints name the model and not its schemas.
 */
export interface Statics {
  /** Makes a document and stores it. @throws ValidationError, DuplicateKeyError */
  create<D>(this: ModelClass<D>, input: NoInfer<Given<D>>, options?: SaveOptions): Promise<D>;
  /** Stores many: plain inputs, or documents made by `new`. All are validated before anything is sent. An empty list gives an empty list. */
  insertMany<D>(
    this: ModelClass<D>,
    inputs: readonly NoInfer<Given<D> | D>[],
    options: InsertManyOptions & { readonly return: 'ids' },
  ): Promise<IdOf<D>[]>;
  insertMany<D>(
    this: ModelClass<D>,
    inputs: readonly NoInfer<Given<D> | D>[],
    options?: InsertManyOptions,
  ): Promise<D[]>;
  /**
   * Saves documents of any models, new and changed ones together, each as its `save()` would, with as few commands as the
   * server's limits allow. Gives the outcome of each.
   *
   * @throws BulkSaveError when any of them was not saved; its `results` have the outcome of each.
   */
  saveAll(documents: readonly AnyDocument[], options?: SaveAllOptions): Promise<SaveResult[]>;
  /** Operations of several kinds, to be sent together by `execute()`. */
  bulk<D>(this: ModelClass<D>): Bulk<D, Given<D>>;
  /** An aggregation over the collection: stages that the server runs one after another, typed by what the one before gives. */
  aggregate<D>(this: ModelClass<D>, options?: AggregationOptions): Aggregate<StoredShape<D>, D>;
  /** The documents that match, all by default: a query that runs when it is awaited or iterated. */
  find<D>(this: ModelClass<D>, filter?: NoInfer<Filter<D>>, options?: QueryOptions): Query<D>;
  /** The first document that matches, or null: a query that runs when it is awaited. */
  findOne<D>(
    this: ModelClass<D>,
    filter?: NoInfer<Filter<D>>,
    options?: DriverOptions<FindOptions, 'findOne'> & ScopeOptions,
  ): OneQuery<D>;
  /** The document with this `_id`, or null: a query that runs when it is awaited. A string of 24 hexadecimal digits is taken for an ObjectId, a reference for the id that it has. */
  findById<D>(
    this: ModelClass<D>,
    id: IdOf<D> | Ref<D> | string,
    options?: DriverOptions<FindOptions, 'findById'> & ScopeOptions,
  ): OneQuery<D>;
  /** How many documents match. */
  count<D>(
    this: ModelClass<D>,
    filter?: NoInfer<Filter<D>>,
    options?: DriverOptions<FindOptions, 'count'> & ScopeOptions,
  ): Promise<number>;
  /** Documents whose fields equal these values. Values are never operators, so use it for input from outside. */
  findBy<D>(this: ModelClass<D>, values: NoInfer<Equality<D>>, options?: QueryOptions): Query<D>;
  /** True where any document matches. */
  exists<D>(
    this: ModelClass<D>,
    filter?: NoInfer<Filter<D>>,
    options?: DriverOptions<FindOptions, 'exists'> & ScopeOptions,
  ): Promise<boolean>;
  /** How many documents the collection has, by its own record: fast, and not exact while others write. */
  estimatedCount(
    options?: DriverOptions<EstimatedDocumentCountOptions, 'estimatedCount'> & ScopeOptions,
  ): Promise<number>;
  /** The different values of a field or a dotted path; of an array its elements. */
  distinct<D, P extends Paths<D>>(
    this: ModelClass<D>,
    path: P,
    filter?: NoInfer<Filter<D>>,
    options?: DriverOptions<DistinctOptions, 'distinct'> & ScopeOptions,
  ): Promise<ElementOf<Exclude<PathValue<D, P>, undefined>>[]>;
  /** Updates the first document that matches. */
  updateOne<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    update: NoInfer<Update<D>>,
    options?: DriverOptions<UpdateOptions & { sort?: Sort }, 'updateOne'> & StampOptions,
  ): Promise<UpdateResult>;
  /** Updates every document that matches. */
  updateMany<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    update: NoInfer<Update<D>>,
    options?: DriverOptions<UpdateOptions, 'updateMany'> & StampOptions & ManyOptions,
  ): Promise<UpdateResult>;
  /** Updates the first document that matches, or inserts one with the filter's values, the update's and the defaults. Gives the document after. */
  upsert<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    update: NoInfer<Update<D>>,
    options?: DriverOptions<FindOneAndUpdateOptions, 'upsert'> & StampOptions,
  ): Promise<D>;
  /** Replaces the first document that matches by what `create` would store; it is validated first. */
  replaceOne<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    replacement: NoInfer<Given<D>>,
    options?: DriverOptions<ReplaceOptions, 'replaceOne'> & ValidateOptions,
  ): Promise<UpdateResult>;
  /** Updates the first document that matches, and gives it as it was, or as it is with `returnDocument: 'after'`. */
  findOneAndUpdate<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    update: NoInfer<Update<D>>,
    options?: DriverOptions<FindOneAndUpdateOptions, 'findOneAndUpdate'> & StampOptions,
  ): Promise<D | null>;
  /** Replaces the first document that matches, and gives it as it was, or as it is with `returnDocument: 'after'`. */
  findOneAndReplace<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    replacement: NoInfer<Given<D>>,
    options?: DriverOptions<FindOneAndReplaceOptions, 'findOneAndReplace'> & ValidateOptions,
  ): Promise<D | null>;
  /** Deletes the first document that matches, and gives it. */
  findOneAndDelete<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    options?: DriverOptions<FindOneAndDeleteOptions, 'findOneAndDelete'> & DeletionOptions,
  ): Promise<D | null>;
  /** Deletes the first document that matches. */
  deleteOne<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    options?: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions,
  ): Promise<DeleteResult>;
  /** Deletes every document that matches; `{}` deletes all. */
  deleteMany<D>(
    this: ModelClass<D>,
    filter: NoInfer<Filter<D>>,
    options?: DriverOptions<DeleteOptions, 'delete'> & DeletionOptions & ManyOptions,
  ): Promise<DeleteResult>;
  /**
   * Makes a document of what is stored: a plain object, as the driver gives it, or BSON bytes (which are copied).
   *
   * @param options `select` names the paths that were read where they are not all: as for a query's `select()`, others can
   *   then neither be read nor changed. Else the document is taken for whole, so that what it lacks counts as absent.
   */
  hydrate<D>(
    this: ModelClass<D>,
    stored: object | Uint8Array,
    options?: { readonly select?: readonly Paths<ShapeOf<D>>[] },
  ): D;
  /**
   * The changes of the collection from now on, or from a stored place on: `User.watch([], { resumeAfter })`. What they hold are
   * documents of the model, under the program's names.
   *
   * ```ts
   * for await (const change of User.watch([{ $match: { operationType: 'insert' } }]))
   *   if (change.operationType === 'insert') greet(change.fullDocument);
   * ```
   *
   * @param pipeline `$match` stages, which choose the events.
   * @param options the driver's. `fullDocument` asks for the document of an update, too; `signal` ends it with its reason.
   * @throws UsageError for other stages; where the server cannot report changes, from the first event on.
   */
  watch<D, const O extends WatchOptions = object>(
    this: ModelClass<D>,
    pipeline?: readonly WatchStage[],
    options?: O,
  ): ChangeStream<ChangeEvent<D, O>>;
  /**
   * Has a function called around the writes of documents of this class and of those that extend it, as a method of that name
   * is: `beforeSave`, `afterDelete` and so on.
   *
   * ```ts
   * User.on('afterInsert', (user) => mailer.welcome(user.email));
   * ```
   *
   * @returns a function that ends it.
   */
  on<D>(this: ModelClass<D>, name: HookName, call: (document: D) => unknown): () => void;
  /**
   * A reference to the document with this `_id`, without asking for it: `book.author = Author.ref(id)`.
   *
   * @throws UsageError for what is no `_id` of the model.
   */
  ref<D>(this: ModelClass<D>, id: IdOf<D> | Ref<D> | string): Ref<D>;
  /**
   * A class with more fields in the same collection, whose documents are known by their type. Queries for a class find those of
   * all that extend it, each as one of its own class.
   *
   * ```ts
   * class Car extends Vehicle.extend({ doors: z.int() }, { type: 'car', class: () => Car }) {}
   * for (const vehicle of await Vehicle.find()) if (vehicle instanceof Car) vehicle.doors;
   * ```
   *
   * @param fields those that the class has beside the ones of this class.
   * @param options its type, and the class itself; all else is said by the root's `model()`.
   * @throws UsageError for options that cannot be, SchemaError for a field that this class has.
   */
  extend<C extends Class<unknown>, const G extends Fields>(
    this: C,
    fields: G & Reserved & TakesOwnOutput<G>,
    options: ExtendOptions,
  ): SubModel<InstanceType<C>, G> & Omit<C, keyof Statics | 'prototype'>;
  /** What documents of this very class are stored with in a hierarchy; null for a root without a type, and outside of any. */
  readonly type: string | null;
  /** The types of this class and of those that extend it; none outside of a hierarchy. */
  readonly types: readonly string[];
  /** The class that the hierarchy begins with; null outside of any. */
  readonly root: ModelClass<AnyDocument> | null;
  /** The same model on another connection. */
  using<M>(this: M, connection: Connection): M;
  /** The model's schema as MongoDB's `$jsonSchema`: what a server can check of it. */
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  /** The driver's collection. */
  readonly collection: Collection;
  /**
   * Creates the collection if it is not there. With `{ validator: true }` the server checks the model's schema, too, in a
   * collection that was there as well. True when it was created.
   */
  ensureCollection(options?: EnsureCollectionOptions): Promise<boolean>;
  /** Creates the indexes of the model's `indexes` that are not there. Gives the names of all of them. */
  ensureIndexes(options?: EnsureIndexesOptions): Promise<string[]>;
  /**
   * What has to be done so that the collection has the model's indexes, validator and options: `plan()` of this model alone, so
   * nothing of other models is dropped. It changes nothing; `apply()` does it.
   */
  planIndexes(options?: PlanOptions): Promise<Plan>;
  /**
   * Looks for stored documents that do not satisfy the model, and for references to documents that are not there. First the server
   * finds those that break the model's JSON Schema, then these are validated exactly; with `full` all are. Documents that
   * extensions leave out are looked at, too. Nothing is changed, and no value is told.
   *
   * ```ts
   * for await (const { path, rule, count, ids } of User.audit()) console.log(path, rule, count, ids);
   * ```
   */
  audit(options?: AuditOptions): AsyncIterable<AuditFinding>;
}

/** What a model has besides where its option `history` is on. */
export interface HistoryStatics {
  /** A page of the history of the document with this `_id`, a deleted one too: the newest entries first. */
  history<D>(this: ModelClass<D>, id: IdOf<D> | string, options?: HistoryOptions): Promise<HistoryPage>;
  /**
   * The fields of a document as they were stored at a time, or after a revision; null when there was no such document.
   * Redacted fields are missing.
   *
   * @throws HistoryError where the history does not go back so far, has a gap, or kept only the hash of a value.
   */
  asOf<D>(
    this: ModelClass<D>,
    id: IdOf<D> | string,
    when: Date | number,
    options?: ReadOptions,
  ): Promise<StoredShape<D> | null>;
  /**
   * Stores a deleted document again, as it was before it was deleted.
   *
   * @throws HistoryError when the history does not have it; ValidationError when its schemas refuse it, since a field was redacted, say.
   */
  restore<D>(this: ModelClass<D>, id: IdOf<D> | string, options?: Omit<SaveOptions, 'cascade'>): Promise<D>;
  /** Deletes the entries of all documents that are older. Gives how many. */
  pruneHistory(options: { readonly olderThan: Date }): Promise<number>;
  /**
   * Completes the history after a crash: of each write that was announced and has no entry it finds out whether it was done,
   * and writes the entry or forgets it. Writes that were announced in the last minute, or since `olderThan`, may be under
   * way and are left alone.
   */
  repairHistory(options?: { readonly olderThan?: Date }): Promise<HistoryRepair>;
}

/** A class of documents, bound to a collection. Extend it. */
export interface Model<F extends Fields, O = object, S = Shape<F, O>, B = unknown> extends Statics {
  new (input: Input<F>): Document<S, Declared<S, F, O>> & S & B;
}

/** The same where the option `history` is on. */
export interface HistoryModel<F extends Fields, O = object, S = Shape<F, O>, B = unknown>
  extends Statics, HistoryStatics {
  new (input: Input<F>): Document<S, Declared<S, F, O>> & HistoryDocument & S & B;
}

/** A class that extends that of the documents `P` by the fields `G`. */
export interface SubModel<P, G extends Fields> extends Statics {
  new (
    input: GivenBelow<P, G>,
  ): Document<ExtendedShape<P, G>, DeclaredBelow<P, G>> &
    OutputsOf<G> &
    P &
    Tells<ExtendedShape<P, G>, DeclaredBelow<P, G>>;
}

/** The class of any model whose documents are `D`, for code that is generic over models: `class Repository<D> { constructor(readonly model: ModelOf<D>) {} }`. */
export type ModelOf<D> = Class<D> &
  ModelClass<D> &
  Omit<Statics, 'create' | 'insertMany' | 'replaceOne' | 'findOneAndReplace'>;

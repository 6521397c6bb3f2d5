import { checkTaken, TAKEN } from '../connection/taken-options.ts';
import type {
  BSON,
  Collection,
  DeleteOptions,
  DeleteResult,
  EstimatedDocumentCountOptions,
  FindOneAndDeleteOptions,
  FindOneAndReplaceOptions,
  FindOneAndUpdateOptions,
  ReplaceOptions,
  UpdateOptions,
  UpdateResult,
} from 'mongodb';
import { Aggregate, type AggregationOptions } from '../aggregate/aggregate.ts';
import { batchOf } from '../bson/batch.ts';
import { customInspect, type Inspect, inspectAs } from '../bson/inspect.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { unstorable } from '../bson/storable.ts';
import { ABSENT, encodeDocument, toExact } from '../bson/encode.ts';
import { typeName } from '../schema/bson-types.ts';
import type { Fields } from '../schema/schema-field.ts';
import { equalityFilter, idFilter } from '../filter/cast-filter.ts';
import { Bulk } from '../write/bulk.ts';
import { ChangeStream, type WatchOptions, type WatchStage } from '../watch/change-stream.ts';
import { Connection } from '../connection/connection.ts';
import type { HookName } from '../definition/hook-names.ts';
import { noteClass } from '../definition/classes.ts';
import { addHook, type HookCall } from '../definition/hooks.ts';
import { checkHooks } from '../save/run-hooks.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { stateOf } from '../document/tracked-document.ts';
import { Document, type DocumentClass } from '../save/document.ts';
import { type SaveResult, UsageError } from '../errors.ts';
import { create } from '../write/create.ts';
import { insertMany, type InsertManyOptions } from '../write/insert-many.ts';
import { documentTag } from '../document/document-tag.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { run } from '../definition/operation.ts';
import { isLinking, type LinkedModel } from '../references/linked.ts';
import { gather } from '../references/siblings.ts';
import { referenceTo } from '../references/ref.ts';
import { OneQuery } from '../query/one-query.ts';
import { Query } from '../query/query.ts';
import { checkPath, type QueryMethod, type QueryOptions } from '../query/query-spec.ts';
import { Selection } from '../tracking/selection.ts';
import { insertion, type InsertionOptions, type SaveOptions } from '../save/save.ts';
import { saveAll, type SaveAllOptions } from '../save/save-all.ts';
import {
  deleteEvery,
  type DeletionOptions,
  deleteOne,
  findAndDelete,
  findAndReplace,
  findAndUpdate,
  replaceOne,
  updateEvery,
  updateOne,
} from '../write/static-writes.ts';
import type { ManyOptions, StampOptions, ValidateOptions } from '../write/write-options.ts';
import { ownFilter } from '../filter/own-filter.ts';
import { scopesOf } from '../filter/scopes.ts';
import type { ScopeOptions } from '../definition/extension.ts';
import {
  ensureCollection,
  type EnsureCollectionOptions,
  ensureIndexes,
  type EnsureIndexesOptions,
} from '../collection-sync/ensure.ts';
import { modelSchema } from '../collection-sync/model-schema.ts';
import { planOne } from '../collection-sync/plan.ts';
import type { Plan, PlanOptions } from '../collection-sync/plan-types.ts';
import { audit, AUDIT_BATCH, type AuditFinding, type AuditOptions } from '../query/audit.ts';
import { define } from './define.ts';
import { extendModel, rootOf } from './extend.ts';
import { readInto, readOne } from './read-stored.ts';

/** What others see of a document, and the statics once more, as they are at run time: types are `Statics`. */
export class ModelDocument extends Document<unknown> {
  get [Symbol.toStringTag](): string {
    return documentTag(this);
  }

  [customInspect](_depth: number, options: object, inspect?: Inspect): string {
    return inspectAs(this.constructor.name, this.toObject(), options, inspect);
  }

  get [unstorable](): string {
    return `it is a document of ${this.constructor.name}: pass its _id, or what its toObject() gives`;
  }

  static async create(this: DocumentClass, input: object, options?: SaveOptions): Promise<unknown> {
    return create(this, input, options);
  }

  static async insertMany(
    this: DocumentClass,
    inputs: readonly object[],
    options?: InsertManyOptions,
  ): Promise<unknown[]> {
    return insertMany(this, inputs, options);
  }

  static bulk(this: DocumentClass): Bulk<unknown> {
    return new Bulk(this);
  }

  static async saveAll(documents: readonly Document<unknown>[], options?: SaveAllOptions): Promise<SaveResult[]> {
    return saveAll(documents, options);
  }

  static aggregate(this: DocumentClass, options?: AggregationOptions): Aggregate<unknown, unknown> {
    return Aggregate.of(definitionOf(this), readInto(this), options);
  }

  static find(this: DocumentClass, filter: object = {}, options?: QueryOptions): Query<unknown> {
    return queryOf(this, filter, options);
  }

  static findOne(this: DocumentClass, filter: object = {}, options?: QueryOptions): OneQuery<unknown> {
    return new OneQuery(() => queryOf(this, filter, options, 'findOne'));
  }

  static findById(this: DocumentClass, id: unknown, options?: QueryOptions): OneQuery<unknown> {
    return new OneQuery(() => queryOf(this, idFilter(definitionOf(this), id), options, 'findById'));
  }

  static async count(this: DocumentClass, filter: object = {}, options?: QueryOptions): Promise<number> {
    return Query.of(definitionOf(this), readInto(this), filter, options, null, 'count').count();
  }

  static findBy(this: DocumentClass, values: object, options?: QueryOptions): Query<unknown> {
    return queryOf(this, equalityFilter(definitionOf(this), values), options);
  }

  static async exists(this: DocumentClass, filter: object = {}, options?: QueryOptions): Promise<boolean> {
    return Query.of(definitionOf(this), readInto(this), filter, options, null, 'exists').exists();
  }

  static async estimatedCount(
    this: DocumentClass,
    given: EstimatedDocumentCountOptions & ScopeOptions = {},
  ): Promise<number> {
    const definition = definitionOf(this);
    checkTaken('estimatedCount', definition, given, TAKEN.estimatedCount);
    const { unscoped, ...options } = given;
    if (definition.conditions !== null)
      throw new UsageError(
        'The record of a collection knows no classes of a hierarchy: use count().',
        definition.context,
      );
    if (scopesOf(definition, unscoped).length > 0)
      throw new UsageError(
        'The record of a collection knows no scopes: use count(), or pass the option "unscoped".',
        definition.context,
      );
    return run(definition, options, (collection) => collection.estimatedDocumentCount(options));
  }

  static async distinct(
    this: DocumentClass,
    field: string,
    filter: object = {},
    options?: QueryOptions,
  ): Promise<unknown[]> {
    return Query.of(definitionOf(this), readInto(this), filter, options, null, 'distinct').distinct(field as never);
  }

  static async updateOne(
    this: DocumentClass,
    filter: object,
    update: object,
    options?: UpdateOptions & StampOptions,
  ): Promise<UpdateResult> {
    return updateOne(definitionOf(this), filter, update, options);
  }

  static async updateMany(
    this: DocumentClass,
    filter: object,
    update: object,
    options?: UpdateOptions & StampOptions & ManyOptions,
  ): Promise<UpdateResult> {
    const definition = definitionOf(this);
    return updateEvery(definition, 'updateMany', ownFilter(definition, filter, options?.unscoped), update, {}, options);
  }

  static async upsert(
    this: DocumentClass,
    filter: object,
    update: object,
    options: FindOneAndUpdateOptions & StampOptions = {},
  ): Promise<unknown> {
    checkTaken('upsert', definitionOf(this), options, [...TAKEN.upsert, 'timestamps', 'history']);
    const after = { ...options, upsert: true, returnDocument: 'after' } as const;
    return readOne(this, await findAndUpdate(definitionOf(this), filter, update, after));
  }

  static async replaceOne(
    this: DocumentClass,
    filter: object,
    input: object,
    given: ReplaceOptions & ValidateOptions = {},
  ): Promise<UpdateResult> {
    checkTaken('replaceOne', definitionOf(this), given, [...TAKEN.replaceOne, ...VALIDATED]);
    const { validate, hooks, ...options } = given;
    const { unscoped } = options;
    const replacement = await replacementOf(this, input, { validate, hooks, unscoped });
    return replaceOne(definitionOf(this), filter, replacement, options);
  }

  static async findOneAndUpdate(
    this: DocumentClass,
    filter: object,
    update: object,
    options: FindOneAndUpdateOptions & StampOptions = {},
  ): Promise<unknown> {
    checkTaken('findOneAndUpdate', definitionOf(this), options, [...TAKEN.findOneAndUpdate, 'timestamps', 'history']);
    return readOne(this, await findAndUpdate(definitionOf(this), filter, update, options));
  }

  static async findOneAndReplace(
    this: DocumentClass,
    filter: object,
    input: object,
    given: FindOneAndReplaceOptions & ValidateOptions = {},
  ): Promise<unknown> {
    checkTaken('findOneAndReplace', definitionOf(this), given, [...TAKEN.findOneAndReplace, ...VALIDATED]);
    const { validate, hooks, ...options } = given;
    const { unscoped } = options;
    const replacement = await replacementOf(this, input, { validate, hooks, unscoped });
    return readOne(this, await findAndReplace(definitionOf(this), filter, replacement, options));
  }

  static async findOneAndDelete(
    this: DocumentClass,
    filter: object,
    options?: FindOneAndDeleteOptions & DeletionOptions,
  ): Promise<unknown> {
    return readOne(this, await findAndDelete(definitionOf(this), filter, options));
  }

  static async deleteOne(
    this: DocumentClass,
    filter: object,
    options?: DeleteOptions & DeletionOptions,
  ): Promise<DeleteResult> {
    return deleteOne(definitionOf(this), filter, options);
  }

  static async deleteMany(
    this: DocumentClass,
    filter: object,
    options?: DeleteOptions & DeletionOptions & ManyOptions,
  ): Promise<DeleteResult> {
    const definition = definitionOf(this);
    return deleteEvery(definition, 'deleteMany', ownFilter(definition, filter, options?.unscoped), {}, options);
  }

  static watch(this: DocumentClass, pipeline?: readonly WatchStage[], options?: WatchOptions): ChangeStream<unknown> {
    return new ChangeStream(definitionOf(this), readInto(this), pipeline, options);
  }

  static on(this: DocumentClass, name: HookName, call: (document: never) => unknown): () => void {
    return addHook(this.prototype, name, call as HookCall, definitionOf(this).collectionName);
  }

  static ref(this: DocumentClass, id: unknown): unknown {
    return referenceTo(this as unknown as LinkedModel, id);
  }

  static using(this: typeof ModelDocument, connection: Connection): typeof ModelDocument {
    if (!(connection instanceof Connection))
      throw new UsageError(`using() takes a connection, as connect() gives it, got ${typeName(connection)}.`);
    const bound = class extends this {};
    Object.defineProperty(bound, 'name', { value: this.name });
    define(bound, definitionOf(this).on(connection));
    return bound;
  }

  static extend(this: DocumentClass, fields: Fields, options: unknown): unknown {
    return extendModel(this, fields, options);
  }

  static get type(): string | null {
    return definitionOf(this).kin.type;
  }

  static get types(): readonly string[] {
    return definitionOf(this).kin.types;
  }

  static get root(): object | null {
    return rootOf(this);
  }

  static get jsonSchema(): Readonly<Record<string, unknown>> {
    return modelSchema(definitionOf(this));
  }

  static get collection(): Collection {
    return definitionOf(this).driverCollection();
  }

  static async ensureCollection(this: DocumentClass, options?: EnsureCollectionOptions): Promise<boolean> {
    return ensureCollection(definitionOf(this), options);
  }

  static async ensureIndexes(this: DocumentClass, options?: EnsureIndexesOptions): Promise<string[]> {
    return ensureIndexes(definitionOf(this), options);
  }

  static async planIndexes(this: DocumentClass, options?: PlanOptions): Promise<Plan> {
    return planOne(definitionOf(this), options);
  }

  static audit(this: DocumentClass, options: AuditOptions = {}): AsyncIterable<AuditFinding> {
    const definition = definitionOf(this);
    const find = (filter: object): Query<Document<unknown>> =>
      Query.of<Document<unknown>>(definition, readInto(this), filter, { batchSize: AUDIT_BATCH }).unscoped();
    return audit(definition, find, options);
  }

  static hydrate(this: DocumentClass, stored: object, options: { readonly select?: readonly string[] } = {}): unknown {
    const definition = definitionOf(this);
    checkTaken('hydrate', definition, options, ['select']);
    const isBytes = stored instanceof Uint8Array;
    if (!isBytes && !isPlainObject(stored))
      throw new UsageError(
        `hydrate() takes a stored document, as an object or as BSON, got ${typeName(stored)}.`,
        definition.context,
      );
    const paths = selectedPaths(definition, options.select);
    const selection = paths === null ? null : Selection.of(paths).withId(isBytes || Object.hasOwn(stored, '_id'));
    const bytes = isBytes ? stored : encodeDocument(toExact(stored, ABSENT, []) as object);
    return readInto(this)(batchOf([bytes]), selection)[0];
  }
}

/** Options of the package's own, of a replacement. */
const VALIDATED = ['validate', 'hooks', 'history'] as const;

export function definitionOf(model: DocumentClass): ModelDefinition {
  noteClass(model.prototype);
  return model.prototype[definitionKey];
}

/** The stored paths of the option `select` of `hydrate()`; null where it is not given. @throws UsageError */
function selectedPaths(definition: ModelDefinition, select: unknown): string[] | null {
  if (select === undefined) return null;
  if (!Array.isArray(select) || select.length === 0)
    throw new UsageError(
      `hydrate() takes the option "select" as a list of paths that were loaded, got ${Array.isArray(select) ? 'none' : typeName(select)}.`,
      definition.context,
    );
  return select.map((path: string) => checkPath('hydrate', path, definition));
}

function queryOf(
  model: DocumentClass,
  filter: object,
  options: QueryOptions | undefined,
  method?: QueryMethod,
): Query<unknown> {
  const definition = definitionOf(model);
  // Only documents with references need to know which others came with them.
  const finish = isLinking(model) ? gather : null;
  return Query.of<unknown>(definition, readInto(model), filter, options, finish, method);
}

/** What a replacement stores: a new document of the input, without the `_id` that `new` made for it. */
async function replacementOf(model: DocumentClass, input: object, options: InsertionOptions): Promise<BSON.Document> {
  checkHooks('replaceOne', definitionOf(model).context, options.hooks);
  const document = new model(input);
  checkOwnFields(document);
  const { _id, ...replacement } = await insertion(stateOf(document), 'replace', options);
  return (input as { _id?: unknown })._id !== undefined ? { _id, ...replacement } : replacement;
}

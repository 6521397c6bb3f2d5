import type { Abortable, BSON, FindOptions } from 'mongodb';
import type { Batch } from '../bson/batch.ts';
import { typeName } from '../schema/bson-types.ts';
import { modelFilter } from '../filter/own-filter.ts';
import type { Cursor } from '../connection/session-collection.ts';
import { checkUnscoped, type ScopeOptions, type Unscoped } from '../definition/extension.ts';
import { scopedFilter } from '../filter/scopes.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { UsageError } from '../errors.ts';
import { refusePathList } from '../filter/refuse-path-list.ts';
import { hintOf, sortOf } from '../filter/sort-order.ts';
import { Selection } from '../tracking/selection.ts';

/** Reads the documents of one batch. Their bytes lie in the driver's buffers: what is kept must be copied. */
export type ReadAll<D> = (batch: Batch, selection?: Selection | null) => D[];

/** Gives what it got, or something in its place, now or later. */
export type Finish = (
  documents: readonly unknown[],
  options: FindOptions & Abortable,
) => readonly unknown[] | Promise<readonly unknown[]>;

/** What a query asks, and how its documents are read: fixed when the query is made. */
export interface QuerySpec<D> {
  readonly definition: ModelDefinition;
  readonly read: ReadAll<D>;
  /** As it is sent, but for the scopes, which are asked then. */
  readonly filter: Readonly<Record<string, unknown>>;
  /** The scopes that are left out. */
  readonly unscoped: Unscoped | undefined;
  /** As they are sent; `sort` is a Map of stored paths. */
  readonly options: FindOptions & Abortable;
  /** Which part of the documents is loaded; null for all of it. */
  readonly selection: Selection | null;
  /** What is done with documents before they are given, null for nothing. It may wait. */
  readonly finish: Finish | null;
  /** True where what its documents refer to was asked for. */
  readonly isLinked: boolean;
  /** True where it gives plain objects. */
  readonly isLean: boolean;
  /** True where what it gives is made of documents by `map()`. */
  readonly isMapped: boolean;
}

/** The statics that begin with a query. */
export type QueryMethod = 'find' | 'findOne' | 'findById' | 'count' | 'exists' | 'distinct';

/** What `find` takes: the driver's options but those that would change what a document is, or that a query has methods for. */
export type QueryOptions = DriverOptions<FindOptions, 'find'> & ScopeOptions;

/** @throws UsageError for an option that a query does not take, and for a filter, a sort or a count that cannot be. */
export function querySpec<D>(
  definition: ModelDefinition,
  read: ReadAll<D>,
  filter: object,
  options: QueryOptions = {},
  finish: Finish | null = null,
  method: QueryMethod = 'find',
): QuerySpec<D> {
  checkTaken(method, definition, options, TAKEN[method]);
  const { sort, skip, limit, hint, unscoped, ...others } = options;
  checkUnscoped(definition.extensions, unscoped, definition.collectionName);
  return {
    definition,
    read,
    filter: modelFilter(definition, filter),
    unscoped,
    selection: defaultSelection(definition),
    finish,
    isLinked: false,
    isLean: false,
    isMapped: false,
    options: {
      ...others,
      ...(sort === undefined ? {} : { sort: sortOf(definition, sort) }),
      ...(hint === undefined ? {} : { hint: hintOf(definition, hint) }),
      ...(skip === undefined ? {} : { skip: checkCount('skip', skip) }),
      ...(limit === undefined ? {} : { limit: checkCount('limit', limit) }),
    },
  };
}

/** @throws UsageError for what is no whole number, or one below `least`. */
export function checkCount(method: string, count: number, least = 0): number {
  if (Number.isSafeInteger(count) && count >= least) return count;
  throw new UsageError(`${method}() takes a whole number from ${least}, got ${describe(count)}.`);
}

/** @throws UsageError for what is no function. */
export function checkFunction(method: string, call: unknown): void {
  if (typeof call !== 'function') throw new UsageError(`${method}() takes a function, got ${typeName(call)}.`);
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeName(value);
}

/** The same query with other options. */
export function withOptions<D>(spec: QuerySpec<D>, options: FindOptions & Abortable): QuerySpec<D> {
  return { ...spec, options: { ...spec.options, ...options } };
}

const defaults = new WeakMap<ModelDefinition, Selection>();

/** What is loaded where nobody says it: null for whole documents. */
function defaultSelection(definition: ModelDefinition): Selection | null {
  if (definition.omitted.length === 0) return null;
  const made = defaults.get(definition) ?? Selection.without(definition.omitted);
  defaults.set(definition, made);
  return made;
}

/** True where the query says which part of the documents is loaded. */
export function isSelected({ selection, definition }: QuerySpec<unknown>): boolean {
  return selection !== defaultSelection(definition);
}

/** The same query of whole documents. */
export function whole<D>(spec: QuerySpec<D>): QuerySpec<D> {
  if (isSelected(spec))
    refuse(spec, 'whole() loads what the model leaves out, so it cannot come after select() or omit().');
  return { ...spec, selection: null };
}

/** The filter as it is sent now. @throws what a scope throws. */
export function sentFilter({ definition, filter, unscoped }: QuerySpec<unknown>): Readonly<Record<string, unknown>> {
  return scopedFilter(definition, filter, unscoped);
}

/** Opens a cursor over the bytes of the documents. */
export function open(spec: QuerySpec<unknown>): Cursor<Uint8Array> {
  const options = { ...spec.options, ...partOf(spec), raw: true };
  return spec.definition.collection().find(sentFilter(spec), options) as Cursor<never>;
}

/** The option that says which part of the documents is loaded. */
export function partOf({ selection }: QuerySpec<unknown>): Pick<FindOptions, 'projection'> {
  return selection === null ? {} : { projection: selection.projection };
}

/** What becomes of what was read before the program gets it. */
export function finished<D>({ finish, options }: QuerySpec<D>, documents: D[]): D[] | Promise<D[]> {
  return finish === null ? documents : (finish(documents, options) as D[] | Promise<D[]>);
}

/** Reads what the cursor gave. */
export function readBatch<D>({ read, selection }: QuerySpec<D>, batch: Batch): D[] {
  return read(batch, selection);
}

/** The same query of these fields alone, and what finds a document again: its `_id`, and what the collection is sharded by. */
export function select<D>(spec: QuerySpec<D>, paths: readonly string[]): QuerySpec<D> {
  const stored = checkSelection(spec, 'select', paths);
  if (spec.selection !== null && isSelected(spec))
    refuse(spec, 'select() can be called once, and not after omit(): name all paths in one call.');
  return { ...spec, selection: Selection.of([...stored, ...spec.definition.alwaysLoaded]) };
}

/** The same query of all but these fields. */
export function omit<D>(spec: QuerySpec<D>, paths: readonly string[]): QuerySpec<D> {
  const stored = checkSelection(spec, 'omit', paths);
  const { definition } = spec;
  const isNeeded = (name: string): boolean => definition.isRevision(name) || name === definition.typeKey;
  const own = stored.find((path) => isNeeded(path.split('.', 1)[0] as string));
  if (own !== undefined) refuse(spec, `omit() takes no "${own}": the mapper needs to know it.`);
  const { selection } = spec;
  if (selection?.isOnly !== true) {
    const before = selection === null ? [] : [...selection.paths, ...(selection.hasId ? [] : ['_id'])];
    return { ...spec, selection: Selection.without([...before, ...stored]) };
  }
  if (stored.some((path) => path !== '_id')) refuse(spec, 'after select() only the _id can be left out by omit().');
  return { ...spec, selection: selection.withId(false) };
}

function checkSelection(spec: QuerySpec<unknown>, method: string, paths: readonly string[]): string[] {
  if (spec.isMapped) refuse(spec, `${method}() comes before map(), whose function gets what was loaded.`);
  if (spec.isLinked) refuse(spec, `${method}() comes before with(), which adds to it what it needs.`);
  if (paths.length === 0) refuse(spec, `${method}() takes the paths of fields, got none.`);
  const stored = paths.map((path) => checkPath(method, path, spec.definition));
  if (method === 'omit' && stored.some((path) => path.startsWith('_id.')))
    refuse(spec, 'omit() takes no part of an _id.');
  return stored;
}

/** The path as it is stored. @throws UsageError for one that the server would take for something else. */
export function checkPath(method: string, path: string, definition: ModelDefinition): string {
  const isPath = typeof path === 'string' && path.split('.').every((key) => key !== '' && !/^\$|\0/.test(key));
  if (isPath) {
    refusePathList(method, path, definition);
    return definition.storedPath(path);
  }
  const text = `${method}() takes paths of fields: not empty, and without a key that is empty or starts with "$".`;
  throw new UsageError(text, definition.context);
}

export function refuse({ definition }: QuerySpec<unknown>, text: string): never {
  throw new UsageError(text, definition.context);
}

/** What documents are asked for as the stages of an aggregation. */
export function stagesOf(spec: QuerySpec<unknown>): BSON.Document[] {
  const { sort, skip, limit } = spec.options;
  return [
    { $match: sentFilter(spec) },
    ...(sort === undefined ? [] : [{ $sort: sort }]),
    ...(skip ? [{ $skip: skip }] : []),
    ...(limit ? [{ $limit: limit }] : []),
  ];
}

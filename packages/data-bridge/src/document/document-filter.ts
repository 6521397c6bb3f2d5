import { ABSENT, memberOf } from '../bson/encode.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import { joinConditions, scopedFilter } from '../filter/scopes.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { Baseline } from '../tracking/baseline.ts';

/** What is asked of a document to find it. */
interface Findable {
  readonly definition: ModelDefinition;
  readonly baseline: Baseline;
  readonly context: ErrorContext;
  readonly unscoped: Unscoped | undefined;
  /** A stored value with its keys in their order. */
  ordered(name: string): unknown;
}

/** The filter that finds a stored document. */
export interface DocumentFilter {
  readonly [name: string]: unknown;
  readonly _id: unknown;
}

/** The `_id` as it is stored. @throws UsageError where it was not loaded. */
export function storedId(state: Findable): unknown {
  const _id = state.ordered('_id');
  if (_id === ABSENT)
    throw new UsageError('The document was loaded without its _id, so it cannot be found again.', state.context);
  return _id;
}

/**
 * The `_id`, what the collection is sharded by, and what the scopes of extensions ask for. One that a deletion changes is asked as
 * it was when the document was read: so one that was deleted since is not there, and one that was read as deleted is.
 */
export function documentFilter(state: Findable): DocumentFilter {
  const { definition } = state;
  const found = shardedFilter(state);
  if (definition.extensions.length === 0) return found;
  const isLoaded = (name: string): boolean => (state.baseline.selection?.at([name]) ?? 'whole') === 'whole';
  const removal = state.unscoped === true ? [] : definition.removalFields.filter(isLoaded);
  const filter = { ...found, ...Object.fromEntries(removal.map((path) => [path, storedAt(state, path)])) };
  return scopedFilter(definition, filter, state.unscoped, 'borders') as DocumentFilter;
}

/** The filter of a document, and what a write asks of it besides: neither takes the place of the other. */
export function guardedFilter(
  { definition }: Findable,
  filter: DocumentFilter,
  guard: object | undefined,
): Readonly<Record<string, unknown>> {
  if (guard === undefined) return filter;
  if (definition.extensions.length === 0) return { ...filter, ...guard };
  return joinConditions(filter, guard as Readonly<Record<string, unknown>>);
}

function shardedFilter(state: Findable): DocumentFilter {
  const _id = storedId(state);
  const { shardKey } = state.definition;
  if (shardKey.length === 0) return { _id };
  const { selection } = state.baseline;
  if (!shardKey.every((path) => (selection?.at(path.split('.')) ?? 'whole') === 'whole'))
    throw new UsageError('The document was loaded without its shard key, so it cannot be found again.', state.context);
  return { _id, ...Object.fromEntries(shardKey.map((path) => [path, storedAt(state, path)])) };
}

/** The stored value at a path of the shard key. A missing one is found, and routed, as null. */
function storedAt(state: Findable, path: string): unknown {
  const [name = '', ...keys] = path.split('.');
  const value = keys.reduce<unknown>((outer, key) => memberOf(outer, key), state.ordered(name));
  return value === ABSENT ? null : value;
}

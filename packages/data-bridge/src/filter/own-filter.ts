import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { castFilter } from './cast-filter.ts';
import { joinConditions, scopedFilter } from './scopes.ts';

/**
 * A filter of the program as it is sent for documents of a model: cast, and joined by the conditions that the model itself
 * has, and by the scopes of its extensions that hold now. This is the one place where they join a filter: static writes and
 * bulk writes call it, queries its two parts; an aggregation begins with a stage of them.
 *
 * @throws as `castFilter` does, and what a scope throws.
 */
export function ownFilter(definition: ModelDefinition, filter: object, unscoped?: Unscoped): Record<string, unknown> {
  return scopedFilter(definition, modelFilter(definition, filter), unscoped);
}

/**
 * The same of documents of this very class, where others extend it: for replacements, which would make one of this class of any
 * other.
 */
export function exactFilter(definition: ModelDefinition, filter: object, unscoped?: Unscoped): Record<string, unknown> {
  const cast = castFilter(definition, filter);
  const { exactConditions } = definition.kin;
  const exact = exactConditions === null ? cast : joinConditions(cast, exactConditions);
  return scopedFilter(definition, exact, unscoped);
}

/** As `ownFilter` gives it, without the scopes, which are asked when a query is sent. */
export function modelFilter(definition: ModelDefinition, filter: object): Record<string, unknown> {
  const cast = castFilter(definition, filter);
  return definition.conditions === null ? cast : joinConditions(cast, definition.conditions);
}

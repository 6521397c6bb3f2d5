import { isPlainObject } from '../bson/plain-object.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { joinConditions, scopedFilter } from '../filter/scopes.ts';

type Stage = Readonly<Record<string, unknown>>;

/**
 * The stages of an aggregation as they are sent: first what the model itself asks of its documents, and the scopes that hold now.
 * A first stage that must be the first takes them in.
 *
 * @throws what a scope throws.
 */
export function scopedStages(
  definition: ModelDefinition,
  stages: readonly Stage[],
  unscoped: Unscoped | undefined,
): Stage[] {
  const scope = scopedFilter(definition, definition.conditions ?? {}, unscoped);
  if (Object.keys(scope).length === 0) return [...stages];
  const [first, ...others] = stages;
  const { $match, $geoNear } = first ?? {};
  if (isPlainObject($match)) return [{ $match: joinConditions($match, scope) }, ...others];
  if (!isPlainObject($geoNear)) return [{ $match: scope }, ...stages];
  const { query } = $geoNear;
  return [{ $geoNear: { ...$geoNear, query: joinConditions(isPlainObject(query) ? query : {}, scope) } }, ...others];
}

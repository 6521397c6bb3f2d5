import { isPlainObject } from '../bson/plain-object.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { joinConditions, scopedFilter } from '../filter/scopes.ts';

type Stage = Readonly<Record<string, unknown>>;

const joins = new WeakMap<Stage, ModelDefinition>();

/** Notes of a `$lookup` whose documents it joins: the scopes of that model are asked when it is sent. */
export function joining(stage: Stage, other: ModelDefinition): Stage {
  joins.set(stage, other);
  return stage;
}

/**
 * The stages of an aggregation as they are sent: first what the model itself asks of its documents, and the scopes that hold now.
 * A first stage that must be the first takes them in. Joins give what is in the scopes of the models that they join.
 *
 * @throws what a scope throws.
 */
export function scopedStages(
  definition: ModelDefinition,
  given: readonly Stage[],
  unscoped: Unscoped | undefined,
): Stage[] {
  const stages = given.map((stage) => joinInScope(stage, unscoped));
  const scope = scopedFilter(definition, definition.conditions ?? {}, unscoped);
  if (Object.keys(scope).length === 0) return stages;
  const [first, ...others] = stages;
  const { $match, $geoNear } = first ?? {};
  if (isPlainObject($match)) return [{ $match: joinConditions($match, scope) }, ...others];
  if (!isPlainObject($geoNear)) return [{ $match: scope }, ...stages];
  const { query } = $geoNear;
  return [{ $geoNear: { ...$geoNear, query: joinConditions(isPlainObject(query) ? query : {}, scope) } }, ...others];
}

function joinInScope(stage: Stage, unscoped: Unscoped | undefined): Stage {
  const { $facet } = stage;
  if (isPlainObject($facet)) {
    const inside = (branch: unknown): unknown =>
      Array.isArray(branch) ? branch.map((each: Stage) => joinInScope(each, unscoped)) : branch;
    return { $facet: Object.fromEntries(Object.entries($facet).map(([name, branch]) => [name, inside(branch)])) };
  }
  const other = joins.get(stage);
  if (other === undefined) return stage;
  const scope = scopedFilter(other, {}, unscopedOf(other, unscoped));
  if (Object.keys(scope).length === 0) return stage;
  const { $lookup } = stage as { readonly $lookup: { readonly pipeline?: readonly Stage[] } };
  return { $lookup: { ...$lookup, pipeline: [{ $match: scope }, ...($lookup.pipeline ?? [])] } };
}

/** What an aggregation leaves out holds for joins, too, as far as the other model has such scopes. */
function unscopedOf({ extensions }: ModelDefinition, unscoped: Unscoped | undefined): Unscoped | undefined {
  if (unscoped === undefined || typeof unscoped === 'boolean') return unscoped;
  return unscoped.filter((name) => extensions.some((each) => each.name === name && each.scope !== undefined));
}

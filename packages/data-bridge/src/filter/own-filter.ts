import type { ModelDefinition } from '../definition/model-definition.ts';
import { equalValues } from '../bson/equal-values.ts';
import { castFilter } from './cast-filter.ts';
import { givenValue } from './filter-equality.ts';

/**
 * A filter of the program as it is sent for documents of a model: cast, and joined by the conditions that the model itself
 * has. This is the one place where they join a filter: queries, static writes and bulk writes all call it; an aggregation
 * begins with a stage of them.
 *
 * @throws as `castFilter` does.
 */
export function ownFilter(definition: ModelDefinition, filter: object): Record<string, unknown> {
  const cast = castFilter(definition, filter);
  const { conditions } = definition;
  if (conditions === null) return cast;
  // What the filter says itself is not said twice: an upsert could not tell what to insert.
  const others = Object.entries(conditions).filter(([name, value]) => !equalValues(givenValue(cast, name), value));
  const joined = Object.fromEntries(others);
  const isApart = others.every(([name]) => !Object.hasOwn(cast, name));
  return isApart ? { ...joined, ...cast } : { $and: [joined, cast] };
}

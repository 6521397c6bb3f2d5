import type { ModelDefinition } from '../definition/model-definition.ts';
import { castFilter } from './cast-filter.ts';

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
  const isApart = Object.keys(conditions).every((name) => !Object.hasOwn(cast, name));
  return isApart ? { ...conditions, ...cast } : { $and: [conditions, cast] };
}

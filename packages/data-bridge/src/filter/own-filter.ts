import type { ModelDefinition } from '../definition/model-definition.ts';
import { castFilter } from './cast-filter.ts';

/**
 * A filter of the program as it is sent for documents of a model: cast, and joined by the conditions that the model itself
 * has. This is the one place where they join: queries, static writes and bulk writes all call it.
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

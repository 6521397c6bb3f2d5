import { definitionKey, type ModelClass } from '../definition/model-definition.ts';
import { boundLike } from '../definition/bound-like.ts';
import { joinConditions } from '../filter/scopes.ts';
import { typeName } from '../schema/bson-types.ts';
import { isSelected, type QuerySpec, refuse } from './query-spec.ts';

/** A model's class, as it is asked for its documents. */
export interface QueriedClass extends ModelClass {
  find(filter: object): unknown;
  using(connection: object): QueriedClass;
}

/** The class whose documents are asked for, on the query's connection. @throws UsageError for one that does not extend the query's. */
export function classBelow(spec: QuerySpec<unknown>, method: string, model: unknown): QueriedClass {
  const { definition } = spec;
  const { prototype } = (model ?? {}) as Partial<QueriedClass>;
  const below = prototype?.[definitionKey];
  if (below !== undefined && definition.kin.includes(below.kin)) return boundLike(model as QueriedClass, definition);
  const got = below === undefined ? typeName(model) : `another class, ${(model as QueriedClass).name}`;
  return refuse(spec, `${method}() takes the class of the query, or one that extends it, got ${got}.`);
}

/**
 * Of a query's documents those of a class that extends the query's.
 *
 * @param own a query for all of that class.
 */
export function ofClass(
  spec: QuerySpec<unknown>,
  own: QuerySpec<unknown>,
  method: 'of' | 'exactly',
): QuerySpec<unknown> {
  const { definition, read, finish, selection } = own;
  if (spec.isLean || spec.isLinked || spec.isMapped || isSelected(spec))
    refuse(spec, `${method}() comes before select(), omit(), lean(), with() and map().`);
  const { kin } = definition;
  const conditions = method === 'exactly' ? kin.exactConditions : kin.conditions;
  const filter = conditions === null ? spec.filter : joinConditions(spec.filter, conditions);
  return { ...spec, definition, read, finish, selection, filter };
}

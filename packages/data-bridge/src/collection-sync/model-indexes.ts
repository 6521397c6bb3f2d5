import type { ModelDefinition } from '../definition/model-definition.ts';
import type { ModelIndex } from '../definition/model-options.ts';
import { castFilter } from '../filter/cast-filter.ts';
import { trusted } from '../filter/literal.ts';
import { nameOf } from './index-conflict.ts';

/** The indexes of a model's collection over the fields as they are stored: those of all classes of its hierarchy. */
export function storedIndexes(definition: ModelDefinition): ModelIndex[] {
  return definition.kin.root.all.flatMap((each) => ownIndexes(each.definition).map((index) => keptOf(each, index)));
}

/**
 * A unique index of a class that extends another is kept of its documents alone: else two of others that lack the field would
 * collide. It has the type in its name, since siblings may have one of the same key.
 */
function keptOf({ conditions, key, type }: ModelDefinition['kin'], index: ModelIndex): ModelIndex {
  const given = (index.partialFilterExpression ?? {}) as Readonly<Record<string, unknown>>;
  if (conditions === null || index.unique !== true || index.sparse === true || Object.hasOwn(given, key)) return index;
  const name = index.name ?? `${nameOf(index)}_${type}`;
  return { ...index, name, partialFilterExpression: { ...given, ...conditions } };
}

function ownIndexes(definition: ModelDefinition): ModelIndex[] {
  if (!definition.renames) return [...definition.indexes];
  const stored = (paths: object): Record<string, never> =>
    Object.fromEntries(Object.entries(paths).map(([path, value]) => [definition.storedPath(path), value as never]));
  return definition.indexes.map(({ key, weights, wildcardProjection, partialFilterExpression, ...index }) => ({
    ...index,
    key: key instanceof Map ? new Map(Object.entries(stored(Object.fromEntries(key)))) : stored(key),
    ...(weights && { weights: stored(weights) }),
    ...(wildcardProjection && { wildcardProjection: stored(wildcardProjection) }),
    ...(partialFilterExpression && {
      partialFilterExpression: castFilter(definition, trusted(partialFilterExpression)),
    }),
  }));
}

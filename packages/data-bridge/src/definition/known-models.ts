import type { ModelDefinition } from './model-definition.ts';

/** The models that declare something of their collections, in the order of their making. They may be forgotten. */
let known: WeakRef<ModelDefinition>[] = [];

/** Remembers a model, so that a connection can be verified. One that is bound to a connection is known without that. */
export function rememberModel(definition: ModelDefinition): void {
  const declares = definition.indexes.length > 0 || Object.keys(definition.collectionOptions).length > 0;
  if (declares && definition.bound === undefined) known.push(new WeakRef(definition));
}

export function knownModels(): ModelDefinition[] {
  const models = known.flatMap((each) => each.deref() ?? []);
  if (models.length < known.length) known = known.filter((each) => each.deref() !== undefined);
  return models;
}

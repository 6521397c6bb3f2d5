import { definitionKey, type ModelDefinition } from './model-definition.ts';

/** A model's class, as far as its connection matters. */
interface Bindable<M> {
  readonly prototype: { readonly [definitionKey]: ModelDefinition };
  using(connection: object): M;
}

const boundModels = new WeakMap<object, WeakMap<object, unknown>>();

/** A model on the connection of another one, unless it was given one of its own: the same class each time. */
export function boundLike<M extends Bindable<M>>(model: M, { bound }: ModelDefinition): M {
  if (bound === undefined || model.prototype[definitionKey].bound !== undefined) return model;
  const models = boundModels.get(bound) ?? new WeakMap<object, unknown>();
  boundModels.set(bound, models);
  const known = models.get(model) as M | undefined;
  if (known !== undefined) return known;
  const made = model.using(bound);
  models.set(model, made);
  return made;
}

import { definitionKey, type ModelDefinition } from './model-definition.ts';
import { namedClass } from './stored-class.ts';

/*
 * The program's classes of models with references. `model()` gives a base class, and JavaScript tells nobody who extends it: so
 * a class is known from its first use on, or from its first that extends it.
 */

const prototypes = new WeakMap<ModelDefinition, object>();

/** Notes that the program uses a class. Of several of one model the one that the others extend is meant. */
export function noteClass(prototype: object): void {
  const { [definitionKey]: definition } = prototype as { readonly [definitionKey]?: ModelDefinition };
  if (definition === undefined || definition.references === null) return;
  const known = prototypes.get(definition);
  if (known === prototype) return;
  if (known === undefined || Object.prototype.isPrototypeOf.call(prototype, known))
    prototypes.set(definition, prototype);
}

/** The class that the program uses, or that a hierarchy knows; undefined as long as it used none. */
export function classOf(definition: ModelDefinition): unknown {
  return prototypes.get(definition)?.constructor ?? namedClass(definition) ?? undefined;
}

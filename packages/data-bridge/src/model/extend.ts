import { boundLike } from '../definition/bound-like.ts';
import { noteClass } from '../definition/classes.ts';
import { definitionKey, type ModelClass, type ModelDefinition } from '../definition/model-definition.ts';
import { SchemaError } from '../errors.ts';
import type { DocumentClass } from '../save/document.ts';
import type { Fields } from '../schema/schema-field.ts';
import { defineAccessor } from './accessors.ts';
import { define } from './define.ts';

/** Makes the base class of a model that extends another one. */
export function extendModel(parent: DocumentClass, fields: Fields, options: unknown): unknown {
  const before = parent.prototype[definitionKey];
  const definition = before.extended(fields, options);
  noteClass(parent.prototype);
  const base = class extends (parent as new (input: never) => { readonly $id: unknown }) {};
  define(base, definition);
  for (const name of definition.names) {
    if (before.names.has(name)) continue;
    checkFree(parent, definition, definition.programName(name));
    defineAccessor(base, definition, name);
  }
  return base;
}

/** A field must not hide what the extended class has. The root has its members by then, and a schema none of them. */
function checkFree(parent: DocumentClass, definition: ModelDefinition, shown: string): void {
  if (!(shown in parent.prototype)) return;
  const text = `The field "${shown}" has the name of a member of ${parent.name}, which its class extends: give it another name, as in "${shown}Value: stored('${shown}', …)".`;
  throw new SchemaError(text, definition.context);
}

/** The class that a hierarchy begins with; null where there is none. */
export function rootOf(model: DocumentClass): object | null {
  const definition = model.prototype[definitionKey];
  const { kin } = definition;
  if (kin.isAlone) return null;
  let each = model;
  while (each.prototype[definitionKey].kin !== kin.root) each = Object.getPrototypeOf(each) as DocumentClass;
  return boundLike(each as unknown as ModelClass, definition);
}

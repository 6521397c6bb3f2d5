import type { ModelDefinition } from '../definition/model-definition.ts';
import { readField, readReferenceField, writeField } from '../document/tracked-document.ts';
import { Document } from '../save/document.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { readBack } from '../references/back-reference.ts';
import type { Linked } from '../references/linked.ts';

/** A class that is given its fields. */
interface Base {
  readonly prototype: object;
}

/** Gives a class the accessor of a field. @throws SchemaError for a field that has the name of a member. */
export function defineAccessor(base: Base, definition: ModelDefinition, name: string): void {
  const shown = definition.programName(name);
  if (shown in Document.prototype) {
    const text = `The field "${shown}" has the name of a member of every document: give it another name, as in "${shown}Value: stored('${shown}', …)".`;
    throw new SchemaError(text, definition.context);
  }
  function read(this: Document<unknown>): unknown {
    return readField(this, name);
  }
  function readReferences(this: Document<unknown>): unknown {
    return readReferenceField(this, name);
  }
  const isTime = definition.isTime(name);
  Object.defineProperty(base.prototype, shown, {
    configurable: true,
    enumerable: true,
    get: definition.references?.has(name) === true ? readReferences : read,
    set(this: Document<unknown>, value: unknown) {
      if (isTime) refuseTime(definition, shown);
      writeField(this, name, value);
    },
  });
}

/** It is no field: what would set it is refused by JavaScript itself. */
export function defineBackReference(base: Base, definition: ModelDefinition, name: string): void {
  if (name in base.prototype) {
    const text = `The back references "${name}" have the name of a field, or of a member of every document: give them another one.`;
    throw new SchemaError(text, definition.context);
  }
  Object.defineProperty(base.prototype, name, {
    configurable: true,
    get(this: Document<unknown>) {
      return readBack(this as unknown as Linked, name);
    },
  });
}

/** Types say that it is read only; what a request's body brings along says nothing. */
function refuseTime({ context }: ModelDefinition, name: string): never {
  throw new UsageError(`"${name}" is a time that the model keeps itself: set("${name}", …) sets another one.`, context);
}

import { ownAll } from '../bson/arena.ts';
import { type Batch, batchOf } from '../bson/batch.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { classOfType, storedType } from '../definition/stored-class.ts';
import { checkRead } from '../document/new-document.ts';
import type { ReadAll } from '../query/query-spec.ts';
import type { Document, DocumentClass } from '../save/document.ts';
import { baselineOver } from '../tracking/loaded-baseline.ts';
import type { Selection } from '../tracking/selection.ts';

/** Reads stored documents as documents of this class, or of those that extend it. */
export function readInto(model: DocumentClass): ReadAll<Document<unknown>> {
  return (batch, selection = null) => {
    const definition = model.prototype[definitionKey];
    if (!definition.kin.isAlone) return readKin(model, definition, batch, selection);
    const layout = definition.layout();
    const read = ownAll(batch, (bytes, start) => new model(baselineOver(layout, bytes, start, selection)));
    if (read[0] !== undefined) checkRead(read[0]);
    return read;
  };
}

/** The same for one document; null for none. */
export function readOne(model: DocumentClass, stored: Uint8Array | null): unknown {
  return stored === null ? null : readInto(model)(batchOf([stored]))[0];
}

/** Documents of a hierarchy, each as one of its own class. */
function readKin(
  model: DocumentClass,
  definition: ModelDefinition,
  batch: Batch,
  selection: Selection | null,
): Document<unknown>[] {
  const { key } = definition.kin;
  const asking = definition.layout();
  const isLoaded = (selection?.at([key]) ?? 'whole') === 'whole';
  const makers = new Map<unknown, (bytes: Uint8Array, start: number) => Document<unknown>>();
  return ownAll(batch, (bytes, start) => {
    const type = storedType(asking, key, bytes, start);
    const make = makers.get(type);
    if (make !== undefined) return make(bytes, start);
    const own = (classOfType(definition, type, isLoaded) ?? model) as DocumentClass;
    const layout = own.prototype[definitionKey].layout();
    const makeOne = (of: Uint8Array, from: number) => new own(baselineOver(layout, of, from, selection));
    makers.set(type, makeOne);
    const first = makeOne(bytes, start);
    checkRead(first);
    return first;
  });
}

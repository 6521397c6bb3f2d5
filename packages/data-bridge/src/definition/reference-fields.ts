import { SchemaError } from '../errors.ts';
import { ambiguityIn, holdsReference } from '../schema/references-in.ts';
import type { SchemaField } from '../schema/schema-field.ts';

/** What `backRef()` declares. */
export interface BackReferenceField {
  readonly source: () => unknown;
  readonly field: string;
}

/** Fields with references, or with some inside, by their stored names. */
export type ReferenceFields = ReadonlyMap<string, SchemaField>;

/** Those of a model's fields; null where there are none. @throws SchemaError for a reference that cannot be told from another value at its place. */
export function referenceFields(fields: readonly SchemaField[], model: string): ReferenceFields | null {
  const found = fields.filter(({ place }) => holdsReference(place));
  for (const { programName, place } of found) {
    const keys = ambiguityIn(place);
    if (keys === undefined) continue;
    const path = [programName, ...keys].join('.');
    const text = `At "${path}" a union has a reference beside another simple value, and nobody could tell them apart in what is stored: make them two fields, or objects that a literal tells apart.`;
    throw new SchemaError(text, { model });
  }
  return found.length === 0 ? null : new Map(found.map((field) => [field.name, field]));
}

/**
 * Fields have their accessors before all schemas are made: a lazy one may turn out to hold a reference only now.
 *
 * @throws SchemaError
 */
export function checkReferencesKnown(
  fields: readonly SchemaField[],
  known: ReferenceFields | null,
  model: string,
): void {
  const late = fields.find((field) => known?.has(field.name) !== true && holdsReference(field.place));
  if (late === undefined) return;
  const text = `The schema of "${late.programName}" has a reference in a part that was not made when the model was: make that part before the model.`;
  throw new SchemaError(text, { model });
}

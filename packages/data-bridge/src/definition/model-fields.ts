import { type Fields, SchemaField } from '../schema/schema-field.ts';
import { bareSchema, marksOf } from '../schema/field-marks.ts';
import type { FieldNames } from '../schema/stored-name.ts';

/** The fields of a schema by the names under which they are stored. */
export function fieldsByStoredName(fields: Fields, names: FieldNames): Map<string, SchemaField> {
  const made = Object.entries(fields).map(([name, schema]) => {
    const stored = names.storedPath(name);
    return [stored, new SchemaField(stored, bareSchema(schema), name, marksOf(schema))] as const;
  });
  return new Map(made);
}

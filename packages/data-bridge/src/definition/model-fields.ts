import { type ErrorContext, SchemaError, UsageError } from '../errors.ts';
import { problemIn } from '../schema/deep-readers.ts';
import { type Fields, SchemaField } from '../schema/schema-field.ts';
import { bareSchema, marksOf } from '../schema/field-marks.ts';
import type { FieldNames } from '../schema/stored-name.ts';
import { typeSchema } from '../schema/type-schema.ts';
import type { Kin } from './kin.ts';

/** The fields of a schema by the names under which they are stored, and the type of a class in a hierarchy. */
export function fieldsByStoredName(fields: Fields, names: FieldNames, { key, type }: Kin): Map<string, SchemaField> {
  const made = Object.entries(fields).map(([name, schema]) => {
    const stored = names.storedPath(name);
    return [stored, new SchemaField(stored, bareSchema(schema), name, marksOf(schema))] as const;
  });
  if (type !== null) made.push([key, new SchemaField(key, typeSchema(type))]);
  return new Map(made);
}

/** @throws SchemaError for a type that BSON does not have. */
export function checkStorable({
  fields,
  context,
}: {
  readonly fields: ReadonlyMap<string, SchemaField>;
  readonly context: ErrorContext;
}): void {
  for (const { programName, place } of fields.values()) {
    const found = problemIn(place);
    if (found === undefined) continue;
    const path = [programName, ...found.keys].join('.');
    const text = `The schema of "${path}" is of ${found.problem}: use a type that it has, or a transform that gives one.`;
    throw new SchemaError(text, context);
  }
}

/** What the mapper counts, nobody else may write. */
export function checkVersion(model: string, version: string, taken: readonly string[]): void {
  if (!taken.includes(version)) return;
  const text = `The model option "version" needs a name of its own: "${version}" is that of another field.`;
  throw new UsageError(text, { model });
}

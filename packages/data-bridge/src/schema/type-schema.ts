import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FieldSchema } from './schema-field.ts';

/** The schema of the field under which documents of a hierarchy tell their class: always this text. */
export function typeSchema(type: string): FieldSchema {
  const validate = (value: unknown): StandardSchemaV1.Result<unknown> =>
    value === undefined || value === type
      ? { value: type }
      : { issues: [{ message: `Expected "${type}", which says of which class the document is` }] };
  const jsonSchema = (): Record<string, unknown> => ({ const: type });
  const standard = {
    version: 1,
    vendor: 'data-bridge',
    validate,
    jsonSchema: { input: jsonSchema, output: jsonSchema },
  };
  return { '~standard': standard, '~literal': type } as FieldSchema;
}

import { setOwn } from '../bson/plain-object.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { FieldNotLoadedError, UsageError } from '../errors.ts';

/**
 * The fields of a document, and what the getters give that the model's option `json` names.
 *
 * @throws UsageError for a name that the class does not have.
 */
export function withGetters(document: object, { json, context }: ModelDefinition, fields: object): object {
  for (const name of json) {
    if (!(name in document)) {
      const text = `The model option "json" names "${name}", which the class does not have: write a getter of that name.`;
      throw new UsageError(text, context);
    }
    try {
      const value = (document as Readonly<Record<string, unknown>>)[name];
      if (value !== undefined) setOwn(fields, name, value);
    } catch (error) {
      // Of a document that was loaded in part not all can be told.
      if (!(error instanceof FieldNotLoadedError)) throw error;
    }
  }
  return fields;
}

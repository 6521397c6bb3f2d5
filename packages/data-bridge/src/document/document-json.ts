import { setOwn } from '../bson/plain-object.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { FieldNotLoadedError, UsageError } from '../errors.ts';
import { showsDocuments, jsonWithDocuments } from '../references/shown.ts';
import { toJsonValue } from '../bson/json.ts';
import type { Baseline } from '../tracking/baseline.ts';

/** What JSON shows of a document. */
interface Shown {
  readonly definition: ModelDefinition;
  readonly baseline: Baseline;
  readonly owner: object;
}

/** The fields of a document as JSON, with the getters that the model names, and the documents that a query was asked for. */
export function documentJson({ definition, baseline, owner }: Shown, fields: object): Record<string, unknown> {
  const json = toJsonValue(withGetters(owner, definition, fields)) as Record<string, unknown>;
  if (definition.references === null) return json;
  for (const { name, programName } of definition.references.values()) {
    const value = baseline.current(name);
    if (showsDocuments(value)) json[programName] = jsonWithDocuments(value, json[programName]);
  }
  return json;
}

/**
 * The fields of a document, and what the getters give that the model's option `json` names.
 *
 * @throws UsageError for a name that the class does not have.
 */
function withGetters(document: object, { json, context }: ModelDefinition, fields: object): object {
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

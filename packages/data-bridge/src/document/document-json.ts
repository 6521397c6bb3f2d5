import { toJsonValue } from '../bson/json.ts';
import { setOwn } from '../bson/plain-object.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { FieldNotLoadedError, UsageError } from '../errors.ts';
import { shownBacks } from '../references/back-reference.ts';
import type { Linked } from '../references/linked.ts';
import { jsonWithDocuments, showsDocuments } from '../references/shown.ts';
import type { Baseline } from '../tracking/baseline.ts';

/** The documents that are being written just now, each inside of the one before. */
const open = new Set<object>();

/**
 * A document as JSON: its fields, the getters of the model's option `json`, and of the documents that its references lead to
 * those that a query asked for. Inside of itself a document is its id.
 *
 * @param fields a plain object with a copy of every field, which is written into.
 */
export function documentJson(
  document: Linked,
  definition: ModelDefinition,
  baseline: Baseline,
  fields: object,
): unknown {
  const { references, backRefs, json: getters } = definition;
  if (references === null && backRefs.size + getters.length === 0) return toJsonValue(fields);
  if (open.has(document)) return toJsonValue(document.$id);
  open.add(document);
  try {
    return jsonWithin(document, definition, baseline, fields);
  } finally {
    open.delete(document);
  }
}

function jsonWithin(document: Linked, definition: ModelDefinition, baseline: Baseline, fields: object): unknown {
  const json = toJsonValue(withGetters(document, definition, fields)) as Record<string, unknown>;
  const { references, backRefs } = definition;
  for (const { name, programName } of references?.values() ?? []) {
    const value = baseline.current(name);
    if (showsDocuments(value)) json[programName] = jsonWithDocuments(value, json[programName]);
  }
  if (backRefs.size > 0)
    for (const [name, list] of shownBacks(document)) json[name] = list.map((each) => each.toJSON());
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
      if (typeof value === 'function')
        throw new UsageError(`The model option "json" names "${name}", which is a method: it takes getters.`, context);
      if (value !== undefined) setOwn(fields, name, value);
    } catch (error) {
      // Of a document that was loaded in part not all can be told.
      if (!(error instanceof FieldNotLoadedError)) throw error;
    }
  }
  return fields;
}

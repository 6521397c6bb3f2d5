import type { ModelDefinition } from '../definition/model-definition.ts';
import { jsonSchemaOf } from '../schema/json-schema.ts';
import type { JsonSchema } from '../schema/schema-library.ts';

/** What the server checks of a model's documents, as MongoDB's `$jsonSchema`: in a hierarchy, of its class and those that extend it. */
export function modelSchema(definition: ModelDefinition): JsonSchema {
  const { kin } = definition;
  if (kin.isAlone) return ownSchema(definition);
  const [only, ...others] = kin.all.map((each) => typedSchema(each.definition));
  return others.length === 0 && only !== undefined ? only : { anyOf: [only, ...others] };
}

/** The same of the documents of that very class. What has no type is of the root. */
function typedSchema(definition: ModelDefinition): JsonSchema {
  const { kin } = definition;
  const { required, properties, ...schema } = ownSchema(definition) as OwnSchema;
  if (kin.parent !== null) return { ...schema, required: [...(required ?? []), kin.key], properties };
  const below = kin.types.filter((type) => type !== kin.type);
  const type = kin.unknownType === 'parent' ? { not: { enum: below } } : { enum: [kin.type, null] };
  return { ...schema, ...(required && { required }), properties: { ...properties, [kin.key]: type } };
}

interface OwnSchema extends JsonSchema {
  readonly required?: readonly string[];
  readonly properties: JsonSchema;
}

function ownSchema({ fields, timestamps, version }: ModelDefinition): JsonSchema {
  const times = [timestamps?.createdAt, timestamps?.updatedAt].filter((time) => time !== undefined);
  const counter = version === undefined ? {} : { [version]: { bsonType: 'number' } };
  return jsonSchemaOf(fields, {
    ...Object.fromEntries(times.map((time) => [time, { bsonType: 'date' }])),
    ...counter,
  });
}

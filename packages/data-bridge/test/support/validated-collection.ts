import { randomUUID } from 'node:crypto';
import { type BSON, type Db, MongoServerError } from 'mongodb';
import { jsonSchemaOf } from '../../src/schema/json-schema.ts';
import { type Fields, SchemaField } from '../../src/schema/schema-field.ts';
import type { JsonSchema } from '../../src/schema/schema-library.ts';

/** The `$jsonSchema` of a model with these fields. */
export function schemaOf(fields: Fields): JsonSchema {
  return jsonSchemaOf(Object.entries(fields).map(([name, schema]) => [name, new SchemaField(name, schema)]));
}

/** What one field contributes to it. */
export function fieldSchemaOf(schema: Fields[string]): unknown {
  return (schemaOf({ field: schema })['properties'] as JsonSchema)['field'];
}

/** Says whether the server takes a document into a collection that has the `$jsonSchema` of these fields. */
export type Accepts = (document: BSON.Document) => Promise<boolean>;

export async function validatedCollection(db: Db, fields: Fields): Promise<Accepts> {
  const collection = await db.createCollection(randomUUID(), { validator: { $jsonSchema: schemaOf(fields) } });
  return async (document) => {
    try {
      await collection.insertOne({ ...document });
      return true;
    } catch (error) {
      if (error instanceof MongoServerError && error.code === 121) return false;
      throw error;
    }
  };
}

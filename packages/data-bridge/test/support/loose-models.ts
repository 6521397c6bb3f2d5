import type { BSON } from 'mongodb';
import { model, type ModelOptions } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';

/** A document of a model whose schema only the test knows. */
export type Loose = any;

let models = 0;

export interface LooseModel {
  readonly Model: Loose;
  /** What is stored of a document, without its `_id`. */
  raw(document: Loose): Promise<BSON.Document | null>;
  /** Stores fields as they are, and loads them. */
  load(stored: object): Promise<Loose>;
}

/** A model of any schemas, over a collection of its own. */
export function looseModel(database: TestDatabase, fields: Loose, options: ModelOptions = {}): LooseModel {
  const name = `loose${models++}`;
  const Model: Loose = class extends (model as Loose)(name, fields, options) {};
  const collection = database.db.collection(name);
  return {
    Model,
    raw: async ({ _id }) => collection.findOne({ _id }, { projection: { _id: 0 } }),
    load: async (stored) => {
      const { insertedId } = await collection.insertOne({ ...stored });
      return Model.findById(insertedId);
    },
  };
}

/** The schema with nothing but Standard Schema to be seen. */
export function hidden(schema: { readonly '~standard': { validate: unknown } }): Loose {
  return { '~standard': { version: 1, vendor: 'other', validate: schema['~standard'].validate } };
}

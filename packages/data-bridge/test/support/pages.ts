import { BSON, type Collection } from 'mongodb';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import type { Command, TestDatabase } from './database.ts';

const part = z.object({ sku: z.string(), n: z.number() });

/** A model with a field for each kind of atomic operator. */
export class Page extends model(
  'pages',
  {
    title: z.string().optional(),
    views: z.number().optional(),
    tags: z.array(z.string()).optional(),
    parts: z.array(part).optional(),
    seen: z.date().optional(),
    stats: z.object({ likes: z.number().optional(), days: z.record(z.string(), z.number()).optional() }).optional(),
    score: z.number().default(7),
    labels: z.array(z.string()).default([]),
  },
  { unknown: 'keep' },
) {}

/** A database with one page at a time. */
export class PageStore {
  readonly #database: TestDatabase;

  constructor(database: TestDatabase) {
    this.#database = database;
  }

  async clear(): Promise<void> {
    await this.#collection.deleteMany({});
    this.sent();
  }

  /** A document as it was stored by somebody. */
  async stored(fields: object): Promise<Page> {
    const { insertedId } = await this.#collection.insertOne({ ...fields });
    const page = await Page.findById(insertedId);
    if (page === null) throw new Error('Expected the document');
    this.sent();
    return page;
  }

  /** What the collection has now. */
  async raw(): Promise<Command> {
    const found = await this.#collection.findOne({}, { projection: { _id: 0 } });
    if (found === null) throw new Error('Expected a document');
    this.sent();
    return found;
  }

  /** What another writer does meanwhile. */
  async meanwhile(update: object): Promise<void> {
    await this.#collection.updateOne({}, update);
    this.sent();
  }

  /** The commands sent since the last call of this. */
  sent(): Command[] {
    return this.#database.sent();
  }

  /** The updates of the commands sent, which must all be of this name. */
  updates(name: 'update' | 'findAndModify'): unknown[] {
    return this.sent().map((command) => {
      if (Object.keys(command)[0] !== name) throw new Error(`Expected ${name}, got ${Object.keys(command)[0]}`);
      const update: unknown = name === 'update' ? command['updates'][0].u : command['update'];
      // As it is on the wire: a number may be of a BSON class before.
      return BSON.deserialize(BSON.serialize({ update }))['update'] as unknown;
    });
  }

  get #collection(): Collection {
    return this.#database.db.collection('pages');
  }
}

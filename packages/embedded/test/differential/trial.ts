// Random operations over a few documents, and what a server makes of them.
import { ObjectId } from 'bson';
import fc from 'fast-check';
import { type Collection, type Db, MongoServerError, type Sort } from 'mongodb';
import { decode } from '../../src/values/bson.ts';
import type { Document, Value } from '../../src/values/value.ts';
import { text, val } from '../support/engine.ts';
import type { AnyDocument } from '../support/conformance.ts';
import { conditions, filters, projections, sorts } from './filters.ts';
import { pipelines } from './pipelines.ts';
import { type Update, updates } from './updates.ts';
import { documents, type Fields, scalar } from './values.ts';

interface Find {
  readonly kind: 'find';
  readonly filter: Fields;
  readonly sort: Fields;
  readonly projection?: Fields;
}

interface Change extends Update {
  readonly kind: 'update';
  readonly filter: Fields;
  readonly upsert: boolean;
}

interface Aggregation {
  readonly kind: 'aggregate';
  readonly pipeline: readonly Fields[];
}

export type Operation = Find | Change | Aggregation;

/** Several operations, each for itself over the same documents: that needs few round trips. */
export interface Trial {
  readonly documents: readonly Fields[];
  readonly operations: readonly Operation[];
}

const finds = fc
  .tuple(filters, sorts, fc.option(projections))
  .map(([filter, sort, projection]): Find => ({ kind: 'find', filter, sort, ...(projection && { projection }) }));

const elements = fc.oneof(
  fc.constantFrom<unknown>(1, 2, 'a').map((x): Fields => ({ x })),
  scalar.map((a): Fields => ({ 'x.a': a })),
  conditions.map(($elemMatch): Fields => ({ x: { $elemMatch } })),
);

const changes: fc.Arbitrary<Change> = fc
  .tuple(fc.oneof({ weight: 2, arbitrary: filters }, elements), updates, fc.boolean())
  .map(([filter, update, upsert]) => ({ kind: 'update', filter, ...update, upsert }));

const aggregations = pipelines.map((pipeline): Aggregation => ({ kind: 'aggregate', pipeline }));

const operations = fc.array(fc.oneof<fc.Arbitrary<Operation>[]>(finds, changes, aggregations), {
  minLength: 1,
  maxLength: 6,
});

export const trials: fc.Arbitrary<Trial> = fc.record({ documents, operations }, { noNullPrototype: true });

/** An operation as one can read and repeat it. */
export function show(documents: readonly Fields[], { kind, ...parts }: Operation): string {
  const lines = Object.entries(parts).map(([name, part]) => `  ${name}: ${text(val(part))}`);
  return [`${kind} over`, ...documents.map((document) => `  ${text(val(document))}`), 'by', ...lines].join('\n');
}

/** What comes of an operation: documents and counts, or an error. */
export type Outcome = { readonly answer: readonly Value[] } | { readonly code: number; readonly message: string };

export async function outcomes(db: Db, { documents: stored, operations: all }: Trial): Promise<Outcome[]> {
  const shared = await filled(db.collection('trial'), stored);
  return Promise.all(
    all.map(async (operation, index) => {
      const isUpdate = operation.kind === 'update';
      return outcome(isUpdate ? await filled(db.collection(`trial${index}`), stored) : shared, operation);
    }),
  );
}

async function filled(
  collection: Collection<AnyDocument>,
  stored: readonly Fields[],
): Promise<Collection<AnyDocument>> {
  await collection.deleteMany({});
  await collection.insertMany(stored.map((document) => ({ ...document })));
  return collection;
}

async function outcome(collection: Collection<AnyDocument>, operation: Operation): Promise<Outcome> {
  try {
    return { answer: await run(collection, operation) };
  } catch (error) {
    if (error instanceof MongoServerError) return { code: Number(error.code), message: error.message };
    throw error;
  }
}

/** An outcome as text, each type and the order of keys shown. */
export function said(result: Outcome): string {
  return 'code' in result ? `error ${result.code}: ${result.message}` : result.answer.map(text).join('\n');
}

async function run(collection: Collection<AnyDocument>, operation: Operation): Promise<Value[]> {
  switch (operation.kind) {
    case 'find': {
      const { filter, sort, projection = {} } = operation;
      return documentsIn(
        collection
          .find(filter, { projection, raw: true })
          .sort(sort as Sort)
          .toArray(),
      );
    }
    case 'aggregate':
      return documentsIn(collection.aggregate([...operation.pipeline], { raw: true }).toArray());
    case 'update': {
      const counts = await change(collection, operation);
      const stored = await documentsIn(collection.find({}, { raw: true }).sort('_id').toArray());
      return [val(counts), ...stored.map(withKnownId)];
    }
  }
}

async function change(collection: Collection<AnyDocument>, operation: Change): Promise<number[]> {
  const { filter, update, upsert, arrayFilters } = operation;
  const options = { upsert, ...(arrayFilters && { arrayFilters }) };
  const { matchedCount, modifiedCount, upsertedCount } = isReplacement(update)
    ? await collection.replaceOne(filter, update, { upsert })
    : await collection.updateOne(filter, update, options);
  return [matchedCount, modifiedCount, upsertedCount];
}

export function isReplacement(update: Fields | readonly Fields[]): boolean {
  return !Array.isArray(update) && !Object.keys(update).some((name) => name.startsWith('$'));
}

async function documentsIn(answer: Promise<unknown[]>): Promise<Document[]> {
  return (await answer).map((bytes) => decode(Buffer.from(bytes as Uint8Array)));
}

/** An upsert makes an `_id` of its own on each server. */
function withKnownId(document: Document): Document {
  const id = document.get('_id');
  const isNew = id instanceof ObjectId && !id.toHexString().startsWith('65f00000');
  return isNew ? new Map([...document, ['_id', 'new']]) : document;
}

import type { AnyClientBulkWriteModel, BSON, Collection, ExplainVerbosityLike, MongoClient } from 'mongodb';
import { currentAttempt, type TransactionAttempt } from './transaction-attempt.ts';
import { UsageError } from '../errors.ts';
import type { RawCursor } from './raw-batch.ts';

/** The commands of a collection that a transaction may hold, and at which place each takes its options. */
const OPTIONS_AT = {
  bulkWrite: 1,
  countDocuments: 1,
  createIndexes: 1,
  deleteMany: 1,
  deleteOne: 1,
  distinct: 2,
  findOne: 1,
  findOneAndDelete: 1,
  findOneAndReplace: 2,
  findOneAndUpdate: 2,
  insertMany: 1,
  insertOne: 1,
  replaceOne: 2,
  updateMany: 2,
  updateOne: 2,
} as const;

/** The methods that a transaction cannot hold, and what to do instead. */
const NOT_IN_TRANSACTIONS = {
  estimatedDocumentCount: 'the statistics know nothing of it: use count()',
} as const;

/** A cursor of the driver as the mapper uses it. `D` is what it gives. */
export interface Cursor<D = BSON.Document> extends RawCursor {
  /** True when it was closed before the server had given all. */
  readonly killed: boolean;
  readBufferedDocuments(): D[];
  toArray(): Promise<D[]>;
  explain(verbosity?: ExplainVerbosityLike): Promise<BSON.Document>;
}

/**
 * The driver's collection as the mapper uses it. Inside a transaction everything that is sent through it is part of that:
 * there is no other way to the server.
 */
export interface SessionCollection extends Pick<
  Collection,
  keyof typeof OPTIONS_AT | keyof typeof NOT_IN_TRANSACTIONS | 'namespace' | 'writeConcern'
> {
  find(...given: Parameters<Collection['find']>): Cursor;
  aggregate(...given: Parameters<Collection['aggregate']>): Cursor;
}

/** The commands of a collection, in the transaction around the call if there is one. @throws UsageError as `TransactionAttempt` does. */
export function sessionCollection(collection: Collection, client: MongoClient, model: string): SessionCollection {
  const attempt = currentAttempt();
  if (attempt === undefined) return collection;
  attempt.checkClient(client, model);
  return joined(collection, attempt);
}

/** The client's bulk write, in the transaction around the call if there is one. */
export function bulkWrite(
  client: MongoClient,
  models: readonly AnyClientBulkWriteModel<BSON.Document>[],
  options: NonNullable<Parameters<MongoClient['bulkWrite']>[1]>,
): ReturnType<MongoClient['bulkWrite']> {
  const attempt = currentAttempt();
  if (attempt === undefined) return client.bulkWrite(models, options);
  return attempt.run(async () => {
    attempt.checkClient(client);
    return client.bulkWrite(models, attempt.withSession(options));
  });
}

type Method = (...given: unknown[]) => unknown;

function joined(collection: Collection, attempt: TransactionAttempt): SessionCollection {
  const methods = collection as unknown as Record<string, Method>;
  const call = (name: string, place: number, given: unknown[]): unknown => {
    const all = [...given];
    all[place] = attempt.withSession(given[place] as object | undefined);
    return methods[name]?.apply(collection, all);
  };
  const cursors = (['find', 'aggregate'] as const).map((name) => {
    return [name, (...given: unknown[]) => joinedCursor(call(name, 1, given) as Cursor, attempt)] as const;
  });
  const commands = Object.entries(OPTIONS_AT).map(([name, place]) => {
    return [name, (...given: unknown[]) => attempt.run(async () => call(name, place, given))] as const;
  });
  const refused = Object.entries(NOT_IN_TRANSACTIONS).map(
    ([name, advice]) => [name, () => refuse(name, advice)] as const,
  );
  const { namespace, writeConcern } = collection;
  const all = Object.fromEntries<unknown>([...cursors, ...commands, ...refused]);
  return { ...all, namespace, writeConcern } as unknown as SessionCollection;
}

function joinedCursor(cursor: Cursor, attempt: TransactionAttempt): Cursor {
  return {
    get closed() {
      return cursor.closed;
    },
    get killed() {
      return cursor.killed;
    },
    get documents() {
      return cursor.documents;
    },
    readBufferedDocuments: () => cursor.readBufferedDocuments(),
    hasNext: () => attempt.run(() => cursor.hasNext()),
    toArray: () => attempt.run(() => cursor.toArray()),
    close: () => attempt.cleanUp(() => cursor.close()),
    explain: () => refuse('explain', 'ask for the plan outside of it'),
  };
}

async function refuse(name: string, advice: string): Promise<never> {
  throw new UsageError(`${name}() cannot be part of a transaction: ${advice}.`);
}

import type { AnyClientBulkWriteModel, BSON, Collection, MongoClient } from 'mongodb';
import { currentAttempt, type TransactionAttempt } from './transaction-attempt.ts';
import { UsageError } from '../errors.ts';
import { isWatched, runWatched } from './middleware.ts';
import { type Cursor, NOT_IN_TRANSACTIONS, OPTIONS_AT, type SessionCollection } from './session-collection.ts';
import { watchedCollection } from './watched-collection.ts';

/** The commands of a collection, in the transaction around the call if there is one. @throws UsageError as `TransactionAttempt` does. */
export function sessionCollection(collection: Collection, client: MongoClient, model: string): SessionCollection {
  const attempt = currentAttempt();
  if (attempt !== undefined) attempt.checkClient(client, model);
  const own = attempt === undefined ? collection : joined(collection, attempt);
  return isWatched(client) ? watchedCollection(own, { client, collection, model }) : own;
}

/** The client's bulk write, in the transaction around the call if there is one. */
export function bulkWrite(
  client: MongoClient,
  models: readonly AnyClientBulkWriteModel<BSON.Document>[],
  options: NonNullable<Parameters<MongoClient['bulkWrite']>[1]>,
): ReturnType<MongoClient['bulkWrite']> {
  if (!isWatched(client)) return sendBulk(client, models, options);
  const [database = '', ...name] = (models[0]?.namespace ?? '').split('.');
  const about = { client, operation: 'bulkWrite', database, collection: name.join('.'), model: name.join('.') };
  return runWatched(about, [models, options], 1, ([sent, given]) =>
    sendBulk(client, sent as typeof models, given as typeof options),
  );
}

async function sendBulk(
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

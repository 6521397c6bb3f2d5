import type { ClientSession, Collection, MongoServerError } from 'mongodb';
import { expect } from 'vitest';
import { type AnyDocument, errorOf, type Workbench } from './conformance.ts';

/** Runs something in a transaction, which is aborted unless it is committed there. */
export async function inTransaction<T>(
  { client }: Pick<Workbench, 'client'>,
  run: (session: ClientSession) => Promise<T>,
): Promise<T> {
  const session = client.startSession();
  try {
    session.startTransaction();
    return await run(session);
  } finally {
    await session.endSession();
  }
}

/** The error of something that must fail; with it the transaction ends. */
export async function finalError(attempt: Promise<unknown>): Promise<MongoServerError> {
  const error = await errorOf(attempt);
  expect(error.hasErrorLabel('TransientTransactionError')).toBe(false);
  return error;
}

/** The error of something that must fail so that the whole transaction may be tried again. */
export async function transientError(attempt: Promise<unknown>): Promise<MongoServerError> {
  const error = await errorOf(attempt);
  expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
  return error;
}

/** Stores a document for each `_id`, with a number to change. */
export async function fill(collection: Collection<AnyDocument>, ids: readonly number[]): Promise<void> {
  await collection.insertMany(ids.map((_id) => ({ _id, n: 0 })));
}

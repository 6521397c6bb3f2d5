import { openDatabase } from './database.ts';

/** Has the server under test transactions? It is asked before any test is collected, so that theirs can be skipped. */
export async function askForTransactions(): Promise<boolean> {
  const { connection, close } = await openDatabase();
  const session = connection.client.startSession();
  try {
    await session.withTransaction(() => connection.db.collection('probe').findOne({}, { session }));
    return true;
  } catch {
    return false;
  } finally {
    await session.endSession();
    await close();
  }
}

/** The same for change streams. */
export async function askForChangeStreams(): Promise<boolean> {
  const { connection, close } = await openDatabase();
  const stream = connection.db.collection('probe').watch([], { maxAwaitTimeMS: 1 });
  try {
    await stream.tryNext();
    return true;
  } catch {
    return false;
  } finally {
    await stream.close();
    await close();
  }
}

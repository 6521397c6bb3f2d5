import { openDatabase } from './database.ts';

/**
 * Is the server under test a replica set? Only such have transactions and change streams. It is asked before any test is
 * collected, so that those can be skipped elsewhere.
 */
export async function askForReplicaSet(): Promise<boolean> {
  const { connection, close } = await openDatabase();
  try {
    const { setName, msg } = await connection.db.admin().command({ hello: 1 });
    return setName !== undefined || msg === 'isdbgrid';
  } finally {
    await close();
  }
}

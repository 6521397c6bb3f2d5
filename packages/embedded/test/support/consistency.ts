import type { MongoClient } from 'mongodb';

/** Runs a command on a database, and gives its reply. */
type Run = (database: string, command: Record<string, unknown>) => Promise<Record<string, unknown>>;

/**
 * Throws unless every collection of an embedded server agrees with its indexes: what each test that writes at random, or
 * kills a server, ends with.
 */
export async function expectConsistent(server: MongoClient | Run): Promise<void> {
  const run: Run = typeof server === 'function' ? server : (name, command) => server.db(name).command(command);
  const { databases } = (await run('admin', { listDatabases: 1, nameOnly: true })) as { databases: { name: string }[] };
  for (const { name: database } of databases) {
    const listed = await run(database, { listCollections: 1, nameOnly: true, cursor: { batchSize: 10_000 } });
    const { firstBatch } = listed['cursor'] as { firstBatch: { name: string }[] };
    for (const { name } of firstBatch) {
      const reply = await run(database, { validate: name, full: true });
      if (reply['ok'] === 1 && reply['valid'] === true) continue;
      throw new Error(`${database}.${name} is not consistent: ${JSON.stringify(reply, undefined, 1)}`);
    }
  }
}

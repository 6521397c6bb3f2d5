import type { MongoClientOptions } from 'mongodb';
import { openDatabase, type TestDatabase } from './database.ts';
import { FaultyProxy } from './proxy.ts';

/** The two kinds of server that bulk writes meet, by the wire version that the one under test then reports. */
export const BULK_SERVERS: readonly (readonly [kind: string, wireVersion: number])[] = [
  ['with the command bulkWrite', 25],
  ['without the command bulkWrite', 21],
];

/** A database behind a proxy, and what it was sent. */
export interface BulkDatabase extends TestDatabase {
  readonly proxy: FaultyProxy;
  /** The names of the commands sent since the last call of this. */
  sentNames(): string[];
}

/** Opens a database on a server that says it is of this version. */
export async function openBulkDatabase(wireVersion: number, options: MongoClientOptions = {}): Promise<BulkDatabase> {
  const proxy = new FaultyProxy();
  proxy.always('hello', (reply) => ({ ...reply, maxWireVersion: wireVersion }));
  const database = await openDatabase(proxy.options(options));
  return {
    ...database,
    proxy,
    sentNames: () => database.sent().map((command) => Object.keys(command)[0] ?? ''),
    async close() {
      await database.close();
      await proxy.close();
    },
  };
}

import type { MongoClientOptions } from 'mongodb';
import type { TestDatabase } from './database.ts';
import { type FaultyProxy, useProxiedDatabase } from './proxy.ts';

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

/** As `useDatabase()`, on a server that says it is of this version. */
export function useBulkDatabase(wireVersion: number, options: MongoClientOptions = {}): BulkDatabase {
  const { proxy, database } = useProxiedDatabase(options);
  proxy.always('hello', (reply) => ({ ...reply, maxWireVersion: wireVersion }));
  const sentNames = (): string[] => database.sent().map((command) => Object.keys(command)[0] ?? '');
  return Object.assign(database, { proxy, sentNames });
}

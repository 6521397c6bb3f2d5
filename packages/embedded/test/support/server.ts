import { randomBytes } from 'node:crypto';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { type RunningServer, type ServerOptions, startServer } from '../../src/index.ts';
import { expectConsistent } from './consistency.ts';
import type { Target } from './servers.ts';

/** Runs something with a server and a client of it, and closes both. */
export async function withServer<T>(
  run: (client: MongoClient, uri: string) => Promise<T>,
  options?: ServerOptions,
): Promise<T> {
  const server = await startServer(options);
  const client = new MongoClient(server.uri, { serverSelectionTimeoutMS: 5_000 });
  try {
    return await run(client, server.uri);
  } finally {
    await client.close();
    await server.close();
  }
}

/** Starts a server before the tests of the file, or of the suite, in which it is called, and closes it after them. */
export function useServer(): Pick<RunningServer, 'uri'> {
  let server: RunningServer | undefined;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.close());
  return {
    get uri() {
      return begun(server).uri;
    },
  };
}

/** A database of its own on a server under test, and a client of that. */
export interface TestDatabase {
  readonly uri: string;
  readonly client: MongoClient;
  readonly db: Db;
}

/**
 * Opens a database before the tests of the suite in which it is called. After them it drops it and closes what it opened, and
 * looks whether an embedded server's collections agree with their indexes.
 */
export function useDatabase({ product, open }: Target): TestDatabase {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  let opened: (TestDatabase & { close(): Promise<void> }) | undefined;
  beforeAll(async () => {
    const { uri, close } = await open();
    const client = await new MongoClient(uri).connect();
    opened = { uri, client, db: client.db(name), close };
  });
  afterAll(async () => {
    if (opened === undefined) return;
    const { client, db, close } = opened;
    if (product === 'embedded') await expectConsistent(client);
    await db.dropDatabase();
    await client.close();
    await close();
  });
  return {
    get uri() {
      return begun(opened).uri;
    },
    get client() {
      return begun(opened).client;
    },
    get db() {
      return begun(opened).db;
    },
  };
}

function begun<T>(opened: T | undefined): T {
  if (opened === undefined) throw new Error('The server is started when the tests begin, not before.');
  return opened;
}

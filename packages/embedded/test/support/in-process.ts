import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize, type Document, serialize } from 'bson';
import { runCommand } from '../../src/commands/run-command.ts';
import { Catalog } from '../../src/catalog/catalog.ts';
import { ClientTransactions } from '../../src/sessions/client-transactions.ts';
import type { Client, Context } from '../../src/dispatch/command.ts';
import { Cursors } from '../../src/cursors/cursors.ts';
import { indexDefinition } from '../../src/commands/index-definition.ts';
import { Sessions } from '../../src/sessions/sessions.ts';
import { LmdbStorage } from '../../src/storage/lmdb.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { MAX_MESSAGE_SIZE } from '../../src/wire/frame.ts';
import { expectConsistent } from './consistency.ts';

/** What commands need of a server, without one. */
export function contextOver(storage: Storage, lifetimeSeconds?: number): Context {
  const catalog = new Catalog(storage, indexDefinition);
  const cursors = new Cursors();
  const sessions = new Sessions(storage.persistent ? storage.state : undefined);
  return {
    catalog,
    cursors,
    sessions,
    transactions: new ClientTransactions(catalog, cursors, sessions, lifetimeSeconds),
    startedAt: new Date(),
    host: 'localhost',
    maxMessageSize: MAX_MESSAGE_SIZE,
    connections: () => ({ current: 1, total: 1 }),
  };
}

/** Runs something with a storage in a folder of its own, which is gone afterwards. */
export async function withLmdbStorage(run: (storage: Storage) => Promise<void>): Promise<void> {
  const path = mkdtempSync(join(tmpdir(), 'embedded-'));
  try {
    const storage = await LmdbStorage.open(path);
    try {
      await run(storage);
    } finally {
      await storage.close();
    }
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** A client that stays. */
export const CLIENT: Client = { id: 1, address: 'test', gone: new AbortController().signal };

/** Like `expectConsistent`, of a server without a network. */
export async function expectContextConsistent(context: Context): Promise<void> {
  await expectConsistent(async (database, command): Promise<Document> => {
    const body = serialize({ ...command, $db: database });
    return deserialize(await runCommand(context, CLIENT, { body, sequences: new Map() }));
  });
}

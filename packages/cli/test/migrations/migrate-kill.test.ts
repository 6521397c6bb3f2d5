import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { useDatabase } from '../../../data-bridge/test/support/database.ts';
import { askForFault } from '../../../data-bridge/test/support/known-faults.ts';
import { askForReplicaSet } from '../../../data-bridge/test/support/replica-set.ts';
import { useBuiltPackages } from '../support/built.ts';

/** Goes on with a migration from where it was killed, and tells of each page. */
const MIGRATOR = `
import { setTimeout as wait } from 'node:timers/promises';
import { defineMigration, LeaseError, migrate } from '@data-bridge/cli';
import { connect, model } from 'data-bridge';
import { z } from 'zod';

class Item extends model('items', { _id: z.any(), n: z.int() }) {}

const [uri, transaction] = process.argv.slice(2);
const counted = transaction === 'true';
const migration = defineMigration({
  async up({ batch }) {
    const change = (item) => {
      item.n = counted ? item.n + 1 : 1;
    };
    await batch(Item.find(), change, { size: 20, transaction: counted });
  },
});
const steps = [{ version: '001', name: 'count', checksum: '', migration }];
const progress = () => process.stdout.write('page\\n');

const db = await connect(uri);
for (let tries = 0; ; tries += 1) {
  try {
    await migrate(db, steps, { leaseTime: 300, progress });
    break;
  } catch (error) {
    // Of the one that was killed.
    if (!(error instanceof LeaseError) || tries === 200) throw error;
    await wait(50);
  }
}
await db.close();
`;

const KILLS = Number(process.env['KILLS'] ?? 20) / 2;
const DOCUMENTS = 300;

const database = useDatabase();
const folder = useBuiltPackages({ 'migrator.mjs': MIGRATOR });
const isSkipped = await askForFault('a lease whose time is over');
const ways = (await askForReplicaSet()) ? [true, false] : [false];

it.skipIf(isSkipped).each(ways)(
  'migrations that are killed end the same, with transactions: %s',
  async (transaction) => {
    const items = database.db.collection<{ _id: unknown; n: number }>('items');
    const ledger = database.db.collection('_data_bridge');
    let kills = 0;
    while (kills < KILLS) {
      await items.deleteMany({});
      await ledger.deleteMany({});
      const ids = [(i: number) => i, (i: number) => `id ${i}`, () => new ObjectId()];
      await items.insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: ids[i % 3]?.(i), n: 0 })));
      while (!(await migrateUntilKilled(transaction, kills))) kills += 1;
      expect(await items.countDocuments({ n: 1 })).toBe(DOCUMENTS);
      expect(await ledger.findOne({ state: 'applied' })).toMatchObject({ version: '001' });
    }
  },
);

/** Kills it in the midst of a page, unless it ends before. @returns whether it ended */
async function migrateUntilKilled(transaction: boolean, seed: number): Promise<boolean> {
  const child = spawn(process.execPath, [join(folder, 'migrator.mjs'), database.connection.uri, String(transaction)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let left = 1 + ((seed * 7) % 5);
  for await (const _page of createInterface({ input: child.stdout })) {
    left -= 1;
    if (left > 0) continue;
    await wait((seed * 3) % 8);
    child.kill('SIGKILL');
  }
  const [code] = (await ended) as [number | null];
  expect(code === 0 || code === null).toBe(true);
  return code === 0;
}

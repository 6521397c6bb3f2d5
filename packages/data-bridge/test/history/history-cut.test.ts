import type { BSON, CommandStartedEvent } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';
import { checkHistory } from '../support/history-checks.ts';
import type { Fault } from '../support/proxy.ts';

/* Many documents whose writes are recorded, with a fault at each of the commands that they take. */

class Row extends model('rows', { name: z.string(), n: z.int().default(0) }, { history: true, timestamps: true }) {}

const unconfirmed = (reply: BSON.Document): BSON.Document => ({
  ...reply,
  writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
});
const faults: readonly (readonly [string, Fault])[] = [
  ['is cut off before the server has it', 'cutBefore'],
  ['is cut off before its answer comes', 'cutAfter'],
  ['is not confirmed', unconfirmed],
];
const places = [0, 1, 2, 3, 4, 5];

describe.each(BULK_SERVERS)('on a server %s', (_, wireVersion) => {
  const database = useBulkDatabase(wireVersion);
  beforeEach(async () => {
    for (const name of ['rows', 'rows_history']) await database.db.collection(name).deleteMany({});
  });

  /** Does work in which one command meets a fault: that at the place, counted from 0. */
  async function withFault(place: number, fault: Fault, work: () => Promise<unknown>): Promise<void> {
    let count = 0;
    const listen = ({ commandName }: CommandStartedEvent): void => {
      // A client's bulk write has no write concern error of this form.
      if (count++ === place && !(commandName === 'bulkWrite' && typeof fault === 'function'))
        database.proxy.next(commandName, fault);
    };
    database.connection.client.on('commandStarted', listen);
    await work().catch(() => {});
    database.connection.client.off('commandStarted', listen);
  }

  describe.each(faults)('where a command %s', (__, fault) => {
    it.each(['insertMany', 'saveAll'] as const)('%s() leaves what can be saved again and repaired', async (method) => {
      for (const place of places) {
        const old = await Row.insertMany([{ name: 'd' }, { name: 'e' }]);
        for (const row of old) row.n = 1;
        const fresh = ['a', 'b', 'c'].map((name) => new Row({ name }));
        const rows = method === 'saveAll' ? [...fresh, ...old] : fresh;
        await withFault(place, fault, () => (method === 'saveAll' ? Row.saveAll(rows) : Row.insertMany(fresh)));
        for (const row of rows) {
          // An update whose answer did not come is not sent again before it is known what is stored.
          if (!row.$isNew) await row.reload();
          row.n = 2;
          await row.save();
        }
        await Row.repairHistory({ olderThan: new Date(Date.now() + 1000) });
        for (const { _id } of rows) {
          await checkHistory(database.db, 'rows', _id);
          expect((await Row.findById(_id))?.n).toBe(2);
        }
        expect(await database.db.collection('rows_history').countDocuments({ pending: true })).toBe(0);
      }
    });
  });
});

import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConflictError, connect, model, NotConnectedError, transaction, UsageError } from '../../src/index.ts';
import { Account, balances, makePair } from '../support/accounts.ts';
import { type Command, useDatabase } from '../support/database.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

const database = useDatabase();
beforeAll(async () => {
  await Account.ensureCollection();
});

describe.runIf(isReplicaSet)('transaction()', () => {
  beforeEach(async () => {
    await Account.deleteMany({});
    database.sent();
  });
  it('stores all of it, and gives what the callback gives', async () => {
    const [ann, bob] = await makePair();
    const given = await transaction(async () => {
      ann.balance -= 4;
      bob.balance += 4;
      await Promise.all([ann.save(), bob.save()]);
      return 'done';
    });
    expect([given, ann.isModified(), bob.isModified()]).toEqual(['done', false, false]);
    expect(await balances()).toEqual({ Ann: 6, Bob: 4 });
  });

  it('stores nothing of it where the callback fails, and documents are as they were', async () => {
    const [ann, bob] = await makePair();
    bob.log.push('before');
    const failing = transaction(async () => {
      ann.balance = 0;
      ann.log.push('spent');
      bob.log.push('inside');
      await ann.save();
      await bob.delete();
      await Account.create({ owner: 'Cid' });
      expect(await balances()).toEqual({ Ann: 0, Cid: 0 });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect([ann.balance, ann.log, ann.isModified()]).toEqual([10, [], false]);
    expect(bob.changes()).toMatchObject([{ path: 'log', from: [], to: ['before'] }]);
    expect(await balances()).toEqual({ Ann: 10, Bob: 0 });
    await bob.save();
    expect((await Account.findBy({ owner: 'Bob' }).one()).log).toEqual(['before']);
  });

  it('takes what the callback gives as soon as it is there, a query too', async () => {
    await makePair();
    expect(await transaction(() => 1)).toBe(1);
    expect(
      await transaction(() =>
        Account.find()
          .sort('owner')
          .map(({ owner }) => owner),
      ),
    ).toEqual(['Ann', 'Bob']);
    const isInside = ({ autocommit }: Command) => autocommit === false;
    expect(
      database
        .sent()
        .filter((command) => 'find' in command)
        .map(isInside),
    ).toEqual([true]);
  });

  it('gives the driver’s session to what needs it', async () => {
    const failing = transaction(async (session) => {
      await Account.collection.insertOne({ owner: 'Raw' }, { session });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await Account.count()).toBe(0);
  });

  it('is there on a connection, too', async () => {
    const other = await connect(database.uri);
    const Other = Account.using(other);
    await expect(
      other.transaction(async () => {
        await Other.create({ owner: 'Ann' });
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await Account.count()).toBe(0);
    await other.close();
    await expect(other.transaction(() => 1)).rejects.toThrow(NotConnectedError);
  });

  it('takes in every operation by itself, one after another', async () => {
    await makePair();
    const running = new Set<number>();
    let most = 0;
    database.connection.client.on('commandStarted', ({ requestId, commandName }) => {
      if (commandName === 'hello') return;
      running.add(requestId);
      most = Math.max(most, running.size);
    });
    const end = ({ requestId }: { readonly requestId: number }) => running.delete(requestId);
    database.connection.client.on('commandSucceeded', end).on('commandFailed', end);
    database.sent();
    await transaction(async () => {
      const query = Account.find({ balance: { $gte: 0 } });
      const iterate = async () => {
        const owners: string[] = [];
        for await (const { owner } of query.batchSize(1)) owners.push(owner);
        return owners;
      };
      await Promise.all([
        query,
        query.first(),
        query.count(),
        query.exists(),
        query.distinct('owner'),
        query.sum('balance'),
        query.page({ size: 1, total: true }),
        query.forEach(() => undefined, { concurrency: 2 }),
        query.lean(),
        iterate(),
        iterate(),
        Account.findById('0123456789abcdef01234567'),
        Account.aggregate().group({ _id: '$owner' }),
        Account.aggregate().match({ balance: 0 }).hydrate(),
        Account.count(),
        Account.distinct('owner'),
        Account.create({ owner: 'Cid' }),
        Account.insertMany([{ owner: 'Dan' }]),
        Account.insertMany([{ owner: 'Eve' }], { validate: false, return: 'ids' }),
        Account.bulk().insertOne({ owner: 'Fay' }).deleteOne({ owner: 'Fay' }).execute(),
        Account.updateOne({ owner: 'Ann' }, { $inc: { balance: 1 } }),
        Account.updateMany({ owner: 'Ann' }, { $inc: { balance: 1 } }),
        Account.upsert({ owner: 'Gus' }, { $set: { balance: 1 } }),
        Account.replaceOne({ owner: 'Gus' }, { owner: 'Gus' }),
        Account.findOneAndUpdate({ owner: 'Gus' }, { $set: { balance: 3 } }),
        Account.findOneAndReplace({ owner: 'Gus' }, { owner: 'Gus' }),
        Account.findOneAndDelete({ owner: 'Gus' }),
        Account.find({ owner: 'Nobody' }).update({ $set: { balance: 1 } }),
        Account.find({ owner: 'Nobody' }).delete(),
        Account.deleteOne({ owner: 'Nobody' }),
        Account.deleteMany({ owner: 'Nobody' }),
      ]);
      const [ann, bob] = (await query.sort('owner')) as [Account, Account];
      ann.$inc('balance');
      bob.note = 'x';
      await Promise.all([ann.save(), bob.save()]);
      await Account.saveAll([ann, bob, new Account({ owner: 'Hal' }), new Account({ owner: 'Ida' })]);
      await Promise.all([ann.reload(), bob.delete()]);
    });
    const sent = database.sent().filter((command) => !('hello' in command));
    expect(sent.filter(({ autocommit }) => autocommit !== false)).toEqual([]);
    expect(new Set(sent.map(({ lsid, txnNumber }) => `${String(lsid.id)} ${txnNumber}`)).size).toBe(1);
    expect(most).toBe(1);
  });

  it('puts back all that a document knows', async () => {
    const made = new Account({ owner: 'New', note: ' n ', log: ['a'] });
    const counted = await Account.create({ owner: 'Counted', balance: 1 });
    const gone = await Account.create({ owner: 'Gone' });
    const part = await Account.find({ owner: 'Counted' }).select('log').one();
    counted.$inc('balance', 2);
    part.log.push('part');
    const before = counted.$bytes;
    await expect(
      transaction(async () => {
        made.log.push('b');
        await made.save();
        expect([made.$isNew, made.note]).toEqual([false, 'n']);
        counted.$inc('balance', 3).$pop('log');
        await counted.save();
        counted.$bit('balance', { xor: 10 });
        await gone.delete();
        await part.save();
        await part.reload();
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect([made.$isNew, made.note, made.log, made.changes().length]).toEqual([true, ' n ', ['a'], 5]);
    expect([counted.balance, counted.$bytes]).toEqual([3, before]);
    expect([part.log, part.isModified()]).toEqual([['part'], true]);
    await Promise.all([made.save(), counted.save(), gone.save()]);
    await part.save();
    expect(await balances()).toEqual({ New: 0, Counted: 3, Gone: 0 });
    expect((await counted.reload()).log).toEqual(['part']);
  });

  it('runs again with documents as they were when the server finds a conflict', async () => {
    const [ann] = await makePair();
    const same = await Account.findById(ann._id);
    let runs = 0;
    ann.log.push('before');
    await transaction(async () => {
      runs++;
      expect([ann.balance, ann.log]).toEqual([10, ['before']]);
      await Account.exists({ owner: 'Ann' });
      if (runs === 1) {
        // Another writer, who is not part of it, is faster.
        const other = await connect(database.uri);
        await other.db
          .collection(Account.collection.collectionName)
          .updateOne({ _id: ann._id }, { $set: { note: 'faster' } });
        await other.close();
      }
      ann.balance -= 1;
      ann.log.push('inside');
      await ann.save();
    });
    expect([runs, ann.balance, ann.log]).toEqual([2, 9, ['before', 'inside']]);
    await same!.reload();
    expect([same!.balance, same!.log, same!.note]).toEqual([9, ['before', 'inside'], 'faster']);
  });

  it('loses nothing where several run at once', async () => {
    const [ann] = await makePair();
    const add = () =>
      transaction(async () => {
        const account = await Account.findById(ann._id);
        account!.balance += 1;
        await account!.save();
      });
    await Promise.all(Array.from({ length: 4 }, add));
    expect(await balances()).toEqual({ Ann: 14, Bob: 0 });
  });

  it.each(['fields', 'version'] as const)('keeps to the terms of writers apart by %s', async (concurrency) => {
    class Guarded extends model(
      `guarded-${concurrency}`,
      { n: z.number(), list: z.array(z.number()) },
      {
        concurrency,
        version: 'v',
      },
    ) {}
    await Guarded.ensureCollection();
    const mine = await Guarded.create({ n: 0, list: [0] });
    const stale = await Guarded.find({ _id: mine._id }).one();
    const add = (failure?: Error) =>
      transaction(async () => {
        for (const by of [1, 2]) {
          mine.n += by;
          mine.list[0] = by;
          await mine.save();
        }
        if (failure !== undefined) throw failure;
      });
    await expect(add(new Error('no'))).rejects.toThrow('no');
    expect([mine.n, mine.list, mine.get('v')]).toEqual([0, [0], 1]);
    await add();
    expect(await Guarded.find({ _id: mine._id }).lean().one()).toMatchObject({ n: 3, list: [2], v: 3 });
    stale.n = 9;
    await expect(transaction(() => stale.save())).rejects.toThrow(ConflictError);
    expect([stale.n, stale.isModified(), stale.get('v')]).toEqual([9, true, 1]);
  });

  describe('inside another one', () => {
    it('is part of it', async () => {
      const [ann, bob] = await makePair();
      const withdraw = (account: Account, by: number) =>
        transaction(async () => {
          account.balance -= by;
          await account.save();
          return account.balance;
        });
      const given = await transaction(async () => [await withdraw(ann, 1), await withdraw(bob, -1)]);
      expect(given).toEqual([9, 1]);
      const failing = transaction(async () => {
        await withdraw(ann, 1);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(ann.balance).toBe(9);
      expect(await balances()).toEqual({ Ann: 9, Bob: 1 });
    });

    it('fails with it, also where its error is caught', async () => {
      const [ann] = await makePair();
      const failing = transaction(async () => {
        ann.balance = 0;
        await ann.save();
        await transaction(() => Promise.reject(new Error('inner'))).catch(() => undefined);
        await Account.create({ owner: 'Cid' });
      });
      await expect(failing).rejects.toMatchObject({ name: 'UsageError', cause: { message: 'inner' } });
      const caught = transaction(async () => {
        await transaction(() => Promise.reject(new Error('inner'))).catch(() => undefined);
      });
      await expect(caught).rejects.toThrow('inner');
      expect(await balances()).toEqual({ Ann: 10, Bob: 0 });
    });

    it('has no options of its own', async () => {
      const failing = transaction(() => transaction(() => 1, { readConcern: { level: 'majority' } }));
      await expect(failing).rejects.toThrow(UsageError);
    });
  });

  it('follows the options of the driver', async () => {
    await transaction(() => Account.create({ owner: 'Ann' }), {
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority' },
    });
    const [first, commit] = database.sent();
    expect(first).toMatchObject({ startTransaction: true, readConcern: { level: 'snapshot' } });
    expect(commit).toMatchObject({ commitTransaction: 1, writeConcern: { w: 'majority' } });
  });
});

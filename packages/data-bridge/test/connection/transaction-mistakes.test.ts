import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, DuplicateKeyError, transaction, UsageError, ValidationError } from '../../src/index.ts';
import { Account, balances, makePair } from '../support/accounts.ts';
import { openDatabase, useDatabase } from '../support/database.ts';
import { FaultyProxy } from '../support/proxy.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

/** Runs outside of the transaction around the call, as what another request does would. */
const outside = AsyncLocalStorage.snapshot() as <R>(call: () => R) => R;

const database = useDatabase();
beforeAll(async () => {
  await Account.ensureCollection();
});

describe.runIf(isReplicaSet)('mistakes in a transaction', () => {
  beforeEach(async () => {
    await Account.deleteMany({});
    database.sent();
  });
  it('ends at the first error of the server, whether it is caught or not', async () => {
    await Account.collection.createIndex({ owner: 1 }, { unique: true });
    await makePair();
    const later: unknown[] = [];
    let runs = 0;
    const failing = transaction(async () => {
      runs++;
      await Account.create({ owner: 'Cid' });
      await Account.create({ owner: 'Ann' }).catch(() => undefined);
      await Account.create({ owner: 'Dan' }).catch((error: unknown) => later.push(error));
    });
    await expect(failing).rejects.toThrow(DuplicateKeyError);
    expect([runs, later]).toEqual([1, [expect.any(UsageError)]]);
    expect(await balances()).toEqual({ Ann: 10, Bob: 0 });
    const both = transaction(() => Promise.all([Account.create({ owner: 'Ann' }), Account.create({ owner: 'Dan' })]));
    await expect(both).rejects.toThrow(DuplicateKeyError);
    expect(await balances()).toEqual({ Ann: 10, Bob: 0 });
    await Account.collection.dropIndex('owner_1');
  });

  it('goes on after an error before anything was sent', async () => {
    const aborted = AbortSignal.abort(new Error('aborted'));
    await transaction(async () => {
      await expect(Account.create({ owner: '' })).rejects.toThrow(ValidationError);
      await expect(Account.create({ owner: 'Ann' }, { signal: aborted })).rejects.toThrow('aborted');
      await Account.create({ owner: 'Ann' });
    });
    expect(await balances()).toEqual({ Ann: 0 });
  });

  it('waits for what was started in it', async () => {
    const saving: Promise<unknown>[] = [];
    await transaction(() => {
      saving.push(Account.create({ owner: 'Ann' }), new Account({ owner: 'Bob' }).save());
    });
    expect(await balances()).toEqual({ Ann: 0, Bob: 0 });
    await Promise.all(saving);
  });

  it('refuses what comes too late', async () => {
    let comeLate = (): void => undefined;
    const late = new Promise<void>((resolve) => (comeLate = resolve));
    const [running] = await transaction(() => [late.then(() => Account.create({ owner: 'Late' }))]);
    comeLate();
    await expect(running).rejects.toThrow(/The transaction is over/);
    const [again] = await transaction(() => [late.then(() => transaction(() => Account.create({ owner: 'Own' })))]);
    await again;
    expect(await balances()).toEqual({ Own: 0 });
  });

  it('refuses documents that others are busy with', async () => {
    const [ann, bob] = await makePair();
    const saving = Account.create({ owner: 'Cid' });
    ann.balance = 1;
    const before = ann.save();
    expect(await transaction(() => ann.log)).toEqual([]);
    await expect(transaction(() => (ann.balance = 2))).rejects.toThrow(/await it first/);
    await expect(transaction(() => ann.save())).rejects.toThrow(/await it first/);
    await Promise.all([before, saving]);
    let enter = (): void => undefined;
    const entered = new Promise<void>((resolve) => (enter = resolve));
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    const running = transaction(async () => {
      bob.balance = 5;
      enter();
      await left;
      await bob.save();
    });
    await entered;
    await expect(bob.save()).rejects.toThrow(/takes part in a transaction/);
    await expect(transaction(() => bob.reload())).rejects.toThrow(/takes part in a transaction/);
    await expect(transaction(() => bob.log)).resolves.toEqual([]);
    leave();
    await running;
    expect(await balances()).toEqual({ Ann: 1, Bob: 5, Cid: 0 });
    await bob.save();
  });

  it('lets others write what it only reads', async () => {
    const [ann] = await makePair();
    const failing = transaction(async () => {
      expect(ann.log).toEqual([]);
      await outside(async () => {
        ann.balance = 3;
        await ann.save();
      });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(ann.balance).toBe(3);
    expect(await balances()).toEqual({ Ann: 3, Bob: 0 });
  });

  it('refuses models on another connection, and other sessions', async () => {
    const other = await connect(database.uri);
    const session = other.client.startSession();
    const own = database.connection.client.startSession();
    const calls: (() => unknown)[] = [
      () => Account.using(other).find(),
      () => Account.using(other).create({ owner: 'Ann' }),
      () => Account.using(other).bulk().insertOne({ owner: 'Ann' }).execute(),
      () => Account.using(other).saveAll([new (Account.using(other))({ owner: 'Ann' })]),
      () => other.transaction(() => 1),
      () => Account.find({}, { session: own }),
      () => Account.find().session(own).count(),
      () => Account.create({ owner: 'Ann' }, { session: own }),
      () => Account.insertMany([{ owner: 'Ann' }], { session: own }),
    ];
    for (const call of calls) await expect(transaction(call)).rejects.toThrow(UsageError);
    await transaction(async (its) => {
      await Account.create({ owner: 'Ann' }, { session: its });
    });
    expect(await balances()).toEqual({ Ann: 0 });
    await Promise.all([session.endSession(), own.endSession()]);
    await other.close();
  });

  it('refuses what a transaction cannot hold', async () => {
    const calls: (() => unknown)[] = [
      () => Account.estimatedCount(),
      () => Account.ensureCollection(),
      () => Account.find().explain(),
      () => Account.aggregate().explain(),
    ];
    for (const call of calls) await expect(transaction(call)).rejects.toThrow(UsageError);
    await transaction(async () => {
      await expect(Account.estimatedCount()).rejects.toThrow(/use count\(\)/);
      await Account.create({ owner: 'Ann' });
    });
    expect(await balances()).toEqual({ Ann: 0 });
  });
});

describe('mistakes with transactions', () => {
  it('refuses what is no callback and no option', async () => {
    await expect(transaction(1 as never)).rejects.toThrow(/takes a function/);
    await expect(transaction(() => 1, { timeoutMS: 1 } as never)).rejects.toThrow(/not "timeoutMS"/);
  });

  it('are refused where the server has none', async () => {
    const proxy = new FaultyProxy();
    const single = await openDatabase({ via: (server) => proxy.listen(server), directConnection: true });
    const Own = Account.using(single.connection);
    const ann = await Own.create({ owner: 'Ann' });
    const errmsg = 'Transaction numbers are only allowed on a replica set member or mongos';
    const refusal = { answer: { ok: 0, code: 20, codeName: 'IllegalOperation', errmsg } };
    for (const command of ['insert', 'find', 'aggregate', 'delete', 'bulkWrite']) proxy.always(command, refusal);
    const calls: (() => unknown)[] = [
      () => Own.create({ owner: 'Bob' }),
      () => Own.count(),
      () => Own.find(),
      () => ann.delete(),
    ];
    for (const call of calls)
      await expect(single.connection.transaction(call)).rejects.toThrow(/This server has no transactions/);
    await expect(single.connection.transaction(() => Own.count())).rejects.toThrow(UsageError);
    await single.close();
    await proxy.close();
  });
});

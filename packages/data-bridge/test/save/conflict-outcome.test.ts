import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BulkSaveError, ConflictError, OutcomeUnknownError } from '../../src/index.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';
import { Account, Merged, Versioned } from '../support/conflict-models.ts';
import { conflictOf } from '../support/conflicts.ts';

describe.each(BULK_SERVERS)('on a server %s', (_, wireVersion) => {
  const database = useBulkDatabase(wireVersion);
  beforeAll(async () => {
    await Account.ensureCollection();
    await Versioned.ensureCollection();
  });
  beforeEach(() => void database.sentNames());

  const accounts = async (...names: string[]): Promise<Account[]> => {
    const made = await Account.insertMany(names.map((name) => ({ name, balance: 1 })));
    const found = await Account.find({ _id: { $in: made.map(({ _id }) => _id) } }).sort('name');
    database.sentNames();
    return found;
  };
  const outcomes = async (promise: Promise<unknown>) => {
    const error: unknown = await promise.catch((thrown: unknown) => thrown);
    if (!(error instanceof BulkSaveError)) throw new Error('Expected a BulkSaveError', { cause: error });
    return error.results.map(({ outcome }) => outcome);
  };

  it('saveAll() reports which are in conflict, and saves the others', async () => {
    const [first, second, third, fourth] = await accounts('a', 'b', 'c', 'd');
    if (!first || !second || !third || !fourth) throw new Error('Expected four');
    await Account.collection.updateOne({ _id: second._id }, { $set: { balance: 5, name: 'theirs' } });
    await Account.collection.deleteOne({ _id: third._id });
    for (const each of [first, second, third]) each.balance = 9;
    fourth.name = 'D';
    const fresh = new Account({ name: 'e' });
    const saving = Account.saveAll([first, second, third, fourth, fresh]);
    expect(await outcomes(saving)).toEqual(['updated', 'conflict', 'failed', 'updated', 'inserted']);
    expect([first, second, third, fourth, fresh].map((each) => each.isModified())).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
    expect(await Account.find({ _id: second._id }).lean().one()).toMatchObject({ balance: 5, name: 'theirs' });
    await Account.saveAll([second, first], { onConflict: 'mine' });
    expect(await Account.find({ _id: second._id }).lean().one()).toMatchObject({ balance: 9, name: 'theirs' });
  });

  it('saveAll() sends guarded updates together where the server gives a result of each', async () => {
    const all = await accounts('a', 'b', 'c');
    for (const each of all) each.balance = 2;
    await Account.saveAll(all);
    expect(database.sentNames()).toEqual(wireVersion < 25 ? ['update', 'update', 'update'] : ['bulkWrite']);
    expect(all.every((each) => !each.isModified())).toBe(true);
  });

  it('saveAll() counts versions', async () => {
    const all = await Versioned.insertMany([{ name: 'a' }, { name: 'b' }]);
    const [first, second] = all;
    if (!first || !second) throw new Error('Expected two');
    for (const each of all) each.name += '!';
    await Versioned.saveAll(all);
    expect(all.map(({ version }) => version)).toEqual([2, 2]);
    await Versioned.updateOne({ _id: first._id }, { $set: { balance: 5 } });
    for (const each of all) each.name += '!';
    expect(await outcomes(Versioned.saveAll(all))).toEqual(['conflict', 'updated']);
    const results = await Versioned.saveAll(all, { onConflict: 'rebase' });
    expect(results.map(({ outcome }) => outcome)).toEqual(['updated', 'clean']);
    expect([first.version, first.balance, second.version]).toEqual([4, 5, 3]);
  });

  describe('when the answer to a save never comes', () => {
    const lost = async <D extends { save(): Promise<D> }>(document: D, fault: 'cutBefore' | 'cutAfter'): Promise<D> => {
      database.proxy.next('update', fault);
      await expect(document.save()).rejects.toThrow(OutcomeUnknownError);
      return document;
    };

    it.each(['cutBefore', 'cutAfter'] as const)('a guarded one may be saved again: %s', async (fault) => {
      const [account] = await accounts('a');
      if (!account) throw new Error('Expected one');
      account.balance = 9;
      await lost(account, fault);
      account.name = 'later';
      await account.save();
      expect(await Account.find({ _id: account._id }).lean().one()).toMatchObject({ balance: 9, name: 'later' });
      expect(account.isModified()).toBe(false);
    });

    it('a guarded one that another writer overtook is a conflict', async () => {
      const [account] = await accounts('a');
      if (!account) throw new Error('Expected one');
      account.balance = 9;
      await lost(account, 'cutAfter');
      await Account.collection.updateOne({ _id: account._id }, { $set: { balance: 7 } });
      expect((await conflictOf(account.save())).conflicts).toMatchObject([{ path: 'balance', mine: 9, theirs: 7 }]);
      await account.save({ onConflict: 'mine' });
      expect(await Account.find({ _id: account._id }).lean().one()).toMatchObject({ balance: 9 });
    });

    it.each([
      ['cutBefore', false],
      ['cutAfter', true],
    ] as const)('one that counts needs to be told: %s', async (fault, applied) => {
      const versioned = await Versioned.create({ name: 'a', balance: 1 });
      versioned.balance = 2;
      await lost(versioned, fault);
      versioned.name = 'later';
      await expect(versioned.save()).rejects.toThrow(OutcomeUnknownError);
      await expect(versioned.$rebase()).rejects.toThrow('{ applied: true }');
      await versioned.$rebase({ applied });
      expect(versioned.version).toBe(applied ? 2 : 1);
      expect(
        versioned
          .changes()
          .map(({ path }) => path)
          .toSorted(),
      ).toEqual(applied ? ['name'] : ['balance', 'name']);
      await versioned.save();
      expect(await Versioned.find({ _id: versioned._id }).lean().one()).toMatchObject({ name: 'later', balance: 2 });
      expect(versioned.version).toBe(applied ? 3 : 2);
    });

    it('a sum is a conflict, too, and memory takes what is stored', async () => {
      const merged = await Merged.create({ name: 'a', balance: 1 });
      merged.$inc('balance', 5);
      database.proxy.next('findAndModify', 'cutAfter');
      await expect(merged.save()).rejects.toThrow(OutcomeUnknownError);
      await Merged.collection.updateOne({ _id: merged._id }, { $inc: { balance: 10 } });
      await merged.$rebase({ applied: true });
      expect([merged.balance, merged.isModified()]).toEqual([16, false]);
    });

    it('an insert is reported, too', async () => {
      for (const applied of [false, true]) {
        const merged = new Merged({ name: 'a' });
        database.proxy.next('insert', applied ? 'cutAfter' : 'cutBefore');
        await expect(merged.save()).rejects.toThrow(OutcomeUnknownError);
        await merged.$rebase({ applied });
        expect(merged.$isNew).toBe(!applied);
        merged.name = 'b';
        await merged.save();
        expect(await Merged.find({ _id: merged._id }).lean().one()).toMatchObject({ name: 'b' });
      }
    });

    it('of reading the newer document, the save is known not to be done', async () => {
      const [account] = await accounts('a');
      if (!account) throw new Error('Expected one');
      await Account.collection.updateOne({ _id: account._id }, { $set: { balance: 7 } });
      account.balance = 9;
      database.proxy.next('find', 'cutBefore');
      await expect(account.save()).rejects.not.toThrow(OutcomeUnknownError);
      await expect(account.save()).rejects.toThrow(ConflictError);
    });
  });
});

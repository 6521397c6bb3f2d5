import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { MongoServerError } from 'mongodb';
import { z } from 'zod';
import {
  ConflictError,
  DocumentNotFoundError,
  EncodeError,
  FieldNotLoadedError,
  model,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { Account, Merged, Versioned } from '../support/conflict-models.ts';
import { conflictOf, storedAccount, twoAccounts, twoOf } from '../support/conflicts.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();
beforeEach(() => void database.sent());

const names = () => database.sent().map((command) => Object.keys(command)[0]);

const two = (input?: object) => twoAccounts(input, database);

describe('the option onConflict', () => {
  const clash = async () => {
    const [first, second] = await two({ balance: 100, tags: ['a'] });
    Object.assign(first, { balance: 70, name: 'Bob' });
    Object.assign(second, { balance: 90, free: 1 });
    await first.save();
    database.sent();
    return second;
  };

  it("'mine' writes over theirs, and keeps the rest", async () => {
    const second = await clash();
    await second.save({ onConflict: 'mine' });
    expect(names()).toEqual(['update', 'find', 'update']);
    expect(await storedAccount(second)).toMatchObject({ name: 'Bob', balance: 90, free: 1 });
    expect(second.name).toBe('Bob');
    expect(second.isModified()).toBe(false);
  });

  it("'theirs' leaves what they wrote, and saves the rest", async () => {
    const second = await clash();
    await second.save({ onConflict: 'theirs' });
    expect(await storedAccount(second)).toMatchObject({ name: 'Bob', balance: 70, free: 1 });
    expect([second.balance, second.isModified()]).toEqual([70, false]);
  });

  it("'theirs' saves nothing where nothing is left", async () => {
    const [first, second] = await two();
    first.name = 'Bob';
    second.name = 'Cid';
    await first.save();
    database.sent();
    await second.save({ onConflict: 'theirs' });
    expect(names()).toEqual(['update', 'find']);
    expect(second.name).toBe('Bob');
  });

  it('a function gives the value, or a promise of it', async () => {
    const second = await clash();
    await second.save({
      onConflict: async (conflict) => {
        if (conflict.path !== 'balance') return conflict.theirs;
        expectTypeOf(conflict.mine).toEqualTypeOf<number | undefined>();
        return Number(conflict.theirs) + Number(conflict.mine) - Number(conflict.original);
      },
    });
    expect(await storedAccount(second)).toMatchObject({ name: 'Bob', balance: 60, free: 1 });
  });

  it('a function may remove the value', async () => {
    const second = await clash();
    await second.save({ onConflict: () => undefined });
    expect(Object.keys(await storedAccount(second))).not.toContain('balance');
  });

  it('a function may give null, which is a value', async () => {
    const [first, second] = await two({ free: 1, scores: { a: 1 } });
    first.free = 2;
    first.scores = { a: 2 };
    await first.save();
    second.free = null;
    second.scores = { a: null };
    await second.save({ onConflict: ({ mine }) => mine });
    expect(await storedAccount(second)).toMatchObject({ free: null, scores: { a: null } });
  });

  it('what a function gives is validated, and must be storable', async () => {
    const second = await clash();
    await expect(second.save({ onConflict: () => 'x' })).rejects.toThrow(ValidationError);
    const third = await clash();
    await expect(third.save({ onConflict: () => Symbol('x') })).rejects.toThrow(EncodeError);
    expect(third.balance).toBe(90);
    await expect(third.save({ onConflict: () => Promise.reject(new Error('no idea')) })).rejects.toThrow('no idea');
    await third.save({ onConflict: 'mine' });
  });

  it('a function that saves the document itself gets an error that says so', async () => {
    const second = await clash();
    await expect(second.save({ onConflict: () => second.save() })).rejects.toThrow('inside a save');
    await second.save({ onConflict: 'mine' });
    expect(second.isModified()).toBe(false);
  });

  it('asks again about what is changed while it asks', async () => {
    const second = await clash();
    const asked: string[] = [];
    await second.save({
      onConflict: ({ path, mine }) => {
        asked.push(path);
        second.name = 'Dan';
        return mine;
      },
    });
    expect(asked).toEqual(['balance', 'name']);
    expect(await storedAccount(second)).toMatchObject({ name: 'Dan', balance: 90, free: 1 });
  });

  it("'rebase' merges where only the version differs, and is a conflict where both changed the same", async () => {
    const { _id } = await Versioned.create({ name: 'Ann', balance: 1, tags: ['a'] });
    const [first, second] = await twoOf(() => Versioned.findById(_id), database);
    first.name = 'Bob';
    first.tags.push('b');
    await first.save();
    second.balance = 5;
    second.tags.push('c');
    await second.save({ onConflict: 'rebase' });
    expect(await Versioned.find({ _id }).lean().one()).toEqual({
      _id,
      name: 'Bob',
      balance: 5,
      tags: ['a', 'b', 'c'],
      version: 3,
    });
    first.balance = 6;
    const { conflicts } = await conflictOf(first.save({ onConflict: 'rebase' }));
    expect(conflicts).toEqual([{ path: 'balance', keys: ['balance'], original: 1, mine: 6, theirs: 5 }]);
    expect([first.balance, first.version]).toEqual([6, 2]);
    await first.save({ onConflict: 'mine' });
    expect([first.balance, first.version, first.tags]).toEqual([6, 4, ['a', 'b', 'c']]);
  });

  it('what is merged is validated as a whole', async () => {
    class Range extends model(
      'ranges',
      { low: z.number(), high: z.number() },
      {
        concurrency: 'version',
        check: ({ low, high }) => (low > high ? [{ message: 'low is above high' }] : []),
      },
    ) {}
    const { _id } = await Range.create({ low: 1, high: 9 });
    const [first, second] = await twoOf(() => Range.findById(_id), database);
    first.low = 8;
    second.high = 5;
    await first.save();
    await expect(second.save({ onConflict: 'rebase' })).rejects.toThrow('low is above high');
    expect([second.low, second.high, second.isModified('high')]).toEqual([8, 5, true]);
  });

  it('does operators to what is stored now', async () => {
    const { _id } = await Versioned.create({ name: 'Ann', balance: 1, tags: ['a'] });
    const [first, second] = await twoOf(() => Versioned.findById(_id), database);
    first.balance = 10;
    first.tags = ['x'];
    await first.save();
    second.$inc('balance', 5).$push('tags', 'y');
    await second.save({ onConflict: 'rebase' });
    expect([second.balance, second.tags, second.version]).toEqual([15, ['x', 'y'], 3]);
  });

  it('ends after many tries where others are always faster', async () => {
    const { _id } = await Versioned.create({ name: 'Ann' });
    const versioned = await Versioned.findById(_id);
    if (versioned === null) throw new Error('Expected a document');
    let tries = 0;
    const collection = Versioned.collection;
    const busy = async () => {
      tries += 1;
      await collection.updateOne({ _id }, { $inc: { version: 1 }, $set: { name: `${tries}` } });
      return 'mine';
    };
    await busy();
    versioned.name = 'Bob';
    await expect(versioned.save({ onConflict: busy })).rejects.toThrow(ConflictError);
    expect(tries).toBe(20);
    expect(versioned.name).toBe('mine');
  });

  it('is checked', async () => {
    const [account] = await two();
    account.name = 'Bob';
    await expect(account.save({ onConflict: 'ours' as never })).rejects.toThrow('"throw", "rebase", "mine", "theirs"');
    await expect(account.$rebase({ onConflict: 5 as never })).rejects.toThrow(UsageError);
    await expect(account.$rebase({ guard: ['name'] } as object)).rejects.toThrow('"guard"');
    await expect(account.save({ applied: true } as object)).rejects.toThrow('"applied"');
    await expect(account.delete({ onConflict: 'mine' } as object)).rejects.toThrow('"onConflict"');
  });

  it('leaves alone what is refused for other reasons', async () => {
    const [first] = await two();
    await Account.collection.createIndex(
      { balance: 1 },
      { unique: true, partialFilterExpression: { balance: { $gt: 900 } } },
    );
    await Account.create({ name: 'Zed', balance: 901 });
    first.balance = 901;
    await expect(first.save({ onConflict: 'mine' })).rejects.not.toThrow(ConflictError);
    expect(first.isModified()).toBe(true);
    await expect(Account.collection.dropIndex('balance_1')).resolves.not.toBeInstanceOf(MongoServerError);
  });
});

describe('$rebase()', () => {
  it('applies my changes to the newer document, and saves nothing', async () => {
    const { _id } = await Merged.create({ name: 'Ann', balance: 1, tags: ['a'], address: { city: 'Rome' } });
    const [first, second] = await twoOf(() => Merged.findById(_id), database);
    void second.address?.city;
    second.tags.push('mine');
    second.$inc('balance', 5);
    first.set('address.city', 'Paris');
    first.tags.push('theirs');
    first.balance = 10;
    first.name = 'Bob';
    await first.save();
    const before = await Merged.find({ _id }).lean().one();
    expect(await second.$rebase()).toBe(second);
    expect(second.toObject()).toEqual({
      _id,
      name: 'Bob',
      balance: 15,
      tags: ['a', 'theirs', 'mine'],
      address: { city: 'Paris' },
    });
    expect(second.changes().map(({ path }) => path)).toEqual(['balance', 'tags'].toSorted());
    expect(await Merged.find({ _id }).lean().one()).toEqual(before);
    await second.save();
    expect(await Merged.find({ _id }).lean().one()).toEqual({ ...before, balance: 15, tags: ['a', 'theirs', 'mine'] });
  });

  it('is a conflict where both changed the same: the document stays as it was', async () => {
    const [first, second] = await two({ balance: 1 });
    first.balance = 5;
    first.name = 'Bob';
    await first.save();
    second.balance = 6;
    const { conflicts } = await conflictOf(second.$rebase());
    expect(conflicts.map(({ path }) => path)).toEqual(['balance']);
    expect([second.name, second.balance]).toEqual(['Ann', 6]);
    await second.$rebase({ onConflict: ({ mine, theirs }) => Number(mine) + Number(theirs) });
    expect([second.name, second.balance]).toEqual(['Bob', 11]);
    await second.save();
    expect(await storedAccount(second)).toMatchObject({ balance: 11 });
  });

  it('reads the newer document where nothing was changed', async () => {
    const [first, second] = await two({ tags: ['a'] });
    const held = second.tags;
    first.tags.push('b');
    await first.save();
    await second.$rebase();
    expect(second.tags).toEqual(['a', 'b']);
    expect(held).toEqual(['a']);
    expect(second.isModified()).toBe(false);
  });

  it('keeps what a default became, and forgets one that was only read', async () => {
    const { insertedId } = await Merged.collection.insertOne({ name: 'Ann' });
    const [, second] = await twoOf(() => Merged.findById(insertedId), database);
    second.tags.push('mine');
    expect(second.balance).toBe(0);
    await Merged.collection.updateOne({ _id: insertedId }, { $set: { balance: 7, name: 'Bob' } });
    await second.$rebase();
    expect([second.name, second.balance, second.tags]).toEqual(['Bob', 7, ['mine']]);
    await second.save();
    expect(await Merged.find({ _id: insertedId }).lean().one()).toMatchObject({ tags: ['mine'], balance: 7 });
  });

  it('keeps to what was loaded', async () => {
    const { _id } = await Merged.create({ name: 'Ann', balance: 1, address: { city: 'Rome', zip: '1' } });
    const part = await Merged.find({ _id }).select('name', 'address.city').one();
    part.name = 'Bob';
    await Merged.collection.updateOne({ _id }, { $set: { 'address.city': 'Paris', balance: 5 } });
    await part.$rebase();
    expect(part.get('address.city')).toBe('Paris');
    expect(() => (part as unknown as Merged).balance).toThrow(FieldNotLoadedError);
    await part.save();
    expect(await Merged.find({ _id }).lean().one()).toMatchObject({ name: 'Bob', balance: 5, address: { zip: '1' } });
  });

  it('needs a stored document', async () => {
    await expect(new Merged({ name: 'Ann' }).$rebase()).rejects.toThrow(UsageError);
    const merged = await Merged.create({ name: 'Ann' });
    await expect(merged.$rebase({ applied: true })).rejects.toThrow('"applied"');
    await Merged.collection.deleteOne({ _id: merged._id });
    await expect(merged.$rebase()).rejects.toThrow(DocumentNotFoundError);
  });
});

describe('delete()', () => {
  it('deletes whatever others did, as the model says nothing else', async () => {
    const { _id } = await Merged.create({ name: 'Ann' });
    const [first, second] = await twoOf(() => Merged.findById(_id), database);
    first.name = 'Bob';
    await first.save();
    expect(await second.delete()).toBe(true);
  });

  it("with 'version' deletes the version that was loaded", async () => {
    const { _id } = await Versioned.create({ name: 'Ann' });
    const [first, second] = await twoOf(() => Versioned.findById(_id), database);
    first.name = 'Bob';
    await first.save();
    const { conflicts, current } = await conflictOf(second.delete());
    expect(conflicts).toEqual([{ path: 'version', keys: ['version'], original: 1, mine: 1, theirs: 2 }]);
    expect(await (current as Versioned).delete()).toBe(true);
    expect(await second.delete()).toBe(false);
    expect(await first.delete()).toBe(false);
  });

  it("with 'fields' deletes what was loaded, all of it", async () => {
    const [first, second] = await two({ balance: 1 });
    first.balance = 5;
    await first.save();
    const { conflicts } = await conflictOf(second.delete());
    expect(conflicts).toEqual([{ path: 'balance', keys: ['balance'], original: 1, mine: undefined, theirs: 5 }]);
    await Account.collection.updateOne({ _id: first._id }, { $set: { more: 1 } });
    expect((await conflictOf(first.delete())).conflicts).toEqual([
      { path: 'more', keys: ['more'], original: undefined, mine: undefined, theirs: 1 },
    ]);
    await second.$rebase();
    second.name = 'changed, and not saved';
    expect(await second.delete()).toBe(true);
    expect(await Account.count({ _id: first._id })).toBe(0);
  });

  it("with 'fields' takes no notice of the order of keys, and of times", async () => {
    const [account] = await two({ free: { x: 1, y: [{ a: 1, b: 2 }] } });
    const changed = { free: { y: [{ b: 2, a: 1 }], x: 1 }, updatedAt: new Date(0) };
    await Account.collection.updateOne({ _id: account._id }, { $set: changed });
    expect(await account.delete()).toBe(true);
  });

  it("with 'fields' asks of a part what was loaded of it", async () => {
    const make = async () => {
      const { _id } = await Account.create({
        name: 'Ann',
        address: { city: 'Rome', zip: '1' },
        list: [{ a: 1, b: 1 }],
      });
      return _id;
    };
    const load = (_id: unknown) =>
      Account.find({ _id: _id as never })
        .select('name', 'address.city', 'list.a')
        .one();
    const [first, second] = [await make(), await make()];
    const parts = [await load(first), await load(second)] as const;
    await Account.collection.updateOne({ _id: first }, { $set: { balance: 9, 'address.zip': '2' } });
    await Account.collection.updateOne({ _id: second }, { $set: { 'address.city': 'Paris' } });
    expect(await parts[0].delete()).toBe(true);
    await expect(parts[1].delete()).rejects.toThrow(ConflictError);
    expect(await parts[1].delete({ concurrency: 'merge' })).toBe(true);
  });

  it('can be guarded in every mode', async () => {
    const { _id } = await Merged.create({ name: 'Ann', balance: 0 });
    const [first, second] = await twoOf(() => Merged.findById(_id), database);
    first.balance = 5;
    first.name = 'Bob';
    await first.save();
    await expect(second.delete({ guard: ['balance'] })).rejects.toThrow(ConflictError);
    await second.$rebase();
    expect(await second.delete({ guard: ['balance'] })).toBe(true);
    await expect(first.delete({ concurrency: 'wild' as never })).rejects.toThrow(UsageError);
  });
});

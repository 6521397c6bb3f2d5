import { beforeEach, describe, expect, it } from 'vitest';
import { Int32 } from 'mongodb';
import { ConflictError, DocumentNotFoundError, FieldNotLoadedError, UsageError } from '../../src/index.ts';
import { Account, Merged } from '../support/conflict-models.ts';
import { conflictOf, storedAccount, twoAccounts, twoOf } from '../support/conflicts.ts';
import { onlyStatement, useDatabase } from '../support/database.ts';

const database = useDatabase();
beforeEach(() => void database.sent());

const names = () => database.sent().map((command) => Object.keys(command)[0]);

const two = (input?: object) => twoAccounts(input, database);

describe("with concurrency 'fields'", () => {
  it('a save asks that what it changes is as it was, in one command', async () => {
    const [account] = await two({ address: { city: 'Rome' } });
    account.name = 'Bob';
    if (account.address) account.address.zip = '1';
    await account.save();
    expect(onlyStatement(database.sent())).toMatchObject({
      q: {
        _id: account._id,
        name: { $eq: 'Ann', $not: { $type: 'array' } },
        address: { $type: 'object', $not: { $type: 'array' } },
        'address.zip': { $exists: false },
      },
      u: { $set: { name: 'Bob', 'address.zip': '1' } },
    });
  });

  it('writers of other fields, members and elements are no conflict', async () => {
    const [first, second] = await two({ address: { city: 'Rome' }, list: [{ a: 1 }, { a: 2 }], tags: ['a'] });
    first.name = 'Bob';
    first.address = { city: 'Rome', zip: '1' };
    Object.assign(first.list?.[0] ?? {}, { b: 5 });
    first.tags.push('first');
    second.balance = 5;
    if (second.address) second.address.city = 'Paris';
    Object.assign(second.list?.[1] ?? {}, { b: 6 });
    second.tags.push('second');
    await Promise.all([first.save(), second.save()]);
    const merged = await storedAccount(first);
    expect(merged).toMatchObject({
      name: 'Bob',
      balance: 5,
      address: { city: 'Paris', zip: '1' },
      list: [
        { a: 1, b: 5 },
        { a: 2, b: 6 },
      ],
    });
    expect(merged.tags?.toSorted()).toEqual(['a', 'first', 'second']);
  });

  it('two who change the same are one, also where both write the same value', async () => {
    const [first, second] = await two({ balance: 100 });
    first.balance = 50;
    second.balance = 50;
    second.name = 'Bob';
    await first.save();
    database.sent();
    const error = await conflictOf(second.save());
    expect(names()).toEqual(['update', 'find']);
    expect(error.conflicts).toEqual([{ path: 'balance', keys: ['balance'], original: 100, mine: 50, theirs: 50 }]);
    expect((error.current as Account).toObject()).toEqual(first.toObject());
    expect(await storedAccount(first)).toMatchObject({ name: 'Ann', balance: 50 });
    expect(second.changes().map(({ path }) => path)).toEqual(['name', 'balance'].toSorted().toReversed());
  });

  it.each<[string, object, (account: Account) => void, (account: Account) => void, string]>([
    [
      'a member',
      { address: { city: 'a' } },
      (a) => a.set('address.city', 'b'),
      (a) => a.set('address.city', 'c'),
      'address.city',
    ],
    [
      'a new member',
      { address: { city: 'a' } },
      (a) => a.set('address.zip', 'b'),
      (a) => a.set('address.zip', 'c'),
      'address.zip',
    ],
    [
      'a removed field',
      { address: { city: 'a' } },
      (a) => a.set('address.city', 'b'),
      (a) => a.unset('address'),
      'address',
    ],
    [
      'a field that I remove',
      { address: { city: 'a' } },
      (a) => a.unset('address'),
      (a) => a.set('address.city', 'b'),
      'address',
    ],
    ['an element', { list: [{ a: 1 }, { a: 2 }] }, (a) => a.set('list.1.a', 5), (a) => a.set('list.1.a', 6), 'list'],
    ['a moved element', { list: [{ a: 1 }, { a: 2 }] }, (a) => a.set('list.1.a', 5), (a) => a.list?.shift(), 'list'],
    ['an array', { tags: ['a', 'b'] }, (a) => a.tags.reverse(), (a) => a.tags.push('c'), 'tags'],
    [
      'a member under a number',
      { scores: { 1: 1 } },
      (a) => a.set('scores.1', 5),
      (a) => a.set('scores.1', 6),
      'scores.1',
    ],
    ['a member with a dot', { scores: { 'a.b': 1 } }, (a) => put(a, 'a.b', 2), (a) => put(a, 'a.b', 3), 'scores.a.b'],
    [
      'growth of what is no array now',
      { free: [1] },
      (a) => (a.free as number[]).push(2),
      (a) => (a.free = 'x'),
      'free',
    ],
    ['an end of what grew', { tags: ['a'] }, (a) => a.$pop('tags'), (a) => a.tags.push('b'), 'tags'],
    ['bits of what is no integer now', { free: 1 }, (a) => a.$bit('free', { or: 2 }), (a) => (a.free = 'x'), 'free'],
    ['a sum of what is no number now', { free: 1 }, (a) => a.$inc('free'), (a) => (a.free = 'x'), 'free'],
  ])('%s', async (_, input, mine, theirs, path) => {
    const [first, second] = await two(input);
    theirs(first);
    mine(second);
    await first.save();
    const before = await storedAccount(first);
    const { conflicts } = await conflictOf(second.save());
    expect(conflicts.map((conflict) => conflict.path)).toEqual([path]);
    expect(await storedAccount(first)).toEqual(before);
    expect(second.isModified()).toBe(true);
  });

  it('operators that others may do, too, are none', async () => {
    const [first, second] = await two({ balance: 10, tags: ['a'] });
    for (const each of [first, second]) each.$inc('balance', 5).$addToSet('tags', 'b');
    second.$push('list', { a: 1 });
    first.$bit('free', { or: 1 });
    second.$bit('free', { or: 4 });
    await first.save();
    await second.save();
    expect(second.balance).toBe(20);
    expect(await storedAccount(first)).toMatchObject({ balance: 20, tags: ['a', 'b'], list: [{ a: 1 }], free: 5 });
  });

  it('an end is removed while the array is as it was', async () => {
    const [first, second] = await two({ tags: ['a', 'b', 'c'] });
    second.$pop('tags');
    first.balance = 5;
    await first.save();
    await second.save();
    expect(await storedAccount(first)).toMatchObject({ balance: 5, tags: ['a', 'b'] });
    await first.reload();
    first.$pop('tags', -1);
    second.$pop('tags', -1);
    await first.save();
    await expect(second.save({ onConflict: 'rebase' })).rejects.toThrow(ConflictError);
    await second.save({ onConflict: 'mine' });
    expect([second.tags, (await storedAccount(first)).tags]).toEqual([['b'], ['b']]);
    first.$pop('tags');
    await first.reload();
    first.$pop('tags');
    second.tags.push('d');
    await second.save();
    await first.save({ onConflict: 'theirs' });
    expect([first.tags, (await storedAccount(first)).tags, first.isModified()]).toEqual([
      ['b', 'd'],
      ['b', 'd'],
      false,
    ]);
  });

  it('the times are never asked for, but where the program sets them', async () => {
    const [first, second] = await two();
    first.name = 'Bob';
    second.balance = 5;
    await first.save();
    await second.save();
    expect(await storedAccount(first)).toMatchObject({ name: 'Bob', balance: 5 });
  });

  it('the order of keys is no difference: the newer bytes are taken, and the save is sent again', async () => {
    const [account] = await two({ free: { x: 1, y: 2 } });
    await Account.collection.updateOne({ _id: account._id }, { $set: { free: { y: 2, x: new Int32(1) }, balance: 7 } });
    account.free = 5;
    const tags = account.tags;
    database.sent();
    await account.save();
    // A server that takes no notice of the order of keys finds nothing to read.
    expect([['update'], ['update', 'find', 'update']]).toContainEqual(names());
    expect(await storedAccount(account)).toMatchObject({ free: 5, balance: 7 });
    expect(account.isModified()).toBe(false);
    expect(tags).toEqual([]);
  });

  it('a document that is gone is no conflict', async () => {
    const [account] = await two();
    await Account.collection.deleteOne({ _id: account._id });
    account.name = 'Bob';
    await expect(account.save()).rejects.toThrow(DocumentNotFoundError);
  });

  it('a save may ask for another concurrency', async () => {
    const [first, second] = await two();
    first.name = 'Bob';
    second.name = 'Cid';
    await first.save();
    await second.save({ concurrency: 'merge' });
    expect(await storedAccount(first)).toMatchObject({ name: 'Cid' });
    await expect(second.save({ concurrency: 'version' })).rejects.toThrow('has a version');
    await expect(second.save({ concurrency: 'wild' as never })).rejects.toThrow(UsageError);
  });

  it('keeps the containers that the program holds, of fields that only it changed', async () => {
    const [first, second] = await two({ tags: ['a'], address: { city: 'Rome' }, free: [1] });
    const { tags, address, free } = second;
    tags.push('b');
    (free as number[]).push(2);
    await Account.updateOne({ _id: first._id }, { $set: { address: { city: 'Paris' }, free: [1, 3] } });
    await second.$rebase();
    expect(second.tags).toBe(tags);
    expect([second.address, address]).toEqual([{ city: 'Paris' }, { city: 'Rome' }]);
    expect([second.free, free]).toEqual([
      [1, 3, 2],
      [1, 2],
    ]);
  });
});

function put(account: Account, key: string, value: unknown): void {
  (account.scores as Record<string, unknown>)[key] = value;
}

describe('the option guard', () => {
  it('asks that paths which are only read are as they were, in every mode', async () => {
    const { _id } = await Merged.create({ name: 'Ann', balance: 100, address: { city: 'Rome' } });
    const [first, second] = await twoOf(() => Merged.findById(_id), database);
    first.balance = 0;
    await first.save();
    second.set('address.zip', '1');
    const error = await conflictOf(second.save({ guard: ['balance', 'address.city'] }));
    expect(error.conflicts).toEqual([{ path: 'balance', keys: ['balance'], original: 100, mine: 100, theirs: 0 }]);
    await second.save({ guard: ['address.city'] });
    expect(await Merged.findById(_id).then((found) => found?.address)).toEqual({ city: 'Rome', zip: '1' });
  });

  it('refuses write skew: two who each rely on what the other changes', async () => {
    const [first, second] = await two({ free: { ann: true, bob: true } });
    const leave = async (account: Account, who: string) => {
      const duty = account.free as Record<string, boolean>;
      if (Object.values(duty).filter(Boolean).length < 2) throw new Error('Somebody must stay');
      duty[who] = false;
      await account.save({ guard: ['free'] });
    };
    const left = await Promise.allSettled([leave(first, 'ann'), leave(second, 'bob')]);
    expect(left.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(Object.values((await storedAccount(first)).free as object).filter(Boolean)).toHaveLength(1);
  });

  it('takes paths through arrays, and of what is not there', async () => {
    const { _id } = await Merged.create({ name: 'Ann', list: [{ a: 1 }, { a: 2 }] });
    const [first, second] = await twoOf(() => Merged.findById(_id), database);
    first.set('list.0.a', 5);
    await first.save();
    second.balance = 1;
    await second.save({ guard: ['list.1', 'address.city', 'free'] });
    second.balance = 2;
    const { conflicts } = await conflictOf(second.save({ guard: ['list.0.a'] }));
    expect(conflicts.map(({ path }) => path)).toEqual(['list']);
    first.set('address', { city: 'Rome' });
    await first.save();
    await expect(second.save({ guard: ['address.city'] })).rejects.toThrow(ConflictError);
  });

  it('is not settled by onConflict, since there is nothing of mine', async () => {
    const [first, second] = await two({ balance: 100 });
    first.balance = 0;
    await first.save();
    second.name = 'Bob';
    for (const onConflict of ['rebase', 'mine', 'theirs', () => 1] as const)
      await expect(second.save({ guard: ['balance'], onConflict })).rejects.toThrow(ConflictError);
  });

  it('is checked', async () => {
    const [account] = await two();
    account.name = 'Bob';
    await expect(account.save({ guard: 'name' as never })).rejects.toThrow('list of dotted paths');
    await expect(account.save({ guard: [5 as never] })).rejects.toThrow(UsageError);
    const part = await Account.find({ _id: account._id }).select('name', 'address.city').one();
    part.name = 'Bob';
    await expect(part.save({ guard: ['balance'] })).rejects.toThrow(FieldNotLoadedError);
    await expect(part.save({ guard: ['address'] })).rejects.toThrow(FieldNotLoadedError);
    await part.save({ guard: ['address.city'] });
    expect(await storedAccount(account)).toMatchObject({ name: 'Bob' });
  });
});

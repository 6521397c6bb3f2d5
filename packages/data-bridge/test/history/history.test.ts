import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type HistoryEntry,
  Int32,
  Long,
  model,
  SchemaError,
  UsageError,
  withActor,
  withReason,
} from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { changesIn, entriesOf, Place, User } from '../support/history-models.ts';

const database = useDatabase();

const pending = (name: string) => database.db.collection(name).countDocuments({ pending: true });

describe('a history', () => {
  it('has one entry for each write: what changed, when, who and why', async () => {
    const place = await withActor('ann', () => Place.create({ _id: 'a', name: 'Here' }));
    place.name = 'There';
    place.size = 5;
    await withActor('bob', () => withReason('it moved', async () => place.save()));
    await place.save();
    await place.delete();
    const { items } = await Place.history('a');
    expect(items.map(({ revision, kind, actor, reason }) => [revision, kind, actor, reason])).toEqual([
      [3, 'delete', undefined, undefined],
      [2, 'update', 'bob', 'it moved'],
      [1, 'insert', 'ann', undefined],
    ]);
    expect(items.map(changesIn)).toEqual([
      [
        ['name', 'There', undefined],
        ['size', 5, undefined],
      ],
      [
        ['name', 'Here', 'There'],
        ['size', undefined, 5],
      ],
      [['name', undefined, 'Here']],
    ]);
    for (const { at } of items) expect(at).toBeInstanceOf(Date);
    expect(await pending('places_history')).toBe(0);
  });

  it('holds values as they are stored, and begins where a document was stored before', async () => {
    await database.db
      .collection<{ _id: string; name: string; size: Long }>('places')
      .insertOne({ _id: 'typed', name: 'Here', size: Long.fromNumber(5) });
    const place = await Place.find({ _id: 'typed' }).one();
    expect(place.$revision).toBe(0);
    place.size = new Int32(5) as never;
    await place.save({ validate: false });
    const [entry] = await database.db
      .collection('places_history')
      .find({ '_id.doc': 'typed' }, { promoteValues: false })
      .toArray();
    expect(entry).toMatchObject({ _id: { rev: new Int32(1) } });
    expect(entry?.['changes']).toHaveLength(1);
    expect(entry?.['changes'][0]).toMatchObject({ from: Long.fromNumber(5), to: new Int32(5) });
    expect(await Place.asOf('typed', 0)).toEqual({ _id: 'typed', name: 'Here', size: 5 });
    await expect(Place.asOf('typed', new Date(0))).rejects.toMatchObject({ problem: 'pruned' });
  });

  it('has what operators left, whoever wrote before', async () => {
    const user = await User.create({ name: 'Ann', age: 1 });
    const other = await User.findById(user._id);
    other?.$inc('age', 10).$push('tags', 'other');
    await other?.save();
    user.$inc('age', 1).$push('tags', 'mine').$currentDate('seen');
    await user.save();
    expect(user).toMatchObject({ age: 12, tags: ['other', 'mine'] });
    const [last] = await entriesOf(user);
    const bits = await User.findById(user._id);
    bits?.$bit('age', { xor: 5 }).$pop('tags');
    await bits?.save();
    const [latest] = await entriesOf(user);
    expect(changesIn(latest)?.toSorted()).toEqual([
      ['age', 12, 9],
      ['tags', ['other', 'mine'], ['other']],
      ['updatedAt', expect.any(Date), expect.any(Date)],
    ]);
    expect(changesIn(last)?.toSorted()).toEqual([
      ['age', 11, 12],
      ['seen', undefined, user.seen],
      ['tags.1', undefined, 'mine'],
      ['updatedAt', expect.any(Date), expect.any(Date)],
    ]);
    const stored = await database.db.collection('users').findOne({ _id: user._id });
    expect(stored).toMatchObject({ _rev: 4, seen: user.seen });
  });

  it('is paged, the newest entries first', async () => {
    const place = await Place.create({ _id: 'paged', name: '0' });
    for (let i = 1; i < 7; i += 1) {
      place.name = String(i);
      await place.save();
    }
    const revisions: number[][] = [];
    let before: number | null = null;
    do {
      const page: { items: HistoryEntry[]; next: number | null } = await place.$history({ size: 3, before });
      revisions.push(page.items.map(({ revision }) => revision));
      before = page.next;
    } while (before !== null);
    expect(revisions).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
    await expect(place.$history({ size: 0 })).rejects.toBeInstanceOf(UsageError);
    expect(() => withActor('ann', undefined as never)).toThrow(UsageError);
    expect(() => withReason('', () => {})).toThrow(UsageError);
  });

  it('never holds what is redacted', async () => {
    const user = await User.create({
      name: 'Ann',
      ssn: 'secret-1',
      card: { kind: 'visa', number: 'secret-2' },
      lines: [{ sku: 'a', price: 777 }, { sku: 'b' }],
    });
    user.ssn = 'secret-3';
    user.card = { kind: 'other', number: 'secret-4' };
    user.lines?.push({ sku: 'c', price: 777 });
    await user.save();
    if (user.card) user.card.number = 'secret-5';
    if (user.lines?.[0]) user.lines[0].price = 777;
    await user.save();
    await User.updateOne({ _id: user._id }, { $set: { ssn: 'secret-6', 'card.number': 'secret-7', name: 'Bob' } });
    const past = await User.asOf(user._id, 2);
    expect(past).toMatchObject({
      name: 'Ann',
      card: { kind: 'other' },
      lines: [{ sku: 'a' }, { sku: 'b' }, { sku: 'c' }],
    });
    expect(past).not.toHaveProperty('ssn');
    expect(past?.card).not.toHaveProperty('number');
    await user.delete();
    const all = JSON.stringify(await database.db.collection('users_history').find({ '_id.doc': user._id }).toArray());
    expect(all).toContain('visa');
    expect(all).not.toMatch(/secret|\b777\b/);
    expect(await pending('users_history')).toBe(0);
  });

  it('keeps the hash of a value over 1 MiB', async () => {
    const place = await Place.create({ _id: 'large', name: 'x'.repeat(1024 * 1024 + 1) });
    place.name = 'small';
    await place.save();
    place.size = 1;
    await place.save();
    const [, second] = await entriesOf(place);
    expect(second?.changes).toEqual([
      {
        path: 'name',
        keys: ['name'],
        from: undefined,
        to: 'small',
        hashes: { from: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ]);
    expect(await Place.asOf('large', 2)).toEqual({ _id: 'large', name: 'small' });
    await expect(Place.asOf('large', 1)).rejects.toMatchObject({ problem: 'too-large', code: 'DATA_BRIDGE_HISTORY' });
  });

  it('numbers the document, without showing it', async () => {
    const user = new User({ name: 'Ann' });
    expect(user.$revision).toBeNull();
    await user.save();
    expect(user.$revision).toBe(1);
    user.name = 'Bob';
    await user.save();
    expect(user.$revision).toBe(2);
    expect(user.isModified()).toBe(false);
    const names = ['_id', 'createdAt', 'name', 'tags', 'updatedAt'];
    expect(Object.keys(user.toObject()).toSorted()).toEqual(names);
    const found = await User.findById(user._id);
    expect(found?.$revision).toBe(2);
    expect(Object.keys(found?.toObject() ?? {}).toSorted()).toEqual(names);
    const [lean] = await User.find({ _id: user._id }).lean();
    expect(Object.keys(lean ?? {}).toSorted()).toEqual(names);
    const clone = await user.$clone().save();
    expect(clone.$revision).toBe(1);
    expect(clone.$previousChanges().map(({ path }) => path)).not.toContain('_rev');
    expect(() => user.set('_rev' as 'name', 5 as never)).toThrow(UsageError);
    expect(() => new User({ name: 'x', _rev: 5 } as never)).toThrow(UsageError);
  });

  it('knows the revision of a part of a document', async () => {
    const { _id } = await User.create({ name: 'Ann', address: { city: 'Rome' } });
    const part = await User.find({ _id }).select('address.city').one();
    if (part.address) part.address.city = 'Oslo';
    await part.save();
    expect(changesIn((await User.history(_id)).items[0])).toEqual([
      ['address.city', 'Rome', 'Oslo'],
      ['updatedAt', expect.any(Date), expect.any(Date)],
    ]);
  });
});

describe('the models of histories', () => {
  it('have no fields of the names that it needs', () => {
    expect(() => model('x', { _rev: z.string() }, { history: true })).toThrow(SchemaError);
    expect(() => model('x', { _revId: z.string() }, { history: true })).toThrow(SchemaError);
    expect(() => model('x', { _rev: z.string() })).not.toThrow();
  });

  it('redact paths of fields', () => {
    const redacting = (...redact: unknown[]) => model('x', { a: z.string() }, { history: { redact } } as never);
    for (const path of ['b', '_id', '', 'a.', 5]) expect(() => redacting(path)).toThrow(UsageError);
    expect(() => model('x', { a: z.string() }, { history: { drop: [] } as never })).toThrow(UsageError);
    expect(() => redacting('a.b', 'a')).not.toThrow();
  });

  it('have no methods of a history where none is kept', () => {
    class Plain extends model('plain', { name: z.string() }) {}
    expect(Plain).not.toHaveProperty('asOf');
    expect(new Plain({ name: 'x' })).not.toHaveProperty('$history');
  });
});

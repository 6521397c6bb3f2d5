import { describe, expect, it } from 'vitest';
import { ConflictError, HistoryError, Long, ObjectId, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Contract, entriesOf, Place, User } from '../support/history-models.ts';

const database = useDatabase();

describe('going back', () => {
  it('gives the fields as of a revision or a time', async () => {
    const before = new Date(Date.now() - 1000);
    const user = await User.create({ name: 'A', tags: ['x'], address: { city: 'Rome' } });
    user.tags.push('y');
    await user.save();
    user.address = undefined;
    user.name = 'B';
    await user.save();
    const [, second, first] = await entriesOf(user);
    expect(await User.asOf(user._id, 1)).toMatchObject({ name: 'A', tags: ['x'], address: { city: 'Rome' } });
    expect(await User.asOf(user._id, 2)).toMatchObject({ name: 'A', tags: ['x', 'y'], address: { city: 'Rome' } });
    expect(await User.asOf(user._id.toHexString(), 3)).toEqual(user.toObject());
    expect(await User.asOf(user._id, 0)).toBeNull();
    expect(await User.asOf(user._id, second?.at ?? before)).toMatchObject({ tags: ['x', 'y'] });
    expect(await User.asOf(user._id, new Date())).toMatchObject({ name: 'B' });
    expect(await User.asOf(user._id, before)).toBeNull();
    expect(first?.revision).toBe(1);
    await expect(User.asOf(user._id, 4)).rejects.toBeInstanceOf(UsageError);
    await expect(User.asOf(user._id, 1.5)).rejects.toBeInstanceOf(UsageError);
    await expect(User.asOf(user._id, new Date(Number.NaN))).rejects.toBeInstanceOf(UsageError);
    expect(await User.asOf(new ObjectId(), 1)).toBeNull();
    expect(await User.asOf(new ObjectId(), new Date())).toBeNull();
  });

  it('reverts a document by a save', async () => {
    const user = await User.create({
      name: 'A',
      tags: ['x'],
      address: { city: 'Rome' },
      ssn: 's1',
      card: { kind: 'k', number: 'n1' },
    });
    user.name = 'B';
    user.tags.push('y');
    user.address = undefined;
    user.age = 5;
    user.ssn = 's2';
    user.card = { kind: 'l', number: 'n2' };
    await user.save();
    const { createdAt } = user;
    expect(await user.$revert(1)).toBe(user);
    expect(user).toMatchObject({
      $revision: 3,
      name: 'A',
      tags: ['x'],
      address: { city: 'Rome' },
      ssn: 's2',
      createdAt,
    });
    expect(user.card).toEqual({ kind: 'k', number: 'n2' });
    expect(user.age).toBeUndefined();
    expect(user.isModified()).toBe(false);
    const stored = await User.findById(user._id);
    expect(stored?.toObject()).toEqual(user.toObject());
    await user.$revert(2);
    expect(user).toMatchObject({ name: 'B', tags: ['x', 'y'], age: 5 });
    expect((await entriesOf(user)).map(({ revision }) => revision)).toEqual([4, 3, 2, 1]);
    user.name = 'dirty';
    await expect(user.$revert(1)).rejects.toBeInstanceOf(UsageError);
    await expect(new User({ name: 'x' }).$revert(1)).rejects.toBeInstanceOf(UsageError);
  });

  it('does not lose what is redacted where it would have to', async () => {
    const user = await User.create({ name: 'A', lines: [{ sku: 'a' }] });
    user.lines = [
      { sku: 'b', price: 1 },
      { sku: 'c', price: 2 },
    ];
    await user.save();
    await expect(user.$revert(1)).rejects.toMatchObject({ problem: 'redacted' });
    expect(user.isModified()).toBe(false);
  });

  it('restores a deleted document', async () => {
    const user = await User.create({ name: 'A', tags: ['x'], ssn: 's', address: { city: 'Rome' } });
    const { _id, createdAt } = user;
    await expect(User.restore(_id)).rejects.toBeInstanceOf(UsageError);
    await user.delete();
    const back = await User.restore(_id);
    expect(back).toBeInstanceOf(User);
    expect(back).toMatchObject({ $revision: 3, _id, name: 'A', tags: ['x'], address: { city: 'Rome' }, createdAt });
    expect(back.ssn).toBeUndefined();
    expect(back.isModified()).toBe(false);
    back.name = 'B';
    await back.save();
    expect((await entriesOf(back)).map(({ kind }) => kind)).toEqual(['update', 'insert', 'delete', 'insert']);
    await expect(User.restore(new ObjectId())).rejects.toMatchObject({ problem: 'pruned' });
  });

  it('counts on where the model has a version', async () => {
    const contract = await Contract.create({ _id: 'c1', title: 'Lease' });
    const first = await Contract.find({ _id: 'c1' }).one();
    contract.title = 'Rent';
    await contract.save();
    const second = await Contract.find({ _id: 'c1' }).one();
    await contract.$revert(1);
    expect(contract).toMatchObject({ title: 'Lease', version: 3, $revision: 3 });
    await expect(second.$revert(1)).rejects.toBeInstanceOf(ConflictError);
    expect(await second.$revert(1, { onConflict: 'mine' })).toMatchObject({ title: 'Lease', version: 3 });

    await contract.delete();
    expect(await Contract.restore('c1')).toMatchObject({ title: 'Lease', version: 4, $revision: 5 });
    // Else a copy of the first document would take the restored one for it.
    first.title = 'Sale';
    await expect(first.save()).rejects.toBeInstanceOf(ConflictError);
    expect(await Contract.asOf('c1', 5)).toMatchObject({ title: 'Lease', version: 4 });
  });

  it('keeps the types of what it brings back', async () => {
    await database.db
      .collection<{ _id: string; name: string; size: Long }>('places')
      .insertOne({ _id: 'types', name: 'x', size: Long.fromNumber(7) });
    const place = await Place.find({ _id: 'types' }).one();
    place.set('size', undefined);
    await place.save();
    await place.$revert(0);
    expect(place.size).toBe(7);
    await place.delete();
    expect(await Place.restore('types')).toMatchObject({ size: 7 });
    const [stored] = await database.db
      .collection('places')
      .find({ _id: 'types' as never }, { promoteLongs: false })
      .toArray();
    expect(stored?.['size']).toEqual(Long.fromNumber(7));
  });

  it('reaches as far as the history was not pruned', async () => {
    const place = await Place.create({ _id: 'pruned', name: '1' });
    for (const name of ['2', '3', '4']) {
      place.name = name;
      await place.save();
    }
    const history = database.db.collection('places_history');
    const old = new Date(0);
    await history.updateMany({ '_id.doc': 'pruned', '_id.rev': { $lte: 2 } }, { $set: { at: old } });
    expect(await Place.pruneHistory({ olderThan: new Date(1) })).toBe(2);
    expect(await Place.asOf('pruned', 2)).toMatchObject({ name: '2' });
    await expect(Place.asOf('pruned', 1)).rejects.toBeInstanceOf(HistoryError);
    await expect(Place.asOf('pruned', 1)).rejects.toMatchObject({ problem: 'pruned' });
    await expect(Place.asOf('pruned', new Date(5))).rejects.toMatchObject({ problem: 'pruned' });
    await expect(Place.pruneHistory({ olderThan: 5 as never })).rejects.toBeInstanceOf(UsageError);
  });
});

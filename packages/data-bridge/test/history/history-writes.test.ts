import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Contract, entriesOf, Place, User } from '../support/history-models.ts';

const database = useDatabase();

const pending = (name: string) => database.db.collection(name).countDocuments({ pending: true });

describe('writes of a model with a history', () => {
  it('that reach many documents leave no entries, so they are refused', async () => {
    const { _id } = await User.create({ name: 'Many' });
    const calls = [
      () => User.updateMany({ _id }, { $set: { age: 1 } }),
      () => User.deleteMany({ _id }),
      () => User.find({ _id }).update({ $set: { age: 1 } }),
      () => User.find({ _id }).delete(),
      () =>
        User.bulk()
          .updateOne({ _id }, { $set: { age: 1 } })
          .execute(),
      () => User.updateMany({ _id }, { $set: { age: 1 } }, { history: true as never }),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(UsageError);
    expect(await User.findById(_id)).toMatchObject({ $revision: 1 });
  });

  it('that reach one document write its entry always, so that "history" says nothing there', async () => {
    const user = await User.create({ name: 'One' });
    const { _id } = user;
    const untold = { history: false } as object;
    const calls = [
      () => User.updateOne({ _id }, { $set: { age: 1 } }, untold),
      () => User.findOneAndUpdate({ _id }, { $set: { age: 1 } }, untold),
      () => User.upsert({ _id }, { $set: { age: 1 } }, untold),
      () => User.replaceOne({ _id }, { name: 'Other' }, untold),
      () => User.deleteOne({ _id }, untold),
      () => User.findOneAndDelete({ _id }, untold),
      () => User.create({ name: 'Other' }, untold),
      () => user.save(untold),
      () => user.delete(untold),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(UsageError);
    expect(await User.findById(_id)).toMatchObject({ $revision: 1 });
  });

  it('that reach many documents without their history leave a gap that shows', async () => {
    const user = await User.create({ name: 'Gap' });
    const { _id } = user;
    const unrecorded = { history: false } as const;
    await User.updateMany({ _id }, { $set: { age: 1 } }, unrecorded);
    await User.updateMany({ _id }, [{ $set: { age: 2 } }] as never, unrecorded);
    await User.find({ _id }).update({ $set: { age: 3 } }, unrecorded);
    await User.bulk()
      .updateOne({ _id }, { $set: { age: 4 } })
      .replaceOne({ _id }, { name: 'Replaced' })
      .execute(unrecorded);
    await user.reload();
    expect(user).toMatchObject({ $revision: 6, name: 'Replaced' });
    user.name = 'After';
    await user.save();
    expect((await entriesOf(user)).map(({ revision }) => revision)).toEqual([7, 1]);
    expect(await User.asOf(_id, 6)).toMatchObject({ name: 'Replaced' });
    await expect(User.asOf(_id, 5)).rejects.toMatchObject({ problem: 'gap' });
    const contract = await Contract.create({ _id: 'bulk', title: 'Lease' });
    const results = await Contract.bulk()
      .replaceOne({ _id: 'bulk' }, { _id: 'bulk', title: 'Rent' })
      .execute(unrecorded);
    expect(results).toMatchObject([{ operation: 'replaceOne', matchedCount: 1 }]);
    expect(await contract.reload()).toMatchObject({ title: 'Rent', version: 2, $revision: 2 });
    await User.deleteMany({ _id }, unrecorded);
    await expect(User.restore(_id)).rejects.toBeInstanceOf(UsageError);
    const [inserted] = await User.bulk().insertOne({ _id, name: 'Again' }).execute(unrecorded);
    expect(inserted?.error).toBeUndefined();
    expect(await User.findById(_id)).toMatchObject({ $revision: 8 });
  });

  it('count the version, too, where a replacement is one of many operations', async () => {
    class Page extends model('pages', { title: z.string() }, { history: true, version: 'version' }) {}
    const { _id } = await Page.create({ title: 'A' });
    const results = await Page.bulk().replaceOne({ _id }, { title: 'B' }).execute({ history: false });
    expect(results).toMatchObject([{ operation: 'replaceOne', matchedCount: 1 }]);
    expect(await Page.findById(_id)).toMatchObject({ title: 'B', version: 2, $revision: 2 });
  });

  it('that reach one document leave entries', async () => {
    const id = 'one';
    await Place.upsert({ _id: id }, { $set: { name: 'A' } });
    await Place.updateOne({ _id: id }, { $inc: { size: 2 } });
    await Place.updateOne({ _id: id }, [{ $set: { size: { $add: ['$size', 1] } } }] as never);
    expect(await Place.findOneAndUpdate({ name: 'A' }, { $set: { name: 'B' } })).toMatchObject({ name: 'A' });
    expect(await Place.replaceOne({ _id: id }, { _id: id, name: 'C' })).toMatchObject({
      matchedCount: 1,
      modifiedCount: 1,
    });
    expect(
      await Place.findOneAndReplace({ _id: id }, { _id: id, name: 'D' }, { returnDocument: 'after' }),
    ).toMatchObject({ name: 'D', $revision: 6 });
    expect(await Place.deleteOne({ _id: 'nobody' })).toMatchObject({ deletedCount: 0 });
    expect(await Place.findOneAndDelete({ _id: id })).toMatchObject({ name: 'D' });
    expect(await Place.updateOne({ _id: id }, { $set: { name: 'E' } })).toMatchObject({
      matchedCount: 0,
      upsertedId: null,
    });
    expect(await Place.updateOne({ _id: id }, { $set: { name: 'E' } }, { upsert: true })).toMatchObject({
      matchedCount: 0,
      upsertedCount: 1,
      upsertedId: id,
    });
    expect(await Place.deleteOne({ name: 'E' })).toMatchObject({ deletedCount: 1 });
    const { items } = await Place.history(id);
    expect(
      items.map(({ revision, kind, changes }) => [revision, kind, changes?.map(({ path, to }) => [path, to])]),
    ).toEqual([
      [9, 'delete', [['name', undefined]]],
      [8, 'insert', [['name', 'E']]],
      [7, 'delete', [['name', undefined]]],
      [6, 'update', [['name', 'D']]],
      [
        5,
        'update',
        [
          ['name', 'C'],
          ['size', undefined],
        ],
      ],
      [4, 'update', [['name', 'B']]],
      [3, 'update', [['size', 3]]],
      [2, 'update', [['size', 2]]],
      [1, 'insert', [['name', 'A']]],
    ]);
    expect(await pending('places_history')).toBe(0);
  });

  it('insert with an own _id after the last revision', async () => {
    for (const name of ['A', 'B', 'C']) {
      const place = await Place.create({ _id: 'again', name });
      await place.delete();
    }
    expect((await Place.history('again')).items.map(({ revision, kind }) => [revision, kind])).toEqual([
      [6, 'delete'],
      [5, 'insert'],
      [4, 'delete'],
      [3, 'insert'],
      [2, 'delete'],
      [1, 'insert'],
    ]);
    expect(await Place.asOf('again', 3)).toEqual({ _id: 'again', name: 'B' });
    expect(await Place.asOf('again', 4)).toBeNull();
  });

  it('store many, each with its entry', async () => {
    const users = await User.insertMany([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    for (const user of users) user.name += '!';
    await User.saveAll([...users, new User({ name: 'd' })]);
    for (const user of users) expect((await entriesOf(user)).map(({ kind }) => kind)).toEqual(['update', 'insert']);
    await expect(
      Place.insertMany([
        { _id: 'm1', name: 'x' },
        { _id: 'm1', name: 'y' },
      ]),
    ).rejects.toMatchObject({
      code: 'DATA_BRIDGE_BULK_SAVE',
      cause: { code: 'DATA_BRIDGE_DUPLICATE_KEY' },
    });
    expect((await Place.history('m1')).items).toHaveLength(1);
    expect(await pending('places_history')).toBe(0);
  });

  it('that are refused leave nothing', async () => {
    const place = await Place.create({ _id: 'refused', name: 'x' });
    await database.db.command({ collMod: 'places', validator: { name: { $ne: 'bad' } } });
    place.name = 'bad';
    await expect(place.save()).rejects.toMatchObject({ code: 'DATA_BRIDGE_VALIDATION' });
    await database.db.command({ collMod: 'places', validator: {} });
    const gone = await Place.findById('refused');
    await Place.deleteOne({ _id: 'refused' });
    if (gone) gone.name = 'y';
    await expect(gone?.save()).rejects.toMatchObject({ code: 'DATA_BRIDGE_DOCUMENT_NOT_FOUND' });
    expect(await gone?.delete()).toBe(false);
    expect(await pending('places_history')).toBe(0);
    expect((await Place.history('refused')).items.map(({ kind }) => kind)).toEqual(['delete', 'insert']);
  });
});

import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Person extends model('people', {
  name: z.string(),
  email: z.string().optional(),
  status: z.string().optional(),
  department: z.string().optional(),
  salary: z.int().optional(),
  bio: z.string().optional(),
  followers: z.int().optional(),
  value: z.int().optional(),
}) {}

const database = useDatabase();
beforeEach(async () => {
  await Person.deleteMany({});
});

describe('one document', () => {
  it('CRUD-01 save() inserts a new document and its _id is an ObjectId', async () => {
    const ann = new Person({ name: 'Ann' });
    await ann.save();
    expect(ann._id).toBeInstanceOf(ObjectId);
    expect(await database.db.collection('people').findOne()).toEqual({ _id: ann._id, name: 'Ann' });
  });

  it('CRUD-02 save() of a changed document keeps its _id and stores the change', async () => {
    const ann = await Person.create({ name: 'Ann', email: 'old@example.com' });
    const { _id } = ann;
    ann.email = 'new@example.com';
    await ann.save();
    expect(ann._id).toEqual(_id);
    expect((await Person.findOne({ _id }))?.email).toBe('new@example.com');
    expect(await Person.count()).toBe(1);
  });

  it('CRUD-03 delete() removes it', async () => {
    const ann = await Person.create({ name: 'Ann' });
    expect(await ann.delete()).toBe(true);
    expect(await Person.findOne({ _id: ann._id })).toBeNull();
  });

  it('CRUD-04 findById() gives it with its fields', async () => {
    const { _id } = await Person.create({ name: 'Ann', email: 'ann@example.com', value: 3 });
    const found = await Person.findById(_id);
    expect(found).toBeInstanceOf(Person);
    expect(found?.toObject()).toEqual({ _id, name: 'Ann', email: 'ann@example.com', value: 3 });
  });
});

describe('updates and deletions by filter', () => {
  it('CRUD-05 updateMany() changes every document that matches', async () => {
    await Person.insertMany(['pending', 'pending', 'active'].map((status) => ({ name: 'x', status })));
    const result = await Person.updateMany({ status: 'pending' }, { $set: { status: 'done' } });
    expect(result).toMatchObject({ acknowledged: true, matchedCount: 2, modifiedCount: 2, upsertedId: null });
    expect(await Person.count({ status: 'pending' })).toBe(0);
    expect(await Person.count({ status: 'done' })).toBe(2);
  });

  it('CRUD-06 deleteMany() deletes every document that matches', async () => {
    await Person.insertMany(['deleted', 'deleted', 'active'].map((status) => ({ name: 'x', status })));
    expect(await Person.deleteMany({ status: 'deleted' })).toEqual({ acknowledged: true, deletedCount: 2 });
    expect(await Person.count()).toBe(1);
  });

  it('deleteOne() and updateOne() take the first', async () => {
    await Person.insertMany([{ name: 'x' }, { name: 'x' }, { name: 'x' }]);
    expect(await Person.updateOne({ name: 'x' }, { $set: { value: 1 } })).toMatchObject({ modifiedCount: 1 });
    expect(await Person.count({ value: 1 })).toBe(1);
    expect(await Person.deleteOne({ name: 'x' })).toEqual({ acknowledged: true, deletedCount: 1 });
    expect(await Person.count()).toBe(2);
    expect(await Person.deleteOne({ name: 'nobody' })).toEqual({ acknowledged: true, deletedCount: 0 });
  });

  it('CRUD-07 updateOne() with upsert and no match inserts', async () => {
    const result = await Person.updateOne({ name: 'x' }, { $set: { value: 0 } }, { upsert: true });
    expect(result).toMatchObject({ matchedCount: 0, upsertedCount: 1, upsertedId: expect.any(ObjectId) });
    expect((await Person.findOne({ name: 'x' }))?.value).toBe(0);
  });

  it('CRUD-08 updateOne() with upsert and a match updates', async () => {
    await Person.create({ name: 'x', value: 100 });
    const result = await Person.updateOne({ name: 'x' }, { $inc: { value: 10 } }, { upsert: true });
    expect(result).toMatchObject({ matchedCount: 1, upsertedId: null });
    expect((await Person.findOne({ name: 'x' }))?.value).toBe(110);
  });

  it('CRUD-09 $setOnInsert is for the document that an upsert inserts', async () => {
    const update = { $set: { status: 'seen' }, $setOnInsert: { value: 1000 } };
    const first = await Person.updateOne({ name: 'x' }, update, { upsert: true });
    expect(first.upsertedId).toBeInstanceOf(ObjectId);
    expect((await Person.findOne({ name: 'x' }))?.value).toBe(1000);
    await Person.updateOne({ name: 'x' }, { $set: { value: 1 } });
    await Person.updateOne({ name: 'x' }, update, { upsert: true });
    expect((await Person.findOne({ name: 'x' }))?.value).toBe(1);
  });
});

describe('replaceOne()', () => {
  it('CRUD-11 replaces the document that matches, and keeps its _id', async () => {
    const { _id } = await Person.create({ name: 'x', bio: 'old', status: 'gone afterwards' });
    const result = await Person.replaceOne({ name: 'x' }, { name: 'x', bio: 'new', followers: 100 });
    expect(result).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect((await Person.findOne({ name: 'x' }))?.toObject()).toEqual({ _id, name: 'x', bio: 'new', followers: 100 });
  });

  it('CRUD-12 with upsert and no match inserts the replacement', async () => {
    const result = await Person.replaceOne({ name: 'x' }, { name: 'new' }, { upsert: true });
    expect(result).toMatchObject({ matchedCount: 0, upsertedId: expect.any(ObjectId) });
    expect((await Person.findOne({ name: 'new' }))?._id).toEqual(result.upsertedId);
  });
});

describe('distinct()', () => {
  const hire = (people: readonly [string, number][]) =>
    Person.insertMany(people.map(([department, salary], i) => ({ name: `p${i}`, department, salary })));

  it('CRUD-13 gives each value of a field once', async () => {
    await hire([
      ['Eng', 1],
      ['Eng', 2],
      ['HR', 3],
      ['Sales', 4],
      ['Sales', 5],
    ]);
    expect((await Person.distinct('department')).toSorted()).toEqual(['Eng', 'HR', 'Sales']);
  });

  it('CRUD-14 looks at the documents that match', async () => {
    await hire([
      ['Eng', 100_000],
      ['Eng', 50_000],
      ['Sales', 80_000],
      ['Sales', 40_000],
    ]);
    const found = await Person.distinct('department', { salary: { $gte: 80_000 } });
    expect(found.toSorted()).toEqual(['Eng', 'Sales']);
    expect(await Person.distinct('department', { salary: { $gte: 90_000 } })).toEqual(['Eng']);
  });

  it('CRUD-15 is typed by its field', async () => {
    await hire([
      ['HR', 1],
      ['IT', 2],
      ['IT', 3],
    ]);
    const departments = await Person.distinct('department');
    expectTypeOf(departments).toEqualTypeOf<string[]>();
    expect(departments.toSorted()).toEqual(['HR', 'IT']);
    // @ts-expect-error -- the schema has no such field
    expect(await Person.distinct('nothing')).toEqual([]);
  });
});

describe('findOneAnd…()', () => {
  it('CRUD-16 findOneAndUpdate() gives the document as it is after the update', async () => {
    await Person.create({ name: 'x', value: 10 });
    const after = await Person.findOneAndUpdate({ name: 'x' }, { $inc: { value: 5 } }, { returnDocument: 'after' });
    expect(after?.value).toBe(15);
  });

  it('CRUD-17 findOneAndUpdate() gives the document as it was before, which is its default', async () => {
    await Person.create({ name: 'x', value: 20 });
    const before = await Person.findOneAndUpdate({ name: 'x' }, { $inc: { value: 10 } }, { returnDocument: 'before' });
    expect(before?.value).toBe(20);
    expect((await Person.findOne({ name: 'x' }))?.value).toBe(30);
    expect((await Person.findOneAndUpdate({ name: 'x' }, { $inc: { value: 10 } }))?.value).toBe(30);
  });

  it('CRUD-18 findOneAndDelete() gives the document that it removed', async () => {
    await Person.create({ name: 'x', value: 999 });
    expect((await Person.findOneAndDelete({ name: 'x' }))?.value).toBe(999);
    expect(await Person.findOne({ name: 'x' })).toBeNull();
  });

  it('CRUD-19 findOneAndReplace() gives the replacement with the _id of what it replaced', async () => {
    const { _id } = await Person.create({ name: 'old', value: 1, status: 'gone afterwards' });
    const after = await Person.findOneAndReplace(
      { name: 'old' },
      { name: 'new', value: 100 },
      { returnDocument: 'after' },
    );
    expect(after?.toObject()).toEqual({ _id, name: 'new', value: 100 });
    expect((await Person.findOneAndReplace({ name: 'new' }, { name: 'newer' }))?.name).toBe('new');
  });

  it('CRUD-20 give clean documents of the model', async () => {
    await Person.create({ name: 'x', value: 1 });
    const documents = [
      await Person.findOneAndUpdate({ name: 'x' }, { $inc: { value: 1 } }, { returnDocument: 'after' }),
      await Person.findOneAndReplace({ name: 'x' }, { name: 'x' }, { returnDocument: 'after' }),
      await Person.upsert({ name: 'x' }, { $set: { value: 5 } }),
      await Person.findOneAndDelete({ name: 'x' }),
    ];
    for (const document of documents) {
      expect(document).toBeInstanceOf(Person);
      expect([document?.isModified(), document?.$isNew]).toEqual([false, false]);
    }
    const kept = await Person.upsert({ name: 'y' }, { $set: { value: 5 } });
    kept.value = 6;
    await kept.save();
    expect((await Person.findById(kept._id))?.value).toBe(6);
  });

  it('give null when nothing matches', async () => {
    expect(await Person.findOneAndUpdate({ name: 'x' }, { $set: { value: 1 } })).toBeNull();
    expect(await Person.findOneAndReplace({ name: 'x' }, { name: 'x' })).toBeNull();
    expect(await Person.findOneAndDelete({ name: 'x' })).toBeNull();
    expect(await Person.findOneAndUpdate({ name: 'x' }, { $set: { value: 1 } }, { upsert: true })).toBeNull();
    expect(await Person.count({ name: 'x', value: 1 })).toBe(1);
  });
});

import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  DuplicateKeyError,
  EncodeError,
  model,
  objectId,
  ObjectId,
  SchemaError,
  stored,
  UsageError,
  type ValidationError,
} from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Range extends model(
  'ranges',
  {
    name: z.string(),
    minimum: stored('min', z.number().min(0)),
    owner: stored('o', objectId().optional()),
    place: stored('p', z.object({ city: z.string() }).optional()),
    tags: stored('t', z.array(z.string()).default([])),
    made: stored('m', z.date().optional()),
  },
  {
    unknown: 'keep',
    timestamps: { createdAt: 'made', updatedAt: 'changed' },
    shardKey: ['place.city'],
    indexes: [
      { key: { minimum: 1, 'place.city': -1 }, unique: true, partialFilterExpression: { minimum: { $gt: 1000 } } },
    ],
    check: ({ minimum, name }) => (name === 'bad' && minimum > 0 ? [{ path: 'minimum', message: 'is bad' }] : []),
  },
) {}

const database = useDatabase();
beforeEach(async () => {
  await Range.deleteMany({});
});

const raws = () => database.db.collection('ranges').find().project({ _id: 0, changed: 0, m: 0 }).toArray();
const found = async (filter: object) => (await Range.find(filter as never)).map(({ name }) => name).toSorted();

describe('a field stored under another name', () => {
  it('is stored under that one, and read under its own', async () => {
    const range = await Range.create({ name: 'a', minimum: 3, place: { city: 'Rome' } });
    expect(await raws()).toEqual([{ name: 'a', min: 3, p: { city: 'Rome' }, t: [] }]);
    const again = await Range.findOne({ minimum: 3 });
    const shown = { _id: range._id, name: 'a', minimum: 3, place: { city: 'Rome' }, tags: [] };
    expect(again?.toObject()).toEqual({ ...shown, made: expect.any(Date), changed: expect.any(Date) });
    expect(JSON.parse(JSON.stringify(again))).toMatchObject({ minimum: 3 });
    expect(inspect(again)).toContain('minimum: 3');
    expect(await Range.find().lean()).toEqual([again?.toObject()]);
    expect(again?.get('min' as 'minimum')).toBe(3);
  });

  it('is changed, reported and saved', async () => {
    const range = await Range.create({ name: 'b', minimum: 3, place: { city: 'Rome' } });
    expect(range.changes()).toEqual([]);
    range.minimum = 4;
    range.set('place.city', 'Paris');
    range.$push('tags', 'x');
    expect([range.isModified('minimum'), range.isModified('place'), range.isModified('tags')]).toEqual([
      true,
      true,
      true,
    ]);
    expect(range.get('place.city')).toBe('Paris');
    const changes = [
      { path: 'minimum', keys: ['minimum'], from: 3, to: 4 },
      { path: 'place.city', keys: ['place', 'city'], from: 'Rome', to: 'Paris' },
    ];
    expect(range.changes()).toEqual(expect.arrayContaining(changes));
    database.sent();
    await range.save();
    const [command] = database.sent();
    expect(command?.['query']).toEqual({ _id: range._id, 'p.city': 'Rome' });
    expect(range.$previousChanges()).toEqual(expect.arrayContaining(changes));
    expect(await raws()).toEqual([{ name: 'b', min: 4, p: { city: 'Paris' }, t: ['x'] }]);
    range.minimum = 9;
    range.$inc('minimum', 1);
    range.rollback('minimum');
    expect([range.minimum, range.isModified()]).toEqual([4, false]);
    range.unset('place');
    await range.save();
    expect(await raws()).toEqual([{ name: 'b', min: 4, t: ['x'] }]);
  });

  it('shows the changes of a new document under its own name', async () => {
    const range = new Range({ name: 'c', minimum: 1 });
    expect(range.isModified('minimum')).toBe(true);
    expect(range.changes().map(({ path }) => path)).toEqual(['name', 'minimum', '_id', 'tags']);
    await range.save();
    expect(range.$previousChanges().map(({ path }) => path)).toContain('minimum');
    expect(range.$clone().minimum).toBe(1);
  });

  it('gives its own name to issues, the rule and errors', async () => {
    const refused = new Range({ name: 'bad', minimum: -1, place: { city: 5 as never } });
    const error = await refused.save().catch((thrown: unknown) => thrown as ValidationError);
    expect((error as ValidationError).issues.map(({ path, value }) => [path, value])).toEqual([
      ['minimum', -1],
      ['place.city', 5],
    ]);
    const against = await Range.create({ name: 'bad', minimum: 1 }).catch((thrown: unknown) => thrown);
    expect((against as ValidationError).issues).toMatchObject([{ path: 'minimum' }]);
    expect((against as ValidationError).issues[0]?.value).toBe(1);
    const odd = new Range({ name: 'x', minimum: (() => {}) as never });
    await expect(odd.save({ validate: false })).rejects.toMatchObject({ path: 'minimum' });
    const range = await Range.create({ name: 'x', minimum: 1, place: { city: 'Rome' } });
    range.place = { city: Symbol('x') as never };
    await expect(range.save({ validate: false })).rejects.toThrow(EncodeError);
    await expect(range.save({ validate: false })).rejects.toThrow('"place.city"');
    expect(() => range.$inc('place.city' as never)).toThrow('"place.city"');
    expect(() => range.set('minimum.x' as never, 1)).toThrow('"minimum.x"');
    expect(() => range.$inc('minimum').$mul('minimum', 2)).toThrow('"minimum"');
    expect(() => Range.find({ minimum: undefined as never })).toThrow('"minimum"');
  });
});

describe('a filter', () => {
  it('speaks the names of the program, on all levels', async () => {
    const owner = new ObjectId();
    await Range.insertMany([
      { name: 'a', minimum: 1, place: { city: 'Rome' }, owner },
      { name: 'b', minimum: 2, place: { city: 'Paris' }, tags: ['x'] },
    ]);
    expect(await found({ minimum: { $gt: 1 } })).toEqual(['b']);
    expect(await found({ 'place.city': 'Rome' })).toEqual(['a']);
    expect(await found({ $or: [{ minimum: 1 }, { $and: [{ tags: 'x' }, { $nor: [{ minimum: 1 }] }] }] })).toEqual([
      'a',
      'b',
    ]);
    expect(await found({ owner: { $not: { $ne: owner.toHexString() } } })).toEqual(['a']);
    expect(await found({ owner: { $not: { $in: [owner.toHexString()] } } })).toEqual(['b']);
    expect(await found({ min: 2 })).toEqual(['b']);
    expect(await found({ $expr: { $eq: ['$minimum', { $literal: 1 }] } })).toEqual(['a']);
    expect(await found({ $expr: { $eq: ['$$ROOT.place.city', 'Paris'] } })).toEqual(['b']);
    expect((await Range.findBy({ minimum: 2 }).first())?.name).toBe('b');
    expect(await Range.distinct('minimum')).toEqual([1, 2]);
    expect(await Range.find().distinct('minimum')).toEqual([1, 2]);
    expect((await Range.find().sort({ minimum: -1 })).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(await Range.find().select('minimum').lean()).toMatchObject([{ minimum: 1 }, { minimum: 2 }]);
    expect(await Range.exists({ minimum: 3 })).toBe(false);
    expect(await Range.find().sum('minimum')).toBe(3);
    const { items } = await Range.find().sort({ minimum: 1 }).page({ size: 1 });
    expect(items.map(({ minimum }) => minimum)).toEqual([1]);
  });
});

describe('static updates', () => {
  it('speak the names of the program', async () => {
    await Range.create({ name: 'a', minimum: 1, place: { city: 'Rome' } });
    await Range.updateOne(
      { minimum: 1 },
      { $inc: { minimum: 4 }, $set: { 'place.city': 'Oslo' }, $push: { tags: 'y' } },
    );
    expect(await raws()).toEqual([{ name: 'a', min: 5, p: { city: 'Oslo' }, t: ['y'] }]);
    // @ts-expect-error -- the schema asks for the minimum
    await Range.updateMany({}, { $rename: { tags: 'labels', minimum: 'name' } });
    expect(await raws()).toEqual([{ name: 5, p: { city: 'Oslo' }, labels: ['y'] }]);
    await Range.updateOne({}, [{ $set: { minimum: { $add: ['$name', 1] } } }, { $unset: ['place', 'labels'] }]);
    expect(await raws()).toEqual([{ name: 5, min: 6 }]);
    await Range.updateOne({}, [{ $unset: 'minimum' }]);
    expect(await raws()).toEqual([{ name: 5 }]);
    await expect(Range.updateOne({}, [{ $replaceWith: { minimum: 1 } }])).rejects.toThrow(UsageError);
  });

  it('upsert and replace', async () => {
    const range = await Range.upsert({ minimum: 7 }, { $set: { name: 'new' } });
    expect(range.toObject()).toMatchObject({ minimum: 7, name: 'new', tags: [], made: expect.any(Date) });
    expect(await raws()).toEqual([{ name: 'new', min: 7, t: [] }]);
    await Range.replaceOne({ minimum: 7 }, { name: 'other', minimum: 8 });
    expect(await raws()).toEqual([{ name: 'other', min: 8, t: [] }]);
    const before = await Range.findOneAndReplace({ minimum: 8 }, { name: 'third', minimum: 9 });
    expect(before?.minimum).toBe(8);
    expect(
      (await Range.findOneAndUpdate({ minimum: 9 }, { $set: { minimum: 1 } }, { returnDocument: 'after' }))?.minimum,
    ).toBe(1);
  });
});

describe('the server', () => {
  it('sees stored names in indexes and in the JSON Schema', async () => {
    await Range.ensureIndexes();
    const indexes = await database.db.collection('ranges').indexes();
    expect(indexes).toContainEqual(
      expect.objectContaining({ key: { min: 1, 'p.city': -1 }, partialFilterExpression: { min: { $gt: 1000 } } }),
    );
    const properties = { min: { bsonType: 'number', minimum: 0 }, p: expect.any(Object), o: { bsonType: 'objectId' } };
    expect(Range.jsonSchema).toMatchObject({ required: ['name', 'min'], properties });
    await Range.create({ name: 'a', minimum: 2000 });
    const error = await Range.create({ name: 'b', minimum: 2000 }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DuplicateKeyError);
    expect((error as Error).message).toContain('minimum');
    expect((error as Error).message).not.toContain('2000');
  });
});

describe('the definition', () => {
  it.each(['', '_id', 'a.b', '$a', 'a\0b', 5 as never])('refuses the stored name "%s"', (name) => {
    expect(() => stored(name, z.number())).toThrow(UsageError);
  });

  it('refuses names that meet', () => {
    const number = z.number();
    for (const fields of [
      { a: stored('x', number), b: stored('x', number) },
      { a: stored('b', number), b: number },
      { a: stored('b', number), b: stored('a', number) },
      { _id: stored('x', number) },
      { a: stored('createdAt', number) },
    ])
      expect(() => model('refused', fields, { timestamps: true })).toThrow(SchemaError);
    expect(() => stored('x', stored('y', number))).toThrow(SchemaError);
    expect(() => stored('x', {} as never)).toThrow(SchemaError);
    expect(() => stored('x', undefined as never)).toThrow(SchemaError);
    expect(() => model('fine', { a: stored('a', number) })).not.toThrow();
  });

  it('refuses the stored name in new documents, and points to stored() where a name is taken', () => {
    expect(() => new Range({ name: 'a', min: 1 } as never)).toThrow('called "minimum"');
    expect(() => model('taken', { save: z.string() } as never)).toThrow(/stored\('save'/);
    class Taken extends model('taken', { saving: stored('save', z.string()) }) {}
    expect(new Taken({ saving: 'x' }).$state.toObject()).toMatchObject({ save: 'x' });
  });

  it('keeps an unknown stored field out of sight whose name is that of a field', async () => {
    await database.db.collection('ranges').insertOne({ name: 'x', min: 1, minimum: 'theirs' });
    const range = await Range.findOne();
    expect(range?.toObject()).toMatchObject({ minimum: 1 });
    (range as Range).minimum = 2;
    await range?.save();
    expect(await raws()).toEqual([expect.objectContaining({ min: 2, minimum: 'theirs' })]);
  });
});

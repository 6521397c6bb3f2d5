import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  ConflictError,
  DocumentNotFoundError,
  FieldNotLoadedError,
  Int32,
  model,
  stored,
  UsageError,
} from '../../src/index.ts';
import { conflictOf } from '../support/conflicts.ts';
import { onlyStatement, useDatabase } from '../support/database.ts';

const fields = {
  name: z.string(),
  count: z.int().default(0),
  tags: z.array(z.string()).optional(),
  extra: z.unknown(),
};

class Note extends model('notes', fields, { version: 'version' }) {}
class Timed extends model('timed', fields, { concurrency: 'version', timestamps: true }) {}
class Counted extends model('counted', fields, { concurrency: 'merge', version: 'writes' }) {}
class Plain extends model('plain', fields) {}

const database = useDatabase();
beforeEach(() => void database.sent());

/** Two copies of one document. */
async function two<D>(load: () => Promise<D | null>): Promise<[D, D]> {
  const [first, second] = [await load(), await load()];
  if (first === null || second === null) throw new Error('Expected a document');
  database.sent();
  return [first, second];
}

describe('a model with a version', () => {
  it('STATE-34 has none before the first save, and 1 after it', async () => {
    const note = new Note({ name: 'Ann' });
    expect(note.version).toBeUndefined();
    await note.save();
    expect(note.version).toBe(1);
    expect(note.isModified()).toBe(false);
    expectTypeOf(note.version).toEqualTypeOf<number>();
    expectTypeOf<Counted['writes']>().toEqualTypeOf<number>();
    expectTypeOf<Timed['version']>().toEqualTypeOf<number>();
    // @ts-expect-error -- without the option there is no counter
    expect(new Plain({ name: 'Ann' }).version).toBeUndefined();
  });

  it('STATE-35 counts each save that writes', async () => {
    const note = await Note.create({ name: 'Ann' });
    const versions = [note.version];
    for (const name of ['Bob', 'Bob', 'Cid']) {
      note.name = name;
      await note.save();
      versions.push(note.version);
    }
    expect(versions).toEqual([1, 2, 2, 3]);
  });

  it('STATE-36 stores it', async () => {
    const note = await Note.create({ name: 'Ann' });
    note.name = 'Bob';
    await note.save();
    expect((await Note.findById(note._id))?.version).toBe(2);
  });

  it('STATE-37 lets the first of two copies be saved, and refuses the second', async () => {
    const { _id } = await Note.create({ name: 'Ann' });
    const [first, second] = await two(() => Note.findById(_id));
    first.name = 'Bob';
    second.name = 'Cid';
    await first.save();
    expect(first.version).toBe(2);
    await expect(second.save()).rejects.toThrow(ConflictError);
  });

  it('STATE-38 writes nothing of the second', async () => {
    const { _id } = await Note.create({ name: 'Ann' });
    const [first, second] = await two(() => Note.findById(_id));
    first.name = 'Bob';
    second.name = 'Cid';
    second.count = 5;
    await first.save();
    await second.save().catch(() => {});
    expect(await Note.findById(_id).then((note) => note?.toObject())).toEqual({
      _id,
      name: 'Bob',
      count: 0,
      version: 2,
    });
  });

  it('names what is in conflict, and keeps the changes', async () => {
    const { _id } = await Note.create({ name: 'Ann' });
    const [first, second] = await two(() => Note.findById(_id));
    first.name = 'Bob';
    second.name = 'Cid';
    second.count = 5;
    await first.save();
    const error = await conflictOf(second.save());
    expect(error.conflicts).toEqual([
      { path: 'version', keys: ['version'], original: 1, mine: 1, theirs: 2 },
      { path: 'name', keys: ['name'], original: 'Ann', mine: 'Cid', theirs: 'Bob' },
    ]);
    expect(error.current).toBeInstanceOf(Note);
    expect((error.current as Note).toObject()).toEqual(first.toObject());
    expect([error.model, error.id]).toEqual(['notes', _id]);
    expect(error.message).not.toMatch(/Ann|Bob|Cid/);
    expect(Object.keys(error)).not.toContain('conflicts');
    expect(second.changes().map(({ path }) => path)).toEqual(['name', 'count']);
    expect(second.version).toBe(1);
    await expect(second.save()).rejects.toThrow(ConflictError);
  });

  it('sends one command for a save: the version is in its filter and its update', async () => {
    const timed = await Timed.create({ name: 'Ann' });
    const before = timed.updatedAt;
    database.sent();
    timed.name = 'Bob';
    await timed.save();
    expect(onlyStatement(database.sent())).toEqual({
      q: { _id: timed._id, version: { $eq: new Int32(1), $not: { $type: 'array' } } },
      u: { $set: { name: 'Bob' }, $max: { updatedAt: timed.updatedAt }, $inc: { version: 1 } },
    });
    expect(timed.updatedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(timed.version).toBe(2);
  });

  it('counts from 1 on what was stored without one', async () => {
    const { insertedId } = await Note.collection.insertOne({ name: 'Ann' });
    const [first, second] = await two(() => Note.findById(insertedId));
    first.name = 'Bob';
    await first.save();
    expect(first.version).toBe(1);
    second.name = 'Cid';
    await expect(second.save()).rejects.toThrow(ConflictError);
  });

  it('sees a counter that another program made something else', async () => {
    const note = await Note.create({ name: 'Ann' });
    await Note.collection.updateOne({ _id: note._id }, { $set: { version: 'x' } });
    note.name = 'Bob';
    expect((await conflictOf(note.save())).conflicts[0]).toMatchObject({ path: 'version', theirs: 'x' });
    await note.$rebase();
    await note.save();
    expect(note.version).toBe(1);
  });

  it('is not stopped by a writer who does not count, and keeps what that one wrote', async () => {
    const note = await Note.create({ name: 'Ann', extra: [1, 2, 3] });
    (note.extra as number[])[1] = 20;
    await Note.collection.updateOne({ _id: note._id }, { $set: { 'extra.0': 10 } });
    await note.save();
    expect(note.version).toBe(2);
    expect(await Note.find({ _id: note._id }).lean().one()).toMatchObject({ extra: [10, 20, 3], version: 2 });
  });

  it('is stopped by one who left a value of another kind', async () => {
    const note = await Note.create({ name: 'Ann', extra: [1, 2, 3] });
    (note.extra as number[])[1] = 20;
    await Note.collection.updateOne({ _id: note._id }, { $set: { extra: { 1: 'x' } } });
    await expect(note.save()).rejects.toThrow(ConflictError);
    expect(await Note.find({ _id: note._id }).lean().one()).toMatchObject({ extra: { 1: 'x' }, version: 1 });
  });

  it('is one of a document that is gone', async () => {
    const note = await Note.create({ name: 'Ann' });
    await Note.collection.deleteOne({ _id: note._id });
    note.name = 'Bob';
    await expect(note.save()).rejects.toThrow(DocumentNotFoundError);
  });

  it('is loaded with whatever is selected', async () => {
    const { _id } = await Note.create({ name: 'Ann' });
    const note = await Note.find({ _id }).select('name').one();
    note.name = 'Bob';
    await note.save();
    expect(await Note.find({ _id }).lean().one()).toMatchObject({ name: 'Bob', version: 2 });
    const [omitted] = await Note.find({ _id }).omit('version');
    if (omitted !== undefined) omitted.name = 'Cid';
    await expect(omitted?.save()).rejects.toThrow(FieldNotLoadedError);
  });

  it('belongs to the mapper', async () => {
    const note = await Note.create({ name: 'Ann' });
    expect(() => note.set('version', 5)).toThrow(UsageError);
    expect(() => Object.assign(note, { version: 5 })).toThrow('counts the writes');
    expect(() => note.$inc('version')).toThrow(UsageError);
    expect(() => new Note({ name: 'Ann', version: 5 } as never)).toThrow(UsageError);
    note.$state.set('version', 5);
    await expect(note.save()).rejects.toThrow(UsageError);
    note.rollback();
    expect(note.$clone().version).toBeUndefined();
    expect(Note.jsonSchema).toMatchObject({ properties: { version: { bsonType: 'number' } } });
  });

  it.each([
    [{ version: '' }, '"version"'],
    [{ version: 'a.b' }, '"version"'],
    [{ version: '$a' }, '"version"'],
    [{ version: '_id' }, '"version"'],
    [{ version: 'name' }, 'another field'],
    [{ version: 'label' }, 'another field'],
    [{ version: 'updatedAt', timestamps: true }, 'another field'],
  ])('needs a name of its own, not %j', (options, reason) => {
    expect(() => model('notes', { ...fields, label: stored('l', z.string()) }, options as never)).toThrow(reason);
  });
});

describe('every other way to write', () => {
  const set = { $set: { count: 5 } };
  const calls: [string, (name: string) => Promise<unknown>][] = [
    ['updateOne', (name) => Note.updateOne({ name }, set)],
    ['updateOne without times', (name) => Note.updateOne({ name }, set, { timestamps: false })],
    ['updateMany', (name) => Note.updateMany({ name }, set)],
    ['query.update', (name) => Note.find({ name }).update(set)],
    ['upsert', (name) => Note.upsert({ name }, set)],
    ['findOneAndUpdate', (name) => Note.findOneAndUpdate({ name }, set)],
    ['replaceOne', (name) => Note.replaceOne({ name }, { name, count: 5 })],
    ['findOneAndReplace', (name) => Note.findOneAndReplace({ name }, { name, count: 5 })],
    ['a pipeline', (name) => Note.updateOne({ name }, [set])],
    [
      'a pipeline that replaces',
      (name) => Note.updateOne({ name }, [{ $replaceWith: { _id: '$_id', name, count: 5 } }]),
    ],
    [
      'a pipeline with a new root',
      (name) => Note.updateOne({ name }, [{ $replaceRoot: { newRoot: { _id: '$_id', name, count: 5 } } }]),
    ],
    ['a pipeline that picks', (name) => Note.updateOne({ name }, [{ $project: { name: 1, count: { $literal: 5 } } }])],
    ['a pipeline that leaves out', (name) => Note.updateOne({ name }, [{ $project: { extra: 0 } }, set])],
    ['bulk updateOne', (name) => Note.bulk().updateOne({ name }, set).execute()],
    ['bulk updateMany', (name) => Note.bulk().updateMany({ name }, set).execute()],
    ['bulk replaceOne', (name) => Note.bulk().replaceOne({ name }, { name, count: 5 }).execute()],
  ];

  it.each(calls)('%s counts', async (title, call) => {
    const note = await Note.create({ name: title });
    note.extra = 1;
    await note.save();
    await call(title);
    const found = await Note.find({ name: title }).lean();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ _id: note._id, count: 5, version: 3 });
    note.extra = 2;
    await expect(note.save()).rejects.toThrow(ConflictError);
  });

  const inserts: [string, (name: string) => Promise<unknown>][] = [
    ['insertMany', (name) => Note.insertMany([{ name }])],
    ['insertMany of ids', (name) => Note.insertMany([{ name }], { return: 'ids', validate: false })],
    ['saveAll', (name) => Note.saveAll([new Note({ name })])],
    ['upsert by insert', (name) => Note.upsert({ name }, set)],
    ['updateOne by insert', (name) => Note.updateOne({ name }, set, { upsert: true })],
    ['a pipeline by insert', (name) => Note.updateOne({ name }, [set], { upsert: true })],
    ['replaceOne by insert', (name) => Note.replaceOne({ name }, { name }, { upsert: true })],
    ['findOneAndReplace by insert', (name) => Note.findOneAndReplace({ name }, { name }, { upsert: true })],
    ['bulk insertOne', (name) => Note.bulk().insertOne({ name }).execute()],
    ['bulk replaceOne by insert', (name) => Note.bulk().replaceOne({ name }, { name }, { upsert: true }).execute()],
  ];

  it.each(inserts)('%s begins with 1', async (name, call) => {
    await call(name);
    expect(await Note.find({ name }).lean().one()).toMatchObject({ name, version: 1 });
  });

  it('keeps an _id that a replacement is given', async () => {
    const { _id } = await Note.create({ name: 'kept' });
    await Note.replaceOne({ _id }, { _id, name: 'kept', count: 7 });
    expect(await Note.find({ name: 'kept' }).lean().one()).toEqual({ _id, name: 'kept', count: 7, version: 2 });
    await Note.bulk().replaceOne({ _id }, { _id, name: 'kept', count: 8 }).execute();
    expect(await Note.find({ name: 'kept' }).lean().one()).toEqual({ _id, name: 'kept', count: 8, version: 3 });
  });

  it('leaves a counter that the program writes itself', async () => {
    const note = await Note.create({ name: 'own' });
    await Note.updateOne({ name: 'own' }, { $set: { version: 9 } });
    expect((await Note.findById(note._id))?.version).toBe(9);
  });
});

describe('a version that is only counted', () => {
  it('lets both be saved, and shows what the server counted', async () => {
    const { _id } = await Counted.create({ name: 'Ann' });
    const [first, second] = await two(() => Counted.findById(_id));
    first.name = 'Bob';
    second.count = 5;
    await first.save();
    await second.save();
    expect([first.writes, second.writes]).toEqual([2, 3]);
    expect(await Counted.find({ _id }).lean().one()).toEqual({ _id, name: 'Bob', count: 5, writes: 3 });
  });

  it('is a condition where a save says so', async () => {
    const { _id } = await Counted.create({ name: 'Ann' });
    const [first, second] = await two(() => Counted.findById(_id));
    first.name = 'Bob';
    second.count = 5;
    await first.save();
    await expect(second.save({ concurrency: 'version' })).rejects.toThrow(ConflictError);
    await second.save({ concurrency: 'merge' });
    expect(second.writes).toBe(3);
  });

  it('is no condition where a save of a guarded model says so', async () => {
    const { _id } = await Note.create({ name: 'Ann' });
    const [first, second] = await two(() => Note.findById(_id));
    first.name = 'Bob';
    second.count = 5;
    await first.save();
    await second.save({ concurrency: 'merge' });
    expect(second.version).toBe(3);
  });
});

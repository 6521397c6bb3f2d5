import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { type Command, onlyStatement, onlyUpdate, useDatabase } from '../support/database.ts';

class Note extends model(
  'notes',
  {
    text: z.string().trim(),
    tags: z.array(z.string()).default([]),
    odd: z.record(z.string(), z.int()).optional(),
  },
  { timestamps: true },
) {}
class Other extends model(
  'others',
  { text: z.string() },
  { timestamps: { createdAt: 'made', updatedAt: 'changed' } },
) {}
class Changed extends model('changed', { text: z.string() }, { timestamps: { updatedAt: 'changed' } }) {}

const past = new Date('2020-01-01');
const future = new Date('2100-01-01');

const database = useDatabase();

/** A stored document whose times are long past. */
async function stored(times: object = { createdAt: past, updatedAt: past }): Promise<Note> {
  const { insertedId } = await database.db.collection('notes').insertOne({ text: 'a', tags: [], ...times });
  const note = await Note.findById(insertedId);
  if (note === null) throw new Error('Expected the document');
  database.sent();
  return note;
}

async function raw(note: { readonly _id: unknown }, collection = 'notes'): Promise<Command> {
  const found = await database.db.collection(collection).findOne({ _id: note._id as never });
  if (found === null) throw new Error('Expected the document');
  database.sent();
  return found;
}

describe('an insert', () => {
  it('notes one time in both fields', async () => {
    const before = Date.now();
    const note = await Note.create({ text: 'a' });
    expect(note.createdAt.getTime()).toBeGreaterThanOrEqual(before);
    expect(note.updatedAt).toEqual(note.createdAt);
    expect(note.updatedAt).not.toBe(note.createdAt);
    expect(note.isModified()).toBe(false);
    expect(await raw(note)).toMatchObject({ createdAt: note.createdAt, updatedAt: note.updatedAt });
  });

  it('keeps times that the program gave', async () => {
    const note = new Note({ text: 'a' });
    note.set('createdAt', past);
    await note.save();
    expect(note.createdAt).toEqual(past);
    expect(note.updatedAt.getTime()).toBeGreaterThan(past.getTime());
  });

  it('uses the names of the model, and leaves out what has none', async () => {
    const other = await Other.create({ text: 'a' });
    expect(Object.keys(await raw(other, 'others')).toSorted()).toEqual(['_id', 'changed', 'made', 'text']);
    const changed = await Changed.create({ text: 'a' });
    expect(Object.keys(await raw(changed, 'changed')).toSorted()).toEqual(['_id', 'changed', 'text']);
  });

  it('of many notes them in each', async () => {
    const notes = await Note.insertMany([{ text: 'a' }, { text: 'b' }]);
    for (const note of notes) {
      expect(note.createdAt).toBeInstanceOf(Date);
      expect(note.updatedAt).toEqual(note.createdAt);
      expect(note.isModified()).toBe(false);
    }
  });

  it('of a model without times notes none', async () => {
    class Plain extends model('plain', { text: z.string() }) {}
    const plain = await Plain.create({ text: 'a' });
    expect(Object.keys(plain.toObject())).toEqual(['_id', 'text']);
  });
});

describe('an update', () => {
  it('notes its time by $max, in the same updateOne', async () => {
    const note = await stored();
    note.text = 'b';
    await note.save();
    const statement = onlyStatement(database.sent());
    const now: unknown = statement['u'].$max.updatedAt;
    expect(statement['u']).toEqual({ $set: { text: 'b' }, $max: { updatedAt: now } });
    expect(note.updatedAt).toEqual(now);
    expect(note.updatedAt.getTime()).toBeGreaterThan(past.getTime());
    expect(note.createdAt).toEqual(past);
    expect(note.isModified()).toBe(false);
    expect((await raw(note))['updatedAt']).toEqual(now);
    expect(note.$previousChanges().map(({ path, from }) => [path, from])).toEqual([
      ['text', 'a'],
      ['updatedAt', past],
    ]);
  });

  it('leaves a Date that was read before as it was', async () => {
    const note = await stored();
    const before = note.updatedAt;
    note.text = 'b';
    await note.save();
    expect(before).toEqual(past);
    expect(note.updatedAt.getTime()).toBeGreaterThan(past.getTime());
    expect(note.isModified()).toBe(false);
  });

  it('alone is none', async () => {
    const note = await stored();
    expect(note.updatedAt).toEqual(past);
    note.text = ' a '; // the schema trims it
    await note.save();
    expect(note.isModified()).toBe(false);
    await note.save();
    expect(database.sent()).toEqual([]);
  });

  it('sends a time that the program set', async () => {
    const note = await stored();
    note.set('updatedAt', future);
    await note.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { updatedAt: future } });
    note.updatedAt.setFullYear(2099);
    note.text = 'b';
    await note.save();
    const set = { updatedAt: new Date('2099-01-01'), text: 'b' };
    expect(onlyUpdate(database.sent())).toEqual({ $set: set });
    expect(await raw(note)).toMatchObject(set);
  });

  it('does not take a time back: a writer whose clock is ahead may have been there', async () => {
    const note = await stored({ createdAt: past, updatedAt: future });
    note.text = 'b';
    await note.save();
    expect(note.updatedAt).toEqual(future);
    expect((await raw(note))['updatedAt']).toEqual(future);
  });

  it.each([[{}], [{ updatedAt: null }], [{ updatedAt: 'yesterday' }]])(
    'notes it where %o was stored',
    async (times) => {
      const note = await stored(times);
      note.text = 'b';
      await note.save();
      expect(note.updatedAt).toBeInstanceOf(Date);
      expect(note.isModified()).toBe(false);
      expect((await raw(note))['updatedAt']).toEqual(note.updatedAt);
    },
  );

  it('notes it in a pipeline too', async () => {
    const note = await stored();
    note.set('odd' as string, { '': 1 });
    await note.save();
    note.set('odd' as string, { '': 2 });
    await note.save();
    const updates = database.sent().map((command) => command['updates'][0].u as unknown);
    expect(updates[1]).toBeInstanceOf(Array);
    expect(note.isModified()).toBe(false);
    expect((await raw(note))['updatedAt']).toEqual(note.updatedAt);
  });

  it('keeps what the program set while it was under way', async () => {
    const note = await stored();
    note.text = 'b';
    const saving = note.save();
    await setImmediate(); // what is sent is fixed by now
    note.set('updatedAt', future);
    await saving;
    expect(note.updatedAt).toEqual(future);
    expect(note.isModified('updatedAt')).toBe(true);
  });
});

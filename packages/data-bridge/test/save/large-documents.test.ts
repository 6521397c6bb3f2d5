import { useDatabase } from '../support/database.ts';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ObjectId } from 'mongodb';
import { model } from '../../src/index.ts';

class Note extends model('notes', {
  text: z.string().optional(),
  record: z.record(z.string(), z.unknown()).optional(),
}) {}

class Thing extends model('things', { name: z.string().optional() }, { unknown: 'keep' }) {}

const database = useDatabase();

const reread = async (input: ConstructorParameters<typeof Note>[0]): Promise<Note> => {
  const { _id } = await Note.create(input);
  const found = await Note.findById(_id);
  if (found === null) throw new Error('Expected the document to be stored');
  return found;
};

describe('sizes', () => {
  // Compared by `===`: a failed comparison would print megabytes.
  it.each([
    ['EDGE-01 a text of 10 MB', 10 * 1024 * 1024],
    ['EDGE-02 a text of 15 MB, close to the limit of 16 MiB', 15 * 1024 * 1024],
    ['EDGE-21 a text of 100000 characters', 100_000],
  ])('%s', async (_name, size) => {
    const text = 'abcdefgh'.repeat(size / 8);
    const found = await reread({ text });
    expect(found.text?.length).toBe(size);
    expect(found.text === text).toBe(true);
    expect(found.isModified()).toBe(false);
  });

  it('EDGE-03 a record of 1000 keys, 9 MB in all', async () => {
    const record = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key${i}`, 'x'.repeat(9000 - i)]));
    const found = (await reread({ record })).record ?? {};
    expect(Object.keys(found)).toHaveLength(1000);
    expect(Object.entries(record).every(([key, value]) => found[key] === value)).toBe(true);
  });
});

describe('documents of thousands of fields', () => {
  it('are read, changed and saved in linear time', async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `f${i}`);
    const _id = new ObjectId();
    await database.db.collection('things').insertOne({ _id, ...Object.fromEntries(names.map((name) => [name, name])) });
    const thing = await Thing.findById(_id);
    if (thing === null) throw new Error('Expected the document to be stored');
    expect(names.every((name) => thing.get(name) === name)).toBe(true);
    thing
      .set('f4999' as string, 1)
      .set('last' as string, 2)
      .unset('f4998');
    expect(thing.changes().map(({ path }) => path)).toEqual(['f4998', 'f4999', 'last']);
    await thing.save();
    expect([thing.isModified(), thing.get('f4999' as string), thing.get('f4998' as string)]).toEqual([
      false,
      1,
      undefined,
    ]);
    expect(Object.keys((await database.db.collection('things').findOne({ _id })) ?? {})).toHaveLength(5001);
  });
});

import type { BSON } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

/* What the mapper itself writes is there, by whichever call a document came to the server. */

class Entry extends model(
  'door_entries',
  { key: z.string(), n: z.int().default(7), tags: z.array(z.string()).default([]) },
  { timestamps: true, version: 'count', concurrency: 'merge' },
) {}

const database = useDatabase();
beforeEach(() => database.db.collection('door_entries').deleteMany({}));

const stored = async (): Promise<BSON.Document | null> => database.db.collection('door_entries').findOne({ key: 'a' });

const inserts: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['save', () => new Entry({ key: 'a' }).save()],
  ['create', () => Entry.create({ key: 'a' })],
  ['saveAll', () => Entry.saveAll([new Entry({ key: 'a' }), new Entry({ key: 'b' })])],
  ['insertMany', () => Entry.insertMany([{ key: 'a' }, { key: 'b' }])],
  ['insertMany without documents', () => Entry.insertMany([{ key: 'a' }], { validate: false, return: 'ids' })],
  ['bulk().insertOne', () => Entry.bulk().insertOne({ key: 'a' }).execute()],
  ['replaceOne with upsert', () => Entry.replaceOne({ key: 'a' }, { key: 'a' }, { upsert: true })],
  ['findOneAndReplace with upsert', () => Entry.findOneAndReplace({ key: 'a' }, { key: 'a' }, { upsert: true })],
  [
    'bulk().replaceOne with upsert',
    () => Entry.bulk().replaceOne({ key: 'a' }, { key: 'a' }, { upsert: true }).execute(),
  ],
  ['upsert', () => Entry.upsert({ key: 'a' }, { $set: { key: 'a' } })],
  ['updateOne with upsert', () => Entry.updateOne({ key: 'a' }, { $set: { key: 'a' } }, { upsert: true })],
  ['updateMany with upsert', () => Entry.updateMany({ key: 'a' }, { $set: { key: 'a' } }, { upsert: true })],
  [
    'bulk().updateOne with upsert',
    () =>
      Entry.bulk()
        .updateOne({ key: 'a' }, { $set: { key: 'a' } }, { upsert: true })
        .execute(),
  ],
];

describe.each(inserts)('a document that %s stores', (_, insert) => {
  it('has its times, the count of its writes, and the defaults', async () => {
    await insert();
    expect(await stored()).toMatchObject({
      key: 'a',
      n: 7,
      tags: [],
      count: 1,
      createdAt: expect.any(Date) as Date,
      updatedAt: expect.any(Date) as Date,
    });
  });
});

const updates: readonly (readonly [string, (entry: Entry) => Promise<unknown>])[] = [
  ['save', (entry) => entry.save()],
  ['saveAll', (entry) => Entry.saveAll([entry])],
  ['updateOne', () => Entry.updateOne({ key: 'a' }, { $set: { n: 1 } })],
  ['updateMany', () => Entry.updateMany({ key: 'a' }, { $set: { n: 1 } })],
  ['updateMany by stages', () => Entry.updateMany({ key: 'a' }, [{ $set: { n: 1 } }])],
  ['find().update', () => Entry.find({ key: 'a' }).update({ $set: { n: 1 } })],
  ['findOneAndUpdate', () => Entry.findOneAndUpdate({ key: 'a' }, { $set: { n: 1 } })],
  [
    'bulk().updateMany',
    () =>
      Entry.bulk()
        .updateMany({ key: 'a' }, { $set: { n: 1 } })
        .execute(),
  ],
];

describe.each(updates)('an update by %s', (_, update) => {
  it('notes its time and counts', async () => {
    const entry = await Entry.create({ key: 'a' });
    const past = new Date(Date.now() - 60_000);
    await database.db.collection('door_entries').updateOne({ key: 'a' }, { $set: { updatedAt: past } });
    entry.n = 1;
    await update(entry);
    const { n, count, updatedAt } = (await stored()) as BSON.Document;
    expect({ n, count }).toEqual({ n: 1, count: 2 });
    expect((updatedAt as Date).getTime()).toBeGreaterThan(past.getTime());
  });
});

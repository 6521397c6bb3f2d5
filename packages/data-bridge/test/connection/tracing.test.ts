import { tracingChannel } from 'node:diagnostics_channel';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CommandTrace, model, type SaveTrace } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Item extends model(
  'traced_items',
  { n: z.int(), tags: z.array(z.string()).default([]) },
  { concurrency: 'fields' },
) {}

const database = useDatabase();
beforeAll(async () => {
  await Item.ensureCollection();
});
beforeEach(async () => {
  await Item.collection.deleteMany({});
});

describe('tracing', () => {
  it('tells of commands and saves while somebody listens', async () => {
    const told: unknown[] = [];
    const ends: unknown[] = [];
    const onCommand = {
      start: (trace: CommandTrace) => told.push(trace),
      asyncEnd: (trace: CommandTrace) => ends.push(trace.operation),
      error: (trace: CommandTrace & { error?: unknown }) => ends.push(trace.error instanceof Error),
    };
    const saves: SaveTrace[] = [];
    const onSave = { asyncEnd: (trace: SaveTrace) => saves.push(trace) };
    tracingChannel<unknown, CommandTrace>('data-bridge:command').subscribe(onCommand as never);
    tracingChannel<unknown, SaveTrace>('data-bridge:save').subscribe(onSave as never);
    const item = await Item.create({ n: 1 });
    await Item.collection.updateOne({ _id: item._id }, { $set: { n: 5 } });
    item.n = 2;
    await item.save({ onConflict: 'mine' });
    expect(await Item.find().limit(1)).toHaveLength(1);
    await Item.insertMany([{ n: 1 }, { n: 2 }]);
    await expect(Item.create({ _id: item._id, n: 1 })).rejects.toThrow('unique index');
    tracingChannel<unknown, CommandTrace>('data-bridge:command').unsubscribe(onCommand as never);
    tracingChannel<unknown, SaveTrace>('data-bridge:save').unsubscribe(onSave as never);
    await Item.count();
    const about = { collection: 'traced_items', database: database.db.databaseName, model: 'traced_items' };
    expect(told).toEqual([
      expect.objectContaining({ ...about, operation: 'insertOne', batchSize: undefined }),
      expect.objectContaining({ ...about, operation: 'updateOne' }),
      expect.objectContaining({ ...about, operation: 'findOne' }),
      expect.objectContaining({ ...about, operation: 'updateOne' }),
      expect.objectContaining({ ...about, operation: 'find' }),
      expect.objectContaining({ ...about, operation: 'insertMany', batchSize: 2 }),
      expect.objectContaining({ ...about, operation: 'insertOne' }),
    ]);
    expect(ends).toContain(true);
    expect(saves).toMatchObject([
      { model: 'traced_items', operation: 'insert', fields: 3, tries: 1 },
      { model: 'traced_items', operation: 'update', fields: 1, tries: 2 },
      { model: 'traced_items', operation: 'insert', tries: 1 },
    ]);
  });
});

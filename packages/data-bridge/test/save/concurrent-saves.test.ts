import { useDatabase } from '../support/database.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';

class Note extends model('notes', { text: z.string().optional(), count: z.number().optional() }) {}

useDatabase();
beforeEach(async () => {
  await Note.deleteMany({});
});

describe('many at once', () => {
  it('EDGE-04 a hundred saves of new documents', async () => {
    const saved = await Promise.all(Array.from({ length: 100 }, (_, i) => new Note({ count: i }).save()));
    expect(new Set(saved.map(({ _id }) => _id.toHexString())).size).toBe(100);
    expect(await Note.count()).toBe(100);
    expect(new Set(await Note.distinct('count')).size).toBe(100);
  });

  it('EDGE-05 ten writers of one field: the last one wins', async () => {
    const { _id } = await Note.create({ count: -1, text: 'kept' });
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        const note = await Note.findById(_id);
        note?.set('count', i);
        await note?.save();
      }),
    );
    const found = await Note.findById(_id);
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(found?.count);
    expect(found?.text).toBe('kept');
    expect(await Note.count()).toBe(1);
  });

  it('EDGE-06 twenty finds give all fifty documents each', async () => {
    await Note.insertMany(Array.from({ length: 50 }, (_, count) => ({ count })));
    const results = await Promise.all(Array.from({ length: 20 }, () => Note.find()));
    const expected = Array.from({ length: 50 }, (_, i) => i);
    for (const notes of results) {
      expect(notes.map(({ count }) => count).toSorted((a, b) => Number(a) - Number(b))).toEqual(expected);
    }
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, long, model, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Note extends model('notes', {
  text: z.string().nullable().optional(),
  other: z.string().nullable().optional(),
  count: z.number().nullable().optional(),
  list: z.array(z.number()).optional(),
  record: z.record(z.string(), z.unknown()).optional(),
  big: long().optional(),
  free: z.unknown(),
}) {}

type NoteInput = ConstructorParameters<typeof Note>[0];

const database = useDatabase();
beforeEach(async () => {
  await Note.deleteMany({});
});

const reread = async (input: NoteInput): Promise<Note> => {
  const { _id } = await Note.create(input);
  const found = await Note.findById(_id);
  if (found === null) throw new Error('Expected the document to be stored');
  return found;
};

describe('text', () => {
  it.each([
    ['EDGE-07 five emoji', '😀🎉🚀❤️👨‍👩‍👧'],
    ['EDGE-07 Chinese', '你好世界'],
    ['EDGE-07 a mix of both', 'Hello 世界 🚀!'],
    ['EDGE-09 Arabic, from right to left', 'مرحبا بالعالم'],
    ['EDGE-10 a combining accent, which is not normalised', 'e\u0301'],
    ['EDGE-10 a zero-width space, which is not trimmed', '\u200Bab\u200Bc\u200B '],
    ['EDGE-14 the empty text', ''],
  ])('%s', async (_name, text) => {
    const found = await reread({ text });
    expect(found.text).toBe(text);
    expect((await Note.findOne({ text }))?._id).toEqual(found._id);
  });

  it('EDGE-08 a document is found by its Chinese text', async () => {
    await Note.create({ text: '中文', other: '日本語 한국어' });
    expect((await Note.findOne({ text: '中文' }))?.other).toBe('日本語 한국어');
  });

  it('EDGE-11 a filter on an emoji, and one on Chinese text', async () => {
    await Note.insertMany(Array.from({ length: 5 }, () => ({ text: '🚀', other: '测试' })));
    await Note.create({ text: '🎉', other: '其他' });
    expect(await Note.find({ text: '🚀' })).toHaveLength(5);
    expect(await Note.find({ other: '测试' })).toHaveLength(5);
  });
});

describe('nothing, and numbers', () => {
  it('EDGE-12 an empty array, and one assigned over it', async () => {
    const note = await reread({ list: [] });
    expect(note.list).toStrictEqual([]);
    note.list = [1, 2, 3];
    await note.save();
    expect((await Note.findById(note._id))?.list).toStrictEqual([1, 2, 3]);
  });

  it('EDGE-13 null stays null', async () => {
    const { _id } = await reread({ text: null, count: null });
    const lean = await Note.find({ _id }).lean();
    expect(lean).toStrictEqual([{ _id, text: null, count: null }]);
    expect((await Note.findById(_id))?.text).toBeNull();
  });

  it('EDGE-14 empty texts are neither null nor missing', async () => {
    const { _id } = await reread({ text: '', free: { inner: '' } });
    expect(await Note.find({ _id }).lean()).toStrictEqual([{ _id, text: '', free: { inner: '' } }]);
  });

  it('EDGE-15 an empty nested object', async () => {
    expect((await reread({ record: {} })).record).toStrictEqual({});
    expect((await reread({ record: { inner: {} } })).record).toStrictEqual({ inner: {} });
  });

  it('EDGE-16 the greatest and the least 64-bit integer', async () => {
    for (const big of [2n ** 63n - 1n, -(2n ** 63n)]) {
      const found = await reread({ big });
      expect(found.big).toBe(big);
      expect((await Note.findOne({ big }))?._id).toEqual(found._id);
    }
  });

  it.each([2n ** 63n, -(2n ** 63n) - 1n])('EDGE-17 %s is beyond 64 bits and is refused', async (big) => {
    database.sent();
    await expect(Note.create({ big })).rejects.toThrow(ValidationError);
    await expect(Note.create({ free: big })).rejects.toThrow(EncodeError);
    await expect(Note.create({ free: { list: [big] } })).rejects.toMatchObject({ keys: ['free', 'list', 0] });
    expect(database.sent()).toEqual([]);
  });

  it('EDGE-18 zeros in an array', async () => {
    expect((await reread({ list: [0, 0, 0] })).list).toStrictEqual([0, 0, 0]);
  });

  it.each([-1, -100, -1_000_000])('EDGE-19 %s', async (count) => {
    expect((await reread({ count })).count).toBe(count);
  });

  it('EDGE-20 a nested record with a plain key, and with odd ones', async () => {
    expect((await reread({ record: { plain: { inner: 1 } } })).record).toStrictEqual({ plain: { inner: 1 } });
    const odd = { 'a.b': 1, $c: 2, '': 3, 'd.': 4 };
    expect((await reread({ record: odd })).record).toStrictEqual(odd);
  });
});

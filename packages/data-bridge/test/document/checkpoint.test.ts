import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Checkpoint, model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Draft extends model(
  'drafts',
  {
    title: z.string().trim(),
    tags: z.array(z.string()).default([]),
    count: z.number().default(0),
    body: z.object({ text: z.string(), notes: z.array(z.string()).optional() }).optional(),
    note: z.string().nullable().optional(),
    made: z.date().default(() => new Date()),
  },
  { timestamps: true },
) {}

const database = useDatabase();

const stored = (draft: Draft) => Draft.findById(draft._id) as Promise<Draft>;

describe('$checkpoint()', () => {
  it('leads back to that moment', async () => {
    const draft = await Draft.create({ title: 'a', body: { text: 'x' } });
    draft.title = 'b';
    const checkpoint = draft.$checkpoint();
    expectTypeOf(checkpoint).toEqualTypeOf<Checkpoint>();
    draft.title = 'c';
    draft.tags.push('t');
    draft.body!.notes = ['n'];
    draft.unset('body');
    checkpoint.rollback();
    expect([draft.title, draft.tags, draft.body]).toEqual(['b', [], { text: 'x' }]);
    expect(draft.changes().map(({ path }) => path)).toEqual(['title']);
  });

  it('can be gone back to again, and from another one', async () => {
    const draft = await Draft.create({ title: 'a' });
    const checkpoints = ['x', 'y', 'z'].map((tag) => {
      const checkpoint = draft.$checkpoint();
      draft.tags.push(tag);
      return checkpoint;
    });
    const lengths = [2, 0, 1, 2, 1].map((at) => {
      checkpoints[at]?.rollback();
      const { length } = draft.tags;
      draft.tags.push('later');
      return length;
    });
    expect(lengths).toEqual([2, 0, 1, 2, 1]);
  });

  it('keeps atomic operators that wait', async () => {
    const draft = await Draft.create({ title: 'a', count: 1, tags: ['a', 'b'] });
    draft.$inc('count', 2).$pop('tags');
    const checkpoint = draft.$checkpoint();
    draft.$inc('count', 5).tags.push('t');
    checkpoint.rollback();
    expect([draft.count, draft.tags]).toEqual([3, ['a']]);
    await Draft.updateOne({ _id: draft._id }, { $inc: { count: 10 }, $push: { tags: 'c' } });
    await draft.save();
    expect([draft.count, (await stored(draft)).count]).toEqual([13, 13]);
    expect([draft.tags, (await stored(draft)).tags]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  it('leads back in memory alone when the document was saved since, and its times stay', async () => {
    const draft = await Draft.create({ title: 'a', count: 1 });
    const checkpoint = draft.$checkpoint();
    draft.title = 'b';
    draft.$inc('count');
    draft.tags.push('t');
    await draft.save();
    const { updatedAt } = draft;
    checkpoint.rollback();
    expect([draft.title, draft.count, draft.tags, draft.updatedAt]).toEqual(['a', 1, [], updatedAt]);
    expect((await stored(draft)).title).toBe('b');
    expect(
      draft
        .changes()
        .map(({ path }) => path)
        .toSorted(),
    ).toEqual(['count', 'tags', 'title']);
    await draft.save();
    expect(await stored(draft)).toMatchObject({ title: 'a', count: 1, tags: [] });
    expect((await stored(draft)).updatedAt.getTime()).toBeGreaterThanOrEqual(updatedAt.getTime());
  });

  it('leads back from null and from nothing after a save in between', async () => {
    const draft = await Draft.create({ title: 'a', tags: ['x'], note: null });
    const checkpoint = draft.$checkpoint();
    draft.count = 1;
    await draft.save();
    draft.title = null as never;
    draft.unset('tags');
    draft.unset('note');
    checkpoint.rollback();
    expect(draft).toMatchObject({ title: 'a', tags: ['x'], note: null, count: 0 });
    expect(draft.changes().map(({ path }) => path)).toEqual(['count']);
  });

  it('of a new document leads back after it was inserted, deleted or read again', async () => {
    const draft = new Draft({ title: ' a ' });
    const { _id } = draft;
    const checkpoint = draft.$checkpoint();
    draft.title = 'b';
    checkpoint.rollback();
    expect([draft.title, draft.$isNew]).toEqual([' a ', true]);
    draft.set('_id', new (_id.constructor as typeof import('mongodb').ObjectId)());
    checkpoint.rollback();
    expect(draft._id).toEqual(_id);
    draft.title = 'c';
    await draft.save();
    checkpoint.rollback();
    expect([draft.title, draft.$isNew, draft._id]).toEqual([' a ', false, _id]);
    await draft.save();
    expect([draft.title, (await stored(draft)).title]).toEqual(['a', 'a']);
    await Draft.updateOne({ _id }, { $set: { title: 'theirs' }, $unset: { count: '' } });
    await draft.reload();
    checkpoint.rollback();
    expect([draft.title, draft.count]).toEqual([' a ', 0]);
    expect(await draft.delete()).toBe(true);
    checkpoint.rollback();
    await expect(draft.save()).rejects.toThrow(/was deleted/);
  });

  it('leads back from the midst of a save, whose changes are stored all the same', async () => {
    const draft = await Draft.create({ title: 'a', count: 1 });
    draft.$inc('count', 2);
    const checkpoint = draft.$checkpoint();
    draft.title = 'b';
    const saving = draft.save({ validate: false });
    draft.title = 'c';
    checkpoint.rollback();
    expect([draft.title, draft.count]).toEqual(['a', 3]);
    await saving;
    expect(await stored(draft)).toMatchObject({ title: 'b', count: 3 });
    expect([draft.title, draft.count, draft.isModified('count')]).toEqual(['a', 3, false]);
    await draft.save();
    expect(await stored(draft)).toMatchObject({ title: 'a', count: 3 });
  });

  it('keeps defaults that were handed out', async () => {
    await database.db.collection('drafts').insertOne({ title: 'bare' });
    const draft = await Draft.find({ title: 'bare' }).one();
    const { made } = draft;
    draft.tags.push('kept');
    const checkpoint = draft.$checkpoint();
    draft.tags.push('lost');
    draft.made.setFullYear(1999);
    checkpoint.rollback();
    expect([draft.tags, draft.made.getFullYear() > 1999, made.getFullYear()]).toEqual([['kept'], true, 1999]);
  });

  it('keeps what was loaded of a part', async () => {
    const { _id } = await Draft.create({ title: 'a', tags: ['t'] });
    const part = await Draft.find({ _id }).select('tags').one();
    const checkpoint = part.$checkpoint();
    part.tags.push('u');
    await part.save();
    checkpoint.rollback();
    expect(part.tags).toEqual(['t']);
    expect(() => (part as Draft).title).toThrow(/was not loaded/);
    await part.save();
    expect(await stored(part as Draft)).toMatchObject({ title: 'a', tags: ['t'] });
  });
});

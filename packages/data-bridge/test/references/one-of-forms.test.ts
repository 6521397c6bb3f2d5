import { BSON } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidIdError, model, type ObjectId, ref } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';

/*
 * A reference to one of several models in every form that a program may give it, wherever it may be given: what is stored and
 * what is compared is the same, with its keys in order and an id of the model's type.
 */

const database = useDatabase();

class Post extends model('posts', { title: z.string() }) {}
class Tag extends model('tags', { _id: z.string(), text: z.string() }) {}
class Note extends model('notes', {
  text: z.string(),
  on: ref
    .oneOf<Post | Tag>(
      () => Post,
      () => Tag,
    )
    .optional(),
  all: ref
    .oneOf<Post | Tag>(
      () => Post,
      () => Tag,
    )
    .array(),
  more: z
    .array(
      zref.oneOf<Post | Tag>(
        () => Post,
        () => Tag,
      ),
    )
    .default([]),
  inside: z
    .object({
      on: zref
        .oneOf<Post | Tag>(
          () => Post,
          () => Tag,
        )
        .optional(),
    })
    .default({}),
}) {}

let post: Post;
let id: ObjectId;
beforeEach(async () => {
  await Promise.all([Note.deleteMany({}), Post.deleteMany({})]);
  post = await Post.create({ title: 'Hello' });
  id = post._id;
});

const forms: [string, () => object][] = [
  ['a document', () => post],
  ['a reference', () => Post.ref(id)],
  ['what is stored', () => ({ model: 'posts', id })],
  ['what JSON shows', () => ({ model: 'posts', id: String(id) })],
  ['with its keys turned round', () => ({ id, model: 'posts' })],
  ['what JSON shows, turned round', () => ({ id: String(id), model: 'posts' })],
];
const stored = () => ({ model: 'posts', id });
/** The one note that is there; the text shows the order of keys and the types of ids. */
const inDatabase = async () => {
  const note = await database.db.collection('notes').findOne();
  return expected(note?.['on'], note?.['all'], note?.['more'], note?.['inside']);
};
const expected = (...values: unknown[]) => BSON.EJSON.stringify(values);

describe.each(forms)('a reference given as %s', (_, given) => {
  const form = () => given() as never;

  it('is stored the same by new documents, assignments and saves', async () => {
    await Note.create({ text: 'new', on: form(), all: [form()], more: [form()], inside: { on: form() } });
    const all = expected(stored(), [stored()], [stored()], { on: stored() });
    expect(await inDatabase()).toBe(all);
    await Note.deleteMany({});
    const note = await Note.create({ text: 'assigned', all: [] });
    Object.assign(note, { on: form(), all: [form()], more: [form()], inside: { on: form() } });
    await note.save();
    expect(await inDatabase()).toBe(all);
  });

  it('is stored the same by updates', async () => {
    await Note.create({ text: 'set', all: [] });
    await Note.updateOne({}, { $set: { on: form(), all: [form()], more: [form()], inside: { on: form() } } });
    const all = expected(stored(), [stored()], [stored()], { on: stored() });
    expect(await inDatabase()).toBe(all);
    await Note.updateOne({}, { $addToSet: { all: form(), more: { $each: [form()] } } });
    expect(await inDatabase()).toBe(all);
    await Note.updateOne({}, { $pull: { all: form() }, $pullAll: { more: [form()] }, $unset: { on: '', inside: '' } });
    expect(await inDatabase()).toBe(expected(undefined, [], [], undefined));
    await Note.updateOne({}, { $set: { 'inside.on': form() }, $push: { all: form(), more: form() } });
    expect(await inDatabase()).toBe(expected(undefined, [stored()], [stored()], { on: stored() }));
  });

  it('is stored the same by an upsert, from its filter', async () => {
    await Note.updateOne({ text: 'upsert', on: form() }, { $set: { all: [form()] } }, { upsert: true });
    const [note] = await database.db.collection('notes').find().toArray();
    expect(Object.keys(note?.['on'] as object)).toEqual(['model', 'id']);
    expect(note).toMatchObject({ on: stored(), all: [stored()] });
  });

  it('is found by filters', async () => {
    const whole = { text: 'found', on: post, all: [post], more: [post], inside: { on: post } };
    await Note.create(whole);
    for (const filter of [
      { on: form() },
      { on: { $eq: form() } },
      { on: { $in: [form()] } },
      { all: form() },
      { more: form() },
      { all: [form()] },
      { more: [form()] },
      { all: { $all: [form()] } },
      { more: { $elemMatch: { $eq: form() } } },
      { all: { $elemMatch: { $eq: form() } } },
      { 'inside.on': form() },
      { inside: { on: form() } },
      { $or: [{ on: form() }] },
    ] as object[])
      expect([filter, await Note.count(filter)]).toEqual([filter, 1]);
    expect(await Note.count({ on: { $ne: form() } })).toBe(0);
    expect(await Note.count({ all: { $nin: [form()] } })).toBe(0);
    expect(await Note.findBy({ on: form() })).toHaveLength(1);
  });
});

describe('what is no such reference', () => {
  it('stands as it is in filters: other models, and keys that none has', async () => {
    await Note.create({ text: 'one', on: post, all: [] });
    expect(await Note.count({ on: { model: 'others', id } as never })).toBe(0);
    expect(await Note.count({ on: { model: 'posts', id, x: 1 } as never })).toBe(0);
  });

  it('keeps the ids of models whose ids are text', async () => {
    const text = String(id);
    await Note.updateOne({ text: 'tag' }, { $set: { on: { model: 'tags', id: text }, all: [] } }, { upsert: true });
    expect(await database.db.collection('notes').findOne()).toMatchObject({ on: { model: 'tags', id: text } });
    expect(await Note.count({ on: { model: 'tags', id: text } as never })).toBe(1);
  });

  it('is refused where an id is none', async () => {
    const wrong = { model: 'posts', id: 'nothing' } as never;
    await expect(Note.count({ on: wrong })).rejects.toBeInstanceOf(InvalidIdError);
  });

  it('stays as it is stored, turned round, while nobody assigns it', async () => {
    await database.db.collection('notes').insertOne({ text: 'old', on: { id, model: 'posts' }, all: [] });
    const note = await Note.findOne({ text: 'old' });
    expect(note!.on?.$id).toEqual(id);
    note!.text = 'new';
    expect(note!.changes().map(({ path }) => path)).toEqual(['text']);
    await note!.save();
    expect(Object.keys((await database.db.collection('notes').findOne())?.['on'] as object)).toEqual(['id', 'model']);
  });
});

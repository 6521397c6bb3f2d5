import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  backRef,
  type Filter,
  type LoadedRef,
  model,
  type ObjectId,
  ObjectId as Id,
  ref,
  RestrictedError,
  SchemaError,
  type StoredRef,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

class Writer extends model('writers', { name: z.string() }) {}
class Post extends model(
  'posts',
  { title: z.string(), author: ref<Writer>(() => Writer).optional() },
  { backRefs: { comments: backRef<Comment>(() => Comment, 'on') } },
) {}
class Photo extends model(
  'photos',
  { url: z.string() },
  { backRefs: { comments: backRef<Comment>(() => Comment, 'on'), seen: backRef<Comment>(() => Comment, 'seen.of') } },
) {}
class Tag extends model('tags', { _id: z.string(), text: z.string() }) {}
class Comment extends model(
  'comments',
  {
    text: z.string(),
    on: ref.oneOf<Post | Photo>(
      () => Post,
      () => Photo,
    ),
    also: ref
      .oneOf<Post | Photo>(
        () => Post,
        () => Photo,
        { onDelete: 'unset' },
      )
      .array(),
    seen: z
      .array(
        z.object({
          of: zref.oneOf<Photo | Tag>(
            () => Photo,
            () => Tag,
          ),
          n: z.int(),
        }),
      )
      .default([]),
    maybe: ref
      .oneOf<Post | Tag>(
        () => Post,
        () => Tag,
        { onDelete: 'cascade' },
      )
      .optional(),
    held: ref
      .oneOf<Photo | Tag>(
        () => Photo,
        () => Tag,
        { onDelete: 'restrict' },
      )
      .nullable(),
  },
  { indexes: [{ key: { on: 1 } }] },
) {}

const database = useDatabase();
let ann: Writer;
let post: Post;
let photo: Photo;
let tag: Tag;

const comment = (text: string, on: Post | Photo, others: object = {}): Promise<Comment> =>
  Comment.create({ text, on, also: [], held: null, ...others });
const stored = async (text: string): Promise<Record<string, unknown> | null> =>
  database.db.collection('comments').findOne({ text });

beforeEach(async () => {
  const all = [Writer, Post, Photo, Tag, Comment] as unknown as readonly (typeof Writer)[];
  await Promise.all(all.map((each) => each.deleteMany({}, { rules: 'ignore' })));
  ann = await Writer.create({ name: 'Ann' });
  post = await Post.create({ title: 'p', author: ann });
  photo = await Photo.create({ url: 'u' });
  tag = await Tag.create({ _id: 't', text: 'x' });
});

describe('ref.oneOf()', () => {
  it('stores which model and which id, and reads as a reference that instanceof tells', async () => {
    await comment('a', post, {
      also: [photo, Post.ref(post._id)],
      seen: [
        { of: tag, n: 1 },
        { of: photo, n: 2 },
      ],
    });
    await comment('b', photo, { maybe: { model: 'tags', id: 't' } });
    const onPost = { model: 'posts', id: post._id };
    const onPhoto = { model: 'photos', id: photo._id };
    expect(await stored('a')).toMatchObject({
      on: onPost,
      also: [onPhoto, onPost],
      seen: [
        { of: { model: 'tags', id: 't' }, n: 1 },
        { of: onPhoto, n: 2 },
      ],
      held: null,
    });
    const [a, b] = await Comment.find().sort({ text: 1 }).with('on', 'on.author', 'also', 'seen.of', 'maybe');
    const { $doc } = a!.on;
    if (!($doc instanceof Post)) throw new Error('a post');
    expectTypeOf($doc.author!.$doc).toEqualTypeOf<Writer | null>();
    expect([$doc.title, $doc.author?.$doc?.name]).toEqual(['p', 'Ann']);
    expect(b!.on.$doc).toBeInstanceOf(Photo);
    expect(a!.also.map((each) => each.$doc?.constructor)).toEqual([Photo, Post]);
    expect(a!.seen.map(({ of }) => of.$doc?.constructor)).toEqual([Tag, Photo]);
    expect([b!.maybe?.$id, b!.maybe?.$doc]).toEqual(['t', expect.objectContaining({ text: 'x' })]);
    expect([a!.isModified(), a!.on === a!.on]).toEqual([false, true]);
  });

  it('loads together: one query for each model, whatever the number of documents', async () => {
    for (const on of [post, photo, post, photo]) await comment('c', on);
    const gone = await Photo.create({ url: 'gone' });
    await comment('c', gone);
    await gone.delete({ rules: 'ignore' });
    const comments = await Comment.find().sort({ _id: 1 });
    database.sent();
    const loaded = [];
    for (const { on } of comments) loaded.push(await on.$load());
    expect(loaded.map((each) => each?.constructor ?? null)).toEqual([Post, Photo, Post, Photo, null]);
    expect(
      database
        .sent()
        .map(({ find }) => find as string)
        .toSorted(),
    ).toEqual(['photos', 'posts']);
    expect(comments[4]?.on.$id).toEqual(gone._id);
    const asked = await Comment.find()
      .sort({ _id: 1 })
      .with('on', (q) => q.whole());
    expect(asked[0]?.on.$doc).toBeInstanceOf(Post);
    const [one] = await Comment.find().sort({ _id: 1 });
    expectTypeOf((await one!.$load('on')).on.$doc).toEqualTypeOf<Post | Photo | null>();
  });

  it('takes documents, references and what is stored; another model, an id alone and other names are refused', async () => {
    const given = { text: 't', also: [], held: null };
    await Comment.insertMany([
      { ...given, on: Post.ref(post._id) },
      { ...given, on: { model: 'photos', id: String(photo._id) } },
    ]);
    expect((await stored('t'))?.['on']).toEqual({ model: 'posts', id: post._id });
    expect(await Comment.count({ on: photo })).toBe(1);
    for (const on of [
      ann,
      Writer.ref(ann._id),
      post._id,
      String(post._id),
      { model: 'writers', id: ann._id },
      { model: 'posts', id: 'short' },
      { model: 'posts', id: post._id, more: 1 },
      { id: post._id },
      7,
    ])
      await expect(Comment.create({ ...given, on: on as never })).rejects.toThrow(ValidationError);
    const error = await Comment.create({ ...given, on: ann as never }).catch((thrown: Error) => thrown);
    expect((error as Error).message).toContain('Expected a document of Post or Photo');
    const one = new Comment({ ...given, on: post });
    const wrong = (): void => {
      // @ts-expect-error another model
      one.on = ann;
      // @ts-expect-error another model
      one.assign({ on: ann });
      // @ts-expect-error nobody knows of which model it is
      void Comment.create({ ...given, on: post._id });
      // @ts-expect-error another model
      void Comment.find({ on: post._id });
    };
    expect(wrong).toBeTypeOf('function');
    expect((one.on as LoadedRef<Post | Photo>).$doc).toBe(post);
    expectTypeOf(one.on.$id).toEqualTypeOf<ObjectId>();
    expectTypeOf(one.toObject().on).toEqualTypeOf<StoredRef<ObjectId>>();
  });

  it('an assignment replaces it as a whole, so no two writers make one of two halves', async () => {
    const other = await Post.create({ title: 'q' });
    await comment('a', post, { also: [post], seen: [{ of: photo, n: 1 }] });
    const [one, two] = [await Comment.findOne(), await Comment.findOne()] as [Comment, Comment];
    one.on = other;
    expect(one.changes().map(({ path }) => path)).toEqual(['on']);
    two.on = photo;
    database.sent();
    await one.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { on: { model: 'posts', id: other._id } } });
    await two.save();
    expect((await stored('a'))?.['on']).toEqual({ model: 'photos', id: photo._id });
    two.on = Photo.ref(photo._id);
    expect(two.isModified()).toBe(false);
    two.also[0] = other;
    two.also.push(photo);
    two.seen[0]!.of = tag;
    await two.save();
    expect(await stored('a')).toMatchObject({
      also: [
        { model: 'posts', id: other._id },
        { model: 'photos', id: photo._id },
      ],
      seen: [{ of: { model: 'tags', id: 't' }, n: 1 }],
    });
    two.set('maybe', { model: 'posts', id: String(post._id) } as never);
    await two.save();
    expect([two.maybe?.$id, await two.maybe?.$load()]).toEqual([post._id, expect.any(Post)]);
  });

  it('filters and updates take documents, references and what is stored', async () => {
    await comment('a', post, { also: [photo], seen: [{ of: photo, n: 1 }] });
    await comment('b', photo);
    const found = async (filter: Filter<Comment>): Promise<string> =>
      (await Comment.find(filter)).map(({ text }) => text).join('');
    expect(await found({ on: post })).toBe('a');
    expect(await found({ on: { $in: [post, photo] } })).toBe('ab');
    expect(await found({ on: { $ne: Post.ref(post._id) } })).toBe('b');
    expect(await found({ on: { model: 'photos', id: photo._id } })).toBe('b');
    expect(await found({ also: photo, 'seen.of': photo })).toBe('a');
    expect(await found({ seen: { $elemMatch: { of: photo, n: 1 } } })).toBe('a');
    expect(() => Comment.find({ on: ann as never })).toThrow(/the _id of a Post or a Photo/);
    await Comment.updateOne({ text: 'a' }, { $set: { on: photo, 'seen.0.of': tag }, $push: { also: post } });
    expect(await stored('a')).toMatchObject({
      on: { model: 'photos', id: photo._id },
      also: [
        { model: 'photos', id: photo._id },
        { model: 'posts', id: post._id },
      ],
      seen: [{ of: { model: 'tags', id: 't' }, n: 1 }],
    });
    await Comment.ensureIndexes();
    database.sent();
    const plan = JSON.stringify(await Comment.find({ on: post }).explain());
    if (process.env['MONGODB_URI'] === undefined) expect(plan).toContain('on_1');
    const [row] = await Comment.find().lean().sort({ text: 1 });
    expectTypeOf(row!.on).toEqualTypeOf<StoredRef<ObjectId>>();
    expect(row!.on).toEqual({ model: 'photos', id: photo._id });
  });

  it('JSON and plain objects show what is stored, and documents that with() asked for', async () => {
    await comment('a', post, { also: [photo] });
    const [plain] = await Comment.find().lean().with('on', 'also');
    expect([plain?.on, plain?.also]).toMatchObject([{ title: 'p' }, [{ url: 'u' }]]);
    const json = JSON.parse(JSON.stringify(await Comment.findOne().with('on'))) as Record<string, unknown>;
    expect(json).toMatchObject({ on: { title: 'p' }, also: [{ model: 'photos', id: String(photo._id) }] });
    const read = await Comment.findOne();
    expect(read?.toObject().on).toEqual({ model: 'posts', id: post._id });
    await database.db.collection('comments').updateOne({}, { $set: { 'on.id': new Id() } });
    expect((await Comment.find().lean().with('on'))[0]?.on).toBeNull();
  });

  it('a name that is none of its models is refused when it is loaded, and keeps no other from it', async () => {
    await comment('a', post);
    await database.db.collection('comments').insertMany([
      { text: 'b', on: { model: 'writers', id: ann._id }, also: [], held: null },
      { text: 'c', on: 7, also: [], held: null },
    ]);
    const [a, b, c] = (await Comment.find().sort({ text: 1 })) as [Comment, Comment, Comment];
    expect(await a.on.$load()).toBeInstanceOf(Post);
    expect([b.on.$id, c.on.$id]).toEqual([ann._id, undefined]);
    for (const each of [b, c]) await expect(each.on.$load()).rejects.toThrow(/names one of "posts", "photos"/);
    await expect(Comment.find().with('on')).rejects.toThrow(UsageError);
    await expect(Comment.find().lean().with('on')).rejects.toThrow(UsageError);
    b.text = 'changed';
    await b.save();
    expect((await stored('changed'))?.['on']).toEqual({ model: 'writers', id: ann._id });
  });

  it('back references lead to the documents of the one model', async () => {
    await comment('a', post);
    await comment('b', photo, {
      seen: [
        { of: photo, n: 1 },
        { of: tag, n: 2 },
      ],
    });
    await comment('c', photo);
    // Another model's document with the same id.
    await database.db.collection('comments').insertOne({ text: 'x', on: { model: 'posts', id: photo._id } });
    const [found] = await Photo.find().with('comments', 'seen');
    expect(found?.comments.map(({ text }) => text)).toEqual(['b', 'c']);
    expect(await found?.comments[0]?.on.$load()).toBe(found);
    expect(found?.seen).toHaveLength(1);
    const [newest] = await Photo.find().with('comments', (q) => q.sort({ text: -1 }).limit(1));
    expect(newest?.comments.map(({ text }) => text)).toEqual(['c']);
    expect(await (await Photo.findOne())?.comments.$count()).toBe(2);
    const [lean] = await Photo.find().lean().with('comments');
    expect(lean?.comments.map(({ text }) => text)).toEqual(['b', 'c']);
    expect(() => Comment.aggregate().lookup('on' as never)).toThrow(/several models/);
  });

  it('delete rules hold for the documents of each model', async () => {
    await comment('a', post, { also: [photo, post, photo], maybe: post });
    await comment('b', photo, { also: [post, photo], held: tag });
    await comment('c', photo, { maybe: tag });
    await expect(tag.delete()).rejects.toThrow(RestrictedError);
    await photo.delete();
    expect((await stored('b'))?.['also']).toEqual([{ model: 'posts', id: post._id }]);
    expect((await stored('a'))?.['also']).toEqual([{ model: 'posts', id: post._id }]);
    await post.delete();
    expect([await stored('a'), (await stored('b'))?.['also']]).toEqual([null, []]);
    await Comment.updateOne({ text: 'b' }, { $set: { held: null } });
    expect(await Comment.count({ maybe: tag })).toBe(1);
    await tag.delete();
    expect((await Comment.find()).map(({ text }) => text)).toEqual(['b']);
  });

  it('what cannot be told apart is refused', () => {
    const two = [() => Post, () => Photo] as const;
    expect(() => ref.oneOf<Post>(() => Post)).toThrow(UsageError);
    expect(() => ref.oneOf<Post | Photo>(...two, { onDelete: 'gone' })).toThrow(/'restrict', 'cascade' or 'unset'/);
    expect(() => model('x', { a: z.union([zref.oneOf<Post | Photo>(...two), z.object({ b: z.string() })]) })).toThrow(
      SchemaError,
    );
    expect(() => model('x', { a: z.union([zref.oneOf<Post | Photo>(...two), z.string()]) })).toThrow(SchemaError);
    class Twice extends model('twice', {
      a: ref.oneOf<Post>(
        () => Post,
        () => Post,
      ),
    }) {}
    expect(() => new Twice({ a: post })).not.toThrow();
    return expect(Twice.create({ a: post })).rejects.toThrow(/one model of each collection/);
  });

  it('the JSON Schema names the models', () => {
    const { on } = (Comment.jsonSchema as { properties: Record<string, unknown> }).properties as { on: object };
    expect(on).toMatchObject({ required: ['model', 'id'], properties: { model: { enum: ['posts', 'photos'] } } });
  });
});

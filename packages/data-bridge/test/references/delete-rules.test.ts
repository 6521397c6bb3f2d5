import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, ref, RestrictedError, transaction, UsageError } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { rejectionOf } from '../support/rejection.ts';
import { useDatabase } from '../support/database.ts';

class Author extends model('authors', {
  name: z.string(),
  friend: ref<Author>(() => Author, { onDelete: 'cascade' }).optional(),
}) {}
class Category extends model('categories', { name: z.string() }) {}
class Book extends model(
  'books',
  {
    title: z.string(),
    author: ref<Author>(() => Author, { onDelete: 'cascade' }),
    category: ref<Category>(() => Category, { onDelete: 'restrict' }).optional(),
    readers: ref<Author>(() => Author, { onDelete: 'unset' }).array(),
    parent: ref<Book>(() => Book, { onDelete: 'cascade' }).optional(),
  },
  { timestamps: true },
) {}
class Review extends model('reviews', {
  text: z.string(),
  book: ref<Book>(() => Book, { onDelete: 'unset' }).optional(),
  old: ref<Book>(() => Book, { onDelete: 'unset' })
    .nullable()
    .optional(),
  last: ref<Book>(() => Book, { onDelete: 'unset' }).nullable(),
}) {}
/** Without rules. */
class Note extends model('notes', { author: ref<Author>(() => Author) }) {}

const deleted: string[] = [];
class Page extends model(
  'pages',
  { name: z.string(), book: ref<Book>(() => Book, { onDelete: 'cascade' }) },
  { history: true },
) {
  beforeDelete(): void {
    deleted.push(`before ${this.name}`);
  }

  afterDelete(): void {
    deleted.push(`after ${this.name}`);
  }
}

class Product extends model('products', { sku: z.string() }) {}
class Order extends model('orders', {
  lines: z.array(z.object({ product: zref<Product>(() => Product, { onDelete: 'unset' }).optional(), qty: z.int() })),
  gift: z.object({ product: zref<Product>(() => Product, { onDelete: 'unset' }).nullable() }).optional(),
  byName: z
    .record(
      z.string(),
      zref<Product>(() => Product, { onDelete: 'unset' }),
    )
    .default({}),
  deep: z
    .record(z.string(), z.object({ all: z.array(zref<Product>(() => Product, { onDelete: 'unset' })) }))
    .default({}),
  grid: z.array(z.array(zref<Product>(() => Product, { onDelete: 'unset' }))).default([]),
  pair: z.tuple([z.string(), zref<Product>(() => Product, { onDelete: 'unset' }).nullable()]).optional(),
  map: z
    .map(
      z.string(),
      zref<Product>(() => Product, { onDelete: 'unset' }),
    )
    .optional(),
}) {}

const database = useDatabase();

beforeEach(async () => {
  const rules = 'ignore';
  await Promise.all(
    [Author, Category, Book, Review, Note, Product, Order].map((each) =>
      (each as typeof Note).deleteMany({}, { rules }),
    ),
  );
  await Page.deleteMany({}, { history: false, rules: 'ignore' });
  deleted.length = 0;
});

const book = (title: string, author: Author, others: object = {}): Promise<Book> =>
  Book.create({ title, author, readers: [], ...others });

describe('onDelete', () => {
  it('without it a deletion leaves what refers (REL-05)', async () => {
    const ann = await Author.create({ name: 'Ann' });
    await Note.create({ author: ann });
    database.sent();
    expect(await ann.delete()).toBe(true);
    expect([await Author.count(), await Note.count()]).toEqual([0, 1]);
    expect((await Note.find().with('author'))[0]?.author.$doc).toBeNull();
  });

  it('cascade deletes what refers, level by level (REL-06)', async () => {
    const ann = await Author.create({ name: 'Ann' });
    const bob = await Author.create({ name: 'Bob' });
    const first = await book('a', ann);
    await book('b', ann, { parent: first });
    const kept = await book('c', bob);
    await book('d', bob, { parent: first });
    await Page.create({ name: 'p', book: first });
    expect(await ann.delete()).toBe(true);
    expect((await Book.find()).map(({ title }) => title)).toEqual([kept.title]);
    expect([await Author.count(), await Page.count()]).toEqual([1, 0]);
  });

  it('restrict refuses, before anything is written, and says what refers by which path', async () => {
    const ann = await Author.create({ name: 'Ann' });
    const news = await Category.create({ name: 'News' });
    await book('a', ann, { category: news });
    await book('b', ann, { category: news });
    const error = await rejectionOf(RestrictedError, news.delete());
    expect(error).toMatchObject({
      code: 'DATA_BRIDGE_RESTRICTED',
      model: 'categories',
      referrer: 'books',
      path: 'category',
      count: 2,
    });
    expect(error.message).not.toContain(String(news._id));
    for (const attempt of [
      () => Category.deleteOne({ name: 'News' }),
      () => Category.findOneAndDelete({ name: 'News' }),
      () => Category.deleteMany({}, { rules: 'apply' }),
      () => Category.find().delete({ rules: 'apply' }),
    ])
      await expect(attempt()).rejects.toThrow(RestrictedError);
    expect(await Category.count()).toBe(1);
    await Book.deleteMany({}, { rules: 'apply' });
    expect(await news.delete()).toBe(true);
  });

  it('what is deleted along restricts nothing', async () => {
    class Group extends model('groups', { name: z.string() }) {}
    class Member extends model('members', {
      group: ref<Group>(() => Group, { onDelete: 'cascade' }),
      rival: ref<Group>(() => Group, { onDelete: 'restrict' }).optional(),
    }) {}
    const group = await Group.create({ name: 'g' });
    const other = await Group.create({ name: 'h' });
    await Member.create({ group, rival: group });
    const member = await Member.create({ group: other, rival: group });
    const error = await rejectionOf(RestrictedError, group.delete());
    expect(error).toMatchObject({ referrer: 'members', path: 'rival', count: 2 });
    await member.delete();
    expect(await group.delete()).toBe(true);
    expect([await Group.count(), await Member.count()]).toEqual([1, 0]);
  });

  it('unset takes references out: of lists, and null or nothing for one alone, with the times of an update', async () => {
    const [ann, bob, eve] = (await Author.insertMany(['Ann', 'Bob', 'Eve'].map((name) => ({ name })))) as [
      Author,
      Author,
      Author,
    ];
    const read = await book('a', ann, { readers: [bob, eve, bob] });
    const before = read.updatedAt;
    const other = await book('b', ann, { readers: [eve] });
    const review = await Review.create({ text: 't', book: read, old: read, last: read });
    await bob.delete();
    const found = await Book.findById(read._id);
    expect(found?.readers.map(({ $id }) => $id)).toEqual([eve._id]);
    expect(found?.updatedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect((await Book.findById(other._id))?.readers).toHaveLength(1);
    await read.delete();
    const stored = await database.db.collection('reviews').findOne({ _id: review._id });
    expect(stored).toEqual({ _id: review._id, text: 't', last: null });
  });

  it('ends in circles', async () => {
    const ann = await Author.create({ name: 'Ann' });
    const bob = await Author.create({ name: 'Bob', friend: ann });
    ann.friend = bob;
    await ann.save();
    const self = await Author.create({ name: 'Self' });
    self.friend = self;
    await self.save();
    await ann.delete();
    expect((await Author.find()).map(({ name }) => name)).toEqual(['Self']);
    expect(await self.delete()).toBe(true);
    expect(await Author.count()).toBe(0);
  });

  it('reaches references in objects, lists, lists of lists, records, tuples and Maps', async () => {
    const [a, b] = (await Product.insertMany([{ sku: 'a' }, { sku: 'b' }])) as [Product, Product];
    const order = await Order.create({
      lines: [
        { product: a, qty: 1 },
        { product: b, qty: 2 },
        { product: a, qty: 3 },
      ],
      gift: { product: a },
      byName: { x: a, y: b },
      deep: { k: { all: [a, b, a] } },
      grid: [[a], [b, a], []],
      pair: ['p', a],
      map: new Map([
        ['x', a],
        ['y', b],
      ]),
    });
    const only = await Order.create({ lines: [], grid: [[b], [a]] });
    await a.delete();
    expect(await database.db.collection('orders').findOne({ _id: order._id })).toEqual({
      _id: order._id,
      lines: [{ qty: 1 }, { product: b._id, qty: 2 }, { qty: 3 }],
      gift: { product: null },
      byName: { y: b._id },
      deep: { k: { all: [b._id] } },
      grid: [[], [b._id], []],
      pair: ['p', null],
      map: { y: b._id },
    });
    expect((await Order.findById(only._id))?.toObject().grid).toEqual([[b._id], []]);
  });

  it('restrict and cascade find references inside of records and lists of lists', async () => {
    class Part extends model('parts', { name: z.string() }) {}
    class Box extends model('boxes', {
      parts: z
        .record(
          z.string(),
          zref<Part>(() => Part, { onDelete: 'cascade' }),
        )
        .optional(),
      rows: z.array(z.array(zref<Part>(() => Part, { onDelete: 'restrict' }))).optional(),
    }) {}
    const part = await Part.create({ name: 'p' });
    const box = await Box.create({ rows: [[], [part]] });
    await Box.create({ parts: { some: part } });
    await expect(part.delete()).rejects.toThrow(RestrictedError);
    expect(await Box.count()).toBe(2);
    await box.delete();
    await part.delete();
    expect(await Box.count()).toBe(0);
  });

  it('documents with hooks or a history are deleted one by one, so that both hold', async () => {
    const ann = await Author.create({ name: 'Ann' });
    const one = await book('a', ann);
    const page = await Page.create({ name: 'p', book: one });
    await ann.delete();
    expect(deleted).toEqual(['before p', 'after p']);
    expect((await Page.history(page._id)).items[0]?.kind).toBe('delete');
    const two = await book('b', await Author.create({ name: 'Bob' }));
    await Page.create({ name: 'q', book: two });
    await two.delete({ hooks: false });
    expect([deleted.length, await Page.count()]).toEqual([2, 0]);
  });

  it('what a hook refuses ends it, and a transaction takes all of it back', async () => {
    const ann = await Author.create({ name: 'Ann' });
    const one = await book('a', ann);
    await Page.create({ name: 'p', book: one });
    const end = Page.on('beforeDelete', () => {
      throw new Error('not this one');
    });
    await expect(transaction(() => ann.delete())).rejects.toThrow('not this one');
    end();
    expect([await Author.count(), await Book.count(), await Page.count()]).toEqual([1, 1, 1]);
    await expect(
      transaction(async () => {
        await ann.delete();
        expect([await Author.count(), await Book.count(), await Page.count()]).toEqual([0, 0, 0]);
        throw new Error('taken back');
      }),
    ).rejects.toThrow('taken back');
    expect([await Author.count(), await Book.count(), await Page.count()]).toEqual([1, 1, 1]);
    await transaction(() => Author.deleteOne({ name: 'Ann' }));
    expect([await Author.count(), await Book.count(), await Page.count()]).toEqual([0, 0, 0]);
  });
});

describe('deletions by a filter', () => {
  it('deleteOne and findOneAndDelete follow the rules of the document that they delete', async () => {
    const [ann, bob] = (await Author.insertMany([{ name: 'Ann' }, { name: 'Bob' }])) as [Author, Author];
    await book('a', ann);
    await book('b', bob);
    expect((await Author.deleteOne({ name: 'Nobody' })).deletedCount).toBe(0);
    expect(await Book.count()).toBe(2);
    expect((await Author.deleteOne({ name: 'Ann' })).deletedCount).toBe(1);
    expect((await Book.find()).map(({ title }) => title)).toEqual(['b']);
    const gone = await Author.findOneAndDelete({}, { sort: { name: -1 } });
    expect([gone?.name, await Book.count()]).toEqual(['Bob', 0]);
    expect(await Author.findOneAndDelete({})).toBeNull();
  });

  it('methods that delete many ask what becomes of the rules', async () => {
    const [ann, bob] = (await Author.insertMany([{ name: 'Ann' }, { name: 'Bob' }])) as [Author, Author];
    await book('a', ann);
    await book('b', bob);
    for (const attempt of [
      () => Author.deleteMany({}),
      () => Author.find().delete(),
      () => Author.bulk().deleteOne({}).execute(),
      () => Author.bulk().deleteMany({}).execute(),
    ])
      await expect(attempt()).rejects.toThrow(/rules: 'apply'.*rules: 'ignore'/);
    await expect(Author.deleteMany({}, { rules: 'both' as 'apply' })).rejects.toThrow(UsageError);
    await expect(ann.delete({ rules: true as never })).rejects.toThrow(UsageError);
    expect(await Author.count()).toBe(2);
    await Note.deleteMany({});
    expect(await Author.find({ name: 'Ann' }).delete({ rules: 'ignore' })).toMatchObject({ deletedCount: 1 });
    expect(await Book.count()).toBe(2);
    expect((await Author.deleteMany({}, { rules: 'apply' })).deletedCount).toBe(1);
    expect((await Book.find()).map(({ title }) => title)).toEqual(['a']);
    expect((await Book.find().delete({ rules: 'apply' })).deletedCount).toBe(1);
  });

  it('a bulk write follows the rules of each deletion just before it', async () => {
    const [ann, bob] = (await Author.insertMany([{ name: 'Ann' }, { name: 'Bob' }])) as [Author, Author];
    await book('a', ann);
    const results = await Author.bulk()
      .updateOne({ name: 'Bob' }, { $set: { friend: ann } })
      .insertOne({ name: 'Eve' })
      .deleteOne({ name: 'Ann' })
      .insertOne({ name: 'Una' })
      .deleteMany({ name: { $in: ['Eve', 'Una'] } })
      .execute({ rules: 'apply' });
    expect(results.map(({ operation }) => operation)).toEqual([
      'updateOne',
      'insertOne',
      'deleteOne',
      'insertOne',
      'deleteMany',
    ]);
    expect(results.map((each) => each.deletedCount)).toEqual([undefined, undefined, 1, undefined, 2]);
    expect([await Author.count(), await Book.count(), await Author.exists({ _id: bob._id })]).toEqual([0, 0, false]);
  });

  it('in a bulk write what restricts is the error of its operation', async () => {
    const news = await Category.create({ name: 'News' });
    const ann = await Author.create({ name: 'Ann' });
    await book('a', ann, { category: news });
    const attempt = (ordered: boolean) =>
      Category.bulk()
        .deleteOne({ name: 'News' })
        .insertOne({ name: 'Sport' })
        .execute({ rules: 'apply', ordered })
        .then(
          () => null,
          (error: { results: readonly { error?: unknown; insertedId?: unknown }[] }) => error.results,
        );
    const stopped = await attempt(true);
    expect(stopped?.[0]?.error).toBeInstanceOf(RestrictedError);
    expect([stopped?.[1]?.insertedId, await Category.count()]).toEqual([undefined, 1]);
    const went = await attempt(false);
    expect(went?.[0]?.error).toBeInstanceOf(RestrictedError);
    expect(await Category.count()).toBe(2);
    await Category.bulk().deleteMany({}).execute({ rules: 'ignore' });
    expect(await Category.count()).toBe(0);
  });
});

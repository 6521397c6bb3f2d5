import { ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import {
  type Filter,
  model,
  ref,
  RefNotLoadedError,
  type Ref,
  SchemaError,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { useDatabase, onlyUpdate } from '../support/database.ts';
import { Author, Book, Country, Product, Publisher } from '../support/library.ts';

describe('references', () => {
  const database = useDatabase();
  let ann: Author;
  let bob: Author;
  let pen: Product;

  beforeAll(async () => {
    ann = await Author.create({ name: 'Ann' });
    bob = await Author.create({ name: 'Bob' });
    pen = await Product.create({ sku: 'pen' });
    await Country.create({ _id: 'IT', name: 'Italy' });
  });

  beforeEach(() => {
    database.sent();
  });

  const newBook = async (): Promise<Book> =>
    Book.create({
      title: 't',
      author: ann,
      editors: [ann, bob._id, bob._id.toHexString()],
      lines: [{ product: pen, qty: 1, made: { country: 'IT' } }],
      places: { home: 'IT' },
      pair: [ann, 2],
      part: { kind: 'product', of: pen },
    });

  const stored = async (book: Book) => Book.collection.findOne({ _id: book._id });

  it('are stored as ids, wherever they stand', async () => {
    const book = await newBook();
    expect(await stored(book)).toEqual({
      _id: book._id,
      title: 't',
      year: 2000,
      author: ann._id,
      editors: [ann._id, bob._id, bob._id],
      lines: [{ product: pen._id, qty: 1, made: { country: 'IT' } }],
      places: { home: 'IT' },
      pair: [ann._id, 2],
      part: { kind: 'product', of: pen._id },
    });
  });

  it('read as a Ref, the same one each time, wherever they stand (REL-07)', async () => {
    const { _id } = await newBook();
    const book = (await Book.findById(_id)) as Book;
    expectTypeOf(book.author).toEqualTypeOf<Ref<Author>>();
    expectTypeOf(ann.publisher).toEqualTypeOf<Ref<Publisher> | undefined>();
    expectTypeOf(book.editors).toEqualTypeOf<Ref<Author>[]>();
    const part = book.part?.kind === 'product' ? book.part.of : undefined;
    const all: [{ readonly $id: unknown; readonly $isLoaded: boolean } | undefined, unknown][] = [
      [book.author, ann._id],
      [book.editors[1], bob._id],
      [book.lines[0]?.product, pen._id],
      [book.lines[0]?.made?.country, 'IT'],
      [book.places['home'], 'IT'],
      [book.pair?.[0], ann._id],
      [part, pen._id],
    ];
    for (const [reference, id] of all) {
      expect(reference?.$id).toEqual(id);
      expect(reference?.$isLoaded).toBe(false);
      expect(() => (reference as unknown as { $doc: unknown }).$doc).toThrow(RefNotLoadedError);
    }
    expect(book.author).toBe(book.author);
    expect(book.editors[1]).toBe(book.editors[1]);
    expect(book.places['home']).toBe(book.places['home']);
    expect(book.pair?.[1]).toBe(2);
    const text = await Book.create({ title: 'x', author: ann, editors: [], part: { kind: 'text', of: 'a text' } });
    expect((await Book.findById(text._id))?.part?.of).toBe('a text');
  });

  it('reading and loading them changes nothing', async () => {
    const { _id } = await newBook();
    const book = (await Book.findById(_id)) as Book;
    await book.$load('author', 'editors', 'lines.product', 'lines.made.country', 'places', 'pair', 'part.of');
    expect(book.isModified()).toBe(false);
    expect(book.changes()).toEqual([]);
    database.sent();
    await book.save();
    expect(database.sent()).toEqual([]);
    expect(book.toObject()).toEqual(await stored(book));
  });

  it('speak ids in toObject, changes, lean, JSON and logs', async () => {
    const book = await newBook();
    const object = book.toObject();
    expectTypeOf(object.author).toEqualTypeOf<ObjectId>();
    expectTypeOf(object.editors).toEqualTypeOf<ObjectId[]>();
    expect(object).toEqual(await stored(book));
    const lean = (await Book.findById(book._id).lean()) as NonNullable<Awaited<ReturnType<typeof leanOf>>>;
    expectTypeOf(lean.author).toEqualTypeOf<ObjectId>();
    expect(lean.author).toEqual(ann._id);
    book.author = bob;
    book.editors.push(ann);
    expect(book.changes()).toEqual([
      { path: 'author', keys: ['author'], from: ann._id, to: bob._id },
      expect.objectContaining({ path: 'editors' }),
    ]);
    expect(JSON.parse(JSON.stringify(book))).toMatchObject({ author: bob._id.toHexString(), places: { home: 'IT' } });
    expect(inspect(book)).not.toContain('Ann');
    expect(inspect(book.author)).toBe(`Ref ${inspect(bob._id)}`);
  });

  async function leanOf(book: Book) {
    return Book.findById(book._id).lean();
  }

  it('take a document and hold it (REL-16, REL-18, REL-20)', async () => {
    const { _id } = await newBook();
    const book = (await Book.findById(_id)) as Book;
    database.sent();
    book.author = bob;
    expect(book.author.$id).toEqual(bob._id);
    expect(book.author.$isLoaded).toBe(true);
    expect(await book.author.$load()).toBe(bob);
    expect((await book.author.$load())?.label).toBe('~Bob');
    expect(database.sent()).toEqual([]);
    await book.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { author: bob._id } });
    expect(await book.author.$load()).toBe(bob);
    const made = new Book({ title: 'new', author: bob, editors: [ann] });
    expect(await made.author.$load()).toBe(bob);
    expect(await made.editors[0]?.$load()).toBe(ann);
  });

  it('take Model.ref(id), which holds no document (REL-17, REL-20)', async () => {
    const book = await newBook();
    const reference = Author.ref(bob._id);
    expectTypeOf(reference).toEqualTypeOf<Ref<Author>>();
    expect([reference.$id, reference.$isLoaded]).toEqual([bob._id, false]);
    expect(Author.ref(bob._id.toHexString()).$id).toEqual(bob._id);
    expect(() => Author.ref('no id')).toThrow(UsageError);
    expect((await reference.$load())?.name).toBe('Bob');
    book.author = Author.ref(bob._id);
    expect(book.author.$isLoaded).toBe(false);
    await book.save();
    expect((await stored(book))?.['author']).toEqual(bob._id);
    const { author } = book;
    book.author = author;
    book.author = Author.ref(bob._id);
    expect(book.isModified()).toBe(false); // REL-21
  });

  it('in lists and elements they are pushed as documents, and sent as ids', async () => {
    const { _id } = await newBook();
    const book = (await Book.findById(_id)) as Book;
    book.editors.push(ann);
    book.lines.push({ product: pen, qty: 2 });
    book.places['away'] = Country.ref('IT');
    expect(book.changes().map(({ path }) => path)).toEqual(['editors', 'lines', 'places.away']);
    expect(await book.editors.at(-1)?.$load()).toBe(ann);
    database.sent();
    await book.save();
    expect(onlyUpdate(database.sent())).toEqual({
      $push: { editors: { $each: [ann._id] }, lines: { $each: [{ product: pen._id, qty: 2 }] } },
      $set: { 'places.away': 'IT' },
    });
    expect(book.isModified()).toBe(false);
    expect(await book.lines[1]?.product.$load()).toBe(pen);
    book.$push('editors', bob, ann);
    await book.save();
    expect((await stored(book))?.['editors']).toEqual([ann._id, bob._id, bob._id, ann._id, bob._id, ann._id]);
    book.$pull('editors', bob);
    await book.save();
    expect((await stored(book))?.['editors']).toEqual([ann._id, ann._id, ann._id]);
    book.set('author', bob);
    book.set('lines.0.product', pen);
    expect(book.get('author').$id).toEqual(bob._id);
    await book.save({ validate: false });
    expect((await stored(book))?.['author']).toEqual(bob._id);
  });

  it.each<readonly [unknown, string]>([
    ['secret', 'a string'],
    [5, 'a number'],
    [{ _id: 'secret' }, 'an object'],
    [{ connect: { id: 'secret' } }, 'an object'],
  ])('refuse %j, and say what it is', async (wrong, kind) => {
    const book = await newBook();
    const expected = `Validation failed for "author": Expected the _id of an Author or such a document, got ${kind}.`;
    await expect(Book.create({ title: 'x', author: wrong as never, editors: [] })).rejects.toThrow(expected);
    book.author = wrong as never;
    await expect(book.save()).rejects.toThrow(expected);
  });

  it('stand for their documents where ids are asked for, and are their ids in texts', async () => {
    const book = await newBook();
    const { author } = book;
    expect(`/authors/${String(author)}`).toBe(`/authors/${author.$id.toHexString()}`);
    expect((await Author.findById(author))?.name).toBe('Ann');
    expect(await Author.count({ _id: author })).toBe(1);
    expect(await Author.count({ _id: { $in: [author] } })).toBe(1);
    const found = await author.$load();
    if (found === null) throw new Error('gone');
    const asked = Book.aggregate();
    for (const each of [author, found, found._id, found._id.toHexString()])
      expect(await asked.match({ author: each }).count('n')).toEqual(
        await asked.match({ author: found._id }).count('n'),
      );
    expect(await asked.match({ author: found }).count('n')).not.toEqual([]);
    // @ts-expect-error a title is a text
    expect(() => asked.match({ title: found })).toThrow('"title" cannot be stored');
  });

  it('refuse what is no such document, and say so without a value', async () => {
    const acme = await Publisher.create({ name: 'Acme', owner: null });
    const book = await newBook();
    // @ts-expect-error a publisher is no author
    book.author = acme;
    await expect(book.save()).rejects.toThrow(
      'Expected the _id of an Author or such a document, got a reference to a Publisher',
    );
    // @ts-expect-error a reference of another model
    book.author = Publisher.ref(acme._id);
    await expect(book.save()).rejects.toThrow(ValidationError);
    // @ts-expect-error an id is no reference: Author.ref(id)
    book.author = ann._id;
    await book.save();
    expect(book.author.$id).toEqual(ann._id);
    // @ts-expect-error as above
    book.editors.push(acme);
    await expect(book.save()).rejects.toThrow('editors.3');
    await expect(
      // @ts-expect-error the elements are checked, too
      Book.create({ title: 'x', author: ann, editors: [], lines: [{ product: ann, qty: 1 }] }),
    ).rejects.toThrow('lines.0.product');
  });

  it('stand for their ids in filters and updates, at any depth', async () => {
    const { _id } = await newBook();
    const found = async (filter: Filter<Book>) => Book.count({ $and: [{ _id }, filter] });
    const reference = (await Book.findById(_id))?.author as Ref<Author>;
    expect(await found({ author: ann })).toBe(1);
    expect(await found({ author: reference })).toBe(1);
    expect(await found({ author: ann._id.toHexString() })).toBe(1);
    expect(await found({ author: { $in: [ann, bob._id] } })).toBe(1);
    expect(await found({ author: { $ne: ann } })).toBe(0);
    expect(await found({ editors: bob })).toBe(1);
    expect(await found({ 'lines.product': pen })).toBe(1);
    expect(await found({ lines: { $elemMatch: { product: pen, qty: 1 } } })).toBe(1);
    expect(await found({ 'lines.made.country': Country.ref('IT') })).toBe(1);
    expect(await Book.findBy({ _id, author: ann }).count()).toBe(1);
    // @ts-expect-error a number is no author
    void Book.find({ author: 5 });
    // @ts-expect-error nor is a publisher
    expect(() => Book.find({ author: new Publisher({ name: 'x', owner: null }) })).toThrow(UsageError);
    expect(() => Book.find({ 'lines.product': ann as never })).toThrow('the _id of a Product');
    await Book.updateOne({ _id }, { $set: { author: bob, 'lines.0.product': pen }, $push: { editors: bob } });
    await Book.updateOne({ _id }, { $push: { lines: { product: pen, qty: 3 } } });
    await Book.updateOne({ _id }, { $pull: { editors: ann } });
    expect(await Book.collection.findOne({ _id })).toMatchObject({
      author: bob._id,
      editors: [bob._id, bob._id, bob._id],
      lines: [{ product: pen._id }, { product: pen._id, qty: 3 }],
    });
    expect((await Author.findById(reference.$id))?.name).toBe('Ann');
  });

  it('are refused beside other simple values, which nobody could tell apart', () => {
    const wrong = { of: z.union([zref<Author>(() => Author), z.string()]) };
    expect(() => model('wrong', wrong)).toThrow(SchemaError);
    expect(() => model('wrong', { deep: z.array(z.object(wrong)) })).toThrow('At "deep.*.of" a union has a reference');
    expect(() =>
      model('right', { of: z.union([zref<Author>(() => Author), z.null(), z.object({ a: z.int() })]) }),
    ).not.toThrow();
  });

  it('are refused in a schema that is made after the model', () => {
    const made: z.ZodType[] = [];
    class Late extends model('late', { of: z.lazy(() => (made[0] as z.ZodType).optional()) }) {}
    made.push(zref<Author>(() => Author));
    expect(() => Late.hydrate({ _id: new ObjectId(), of: ann._id })).toThrow('make that part before the model');
  });

  it('null and undefined stay what they are', async () => {
    const acme = await Publisher.create({ name: 'Acme', owner: null });
    expect((await Publisher.findById(acme._id))?.owner).toBeNull();
    expect((await Author.findById(ann._id))?.mentor).toBeUndefined();
    const cat = await Author.create({ name: 'Cat', mentor: ann });
    cat.mentor = undefined;
    await cat.save();
    expect(await Author.collection.findOne({ _id: cat._id })).toEqual({ _id: cat._id, name: 'Cat' });
    class Noted extends model('noted', { of: ref<Author>(() => Author).nullable() }) {}
    const noted = new Noted({ of: null });
    noted.of = ann;
    expect((await noted.of.$load())?.name).toBe('Ann');
  });

  it('of a default are read as such, and are no change', async () => {
    class Draft extends model('drafts', { by: zref<Author>(() => Author).default(() => ann) }) {}
    const _id = new ObjectId();
    await Draft.collection.insertOne({ _id });
    const draft = (await Draft.findById(_id)) as Draft;
    expect(draft.by.$id).toEqual(ann._id);
    expect(draft.isModified()).toBe(false);
    database.sent();
    await draft.save();
    expect(database.sent()).toEqual([]);
    const made = await Draft.create({});
    expect(await Draft.collection.findOne({ _id: made._id })).toEqual({ _id: made._id, by: ann._id });
  });

  it('are copied, rolled back and kept by checkpoints as ids', async () => {
    const { _id } = await newBook();
    const book = (await Book.findById(_id)) as Book;
    const point = book.$checkpoint();
    book.author = bob;
    const copy = book.$clone();
    expect(copy.author.$id).toEqual(bob._id);
    point.rollback();
    expect(book.author.$id).toEqual(ann._id);
    book.editors.pop();
    book.rollback();
    expect(book.editors.map((each) => each.$id)).toEqual([ann._id, bob._id, bob._id]);
  });
});

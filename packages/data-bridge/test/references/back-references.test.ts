import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backRef, model, ref, RefNotLoadedError, SchemaError, transaction, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Author, Book, Product } from '../support/library.ts';

describe('back references', () => {
  const database = useDatabase();
  let ann: Author;
  let bob: Author;
  let eve: Author;

  beforeAll(async () => {
    ann = await Author.create({ name: 'Ann' });
    bob = await Author.create({ name: 'Bob', mentor: ann });
    eve = await Author.create({ name: 'Eve', mentor: ann });
    const pen = await Product.create({ sku: 'pen' });
    const lines = [
      { product: pen, qty: 1 },
      { product: pen, qty: 2 },
    ];
    await Book.insertMany([
      ...[2, 5, 1, 4, 3].map((i) => ({ title: `a${i}`, year: 2000 + i, author: ann, editors: [bob, bob], lines })),
      { title: 'b1', year: 2001, author: bob, editors: [ann] },
    ]);
  });

  beforeEach(() => {
    database.sent();
  });

  const asked = (): string[] => database.sent().map((command) => String(command['find'] ?? command['aggregate']));

  it('are lists once a query was asked for them, by one query for all (REL-15, REL-22, REL-23, REL-24, REL-25)', async () => {
    const authors = await Author.find().sort({ name: 1 }).with('books', 'edited.author');
    expect(asked()).toEqual(expect.arrayContaining(['authors', 'books', 'books', 'authors']));
    expect(authors.map(({ books }) => books.length)).toEqual([5, 1, 0]);
    const titles: string[] = [];
    for (const book of authors[1]?.books ?? []) titles.push(book.title);
    expect(titles).toEqual(['b1']);
    expect(authors[1]?.books[0]?.title).toBe('b1');
    expect([...(authors[2]?.books ?? [])]).toEqual([]);
    expect(authors[1]?.edited.map(({ title }) => title).toSorted()).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
    const name: string | undefined = authors[1]?.edited[0]?.author.$doc?.name;
    expect(name).toBe('Ann');
    expect(authors[0]?.books).toBe(authors[0]?.books);
    expect(await authors[0]?.books[0]?.author.$load()).toBe(authors[0]);
    expect(authors.some((author) => author.isModified())).toBe(false);
    expect(() => (authors[0] as unknown as { books: unknown[] }).books.push(1)).toThrow(TypeError);
    const [pen] = await Product.find().with('sold');
    expect(pen?.sold).toHaveLength(5);
    const [lead] = await Author.find({ name: 'Ann' }).with('pupils.pupils');
    expect(lead?.pupils.map((pupil) => [pupil.name, pupil.pupils.length])).toEqual([
      ['Bob', 0],
      ['Eve', 0],
    ]);
  });

  it('before that say so, whatever is asked of them', async () => {
    const author = (await Author.findOne({ name: 'Ann' })) as Author;
    const books = author.books as unknown as unknown[];
    expect(author.books.$isLoaded).toBe(false);
    for (const ask of [() => books.length, () => books[0], () => [...books], () => books.map(String)])
      expect(ask).toThrow(RefNotLoadedError);
    // @ts-expect-error not loaded
    expect(() => author.books.length).toThrow(
      '"books" was not loaded: ask for it by with("books"), or await its $load().',
    );
    expect(inspect(author.books)).toContain('not loaded');
    expect(JSON.parse(JSON.stringify(author))).toEqual({ _id: ann._id.toHexString(), name: 'Ann' });
  });

  it('$load() and $count() ask once for all documents of a result', async () => {
    const authors = await Author.find().sort({ name: 1 });
    database.sent();
    const counts: number[] = [];
    for (const author of authors) counts.push(await author.books.$count());
    expect(counts).toEqual([5, 1, 0]);
    expect(asked()).toEqual(['authors']);
    const lengths: number[] = [];
    for (const author of authors) lengths.push((await author.books.$load()).length);
    expect(lengths).toEqual([5, 1, 0]);
    expect(asked()).toEqual(['books']);
    expect(await authors[0]?.books.$count()).toBe(5);
    expect(authors[0]?.books.$isLoaded).toBe(true);
    const [loaded] = await Author.find({ name: 'Ann' });
    const titles = (await loaded?.$load('books.editors'))?.books.map((book) => book.editors[0]?.$doc?.name);
    expect(titles).toEqual(['Bob', 'Bob', 'Bob', 'Bob', 'Bob']);
    expect(asked().slice(1)).toEqual(['authors', 'books', 'authors'].slice(1));
    const [x, y] = await Promise.all([ann.books.$count(), ann.edited.$count()]);
    expect([x, y]).toEqual([5, 1]);
    await transaction(async () => {
      await Book.create({ title: 'within', author: eve, editors: [] });
      const inside = await Author.findOne({ name: 'Eve' }).with('books');
      expect([inside?.books.length, await (await Author.findOne({ name: 'Eve' }))?.books.$count()]).toEqual([1, 1]);
      throw new Error('taken back');
    }).catch((error: Error) => expect(error.message).toBe('taken back'));
  });

  it('of each document the newest few, by one more command', async () => {
    const newest = await Author.find()
      .sort({ name: 1 })
      .with('books', (books) => books.sort({ year: -1 }).limit(2));
    expect(newest.map(({ books }) => books.map(({ title }) => title))).toEqual([['a5', 'a4'], ['b1'], []]);
    expect(asked()).toEqual(['authors', 'authors', 'books']);
    const [second] = await Author.find({ name: 'Ann' }).with('books', (books) =>
      books.sort({ year: 1 }).skip(1).limit(2).select('title').with('editors'),
    );
    expect(second?.books.map(({ title }) => title)).toEqual(['a2', 'a3']);
    const editor: string | undefined = second?.books[0]?.editors[0]?.$doc?.name;
    expect(editor).toBe('Bob');
    const [sorted] = await Author.find({ name: 'Ann' }).with('books', (books) => books.sort({ year: 1 }));
    expect(sorted?.books.map(({ title }) => title)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
    const [edited] = await Author.find({ name: 'Bob' }).with('edited', (books) => books.sort({ year: -1 }).limit(1));
    expect(edited?.edited.map(({ title }) => title)).toEqual(['a5']);
    const [lean] = await Author.find({ name: 'Ann' })
      .lean()
      .with('books', (books) => books.sort({ year: -1 }).limit(2));
    expect(lean?.books.map(({ title }) => title)).toEqual(['a5', 'a4']);
    // @ts-expect-error a year is not sorted by a text
    expect(() => Author.find().with('books', (books) => books.sort({ year: 'no' }))).toThrow(UsageError);
    expect(() => Author.find().with('books', (books) => books.lean())).toThrow(UsageError);
  });

  it('after lean() are lists of plain objects', async () => {
    const authors = await Author.find().sort({ name: 1 }).lean().with('books.editors', 'mentor');
    expect(authors.map(({ books }) => books.length)).toEqual([5, 1, 0]);
    const name: string | undefined = authors[0]?.books[0]?.editors[0]?.name;
    expect([name, authors[1]?.mentor?.name]).toEqual(['Bob', 'Ann']);
    expect(authors[0]?.books[0]).not.toBeInstanceOf(Book);
  });

  it('JSON shows them where a query was asked for them', async () => {
    const author = await Author.findOne({ name: 'Bob' }).with('books', (books) => books.select('title'));
    expect(JSON.parse(JSON.stringify(author))).toMatchObject({ name: 'Bob', books: [{ title: 'b1' }] });
    const loaded = await Author.findOne({ name: 'Bob' });
    await loaded?.books.$load();
    expect(JSON.parse(JSON.stringify(loaded))).not.toHaveProperty('books');
    expect(loaded?.toObject()).not.toHaveProperty('books');
  });

  it('end in JSON where they come back to a document, which is its id there', async () => {
    const json = async (asked: PromiseLike<unknown>): Promise<unknown> => JSON.parse(JSON.stringify(await asked));
    const id = bob._id.toHexString();
    const author = await json(Author.findOne({ name: 'Bob' }).with('books.author'));
    expect(author).toMatchObject({ name: 'Bob', books: [{ title: 'b1', author: id }] });
    expect(await json(Author.find({ name: 'Bob' }).with('books.author.books.author'))).toMatchObject([
      author as object,
    ]);
    const books = await json(Book.find({ title: 'b1' }).with('author.books.author.mentor'));
    expect(books).toMatchObject([{ title: 'b1', author: { name: 'Bob', books: [{ title: 'b1', author: id }] } }]);
    const lean = await json(Author.findOne({ name: 'Bob' }).lean().with('books.author'));
    expect(lean).toMatchObject({ name: 'Bob', books: [{ title: 'b1', author: { name: 'Bob' } }] });
    // What went wrong leaves no document half written.
    class Own extends model('json_own', { n: z.int() }, { json: ['wrong'] }) {
      isWrong = true;
      get wrong(): number {
        if (this.isWrong) throw new Error('wrong');
        return 1;
      }
    }
    const own = new Own({ n: 1 });
    expect(() => JSON.stringify(own)).toThrow('wrong');
    own.isWrong = false;
    expect(JSON.parse(JSON.stringify(own))).toEqual({ _id: own._id.toHexString(), n: 1, wrong: 1 });
  });

  it('are no fields: not given, not found by, not set', async () => {
    // @ts-expect-error no field
    await expect(Author.create({ name: 'x', books: [] })).rejects.toThrow('"books"');
    // @ts-expect-error no field
    void Author.find({ books: [] });
    // @ts-expect-error read only
    expect(() => (ann.books = [])).toThrow(TypeError);
    expect(Author.jsonSchema['properties']).not.toHaveProperty('books');
    expect(ann.isModified()).toBe(false);
  });

  it('are declared by a path that leads back, which is checked when they are first used', async () => {
    class Wrong extends model(
      'wrong',
      { name: z.string() },
      {
        backRefs: {
          none: backRef<Book>(() => Book, 'title'),
          other: backRef<Book>(() => Book, 'author'),
          broken: backRef<Book>(() => 'Book', 'author'),
        },
      },
    ) {}
    expect(() => Wrong.find().with('none')).toThrow('the field "title" of Book is no reference to "wrong"');
    expect(() => Wrong.find().with('other')).toThrow(SchemaError);
    await expect(new Wrong({ name: 'x' }).broken.$load()).rejects.toThrow('a function that gives a model');
    const options = { backRefs: { name: backRef<Book>(() => Book, 'author') } };
    expect(() => model('taken', { name: z.string() }, options)).toThrow('have the name of a field');
    expect(() => model('odd', { name: z.string() }, { backRefs: { books: {} } })).toThrow('backRef()');
    expect(() => backRef<Book>('Book', 'author')).toThrow(UsageError);
  });

  it('go with a history', async () => {
    class Note extends model(
      'notes',
      { text: z.string() },
      { history: true, backRefs: { replies: backRef<Reply>(() => Reply, 'to') } },
    ) {}
    class Reply extends model('replies', { to: ref<Note>(() => Note) }) {}
    const note = await Note.create({ text: 'x' });
    await Reply.create({ to: note });
    const found = await Note.findById(note._id).with('replies');
    expect([found?.replies.length, found?.$revision]).toEqual([1, 1]);
  });
});

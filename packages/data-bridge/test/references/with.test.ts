import { beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { connect, type ObjectId, RefNotLoadedError, transaction, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { Author, Book, Country, Product, Publisher } from '../support/library.ts';

const BOOKS = 30;

describe('with()', () => {
  const database = useDatabase();
  let authors: Author[];

  beforeAll(async () => {
    const acme = await Publisher.create({ name: 'Acme', owner: null });
    authors = await Author.insertMany(
      [0, 1, 2, 3, 4, 5].map((i) => ({ name: `a${i}`, ...(i % 2 === 1 && { publisher: acme }) })),
    );
    acme.owner = authors[0] as Author;
    await acme.save();
    const products = await Product.insertMany([{ sku: 'p0', maker: acme }, { sku: 'p1' }]);
    await Country.create({ _id: 'IT', name: 'Italy' });
    await Book.insertMany(
      Array.from({ length: BOOKS }, (_, i) => ({
        title: `b${i}`,
        author: authors[i % 6] as Author,
        editors: [authors[i % 3] as Author, authors[5] as Author],
        lines: [{ product: products[i % 2] as Product, qty: 1, made: { country: 'IT' } }],
        places: { home: 'IT' },
        pair: [authors[1] as Author, 2] as [Author, number],
      })),
    );
  });

  beforeEach(() => {
    database.sent();
  });

  const asked = (): string[] =>
    database.sent().map((command) => String(command['find'] ?? command['getMore'] ?? command['aggregate']));

  it('asks once for each path and model, nested ones too (REL-08, REL-10, REL-11)', async () => {
    const books = await Book.find()
      .sort({ _id: 1 })
      .with('author.publisher.owner', 'lines.product', 'editors', 'lines.made.country', 'places', 'pair');
    expect(asked().toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'authors',
      'authors',
      'authors',
      'authors',
      'books',
      'countries',
      'countries',
      'products',
      'publishers',
    ]);
    const book = books[1];
    const name: string | undefined = book?.author.$doc?.label;
    const owner: string | undefined = book?.author.$doc?.publisher?.$doc?.owner?.$doc?.name;
    const sku: string | undefined = book?.lines[0]?.product.$doc?.sku;
    const editors = book?.editors.map((each): string | undefined => each.$doc?.name);
    const country: string | undefined = book?.lines[0]?.made?.country?.$doc?.name;
    const home: string | undefined = book?.places['home']?.$doc?.name;
    const first: string | undefined = book?.pair?.[0].$doc?.name;
    expect([name, owner, sku, editors, country, home, first]).toEqual([
      '~a1',
      'a0',
      'p1',
      ['a1', 'a5'],
      'Italy',
      'Italy',
      'a1',
    ]);
    expect(books[1]?.author.$doc).toBe(books[7]?.author.$doc);
    expect(books.some((each) => each.isModified())).toBe(false);
    const plain: Book | undefined = book;
    expect(plain?.title).toBe('b1');
  });

  it('is refused for what is no reference, by the compiler and with the paths that there are', () => {
    // @ts-expect-error a title is no reference
    expect(() => Book.find().with('title')).toThrow(UsageError);
    // @ts-expect-error a name is no reference of an author
    expect(() => Book.find().with('author.name')).toThrow('"author.name" leads to none');
    expect(() => Country.find().with('name' as never)).toThrow('it has none');
    // @ts-expect-error lines are no references, but have some
    expect(() => Book.find().with('lines')).toThrow(
      '"lines.product", "lines.made.country", "places", "pair", "part.of"',
    );
    expect(() => Book.find().with()).toThrow('got none');
    expect(() =>
      Book.find()
        .map((book) => book.title)
        .with('author'),
    ).toThrow('before map()');
    expect(() => Book.find().with('author').select('title')).toThrow('select() comes before with()');
    expect(() => Book.find().with('author').lean()).toThrow('lean() comes before with()');
    expect(() => Book.find().omit('author').with('author')).toThrow('omit()');
  });

  it('works for one document, and for none', async () => {
    const one = await Book.findOne({ title: 'b1' }).with('author.publisher');
    const name: string | undefined = one?.author.$doc?.publisher?.$doc?.name;
    expect(name).toBe('Acme');
    expect(await Book.findOne({ title: 'none' }).with('author')).toBeNull();
    expect((await Book.findById(one?._id ?? '').with('author'))?.author.$doc?.name).toBe('a1');
    await expect(Book.findOne().with('title' as never)).rejects.toThrow(UsageError);
  });

  it('works in pages, in streams, before map() and in transactions', async () => {
    const page = await Book.find().with('author').page({ size: 4 });
    expect(page.items.map(({ author }) => author.$doc?.name)).toEqual(['a0', 'a1', 'a2', 'a3']);
    expect(asked()).toEqual(['books', 'authors']);
    let seen = 0;
    for await (const book of Book.find().batchSize(10).with('author')) seen += book.author.$doc === null ? 0 : 1;
    expect(seen).toBe(BOOKS);
    expect(asked().filter((name) => name === 'authors')).toHaveLength(BOOKS / 10);
    expect(
      await Book.find()
        .sort({ _id: 1 })
        .limit(2)
        .with('author')
        .map((book) => book.author.$doc?.name),
    ).toEqual(['a0', 'a1']);
    await transaction(async () => {
      const author = await Author.create({ name: 'within' });
      await Book.create({ title: 'within', author, editors: [author, authors[0] as Author] });
      const book = await Book.findOne({ title: 'within' }).with('author.publisher', 'editors');
      expect([book?.author.$doc?.name, book?.editors[1]?.$doc?.name]).toEqual(['within', 'a0']);
      throw new Error('taken back');
    }).catch((error: Error) => expect(error.message).toBe('taken back'));
  });

  it('asks more closely by a function, and refuses what would be across all documents', async () => {
    const books = await Book.find()
      .sort({ _id: 1 })
      .with('author', (q) => q.select('name'))
      .with('editors');
    const name: string | undefined = books[1]?.author.$doc?.name;
    expect([name, books[1]?.editors[1]?.$doc?.name]).toEqual(['a1', 'a5']);
    // @ts-expect-error the publisher was not asked for
    expect(() => books[1]?.author.$doc?.publisher).toThrow('not loaded');
    const nested = await Book.findOne({ title: 'b1' }).with('author.publisher', (q) => q.select('name'));
    const publisher: string | undefined = nested?.author.$doc?.publisher?.$doc?.name;
    const through = await Book.findOne({ title: 'b1' }).with('author', (q) => q.with('publisher'));
    expect([publisher, through?.author.$doc?.publisher?.$doc?.name]).toEqual(['Acme', 'Acme']);
    for (const wrong of [
      () => Book.find().with('author', (q) => q.limit(5)),
      () => Book.find().with('author', (q) => q.skip(5)),
      () => Book.find().with('author', (q) => q.sort('name')),
      () => Book.find().with('author', (q) => q.lean()),
      () => Book.find().with('author', (q) => q.map((each) => each.name)),
      () => Book.find().with('author', (q) => q.omit('_id')),
      () => Book.find().with('author', () => Author.find({ name: 'a1' })),
      () => Book.find().with('author', () => undefined as never),
    ])
      expect(wrong).toThrow(UsageError);
  });

  it('adds what it needs to a selection before it', async () => {
    const [book] = await Book.find().sort({ _id: 1 }).select('title').with('author', 'lines.product');
    expect([book?.title, book?.author.$doc?.name, book?.lines[0]?.product.$doc?.sku]).toEqual(['b0', 'a0', 'p0']);
    expect(() => (book as unknown as Book).editors).toThrow('not loaded');
  });

  it('after lean() puts plain objects in the place of ids', async () => {
    const [book] = await Book.find({ title: 'b1' }).lean().with('author.publisher', 'lines.product', 'places');
    const name: string | undefined = book?.author?.publisher?.name;
    const sku: string | undefined = book?.lines?.[0]?.product?.sku;
    expect([name, sku]).toEqual(['Acme', 'p1']);
    expect(book?.author).not.toBeInstanceOf(Author);
    expect(book?.places?.['home']?.name).toBe('Italy');
    expectTypeOf(book?.editors).toEqualTypeOf<ObjectId[] | undefined>();
    const [few] = await Book.find({ title: 'b1' })
      .lean()
      .with('author', (q) => q.select('name'));
    expect(few?.author).toEqual({ _id: authors[1]?._id, name: 'a1' });
  });

  it('JSON shows what was asked for, and $load() shows no more', async () => {
    const find = () => Book.findOne({ title: 'b1' }).select('title', 'author', 'editors', 'lines');
    const asked = JSON.parse(JSON.stringify(await find().with('author.publisher', 'lines.product'))) as Record<
      string,
      unknown
    >;
    expect(asked).toMatchObject({
      title: 'b1',
      author: { name: 'a1', publisher: { name: 'Acme', owner: authors[0]?._id.toHexString() } },
      editors: [authors[1]?._id.toHexString(), authors[5]?._id.toHexString()],
      lines: [{ product: { sku: 'p1' }, qty: 1, made: { country: 'IT' } }],
    });
    const loaded = (await find()) as unknown as Book;
    await loaded.author.$load();
    await loaded.$load('lines.product');
    expect(JSON.parse(JSON.stringify(loaded))).toMatchObject({ author: authors[1]?._id.toHexString() });
    const changed = (await find().with('author')) as unknown as Book;
    changed.author = authors[2] as Author;
    expect(JSON.parse(JSON.stringify(changed))).toMatchObject({ author: authors[2]?._id.toHexString() });
  });

  it('$load() of one asks for all that came with it; of several in one turn asks once for each model (REL-09)', async () => {
    const books = await Book.find().sort({ _id: 1 });
    database.sent();
    const names = new Set<string>();
    for (const book of books) names.add((await book.author.$load())?.name ?? '');
    expect(names.size).toBe(6);
    expect(asked()).toEqual(['authors']);
    const publishers = await Promise.all(
      books.map(async (book) => (await (await book.author.$load())?.publisher?.$load())?.name),
    );
    expect(new Set(publishers)).toEqual(new Set(['Acme', undefined]));
    expect(asked()).toEqual(['publishers']);
    const [x, y] = await Promise.all([Book.findOne({ title: 'b1' }), Book.findOne({ title: 'b2' })]);
    database.sent();
    await Promise.all([x?.author.$load(), y?.author.$load(), x?.lines[0]?.product.$load()]);
    expect(asked().toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['authors', 'products']);
    const again = await Book.find();
    database.sent();
    const first = await again[0]?.$load('author.publisher', 'editors');
    const name: string | undefined = first?.author.$doc?.name;
    expect(name).toBe('a0');
    expect(again.every((book) => book.author.$isLoaded && book.editors.every((each) => each.$isLoaded))).toBe(true);
    expect(asked().toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['authors', 'authors', 'publishers']);
    // @ts-expect-error a title is no reference
    await expect(again[0]?.$load('title')).rejects.toThrow('$load() takes paths of references');
    expect(await first?.$load()).toBe(first);
  });

  it('a document that was kept of a result is on its own', async () => {
    const kept = (await Book.find()).slice(0, 1);
    const [book] = kept;
    expect(book?.author.$isLoaded).toBe(false);
    expect((await book?.author.$load())?.name).toBe('a0');
    const mine = await book?.mine();
    expect(mine).toBe('~a0');
  });

  it('what a reference refers to may be gone: it keeps its id, and its document is null (REL-13, REL-14)', async () => {
    const gone = await Author.create({ name: 'gone' });
    const { _id } = await Book.create({ title: 'orphan', author: gone, editors: [gone, authors[1] as Author] });
    await gone.delete();
    const book = await Book.findById(_id).with('author.publisher', 'editors');
    expect([book?.author.$isLoaded, book?.author.$doc]).toEqual([true, null]);
    expect(book?.author.$id).toEqual(gone._id);
    expect(book?.editors.map((each) => each.$doc?.name)).toEqual([undefined, 'a1']);
    expect(JSON.parse(JSON.stringify(book))).toMatchObject({ author: gone._id.toHexString() });
    expect((await Book.findById(_id).lean().with('author'))?.author).toBeNull();
    const unasked = await Book.findById(_id);
    expect(await unasked?.author.$load()).toBeNull();
    await Book.deleteOne({ _id });
  });

  it('what was not asked for says so (REL-19)', async () => {
    const book = (await Book.findOne({ title: 'b1' })) as Book;
    // @ts-expect-error not loaded
    expect(() => book.author.$doc).toThrow(RefNotLoadedError);
    const message =
      '"author" refers to an Author that was not loaded: ask for it by with("author"), or await its $load().';
    expect(() => (book.author as unknown as { $doc: unknown }).$doc).toThrow(message);
  });

  it('a failed load leaves references as they are, and rejects all that wait', async () => {
    const other = await connect(database.uri);
    const book = (await Book.using(other).findOne({ title: 'b1' })) as Book;
    await other.close();
    const both = await Promise.allSettled([book.author.$load(), book.author.$load()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(book.author.$isLoaded).toBe(false);
  });
});

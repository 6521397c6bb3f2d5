import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { model, ref } from '../../src/index.ts';
import { Author, Book } from '../support/library.ts';
import { openDatabase, type OpenDatabase } from '../support/database.ts';

describe('references on a connection of their own', () => {
  let main: OpenDatabase;
  let archive: OpenDatabase;

  beforeAll(async () => {
    main = await openDatabase();
    archive = await openDatabase();
  });

  afterAll(async () => {
    await main.close();
    await archive.close();
  });

  it('are looked for where the document that has them comes from', async () => {
    const [ArchivedAuthor, ArchivedBook] = [Author.using(archive.connection), Book.using(archive.connection)];
    const author = await ArchivedAuthor.create({ name: 'Old' });
    const { _id } = await ArchivedBook.create({ title: 'kept', author, editors: [author] });
    const asked = await ArchivedBook.findById(_id).with('author', 'editors');
    expect([asked?.author.$doc?.name, asked?.editors[0]?.$doc?.name]).toEqual(['Old', 'Old']);
    expect(asked?.author.$doc).toBeInstanceOf(Author);
    const loaded = await ArchivedBook.findById(_id);
    expect((await loaded?.author.$load())?.name).toBe('Old');
    const plain = await ArchivedBook.findById(_id).lean().with('author');
    expect(plain?.author?.name).toBe('Old');
    expect(await Author.count()).toBe(0);
    const closely = await ArchivedBook.findById(_id).with('author', (q) => q.select('name'));
    expect(closely?.author.$doc?.name).toBe('Old');
  });

  it('are of the same class each time, so that documents can be compared', async () => {
    const ArchivedBook = Book.using(archive.connection);
    const author = await Author.using(archive.connection).create({ name: 'Same' });
    await ArchivedBook.insertMany(['x', 'y'].map((title) => ({ title, author, editors: [] })));
    const books = await ArchivedBook.find({ author }).with('author');
    expect(books[0]?.author.$doc).toBe(books[1]?.author.$doc);
    const [again] = await ArchivedBook.find({ author }).with('author');
    expect(again?.author.$doc?.constructor).toBe(books[0]?.author.$doc?.constructor);
  });

  it('are left alone where the program gave the target a connection itself', async () => {
    const Elsewhere = Author.using(archive.connection);
    class Note extends model('notes', { by: ref<Author>(() => Elsewhere) }) {}
    const by = await Elsewhere.create({ name: 'Elsewhere' });
    const { _id } = await Note.using(main.connection).create({ by });
    const note = await Note.using(main.connection).findById(_id).with('by');
    expect(note?.by.$doc?.name).toBe('Elsewhere');
  });
});

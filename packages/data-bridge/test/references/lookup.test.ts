import { beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { ObjectId } from 'mongodb';
import { UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { askForFault } from '../support/known-faults.ts';
import { Author, Book, Product } from '../support/library.ts';

const isFaulty = await askForFault('lookup from inside of elements');

describe('lookup() by a reference', () => {
  useDatabase();
  let ann: Author;

  beforeAll(async () => {
    ann = await Author.create({ name: 'Ann' });
    const bob = await Author.create({ name: 'Bob' });
    const pen = await Product.create({ sku: 'pen' });
    await Book.create({ title: 'x', author: ann, editors: [bob, ann], lines: [{ product: pen, qty: 1 }] });
    await Book.create({ title: 'y', author: bob, editors: [] });
  });

  it('adds what it refers to, in its place or under a name', async () => {
    const [row] = await Book.aggregate().match({ author: ann._id }).lookup('author');
    const name: string | undefined = row?.author[0]?.name;
    expect([row?.title, name]).toEqual(['x', 'Ann']);
    const [listed] = await Book.aggregate().match({ title: 'x' }).lookup('editors', 'people');
    expect(listed?.people.map((person) => person.name).toSorted()).toEqual(['Ann', 'Bob']);
  });

  it.skipIf(isFaulty)('adds what elements refer to', async () => {
    const [named] = await Book.aggregate().match({ title: 'x' }).lookup('lines.product', 'products');
    const sku: string | undefined = named?.products[0]?.sku;
    expect(sku).toBe('pen');
    expectTypeOf(named?.author).toEqualTypeOf<ObjectId | undefined>();
  });

  it('adds what refers back', async () => {
    const rows = await Author.aggregate().sort({ name: 1 }).lookup('books');
    expect(rows.map(({ name, books }) => [name, books.map(({ title }) => title)])).toEqual([
      ['Ann', ['x']],
      ['Bob', ['y']],
    ]);
  });

  it('is refused for what is no reference of documents', () => {
    // @ts-expect-error a title is no reference
    expect(() => Book.aggregate().lookup('title')).toThrow(UsageError);
    expect(() => Book.aggregate().lookup('author.publisher', 'p')).toThrow('takes one reference of this model');
    expect(() => Book.aggregate().lookup('lines.product')).toThrow('needs a name without dots');
    // @ts-expect-error rows are no documents
    expect(() => Book.aggregate().group({ _id: '$author' }).lookup('author')).toThrow('makes something else of them');
  });
});

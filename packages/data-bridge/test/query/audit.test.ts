import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AuditFinding, type AuditOptions, model, ref, stored } from '../../src/index.ts';
import { softDelete } from '../../src/extensions.ts';
import { ref as zref } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();
afterEach(() => database.db.dropDatabase());

class Author extends model('authors', { _id: z.int(), name: z.string() }) {}
class Book extends model(
  'books',
  {
    _id: z.int(),
    title: z.string().min(2),
    pageCount: stored('pages', z.int().positive().optional()),
    tags: z.array(z.string().max(5)).default([]),
    slug: z.string().toLowerCase().optional(),
    isbn: z
      .string()
      .refine((text) => text.startsWith('978'), 'is no ISBN')
      .optional(),
    author: ref<Author>(() => Author).optional(),
    lines: z.array(z.object({ by: zref<Author>(() => Author) })).optional(),
    ...softDelete.fields,
  },
  {
    extensions: [softDelete],
    check: ({ title, slug }) => (title === slug ? [{ path: 'slug', message: 'is the title' }] : []),
  },
) {}

const books = () => database.db.collection<{ _id: number; [name: string]: unknown }>('books');

async function findings(options?: AuditOptions): Promise<AuditFinding[]> {
  const found: AuditFinding[] = [];
  for await (const each of Book.audit(options)) found.push(each);
  return found;
}

describe('audit()', () => {
  it('finds nothing where all is well, and changes nothing', async () => {
    await Author.create({ _id: 1, name: 'Ann' });
    // Neither the default nor the lower case is stored: a document that a schema takes is well.
    await books().insertOne({ _id: 1, title: 'Emma', slug: 'EMMA', author: 1, lines: [{ by: 1 }], more: true });
    const [before] = await books().find().toArray();
    expect(await findings()).toEqual([]);
    expect(await findings({ full: true })).toEqual([]);
    expect(await books().find().toArray()).toEqual([before]);
  });

  it('counts by path and rule, with three ids each and without values', async () => {
    await books().insertMany([
      ...[1, 2, 3, 4].map((_id) => ({ _id, title: 'Emma', tags: ['good', 'secretly', 'secretive'] })),
      { _id: 5, title: 'E' },
      { _id: 6 },
      { _id: 7, title: 'Emma', pages: 'secret' },
    ]);
    const found = await findings();
    expect(found).toEqual([
      { path: 'tags.*', rule: expect.stringMatching(/<=5/), count: 8, ids: [1, 2, 3] },
      { path: 'title', rule: expect.stringMatching(/>=2/), count: 1, ids: [5] },
      { path: 'title', rule: expect.stringMatching(/expected string/), count: 1, ids: [6] },
      { path: 'pageCount', rule: expect.stringMatching(/expected (?:number|int)/), count: 1, ids: [7] },
    ]);
    expect(JSON.stringify(found)).not.toContain('secret');
    expect(await findings({ full: true })).toEqual(found);
  });

  it('asks the server first, and all documents where it is to be full', async () => {
    await books().insertMany([
      { _id: 1, title: 'Emma', isbn: '123' },
      { _id: 2, title: 'emma', slug: 'emma' },
    ]);
    database.sent();
    expect(await findings({ references: false })).toEqual([]);
    expect(database.sent()).toMatchObject([{ find: 'books', filter: { $nor: [{ $jsonSchema: {} }] } }]);
    expect(await findings({ full: true })).toEqual([
      { path: 'isbn', rule: 'is no ISBN', count: 1, ids: [1] },
      { path: 'slug', rule: 'is the title', count: 1, ids: [2] },
    ]);
  });

  it('tells of what only the JSON Schema refuses', async () => {
    await database.db.collection<{ _id: string }>('things').insertOne({ _id: 'x' });
    class Thing extends model('things', {}) {}
    const found: AuditFinding[] = [];
    for await (const each of Thing.audit()) found.push(each);
    expect(found).toEqual([{ path: '', rule: 'breaks the JSON Schema of the model', count: 1, ids: ['x'] }]);
  });

  it('finds references to documents that are not there, wherever they stand', async () => {
    await Author.create({ _id: 1, name: 'Ann' });
    await books().insertMany([
      { _id: 1, title: 'Emma', author: 1 },
      { _id: 2, title: 'Emma', author: 7 },
      { _id: 3, title: 'Emma', author: 8, lines: [{ by: 1 }, { by: 9 }, { by: 7 }], deletedAt: new Date() },
      { _id: 4, title: 'Emma' },
    ]);
    const rule = 'refers to a document of "authors" that is not there';
    expect(await findings()).toEqual([
      { path: 'author', rule, count: 2, ids: [2, 3] },
      { path: 'lines.*.by', rule, count: 2, ids: [3] },
    ]);
    expect(await findings({ references: false })).toEqual([]);
  });

  it('looks references up in steps, and tells how far it is', async () => {
    await Author.create({ _id: 1, name: 'Ann' });
    await books().insertMany(Array.from({ length: 2_500 }, (_, _id) => ({ _id, title: 'Emma', author: _id % 2 })));
    const seen: number[] = [];
    database.sent();
    const [finding] = await findings({ full: true, onProgress: (count) => seen.push(count) });
    expect(finding).toMatchObject({ path: 'author', count: 1_250, ids: [0, 2, 4] });
    expect(seen).toEqual([1_000, 2_000, 3_000, 4_000, 5_000]);
    expect(database.sent().filter((command) => command['find'] === 'authors')).toHaveLength(3);
  });

  it('counts what is too much to be told of one by one', async () => {
    class Scores extends model('scores', { _id: z.int(), by: z.record(z.string(), z.int()) }) {}
    const by = Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`k${i}`, 'x']));
    await database.db.collection<{ _id: number }>('scores').insertOne({ _id: 1, by } as { _id: number });
    const found: AuditFinding[] = [];
    for await (const each of Scores.audit()) found.push(each);
    expect(found).toHaveLength(1_001);
    expect(found[0]).toEqual({ path: '', rule: 'others', count: 200, ids: [1] });
  });

  it('validates each document by its class, and tells of those that no class has', async () => {
    class Shape extends model('shapes', { _id: z.int(), name: z.string() }) {}
    class Round extends Shape.extend(
      { radius: z.number(), by: ref<Author>(() => Author).optional() },
      { type: 'round', class: () => Round },
    ) {}
    await database.db
      .collection<{ _id: number; [name: string]: unknown }>('shapes')
      .insertMany([
        { _id: 1, name: 'plain' },
        { _id: 2, name: 'ring', _type: 'round', radius: 'wide', by: 5 },
        ...[3, 4, 5, 6].map((_id) => ({ _id, name: 'cube', _type: 'solid' })),
      ]);
    const expected = [
      { path: '_type', rule: 'is a type that no class has', count: 4, ids: [3, 4, 5] },
      { path: 'radius', rule: expect.stringMatching(/expected number/), count: 1, ids: [2] },
      { path: 'by', rule: 'refers to a document of "authors" that is not there', count: 1, ids: [2] },
    ];
    for (const full of [false, true]) {
      const found: AuditFinding[] = [];
      for await (const each of Shape.audit({ full })) found.push(each);
      expect(found).toEqual(expected);
    }
    const found: AuditFinding[] = [];
    for await (const each of Round.audit()) found.push(each);
    expect(found).toEqual(expected.slice(1));
  });

  it('refuses options that it does not have', async () => {
    await expect(findings({ deep: true } as object)).rejects.toThrow(/does not take the option "deep"/);
    await expect(findings({ full: 1 } as never)).rejects.toThrow(/takes true or false as "full"/);
    await expect(findings({ onProgress: true } as never)).rejects.toThrow(/takes a function as "onProgress"/);
  });
});

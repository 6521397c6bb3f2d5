import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { intersects, model, near, type Position, withinBox, withinCircle, withinPolygon } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Place extends model('places', { name: z.string(), at: z.tuple([z.number(), z.number()]) }) {}
class Article extends model('articles', { content: z.string() }) {}

const database = useDatabase();

/** The filter that a query sent, whether or not the server could run it. */
async function sent(query: PromiseLike<unknown>): Promise<unknown> {
  database.sent();
  await query.then(
    () => {},
    () => {},
  );
  return database.sent()[0]?.['filter'];
}

/** Makes an index, or tells why the server cannot. */
async function missing(collection: string, key: Record<string, string>): Promise<string | undefined> {
  try {
    await database.db.collection(collection).createIndex(key as never);
    return undefined;
  } catch (error) {
    return `this server has no such index: ${(error as Error).message}`;
  }
}

describe('conditions on places', () => {
  const ring: Position[] = [
    [0, 0],
    [0, 5],
    [5, 5],
    [5, 0],
    [0, 0],
  ];
  it.each([
    ['GEO-01', near([-73.97, 40.77])],
    ['GEO-02', near([-73.97, 40.77], { maxDistance: 1000 })],
    ['GEO-03', near([-73.97, 40.77], { minDistance: 100 })],
    ['GEO-04', withinBox([-74, 40], [-73, 41])],
    ['GEO-05', withinPolygon(ring)],
    ['GEO-06', withinCircle([-73.97, 40.77], { miles: 10 })],
    ['GEO-07', intersects({ type: 'Polygon', coordinates: [ring] })],
  ])('%s are sent as they are', async (_, condition) => {
    expect(await sent(Place.find({ at: condition as never }))).toEqual({ at: condition });
  });

  it('GEO-08 finds what lies in a box', async ({ skip }) => {
    const reason = await missing('places', { at: '2d' });
    if (reason !== undefined) skip(reason);
    await Place.insertMany([
      { name: 'NYC', at: [-73.97, 40.77] },
      { name: 'Boston', at: [-71.06, 42.36] },
      { name: 'Miami', at: [-80.19, 25.76] },
    ]);
    const found = await Place.find({ at: withinBox([-75, 40], [-70, 43]) as never }).sort('name');
    expect(found.map(({ name }) => name)).toEqual(['Boston', 'NYC']);
  });
});

describe('searching texts', () => {
  it.each([
    ['SEARCH-06', { $search: 'two words' }],
    ['SEARCH-07 a language', { $search: 'word', $language: 'english' }],
    ['SEARCH-08 case', { $search: 'Word', $caseSensitive: true }],
    ['SEARCH-09 accents', { $search: 'café', $diacriticSensitive: true }],
  ])('%s is sent as it is', async (_, $text) => {
    expect(await sent(Article.find({ $text }))).toEqual({ $text });
  });

  it.for([
    ['SEARCH-10', 'apples', 1],
    ['SEARCH-11', 'pears', 2],
    ['SEARCH-12', 'fruit', 3],
  ] as const)('%s finds the articles that have a word', async ([, word, count], { skip }) => {
    const reason = await missing('articles', { content: 'text' });
    if (reason !== undefined) skip(reason);
    await Article.deleteMany({});
    await Article.insertMany([
      { content: 'fruit: apples' },
      { content: 'fruit: pears' },
      { content: 'fruit: pears and plums' },
    ]);
    expect(await Article.find({ $text: { $search: word } })).toHaveLength(count);
  });
});

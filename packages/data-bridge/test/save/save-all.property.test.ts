import fc from 'fast-check';
import type { BSON } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, model, type SaveResult } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { BULK_SERVERS, useBulkDatabase } from '../support/bulk-servers.ts';

/*
 * saveAll() of any documents leaves what saving them one by one leaves: in the database, in memory, and in what is told.
 * Both are done to collections of their own, by the same random changes, after the same changes by somebody else.
 */

const fields = {
  key: z.int(),
  name: z.string().min(1),
  tags: z.array(z.string()),
  counts: z.record(z.string(), z.number()),
  place: z.object({ city: z.string(), zip: z.string().optional() }),
};
class Together extends model('together', fields) {}
class Alone extends model('alone', fields) {}
type Page = Together | Alone;
type Pages = typeof Together | typeof Alone;

const anyChange = fc.constantFrom<(page: Page) => unknown>(
  () => undefined,
  (page) => (page.name += '!'),
  (page) => (page.name = ''),
  (page) => page.tags.push('x', 'y'),
  (page) => page.tags.shift(),
  (page) => (page.tags[0] = 'z'),
  (page) => (page.counts['7'] = 1),
  (page) => (page.counts['a.b'] = 1),
  (page) => delete page.counts['a'],
  (page) => (page.place.city = 'Oslo'),
  (page) => (page.place = { city: 'Bonn' }),
  (page) => page.$inc('counts.a', 2),
  // Two that meet would be refused.
  (page) => page.isModified('tags') || page.$push('tags', 'atomic'),
  (page) => page.isModified('tags') || page.$pop('tags'),
  (page) => page.$bit('counts.b', { xor: 6 }),
);
const anyMeanwhile = fc.constantFrom<object | null>(
  null,
  { $set: { name: 'other' } },
  { $push: { tags: 'other' } },
  { $set: { tags: 5 } },
  { $unset: { counts: 1 } },
  { $set: { 'place.zip': '1' } },
  { $set: { place: 'nowhere' } },
  { delete: true },
);
/** One document: whether it is stored before, what is done to it, and what somebody else does meanwhile. */
const anyDocument = fc.record({
  isNew: fc.boolean(),
  changes: fc.array(anyChange, { maxLength: 3 }),
  meanwhile: anyMeanwhile,
  clashes: fc.boolean(),
});
const anyCase = fc.array(anyDocument, { maxLength: 6 });
type Plan = typeof anyCase extends fc.Arbitrary<infer T> ? T : never;

describe.each(BULK_SERVERS)('saveAll() on a server %s', (_, wireVersion) => {
  const database = useBulkDatabase(wireVersion);
  beforeAll(async () => {
    for (const name of ['together', 'alone'])
      await database.db.collection(name).createIndex({ key: 1 }, { unique: true });
  });

  it('leaves what save() of each leaves', async () => {
    const property = fc.asyncProperty(anyCase, async (plan) => {
      const [together, alone] = [await prepare(Together, plan), await prepare(Alone, plan)];
      const told = await saveTogether(together);
      expect(told).toEqual(await saveAlone(alone));
      expect(together.map(inMemory)).toEqual(alone.map(inMemory));
      expect(await stored('together')).toEqual(await stored('alone'));
      // Law 4: what was saved has nothing to send.
      const isSaved = (outcome: string) => ['inserted', 'updated', 'clean'].includes(outcome);
      expect(together.filter((page, i) => isSaved(told[i] ?? '') && page.isModified())).toEqual([]);
    });
    await fc.assert(property, runs(60));
  });

  async function prepare(model: Pages, plan: Plan): Promise<Page[]> {
    await model.deleteMany({});
    const pages = plan.map(({ isNew, clashes }, i): Page => {
      const key = isNew && clashes ? 0 : i;
      return new model({ key, name: `n${i}`, tags: ['a'], counts: { a: 1 }, place: { city: 'Rome' } });
    });
    for (const [i, page] of pages.entries()) if (plan[i]?.isNew === false) await page.save();
    for (const [i, { changes, meanwhile }] of plan.entries()) {
      const page = pages[i] as Page;
      for (const change of changes) change(page);
      if (meanwhile === null) continue;
      if ('delete' in meanwhile) await model.collection.deleteOne({ _id: page._id });
      else await model.collection.updateOne({ _id: page._id }, meanwhile);
    }
    return pages;
  }

  async function saveTogether(pages: readonly Page[]): Promise<string[]> {
    const results = await Together.saveAll(pages).catch((error: unknown): readonly SaveResult[] => {
      if (error instanceof BulkSaveError) return error.results;
      throw error;
    });
    return results.map(({ outcome, error }) => (error instanceof Error ? error.name : outcome));
  }

  async function saveAlone(pages: readonly Page[]): Promise<string[]> {
    const told: string[] = [];
    for (const page of pages) {
      const outcome = page.$isNew ? 'inserted' : page.isModified() ? 'updated' : 'clean';
      told.push(
        await page.save().then(
          () => outcome,
          (error: Error) => error.name,
        ),
      );
    }
    return told;
  }

  function inMemory(page: Page): unknown {
    const { _id, ...others } = page.toObject();
    return { ...others, isNew: page.$isNew, isModified: page.isModified() };
  }

  /** Without ids, in the order of keys. */
  async function stored(name: string): Promise<BSON.Document[]> {
    return database.db
      .collection(name)
      .find({}, { projection: { _id: 0 } })
      .sort({ key: 1 })
      .toArray();
  }
});

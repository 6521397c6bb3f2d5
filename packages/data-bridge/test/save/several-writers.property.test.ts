import fc from 'fast-check';
import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { caseCount } from '../../../../scripts/case-count.ts';
import { setOwn } from '../../src/bson/plain-object.ts';
import { encodeDocument } from '../../src/bson/encode.ts';
import { type Concurrency, ConflictError, model, type SaveOptions, type StateTracker } from '../../src/index.ts';
import { identified } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';
import { canonical } from '../support/laws-canonical.ts';
import { examples } from '../support/laws-cases.ts';
import { isMembers, type Members, randomDocument } from '../support/laws-documents.ts';
import { Random } from '../support/laws-random.ts';
import { exact, reread } from '../support/laws-store.ts';
import { deal, type Operation, perform, wreck } from '../support/laws-writers.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(20);

const options = { unknown: 'keep', concurrency: 'merge', version: 'writes', validate: false } as const;
const items = identified(z.array(z.object({ sku: z.string() })), 'sku').optional();
const fields = {
  items,
  rows: z.array(z.object({ _id: z.string(), items })).optional(),
  deep: z.object({ map: z.record(z.string(), z.object({ lines: items })) }).optional(),
};
class Any extends model('any', fields, options) {}

useDatabase();

/** How a writer saves, so that nothing is lost that does not overlap. */
const ways: readonly (readonly [string, SaveOptions])[] = [
  ['merge', { concurrency: 'merge' }],
  ['fields', { concurrency: 'fields' }],
  ['version', { concurrency: 'version', onConflict: 'rebase' }],
];

interface Case {
  readonly id: number;
  readonly original: Members;
  readonly random: Random;
}

async function forAll(law: (each: Case) => Promise<void>, numRuns = cases): Promise<void> {
  const property = fc.asyncProperty(fc.noShrink(fc.nat()), async (id) => {
    const random = new Random(id);
    const document = { ...randomDocument(random), ...ownLists, _id: id, writes: 1 };
    const original = exact(encodeDocument(isOther ? (withoutNaN(document) as Members) : document));
    await Any.collection.deleteMany({});
    await Any.collection.insertOne(original);
    await law({ id, original: await read(id), random });
  });
  await fc.assert(property, { numRuns, examples });
}

/** SecantusDB takes NaN inside containers for unequal to itself: guards of such values never match there. */
const isOther = process.env['MONGODB_URI'] !== undefined;

function withoutNaN(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNaN);
  if (isMembers(value)) {
    const members = {};
    for (const [key, member] of Object.entries(value)) setOwn(members, key, withoutNaN(member));
    return members;
  }
  return Number.isNaN(Number(value)) && String(value) === 'NaN' ? 0.5 : value;
}

/** An array in which each writer has an element, and one to which all of them add. */
const ownLists = { own: [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }], grown: ['x'] };

async function read(id: number): Promise<Members> {
  const found: unknown = await Any.collection.findOne({ _id: id as never }, { raw: true });
  if (!(found instanceof Uint8Array)) throw new Error('The document is gone');
  return exact(found);
}

async function load(id: number): Promise<Any> {
  const found = await Any.findById(id as never);
  if (found === null) throw new Error('The document is gone');
  return found;
}

/** Does operations to a document through its tracker: any name may stand at the top. */
function act(document: Any, operations: readonly Operation[]): void {
  const state = document.$state as unknown as StateTracker;
  const before = new Map(state.keys().map((name) => [name, state.get(name)]));
  const fields = {};
  for (const [name, value] of before) setOwn(fields, name, value);
  perform(fields, operations, reread);
  for (const name of before.keys()) if (!Object.hasOwn(fields, name)) state.delete(name);
  for (const [name, value] of Object.entries(fields)) if (!Object.is(before.get(name), value)) state.set(name, value);
}

/** Deals operations that do not overlap to several writers; arrays with identity to the first two alone. */
function dealTo(random: Random, writers: number, original: Members): Operation[][] {
  const { _id, writes, own, grown, ...others } = original;
  const { mine, theirs } = deal(random, others, writers > 1);
  const shares: Operation[][] = Array.from({ length: writers }, () => []);
  const isPlain = (operation: Operation): boolean =>
    'value' in operation && operation.parents.every((step) => typeof step === 'string');
  for (const operation of theirs) (isPlain(operation) ? random.pick(shares) : shares[0])?.push(operation);
  for (const operation of mine) (isPlain(operation) ? random.pick(shares) : shares.at(-1))?.push(operation);
  return shares;
}

function edit(document: Any, writer: number, operations: readonly Operation[]): void {
  act(document, operations);
  const own = document.$state.get('own' as never) as { n: number }[];
  const grown = document.$state.get('grown' as never) as string[];
  (own[writer] as { n: number }).n += 100;
  grown.push(`w${writer}`);
}

/** What the operations of all writers make of the document; arrays that all added to are sorted. */
function reference(original: Members, shares: readonly (readonly Operation[])[]): string {
  const merged = exact(encodeDocument(original));
  for (const operations of shares) perform(merged, operations, reread);
  merged['own'] = ownLists.own.map(({ n }, i) => ({ n: i < shares.length ? n + 100 : n }));
  merged['grown'] = ['x', ...shares.map((_, i) => `w${i}`)];
  return shown({ ...merged, writes: 1 + shares.length });
}

/** Arrays in which each writer added something are sorted, since that may have been in any order. */
function shown(document: Members): string {
  return canonical(sorted(document));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const all = value.map(sorted);
    const isFree =
      all.every((each) => isMembers(each) && ('sku' in each || '_id' in each)) ||
      all.some((each) => canonical(each) === '"x"');
    return isFree ? all.toSorted((a, b) => (canonical(a) < canonical(b) ? -1 : 1)) : all;
  }
  if (!isMembers(value)) return value;
  const members = {};
  for (const [key, member] of Object.entries(value)) setOwn(members, key, sorted(member));
  return members;
}

describe.each(ways)('writers that save with %s', (_, save) => {
  it('keep what all of them did, where nothing overlaps, one after the other and at once', async () => {
    await forAll(async ({ id, original, random }) => {
      const writers = 2 + random.below(3);
      const shares = dealTo(random, writers, original);
      const documents = await Promise.all(shares.map(() => load(id)));
      documents.forEach((document, i) => edit(document, i, shares[i] ?? []));
      if (random.chance(0.5)) await Promise.all(documents.map((document) => document.save(save)));
      else for (const document of documents) await document.save(save);
      expect(shown(await read(id))).toBe(reference(original, shares));
      for (const document of documents) expect(document.isModified()).toBe(false);
    });
  });

  it('keep it through saveAll(), too', async () => {
    await forAll(async ({ id, original, random }) => {
      const shares = dealTo(random, 2, original);
      const documents = [await load(id), await load(id)];
      documents.forEach((document, i) => edit(document, i, shares[i] ?? []));
      for (const document of documents) await Any.saveAll([document, new Any({}), new Any({})], save);
      expect(shown(await read(id))).toBe(reference(original, shares));
    });
  });
});

const guarded: readonly Concurrency[] = ['fields', 'version'];

describe.each(guarded)("a writer that saves with '%s'", (concurrency) => {
  it('is in conflict exactly where another one changed the same, and then writes nothing', async () => {
    let planted = 0;
    await forAll(
      async ({ id, original, random }) => {
        const [mine = [], theirs = []] = dealTo(random, 2, original);
        const [first, second] = [await load(id), await load(id)];
        edit(first, 0, theirs);
        edit(second, 1, mine);
        const isReal = (operation: Operation): boolean =>
          'key' in operation && operation.parents.length === 0 && second.$state.isModified(operation.key as never);
        const clash = random.chance(0.4) ? mine.find(isReal) : undefined;
        if (clash !== undefined && 'key' in clash) act(first, [{ ...clash, value: `other than ${id}` }]);
        await first.save({ concurrency });
        const before = canonical(await read(id));
        const isRefused = concurrency === 'version' || clash !== undefined;
        const saving = second.save({ concurrency });
        if (!isRefused) {
          await saving;
          expect(shown(await read(id))).toBe(reference(original, [theirs, mine]));
          return;
        }
        planted += 1;
        await expect(saving).rejects.toThrow(ConflictError);
        expect(canonical(await read(id))).toBe(before);
        await second.save({ concurrency, onConflict: 'mine' });
        expect(shown(await read(id))).toBe(reference(original, [theirs, mine]));
        // Fewer cases than these may plant no conflict.
      },
      Math.max(cases, 5),
    );
    expect(planted).toBeGreaterThan(0);
  });
});

describe.each(ways)('whatever shapes another writer left, a save with %s', (_, save) => {
  it('is done or in conflict, and never refused by the server', async () => {
    await forAll(async ({ id, original, random }) => {
      const document = await load(id);
      act(document, dealTo(random, 1, original)[0] ?? []);
      document.$inc('sum' as never);
      const other = exact(encodeDocument(original));
      wreck(random, other);
      await Any.collection.deleteMany({});
      await Any.collection.insertOne(other);
      try {
        await document.save(save);
        expect(document.isModified()).toBe(false);
      } catch (error) {
        expect(error).not.toBeInstanceOf(MongoServerError);
        expect(error).toBeInstanceOf(ConflictError);
        expect(canonical(await read(id))).toBe(canonical(other));
        await document.save({ ...save, onConflict: 'mine' });
      }
      expect(isMembers(await read(id))).toBe(true);
    });
  });
});

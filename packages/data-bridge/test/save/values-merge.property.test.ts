import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { unique } from '../../src/zod.ts';
import { caseCount } from '../../../../scripts/case-count.ts';
import { BulkSaveError, ConflictError, model, type SaveOptions, transaction } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { canonical } from '../support/laws-canonical.ts';
import { forAllCases } from '../support/laws-cases.ts';
import type { Random } from '../support/laws-random.ts';
import {
  changedBy,
  isGrowth,
  isInPlace,
  isSet,
  merged,
  OWN_IDENTITIES,
  sampleOf,
} from '../support/values-reference.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(800);

const options = { unknown: 'keep', concurrency: 'merge', version: 'writes', validate: false } as const;
const fields = { tags: z.unknown(), other: z.unknown() };
class Any extends model('values', fields, options) {}
class Recorded extends model('recorded', fields, { ...options, history: true }) {}

useDatabase();

type Values = readonly unknown[];
const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);
const has = (list: Values, value: unknown): boolean => list.some((each) => same(each, value));
const minus = (a: Values, b: Values): unknown[] => a.filter((each) => !has(b, each));
const both = (a: Values, b: Values): unknown[] => a.filter((each) => has(b, each));

type Model = typeof Any;

async function storedTags(Model: Model, _id: unknown): Promise<unknown[]> {
  const found = await Model.collection.findOne({ _id } as never);
  return (found as unknown as { tags: unknown[] }).tags;
}

/** A program changes the list that it holds, or puts another one in its place. */
function assign(document: Any, list: Values, random: Random): void {
  const held = document.tags as unknown[];
  if (random.chance(0.5)) held.splice(0, held.length, ...list);
  else document.tags = [...list];
}

const WAYS: Readonly<Record<string, (document: Any, options: SaveOptions) => Promise<unknown>>> = {
  'by itself': (document, how) => document.save(how),
  'beside an odd key': (document, how) => {
    document.$state.set('odd.key' as never, Math.random() as never);
    return document.save(how);
  },
  'in a transaction': (document, how) => transaction(() => document.save(how)),
  'with others': (document, how) =>
    Any.saveAll([document, new Any({})], how).catch((error: unknown) => {
      const failed = error instanceof BulkSaveError ? error.results.find((each) => 'error' in each) : undefined;
      throw (failed as { error?: unknown } | undefined)?.error ?? error;
    }),
};

/** True where what I do is in conflict with theirs, since a guard asks for the list or for places in it. */
function isGuarded(base: Values, mine: Values, theirs: Values): boolean {
  if (same(base, mine) || isGrowth(base, mine) || same(base, theirs)) return false;
  if (!isInPlace(base, mine) || both(base, mine).length === 0) return true;
  return base.some((each, i) => !same(each, mine[i]) && !same(each, theirs[i]));
}

/** True where nobody can say what two writers meant together. */
function overlaps(base: Values, mine: Values, theirs: Values): boolean {
  if (!isGuarded(base, mine, theirs)) return false;
  if (both(base, mine).length === 0 && mine.length > 0) return base.length > 0;
  if (isInPlace(base, mine)) return base.some((each, i) => !same(each, mine[i]) && !has(theirs, each));
  const isMoved = !same(both(base, mine), both(mine, base));
  return isMoved && !same(both(base, theirs), both(theirs, base));
}

describe.each(['merge', 'fields', 'rebase', 'version'] as const)('two writers of one list, with %s', (mode) => {
  it('keep what both did, or are in conflict', async () => {
    await forAllCases(cases, async (id, random) => {
      const base = sampleOf(random, OWN_IDENTITIES, 6);
      const mine = changedBy(random, base, 'm', []);
      const theirs = random.chance(0.15) ? base : changedBy(random, base, 't', []);
      if (!isSet(mine) || !isSet(theirs)) return false;
      const Model = random.chance(0.2) ? Recorded : Any;
      await Model.collection.replaceOne({ _id: id } as never, { tags: base, writes: 1 }, { upsert: true });
      const load = (): Promise<Any> => Model.find({ _id: id } as never).one();
      const [first, second] = [await load(), await load()];
      assign(first, theirs, random);
      assign(second, mine, random);
      await first.save({ concurrency: 'merge' });
      expect(canonical(await storedTags(Model, id))).toBe(canonical(theirs));
      const concurrency = mode === 'rebase' ? 'fields' : mode;
      const how = { concurrency, ...((mode === 'rebase' || mode === 'version') && { onConflict: 'rebase' as const }) };
      const way = Model === Any ? random.pick(Object.keys(WAYS)) : 'by itself';
      const failed: unknown = await WAYS[way]?.(second, how).then(
        () => undefined,
        (error: unknown) => error,
      );
      const stored = await storedTags(Model, id);
      const context = canonical({ base, mine, theirs, stored, way });
      const isConflict = { merge: () => false, fields: isGuarded, rebase: overlaps, version: overlaps }[mode];
      if (!isConflict(base, mine, theirs)) {
        expect([context, failed]).toEqual([context, undefined]);
        expect([context, canonical(stored)]).toEqual([context, canonical(merged(base, mine, theirs, false))]);
        expect([context, second.isModified()]).toEqual([context, false]);
        return true;
      }
      expect([context, failed]).toEqual([context, expect.any(ConflictError)]);
      expect([context, canonical(stored)]).toEqual([context, canonical(theirs)]);
      await second.save({ concurrency, onConflict: 'mine' });
      expect([context, minus(minus(mine, base), await storedTags(Model, id))]).toEqual([context, []]);
      return true;
    });
  });
});

describe('a list that is declared to have no value twice', () => {
  class Ticket extends model('tickets', { numbers: unique(z.array(z.int())) }, { version: 'writes' }) {}

  // What stayed in it is asked in no mode; by a version only those count who write by the mapper.
  it.each(['merge', 'fields', 'version'] as const)(
    'keeps what another writer added, in mode %s',
    async (concurrency) => {
      const { _id } = await Ticket.create({ numbers: [1, 2, 3] });
      const ticket = await Ticket.find({ _id }).one();
      await Ticket.collection.updateOne({ _id }, { $push: { numbers: 4 } } as never);
      ticket.numbers = [2, 3, 5];
      await ticket.save({ concurrency });
      expect((await Ticket.find({ _id }).one()).numbers).toEqual([2, 3, 4, 5]);
    },
  );
});

describe('four writers at once', () => {
  it('keep all additions and removals', async () => {
    await forAllCases(Math.ceil(cases / 4), async (id, random) => {
      const base = sampleOf(random, OWN_IDENTITIES, 8);
      await Any.collection.replaceOne({ _id: id } as never, { tags: base, writes: 1 }, { upsert: true });
      const writers = await Promise.all([0, 1, 2, 3].map(() => Any.find({ _id: id } as never).one()));
      let expected: unknown[] = [...base];
      const isReversed = random.chance(0.3);
      writers.forEach((writer, w) => {
        // Nobody replaces the whole, and nobody in place: the length changes.
        const kept = base.filter((_, i) => i % 4 !== w || random.chance(0.5));
        const mine = isReversed ? kept.toReversed() : kept;
        for (let n = base.length - kept.length + 1 + random.below(2); n > 0; n -= 1)
          mine.splice(random.pick([0, mine.length, random.below(mine.length + 1)]), 0, `w${w}-${n}`);
        if (base.length > 0 && both(base, mine).length === 0) mine.push(base[0]);
        expected = [...minus(expected, minus(base, mine)), ...minus(mine, base)];
        assign(writer, mine, random);
      });
      const isMerge = isReversed || random.chance(0.5);
      const how: SaveOptions = isMerge ? { concurrency: 'merge' } : { concurrency: 'fields', onConflict: 'rebase' };
      await Promise.all(writers.map((writer) => writer.save(how)));
      const sorted = (list: Values): string[] => list.map((each) => canonical(each)).toSorted();
      expect([base, sorted(await storedTags(Any, id))]).toEqual([base, sorted(expected)]);
      return true;
    });
  });
});

import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { Double, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { canonical } from '../support/laws-canonical.ts';
import { Random } from '../support/laws-random.ts';

const traces = caseCount(100);

class Thing extends model('things', {}, { unknown: 'keep' }) {}

const database = useDatabase();

const initial = (random: Random) => ({
  count: 0,
  n: random.pick<unknown>([1, 2.5, new Double(3), Long.fromNumber(4), null]),
  date: new Date(random.below(5)),
  list: random.list(random.below(3), () => random.pick(['a', 'b', 'c'])),
  objects: [{ a: 1 }, { a: 2 }],
  o: { n: 1, list: ['a'], map: { 1: 1, x: 2 } },
});

const numbers = ['n', 'o.n', 'o.map.1', 'o.map.new', 'new', 'made.n'];
const arrays = ['list', 'o.list', 'o.new', 'newList'];

/** What a program does with a document. */
const actions: readonly ((thing: Thing, random: Random) => unknown)[] = [
  (thing, random) => thing.$inc(random.pick(numbers), random.pick([1, -1, 2n, 0.5])),
  (thing, random) => thing.$mul(random.pick(numbers), 2),
  (thing, random) => thing.$max(random.pick([...numbers, 'date']), random.pick<number | Date>([2, new Date(3)])),
  (thing, random) => thing.$min(random.pick([...numbers, 'date']), random.pick<number | Date>([2, new Date(3)])),
  (thing, random) => thing.$push(random.pick(arrays), random.pick(['a', 'd'])),
  (thing, random) => thing.$addToSet(random.pick(arrays), random.pick(['a', 'd']), 'e'),
  (thing, random) => thing.$pull(random.pick(arrays), random.pick(['a', 'd'])),
  (thing, random) => thing.$bit(random.pick(numbers), random.pick([{ or: 5 }, { and: 6n }, { xor: 1 << 20 }])),
  (thing, random) => thing.$pop(random.pick([...arrays, 'objects']), random.pick([1, -1])),
  (thing) => thing.$push('objects', { a: 3 }),
  (thing) => thing.$pull('objects', { a: 1 }),
  (thing, random) => thing.$currentDate(random.pick(['date', 'o.date'])),
  (thing, random) => thing.set(random.pick(numbers), random.below(5)),
  (thing, random) => thing.set(random.pick(arrays), ['a']),
  (thing, random) => thing.set('o', { n: random.below(3), list: ['x'] }),
  (thing, random) => thing.unset(random.pick([...numbers, ...arrays, 'o', 'objects'])),
  (thing, random) => (thing.get(random.pick(arrays)) as string[] | undefined)?.push('z'),
  (thing) => (thing.get('objects') as { a: number }[] | undefined)?.forEach((each) => (each.a += 1)),
  (thing) => thing.set('o.', 1), // only a pipeline can say it
];

/** What it does between saves only: during one it would show what was stored before it. */
const rollback = (thing: Thing, random: Random): void =>
  thing.rollback(random.pick(['n', 'o', 'list', 'date']) as never);

describe('a document', () => {
  it('has what is stored after any changes and operators, during saves too, and loses no count', async () => {
    let operators = 0;
    const property = fc.asyncProperty(fc.noShrink(fc.nat()), async (seed) => {
      const random = new Random(seed);
      const things = database.db.collection('things');
      const { insertedId: _id } = await things.insertOne(initial(random));
      const thing = (await Thing.find({ _id }).first()) ?? expect.fail('Expected the document');
      let count = 0;
      const act = (choices = actions): void => {
        for (let n = random.below(5); n > 0; n -= 1) attempt(() => random.pick(choices)(thing, random));
        if (!random.chance(0.5)) return;
        thing.$inc('count');
        count += 1;
      };
      for (let n = 1 + random.below(4); n > 0; n -= 1) {
        act([...actions, rollback]);
        if (random.chance(0.5)) {
          await things.updateOne({ _id }, { $inc: { count: 10 } });
          count += 10;
        }
        const saving = thing.save();
        if (random.chance(0.5)) {
          await setImmediate();
          act();
        }
        const before = own(thing);
        await saving;
        expect(own(thing)).toBe(before);
      }
      await thing.save();
      // The last save may have had no operator on it: what another writer did to it meanwhile is not known.
      thing.$inc('count');
      await thing.save();
      operators += database.sent().filter((command) => 'findAndModify' in command).length;
      const stored = await things.findOne({ _id });
      expect(stored?.['count']).toBe(count + 1);
      expect(canonical(stored)).toBe(canonical(thing.toObject()));
      expect([thing.isModified(), thing.changes()]).toEqual([false, []]);
      database.sent();
      await thing.save();
      expect(database.sent()).toEqual([]);
    });
    await fc.assert(property, { numRuns: traces });
    expect(operators).toBeGreaterThan(traces);
  });
});

/** What nobody else changes: all but the count and the server's times. */
function own(thing: Thing): string {
  const { count: _, date: _date, o, ...fields } = thing.toObject() as Record<string, unknown>;
  const members = typeof o === 'object' ? Object.entries({ ...o }).filter(([key]) => key !== 'date') : [];
  return canonical({ ...fields, o: Object.fromEntries(members) });
}

/** Operators that do not fit what is there, or each other, are refused. */
function attempt(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
}

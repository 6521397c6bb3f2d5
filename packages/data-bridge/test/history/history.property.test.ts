import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, ObjectId, UsageError } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { checkHistory } from '../support/history-checks.ts';
import { askForFault } from '../support/known-faults.ts';
import { canonical } from '../support/laws-canonical.ts';

class Note extends model(
  'notes',
  {
    text: z.string().optional(),
    count: z.number().optional(),
    tags: z.array(z.string()).optional(),
    nested: z.record(z.string(), z.union([z.number(), z.array(z.number())])).optional(),
    items: z.array(z.object({ _id: z.int(), n: z.int() })).optional(),
  },
  { timestamps: true, history: true },
) {}

/** One step of one of the writers, each of which holds a copy of the document of its own. */
interface Step {
  readonly writer: number;
  readonly kind: string;
  readonly n: number;
}

const kinds = [
  'text',
  'count',
  'inc',
  'tag',
  'push',
  'pull',
  'pop',
  'bit',
  'member',
  'array',
  'item',
  'lose',
  'reload',
  'static',
  'now',
];
const anyStep: fc.Arbitrary<Step> = fc.record({
  writer: fc.nat({ max: 2 }),
  kind: fc.constantFrom(...kinds),
  n: fc.nat({ max: 4 }),
});

const isFaulty = await askForFault('a history is whole when writers work at once');

const database = useDatabase();

async function perform(note: Note, { kind, n }: Step): Promise<void> {
  switch (kind) {
    case 'text':
      note.text = n === 0 ? undefined : String(n);
      break;
    case 'count':
      note.count = n / 2;
      break;
    case 'inc':
      note.$inc('count', n);
      break;
    case 'tag':
      note.tags = [...(note.tags ?? []).slice(n), String(n)];
      break;
    case 'push':
      note.$push('tags', String(n));
      break;
    case 'bit':
      // case: a number that was a fraction once is stored as a double, which has no bits
      try {
        note.$bit('count', { xor: n });
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
      break;
    case 'pop':
      note.$pop('tags', n % 2 === 0 ? 1 : -1);
      break;
    case 'pull':
      note.$pull('tags', String(n));
      break;
    case 'member':
      note.set(`nested.${n % 2 === 0 ? 'a' : 'b'}` as 'nested', n as never);
      break;
    case 'array':
      note.set('nested.list' as 'nested', [n, 1, 2] as never);
      break;
    case 'item':
      note.items = [...(note.items ?? []).filter(({ _id }) => _id !== n), { _id: n, n }];
      break;
    case 'lose':
      note.nested = undefined;
      break;
    case 'reload':
      await note.reload();
      break;
    case 'static':
      await Note.updateOne(
        { _id: note._id },
        n < 2 ? { $set: { text: 'x' }, $inc: { count: 1 } } : { $unset: { tags: '' } },
      );
      break;
    default:
      note.$max('count', n);
  }
  await note.save();
}

const fieldsOf = (stored: object | null) => canonical(without(stored));

function without(stored: object | null): object {
  const { _rev, _revId, ...fields } = (stored ?? {}) as Record<string, unknown>;
  return fields;
}

describe('a history', () => {
  it('gives what was stored at every revision, whoever wrote', async () => {
    const property = fc.asyncProperty(fc.array(anyStep, { minLength: 1, maxLength: 12 }), async (steps) => {
      const { _id } = await Note.create({ count: 1, nested: { a: 1 } });
      const writers = await Promise.all([0, 1, 2].map(() => Note.find({ _id }).one()));
      const notes = database.db.collection('notes');
      const stored = [await notes.findOne({ _id })];
      for (const step of steps) {
        await perform(writers[step.writer] as Note, step);
        const now = await notes.findOne({ _id });
        const revision = Number(now?.['_rev']);
        // A step may change nothing; a static one with changes waiting makes two revisions.
        if (revision === stored.length + 1) stored.push(now);
        else if (revision > stored.length) stored.push(null, now);
      }
      await checkHistory(database.db, 'notes', _id);
      for (const [i, then] of stored.entries())
        if (then !== null) expect(fieldsOf(await Note.asOf(_id, i + 1))).toBe(fieldsOf(then));
      // Back to a revision, and back from the grave.
      const note = await Note.find({ _id }).one();
      const { updatedAt: _, ...first } = without(stored[0] ?? null) as { updatedAt?: Date };
      await note.$revert(1);
      const { updatedAt: _now, ...reverted } = (await Note.find({ _id }).one()).toObject();
      expect(canonical(reverted)).toBe(canonical(first));
      await note.delete();
      const { updatedAt: _then, ...restored } = (await Note.restore(_id)).toObject();
      expect(canonical(restored)).toBe(canonical(first));
      await checkHistory(database.db, 'notes', _id);
    });
    await fc.assert(property, runs(12));
  });

  it.skipIf(isFaulty)('is whole when writers work at once', async () => {
    const property = fc.asyncProperty(fc.array(anyStep, { minLength: 4, maxLength: 12 }), async (steps) => {
      const { _id } = await Note.create({ count: 1, nested: { a: 1 } });
      const writers = await Promise.all([0, 1, 2].map(() => Note.find({ _id }).one()));
      const work = writers.map(async (note, writer) => {
        for (const step of steps.filter((each) => each.writer === writer)) await perform(note, step);
      });
      await Promise.all(work);
      await checkHistory(database.db, 'notes', _id);
    });
    await fc.assert(property, runs(10));
    expect(await database.db.collection('notes_history').countDocuments({ pending: true })).toBe(0);
  });

  it('knows documents of others apart', async () => {
    const ids = [new ObjectId(), new ObjectId()];
    for (const _id of ids) await Note.create({ _id, text: String(_id) });
    for (const _id of ids) expect((await Note.history(_id)).items).toHaveLength(1);
  });
});

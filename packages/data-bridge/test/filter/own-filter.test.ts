import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definitionKey } from '../../src/definition/model-definition.ts';
import { model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

/* A model that has a part of its collection: the conditions that say which join every filter. */

class Whole extends model('parts', { n: z.int() }, { typeKey: 'kind' }) {}
class Part extends Whole.extend({}, { type: 'mine', class: () => Part }) {}

/** Types know nothing of the name under which documents tell their class. */
const other = { kind: 'other' } as object;

const database = useDatabase();
beforeEach(async () => {
  const parts = database.db.collection('parts');
  await parts.deleteMany({});
  await parts.insertMany([1, 2, 3].flatMap((n) => ['mine', 'other'].map((kind) => ({ kind, n }))));
});

const others = (): Promise<number> => database.db.collection('parts').countDocuments({ kind: 'other', n: { $lte: 3 } });

describe('reading', () => {
  it.each<readonly [string, () => Promise<unknown>, unknown]>([
    ['find', async () => (await Part.find().sort({ n: 1 })).map(({ n }) => n), [1, 2, 3]],
    ['findOne', async () => (await Part.findOne(other))?.n, undefined],
    ['findBy', async () => (await Part.findBy({ n: 2 })).length, 1],
    ['a filter with $or', async () => Part.count({ $or: [{ n: 1 }, other] }), 1],
    ['count', async () => Part.count(), 3],
    ['exists', async () => Part.exists(other), false],
    ['distinct', async () => Part.distinct('n'), [1, 2, 3]],
    ['pages', async () => (await Part.find().sort({ n: 1 }).page({ size: 10 })).items.length, 3],
    ['aggregate', async () => (await Part.aggregate().group({ _id: null, all: { $sum: 1 } }))[0]?.all, 3],
  ])('%s sees its own documents alone', async (_, read, expected) => {
    expect(await read()).toEqual(expected);
  });
});

describe('writing', () => {
  it.each<readonly [string, () => Promise<unknown>]>([
    ['updateOne', () => Part.updateOne(other, { $set: { n: 9 } })],
    ['updateMany', () => Part.updateMany({}, { $set: { n: 9 } })],
    ['find().update', () => Part.find({ n: { $gt: 0 } }).update({ $set: { n: 9 } })],
    ['findOneAndUpdate', () => Part.findOneAndUpdate(other, { $set: { n: 9 } })],
    ['replaceOne', () => Part.replaceOne(other, { n: 9 })],
    ['findOneAndReplace', () => Part.findOneAndReplace(other, { n: 9 })],
    ['deleteOne', () => Part.deleteOne(other)],
    ['deleteMany', () => Part.deleteMany({})],
    ['find().delete', () => Part.find().delete()],
    ['findOneAndDelete', () => Part.findOneAndDelete(other)],
    [
      'bulk',
      () =>
        Part.bulk()
          .updateMany({}, { $set: { n: 9 } })
          .deleteMany({})
          .deleteOne(other)
          .replaceOne(other, { n: 9 })
          .execute(),
    ],
  ])('%s leaves the others alone', async (_, write) => {
    await write();
    expect(await others()).toBe(3);
  });

  it('an upsert inserts a document of the part', async () => {
    const made = await Part.upsert({ n: 50 }, { $set: { n: 51 } });
    expect(made.toObject()).toMatchObject({ kind: 'mine', n: 51 });
  });
});

describe('an upsert', () => {
  it.each([{ kind: 'mine' }, { kind: { $eq: 'mine' } }, { $and: [{ kind: 'mine' }] }])(
    'may say the condition itself: %j',
    async (said) => {
      const { upsertedCount } = await Part.updateOne(
        { ...(said as object), n: 60 },
        { $set: { n: 61 } },
        { upsert: true },
      );
      expect(upsertedCount).toBe(1);
      expect(await Part.count({ n: 61 })).toBe(1);
    },
  );
});

it('stays with the model on another connection', () => {
  const { connection } = database;
  expect(Part.prototype[definitionKey].on(connection).conditions).toEqual({ kind: 'mine' });
  expect(Whole.prototype[definitionKey].on(connection).conditions).toBeNull();
});

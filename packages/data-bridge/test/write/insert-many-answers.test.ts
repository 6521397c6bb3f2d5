import type { BSON } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, DuplicateKeyError, model, OutcomeUnknownError } from '../../src/index.ts';
import { useProxiedDatabase } from '../support/proxy.ts';
import { rejectionOf } from '../support/rejection.ts';

/* What insertMany() tells of each document where its commands are confirmed less widely than asked, cut off, or part of a transaction. */

class Large extends model('answered_large', { name: z.string(), blob: z.instanceof(Uint8Array) }) {}
class Plain extends model('answered_plain', { name: z.string() }) {}
class Kept extends model('answered_kept', { name: z.string() }, { history: true }) {}

const { proxy, database } = useProxiedDatabase();
beforeEach(async () => {
  for (const name of ['answered_large', 'answered_plain', 'answered_kept', 'answered_kept_history'])
    await database.db.collection(name).deleteMany({});
});

const unconfirmed = (reply: BSON.Document): BSON.Document => ({
  ...reply,
  writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' },
});
const outcomes = ({ results }: BulkSaveError): string[] => results.map(({ outcome }) => outcome);
/** Four of them are more than one command of the driver holds. */
const large = (): Large[] =>
  ['a', 'b', 'c', 'd'].map((name) => new Large({ name, blob: new Uint8Array(15 * 1024 * 1024) }));

describe('documents that the driver sends by several commands', () => {
  it('are told from those that were never sent, since the first was not confirmed', async () => {
    const documents = large();
    proxy.next('insert', unconfirmed);
    const error = await rejectionOf(BulkSaveError, Large.insertMany(documents, { validate: false }));
    const stored = new Set((await Large.find().select('name')).map(({ name }) => name));
    expect(stored.size).toBeLessThan(4);
    expect(outcomes(error)).toEqual(documents.map(({ name }) => (stored.has(name) ? 'inserted' : 'failed')));
    expect(documents.map(({ $isNew, name }) => [$isNew, stored.has(name)])).toEqual(
      documents.map(({ name }) => [!stored.has(name), stored.has(name)]),
    );
  });

  it('are told from those whose command was cut off', async () => {
    const documents = large();
    proxy.next('insert', (reply) => {
      proxy.next('insert', 'cutBefore');
      return reply;
    });
    const error = await rejectionOf(BulkSaveError, Large.insertMany(documents, { validate: false }));
    const stored = new Set((await Large.find().select('name')).map(({ name }) => name));
    expect(outcomes(error)).toEqual(documents.map(({ name }) => (stored.has(name) ? 'inserted' : 'failed')));
    for (const { outcome, error: reason } of error.results)
      expect(reason instanceof OutcomeUnknownError).toBe(outcome === 'failed');
  });
});

describe.each([
  ['a model', Plain],
  ['a model with history', Kept],
] as const)('insertMany() of %s', (_, Model) => {
  const three = (): InstanceType<typeof Model>[] => {
    const first = new Model({ name: 'a' });
    return [first, new Model({ _id: first._id, name: 'twin' }), new Model({ name: 'c' })];
  };

  it.each([
    [true, ['inserted', 'failed', 'failed']],
    [false, ['inserted', 'failed', 'inserted']],
  ])('tells which was refused where the others were not confirmed, with ordered: %s', async (ordered, expected) => {
    const documents = three();
    // Announcements are inserted before.
    proxy.next('insert', (reply) => {
      if (Model === Kept) proxy.next('insert', unconfirmed);
      return Model === Kept ? reply : unconfirmed(reply);
    });
    const error = await rejectionOf(BulkSaveError, Model.insertMany(documents, { ordered }));
    expect(outcomes(error)).toEqual(expected);
    expect(error.results[1]?.error).toBeInstanceOf(DuplicateKeyError);
    expect(documents.map(({ $isNew }) => $isNew)).toEqual(expected.map((outcome) => outcome === 'failed'));
    expect(await Model.count()).toBe(expected.filter((outcome) => outcome === 'inserted').length);
  });

  it.each([true, false])(
    "says that nothing was inserted where a transaction of the program's own was ended, with ordered: %s",
    async (ordered) => {
      const documents = three();
      const session = database.connection.client.startSession();
      session.startTransaction();
      const error = await rejectionOf(BulkSaveError, Model.insertMany(documents, { session, ordered }));
      await session.abortTransaction();
      await session.endSession();
      expect(outcomes(error)).toEqual(['failed', 'failed', 'failed']);
      expect(error.results.map((result) => result.error instanceof DuplicateKeyError)).toEqual([false, true, false]);
      expect(documents.map(({ $isNew }) => $isNew)).toEqual([true, true, true]);
      await Model.insertMany(documents.slice(1));
      expect(await Model.count()).toBe(2);
    },
  );
});

it('documents are not sent where the signal was aborted while they were announced', async () => {
  const controller = new AbortController();
  const documents = [new Kept({ name: 'a' }), new Kept({ name: 'b' })];
  proxy.next('insert', (reply) => {
    controller.abort(new Error('enough'));
    return reply;
  });
  await expect(Kept.insertMany(documents, { signal: controller.signal })).rejects.toThrow('enough');
  expect(documents.map(({ $isNew }) => $isNew)).toEqual([true, true]);
  expect(await database.db.collection('answered_kept_history').countDocuments({})).toBe(0);
  await Kept.insertMany(documents);
  expect(await Kept.count()).toBe(2);
});

import { ObjectId } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, DuplicateKeyError, model } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { rejectionOf } from '../support/rejection.ts';

/* insertMany() tells what became of each document. */

class Account extends model(
  'inserted_accounts',
  { email: z.string() },
  { indexes: [{ key: { email: 1 }, unique: true }] },
) {}
class Kept extends model(
  'inserted_kept',
  { email: z.string() },
  { indexes: [{ key: { email: 1 }, unique: true }], history: true },
) {}

const database = useDatabase();
beforeAll(async () => {
  await Account.ensureIndexes();
  await Kept.ensureIndexes();
});
beforeEach(async () => {
  for (const name of ['inserted_accounts', 'inserted_kept', 'inserted_kept_history'])
    await database.db.collection(name).deleteMany({});
});

const emails = ['a', 'taken', 'b', 'a', 'c'];
const outcomes = ({ results }: BulkSaveError): string[] => results.map(({ outcome }) => outcome);

describe.each([
  ['a model', Account],
  ['a model with history', Kept],
] as const)('insertMany() of %s', (_, Model) => {
  beforeEach(async () => {
    await Model.create({ email: 'taken' });
  });

  it('in any order: tells which of five were refused, and why', async () => {
    const documents = emails.map((email) => new Model({ email }));
    const error = await rejectionOf(BulkSaveError, Model.insertMany(documents, { ordered: false }));
    expect(outcomes(error)).toEqual(['inserted', 'failed', 'inserted', 'failed', 'inserted']);
    expect(error.results.map((result) => result.document)).toEqual(documents);
    for (const { outcome, error: reason } of error.results)
      expect(reason instanceof DuplicateKeyError).toBe(outcome === 'failed');
    expect(error.cause).toBeUndefined();
    expect(documents.map(({ $isNew }) => $isNew)).toEqual([false, true, false, true, false]);
    expect(await Model.count()).toBe(4);
  });

  it('in order: what stands behind the first that fails was not tried', async () => {
    const documents = emails.map((email) => new Model({ email }));
    const error = await rejectionOf(BulkSaveError, Model.insertMany(documents));
    expect(outcomes(error)).toEqual(['inserted', 'failed', 'failed', 'failed', 'failed']);
    expect(error.results.map(({ error: reason }) => reason !== undefined)).toEqual([false, true, false, false, false]);
    expect(error.cause).toBe(error.results[1]?.error);
    expect(error.cause).toBeInstanceOf(DuplicateKeyError);
    const again = documents.slice(2).filter(({ email }) => email !== 'a');
    await Model.insertMany(again);
    expect(await Model.count()).toBe(4);
  });

  it.each([true, false])('for ids tells the same, with validate: %s', async (validate) => {
    const inputs = emails.map((email) => ({ _id: new ObjectId(), email }));
    const error = await rejectionOf(
      BulkSaveError,
      Model.insertMany(inputs, { ordered: false, return: 'ids', validate }),
    );
    expect(outcomes(error)).toEqual(['inserted', 'failed', 'inserted', 'failed', 'inserted']);
    expect(error.results.map(({ document }) => (document as { _id: unknown })._id)).toEqual(
      inputs.map(({ _id }) => _id),
    );
    for (const { document, outcome } of error.results)
      if (document instanceof Model) expect(document.$isNew).toBe(outcome === 'failed');
  });
});

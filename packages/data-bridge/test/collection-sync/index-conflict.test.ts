import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

const fields = { email: z.string(), seen: z.date().optional() };
const withIndex = (...indexes: object[]) => class extends model('people', fields, { indexes: indexes as never }) {};

const database = useDatabase();
afterEach(() => database.db.dropDatabase());

const refused = (given: ReturnType<typeof withIndex>): Promise<unknown> =>
  given.ensureIndexes().catch((error: unknown) => error);

describe('An index that is there otherwise', () => {
  it.each<[string, object, object, string]>([
    ['unique', { key: { email: 1 } }, { key: { email: 1 }, unique: true }, 'another "unique"'],
    ['no longer unique', { key: { email: 1 }, unique: true }, { key: { email: 1 } }, 'another "unique"'],
    [
      'of another age',
      { key: { seen: 1 }, expireAfterSeconds: 5 },
      { key: { seen: 1 }, expireAfterSeconds: 6 },
      'another "expireAfterSeconds"',
    ],
    [
      'sparse, too',
      { key: { email: 1 }, name: 'mine' },
      { key: { email: 1 }, name: 'mine', unique: true, sparse: true },
      'another "unique" and "sparse"',
    ],
    ['of another key', { key: { email: 1 }, name: 'mine' }, { key: { seen: 1 }, name: 'mine' }, 'another key'],
    ['of another name', { key: { email: 1 } }, { key: { email: 1 }, name: 'mine' }, 'another "name"'],
  ])('is named with what differs, where it is to be %s', async (_what, before, after, difference) => {
    await withIndex({ key: { seen: -1 } }, before).ensureIndexes();
    const error = (await refused(withIndex({ key: { seen: -1 } }, after))) as UsageError;
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(
      /^The index "\w+" is there with another .* than the model asks for \(code 8[56]\): drop it by collection\.dropIndex\('\w+'\), and call ensureIndexes\(\) again\.$/,
    );
    expect(error.message).toContain(difference);
    expect(error.cause).toMatchObject({ code: expect.any(Number) });
    const [, name = ''] = /dropIndex\('(\w+)'\)/.exec(error.message) ?? [];
    await database.db.collection('people').dropIndex(name);
    await withIndex({ key: { seen: -1 } }, after).ensureIndexes();
  });

  it('is no trouble where it is the same', async () => {
    const same = withIndex({ key: { email: 1 }, unique: true, collation: { locale: 'en', strength: 2 } });
    await same.ensureIndexes();
    expect(await same.ensureIndexes()).toEqual(['email_1']);
  });
});

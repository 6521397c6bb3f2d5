import { Long, ObjectId } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, DuplicateKeyError, model, OutcomeUnknownError, type ValidationError } from '../../src/index.ts';
import { useProxiedDatabase } from '../support/proxy.ts';

/*
 * insertMany() makes the documents of plain inputs over the bytes that it sent, of a class of which it has seen a document. They
 * are as those that it makes of the inputs themselves, which it does of every other class.
 */

const fields = {
  name: z.string(),
  n: z.number().default(7),
  at: z.date().optional(),
  tags: z.array(z.string()).optional(),
  inner: z.object({ list: z.array(z.number()), deep: z.object({ x: z.number() }).optional() }).optional(),
  any: z.unknown().optional(),
};
const options = { timestamps: true, concurrency: 'version', indexes: [{ key: { name: 1 }, unique: true }] } as const;
const make = () => class extends model('plain_inputs', fields, options) {};
/** Documents of this class are made of the inputs. */
class Copied extends model('plain_inputs', { ...fields, name: z.string().refine(() => true) }, options) {}
class Plain extends make() {}

const { proxy, database } = useProxiedDatabase();
beforeAll(async () => {
  await Plain.ensureIndexes();
  // From here on it is seen.
  await Plain.insertMany([{ name: 'first' }]);
});
beforeEach(async () => {
  await database.db.collection('plain_inputs').deleteMany({});
});

type Input = ConstructorParameters<typeof Plain>[0];
const inputs = (): Input[] => [
  { name: 'a', at: new Date(5), tags: ['x', 'y'], inner: { list: [1, 2.5], deep: { x: -0 } }, any: [{ k: null }] },
  { name: 'b', n: 2 ** 40, any: { id: new ObjectId('000000000000000000000001'), none: undefined } },
];

type Made = InstanceType<typeof Plain>;
/** What can be seen of a document, without what is another one each time. */
const seen = (document: Made): unknown => [
  { ...document.toObject(), _id: 0, createdAt: 0, updatedAt: 0 },
  document.$isNew,
  document.isModified(),
  document.changes(),
  document
    .$previousChanges()
    .map(({ path, ...change }) => (/^(?:_id|createdAt|updatedAt)$/.test(path) ? path : { path, ...change })),
  document.$bytes?.length,
];

describe('documents made over what was sent', () => {
  it.each<readonly [string, { validate?: boolean }]>([
    ['validated', {}],
    ['not validated', { validate: false }],
  ])('are as those made of the inputs: %s', async (_, given) => {
    const made = await Plain.insertMany(inputs(), given);
    await database.db.collection('plain_inputs').deleteMany({});
    const copied = await Copied.insertMany(inputs(), given);
    expect(made.map(seen)).toEqual(copied.map(seen));
    const changed = [made, copied].map(async ([first]) => {
      first?.tags?.push('z');
      if (first !== undefined) first.n += 1;
      first?.inner?.list.push(3);
      const changes = first?.changes();
      return changes;
    });
    const [mine, theirs] = await Promise.all(changed);
    expect(mine).toEqual(theirs);
  });

  it('are saved like any other', async () => {
    const [first, second] = await Plain.insertMany(inputs());
    first?.tags?.push('z');
    if (second !== undefined) second.n = 1;
    await Plain.saveAll([first, second] as Made[]);
    const stored = await Plain.find().sort({ name: 1 });
    expect(stored.map(({ tags, n }) => [tags, n])).toEqual([
      [['x', 'y', 'z'], 7],
      [undefined, 1],
    ]);
  });

  it('share nothing with the inputs, which may be changed as soon as they were given', async () => {
    for (const given of [{}, { return: 'ids' }, { validate: false, return: 'ids' }] as const) {
      await database.db.collection('plain_inputs').deleteMany({});
      const input = { name: 'a', tags: ['x', 'y'], inner: { list: [1, 2.5] } };
      const inserting = Plain.insertMany([input], given);
      input.tags.push('later');
      input.inner.list.length = 0;
      const [made] = await inserting;
      expect(input.tags).toHaveLength(3);
      const found = await Plain.findOne({ name: 'a' });
      expect([found?.tags, found?.inner?.list]).toEqual([
        ['x', 'y'],
        [1, 2.5],
      ]);
      if (made instanceof Plain)
        expect([made.tags, made.inner?.list]).toEqual([
          ['x', 'y'],
          [1, 2.5],
        ]);
    }
  });

  it('keep types that their bytes cannot tell, since they are made of the inputs then', async () => {
    const long = Long.fromNumber(5);
    const [made] = await Plain.insertMany([{ name: 'a', any: long }]);
    expect(made?.any).toEqual(long);
  });

  it('are refused with all that is wrong', async () => {
    const wrong = [{ name: 'a' }, { name: 1 }, { name: 'c', foreign: 1 }, { name: 'd', createdAt: new Date() }];
    const error = await Plain.insertMany(wrong as unknown as Input[]).catch((thrown: unknown) => thrown);
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual(['1.name', '2.foreign', '3.createdAt']);
    expect(await Plain.count()).toBe(0);
  });

  it('are new where a transaction took them back', async () => {
    let made: readonly Made[] = [];
    const failing = database.connection.transaction(async () => {
      made = await Plain.insertMany(inputs());
      throw new Error('taken back');
    });
    await expect(failing).rejects.toThrow('taken back');
    expect(made.map(({ $isNew }) => $isNew)).toEqual([true, true]);
  });
});

describe('documents that were not inserted', () => {
  const failureOf = async (inserting: Promise<unknown>): Promise<BulkSaveError> => {
    const error = await inserting.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BulkSaveError);
    return error as BulkSaveError;
  };
  const twins = (): Input[] => [{ name: 'a' }, { name: 'a', tags: ['t'] }, { name: 'c' }];

  it.each([{}, { return: 'ids' }] as const)('are in the error, new, and can be saved again: %o', async (given) => {
    const { results } = await failureOf(Plain.insertMany(twins(), { ...given, ordered: false }));
    const documents = results.map(({ document }) => document as Made);
    expect(results.map(({ error }) => error instanceof DuplicateKeyError)).toEqual([false, true, false]);
    expect(documents.map(({ $isNew, name }) => [$isNew, name])).toEqual([
      [false, 'a'],
      [true, 'a'],
      [false, 'c'],
    ]);
    const [, refused] = documents;
    expect(refused?.toObject()).toEqual({ _id: refused?._id, name: 'a', n: 7, tags: ['t'] });
    if (refused !== undefined) refused.name = 'b';
    await refused?.save();
    expect((await Plain.find().sort({ name: 1 })).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('are fields in the error where neither documents nor a validation were asked for', async () => {
    const { results } = await failureOf(Plain.insertMany(twins(), { validate: false, return: 'ids' }));
    expect(results.map(({ document }) => document)).toEqual([
      expect.objectContaining({ name: 'a', n: 7, createdAt: expect.any(Date) as Date }),
      expect.objectContaining({ name: 'a', tags: ['t'] }),
      expect.objectContaining({ name: 'c' }),
    ]);
  });

  it('are saved again where their answer never came', async () => {
    // More than one command of the driver holds.
    const large = ['a', 'b', 'c', 'd'].map((name) => ({ name, any: 'x'.repeat(5 * 1024 * 1024) }));
    proxy.next('insert', (reply) => {
      proxy.next('insert', 'cutAfter');
      return reply;
    });
    const { results } = await failureOf(Plain.insertMany(large));
    const documents = results.map(({ document }) => document as Made);
    const open = documents.filter((_, place) => results[place]?.error instanceof OutcomeUnknownError);
    expect(open.map(({ $isNew, name }) => [$isNew, name])).toEqual([[true, 'd']]);
    for (const document of open) await document.save();
    expect(documents.some(({ $isNew }) => $isNew)).toBe(false);
    expect(await Plain.count()).toBe(4);
  });
});

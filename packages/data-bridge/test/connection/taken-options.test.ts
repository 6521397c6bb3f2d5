import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, stored, UsageError } from '../../src/index.ts';
import { TAKEN } from '../../src/connection/taken-options.ts';
import { useDatabase } from '../support/database.ts';

class Item extends model('items', {
  name: z.string(),
  rank: stored('r', z.int().default(0)),
  tags: z.array(z.int()).default([]),
}) {}
class Kept extends model('kept', { name: z.string() }, { history: true }) {}

const database = useDatabase();
beforeAll(() => Item.ensureCollection());
beforeEach(() => void database.sent());

/** Whatever the driver has an option for, and a misspelt one, with a value that shows in the command. */
const values = {
  allowDiskUse: true,
  allowPartialResults: true,
  arrayFilters: [{ e: 1 }],
  authdb: 'x',
  batchSize: 7,
  bypassDocumentValidation: true,
  checkKeys: true,
  collation: { locale: 'de' },
  comment: 'noted',
  dbName: 'x',
  explain: true,
  forceServerObjectId: true,
  hint: { _id: 1 },
  ignoreUndefined: true,
  includeResultMetadata: true,
  let: { a: 1 },
  limit: 3,
  maxAwaitTimeMS: 5,
  maxTimeMS: 60_001,
  noCursorTimeout: true,
  ordered: false,
  out: 'x',
  projection: { name: 1 },
  promoteValues: false,
  raw: true,
  readConcern: { level: 'majority' },
  readPreference: 'primaryPreferred',
  returnDocument: 'after',
  serializeFunctions: true,
  singleBatch: true,
  skip: 1,
  sort: { rank: 1 },
  tailable: true,
  upser: true,
  upsert: true,
  useBigInt64: true,
  willRetryWrite: true,
  writeConcern: { w: 'majority' },
} as const;

/** The options of the package's own that tell how a call is made. */
const ownValues = {
  applied: true,
  cascade: true,
  concurrency: 'none',
  guard: ['name'],
  hard: true,
  history: false,
  hooks: false,
  onConflict: 'mine',
  return: 'ids',
  timestamps: false,
  unscoped: true,
  validate: false,
} as const;

const REPLACING = ['hooks', 'validate', 'history', 'unscoped'];
const STAMPING = ['timestamps', 'history', 'unscoped'];
const DELETING = ['hard', 'history', 'unscoped'];
const SAVING = ['validate', 'timestamps', 'concurrency', 'guard', 'onConflict', 'hooks', 'unscoped'];

/** Of these options those that a call takes; where it is not named, it takes `unscoped` alone. */
const own: Readonly<Record<string, readonly string[]>> = {
  'create()': [...SAVING, 'cascade'],
  'insertMany()': ['validate', 'timestamps', 'return', 'hooks', 'unscoped'],
  'updateOne()': STAMPING,
  'updateMany()': STAMPING,
  'upsert()': STAMPING,
  'replaceOne()': REPLACING,
  'findOneAndUpdate()': STAMPING,
  'findOneAndReplace()': REPLACING,
  'findOneAndDelete()': DELETING,
  'deleteOne()': DELETING,
  'deleteMany()': DELETING,
  'find().update()': STAMPING,
  'find().delete()': DELETING,
  'save()': [...SAVING, 'cascade'],
  'saveAll()': [...SAVING, 'cascade'],
  'delete()': ['concurrency', 'guard', 'hard', 'hooks', 'unscoped'],
  '$rebase()': ['applied', 'onConflict', 'unscoped'],
  'bulk().updateOne()': ['timestamps', 'unscoped'],
  'bulk().updateMany()': ['timestamps', 'unscoped'],
  'bulk().deleteOne()': ['hard', 'unscoped'],
  'bulk().deleteMany()': ['hard', 'unscoped'],
  'bulk().execute()': REPLACING,
  'hydrate()': [],
  'page()': [],
  'forEach()': [],
  '$revert()': SAVING,
  'restore()': SAVING,
  'pruneHistory()': [],
  'repairHistory()': [],
};

type Call = (options: object) => unknown;

const update = { $set: { 'tags.$[e]': 1 } } as object;
const plain = { $set: { rank: 1 } };
const bulk = () => Item.bulk();
const saved = async (options: object, call: (item: Item) => unknown) => {
  const item = await Item.create({ name: 'saved' });
  item.name = 'changed';
  database.sent();
  return call(item);
};

/** Each call, and the options that it takes. */
const calls: Readonly<Record<string, readonly [Call, readonly string[]]>> = {
  'estimatedCount()': [(options) => Item.estimatedCount(options), TAKEN.estimatedCount],
  'distinct()': [(options) => Item.distinct('name', {}, options), TAKEN.distinct],
  'exists()': [(options) => Item.exists({}, options), TAKEN.exists],
  'count()': [(options) => Item.count({}, options), TAKEN.count],
  'findOne()': [(options) => Item.findOne({}, options), TAKEN.findOne],
  'findById()': [(options) => Item.findById('65f0a1b2c3d4e5f601234567', options), TAKEN.findOne],
  'find()': [async (options) => Item.find({}, options), TAKEN.find],
  'findBy()': [async (options) => Item.findBy({ name: 'x' }, options), TAKEN.find],
  'aggregate()': [async (options) => Item.aggregate(options).raw({ $merge: 'copy' }), TAKEN.aggregate],
  'watch()': [async (options) => Item.watch([], options).close(), TAKEN.watch],
  'create()': [(options) => Item.create({ name: 'x' }, options), TAKEN.insert],
  'insertMany()': [(options) => Item.insertMany([{ name: 'x' }], options), TAKEN.insertMany],
  'updateOne()': [(options) => Item.updateOne({}, update, options), TAKEN.updateOne],
  'updateMany()': [(options) => Item.updateMany({}, update, options), TAKEN.updateMany],
  'upsert()': [(options) => Item.upsert({ name: 'u' }, plain, options), TAKEN.upsert],
  'replaceOne()': [(options) => Item.replaceOne({}, { name: 'x' }, options), TAKEN.replaceOne],
  'findOneAndUpdate()': [(options) => Item.findOneAndUpdate({}, update, options), TAKEN.findOneAndUpdate],
  'findOneAndReplace()': [(options) => Item.findOneAndReplace({}, { name: 'x' }, options), TAKEN.findOneAndReplace],
  'findOneAndDelete()': [(options) => Item.findOneAndDelete({}, options), TAKEN.findOneAndDelete],
  'deleteOne()': [(options) => Item.deleteOne({}, options), TAKEN.delete],
  'deleteMany()': [(options) => Item.deleteMany({ name: 'none' }, options), TAKEN.delete],
  'find().update()': [
    (options) => Item.find().update(plain, options),
    TAKEN.updateMany.filter((name) => name !== 'upsert'),
  ],
  'find(…, options).update()': [
    (options) => Item.find({}, options).update(plain),
    TAKEN.updateMany.filter((name) => (TAKEN.find as readonly string[]).includes(name)),
  ],
  'find().delete()': [(options) => Item.find({ name: 'none' }).delete(options), TAKEN.delete],
  'find(…, options).delete()': [
    (options) => Item.find({ name: 'none' }, options).delete(),
    TAKEN.delete.filter((name) => (TAKEN.find as readonly string[]).includes(name)),
  ],
  'find(…, options).distinct()': [(options) => Item.find({}, options).distinct('name'), TAKEN.distinct],
  'save()': [(options) => saved(options, (item) => item.save(options)), TAKEN.insert],
  'saveAll()': [
    (options) => saved(options, (item) => Item.saveAll([item, new Item({ name: 'x' })], { ordered: true, ...options })),
    [...TAKEN.insert, 'ordered'],
  ],
  'delete()': [(options) => saved(options, (item) => item.delete(options)), TAKEN.remove],
  'reload()': [(options) => saved(options, (item) => item.reload(options)), TAKEN.reload],
  '$rebase()': [
    (options) => saved(options, (item) => item.$rebase(options)),
    ['session', 'comment', 'timeoutMS', 'signal'],
  ],
  'bulk().updateOne()': [
    (options) => bulk().updateOne({}, update, options),
    ['upsert', 'arrayFilters', 'collation', 'hint'],
  ],
  'bulk().updateMany()': [
    (options) => bulk().updateMany({}, update, options),
    ['upsert', 'arrayFilters', 'collation', 'hint'],
  ],
  'bulk().replaceOne()': [(options) => bulk().replaceOne({}, { name: 'x' }, options), ['upsert', 'collation', 'hint']],
  'bulk().deleteOne()': [(options) => bulk().deleteOne({}, options), ['collation', 'hint']],
  'bulk().deleteMany()': [(options) => bulk().deleteMany({}, options), ['collation', 'hint']],
  'bulk().execute()': [
    (options) => bulk().updateMany({}, plain).execute(options),
    ['ordered', 'writeConcern', 'comment', 'let', 'bypassDocumentValidation'],
  ],
  'hydrate()': [(options) => Item.hydrate({ name: 'x' }, options), []],
  'page()': [(options) => Item.find().page({ size: 1, ...options }), []],
  'forEach()': [(options) => Item.find().forEach(() => {}, options), []],
  'history()': [(options) => Kept.history('65f0a1b2c3d4e5f601234567', options), []],
  'asOf()': [(options) => Kept.asOf('65f0a1b2c3d4e5f601234567', 1, options), []],
  '$revert()': [
    async (options) => {
      const kept = await Kept.create({ name: 'x' });
      database.sent();
      return kept.$revert(1, options);
    },
    TAKEN.insert,
  ],
  'restore()': [(options) => Kept.restore('65f0a1b2c3d4e5f601234567', options), TAKEN.insert],
  'pruneHistory()': [(options) => Kept.pruneHistory({ olderThan: new Date(0), ...options }), []],
  'repairHistory()': [(options) => Kept.repairHistory({ olderThan: new Date(0), ...options }), []],
};

const outcomeOf = (call: Call, options: object): Promise<unknown> =>
  Promise.resolve()
    .then(() => call(options))
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

describe.each(Object.entries(calls))('%s', (title, [call, taken]) => {
  const takenOwn = own[title] ?? ['unscoped'];

  it('refuses every option that it has no use for', async () => {
    for (const [name, value] of Object.entries({ ...values, ...ownValues })) {
      if (takenOwn.includes(name) || (taken.includes(name) && name in values)) continue;
      const error = await outcomeOf(call, { [name]: value });
      expect({ name, isRefused: error instanceof UsageError, sent: database.sent() }).toEqual({
        name,
        isRefused: true,
        sent: [],
      });
    }
    expect(String(await outcomeOf(call, { raw: undefined, upser: undefined }))).not.toContain('option');
    database.sent();
  });

  it('takes its own options, and hands none of them to the driver', async () => {
    for (const name of takenOwn as (keyof typeof ownValues)[]) {
      const error = await outcomeOf(call, { [name]: ownValues[name] });
      expect(`${name}: ${String(error)}`).not.toMatch(/does not take|not supported/);
      for (const command of database.sent()) expect(Object.keys(command)).not.toContain(name);
    }
  });
});

/** Those that send a command each time, and what shows in it. */
const sending = Object.entries({
  ...calls,
  'aggregate()': [
    async (options: object) => Item.aggregate(options).match({ name: 'x' }),
    TAKEN.aggregate.filter((name) => name !== 'writeConcern'),
  ] as const,
  'aggregate() that stores': [
    async (options: object) => Item.aggregate(options).raw({ $merge: 'copy' }),
    ['writeConcern', 'bypassDocumentValidation'],
  ] as const,
}).filter(([name]) => !/bulk\(\)\.(update|replace|delete)|hydrate|restore|revert|watch/.test(name));

/** What differs from one command to the next. */
const PASSING = /^(lsid|txnNumber|_id|\$clusterTime)$/;

it.each(sending)('%s sends what it takes', async (_name, [call, taken]) => {
  const commandFor = async (options: object): Promise<string> => {
    await outcomeOf(call, options);
    return JSON.stringify(database.sent().at(-1), (key, value: unknown) => (PASSING.test(key) ? null : value));
  };
  const bare = await commandFor({});
  const ignored: string[] = [];
  // The driver tells a server of it that is one of several, and chooses by it among them.
  const isAlone = (process.env['MONGODB_URI'] ?? '').includes('directConnection=true');
  const names: readonly string[] = taken.filter((name) => !isAlone || name !== 'readPreference');
  for (const [name, value] of Object.entries(values))
    if (names.includes(name) && (await commandFor({ [name]: value })) === bare) ignored.push(name);
  expect(ignored).toEqual([]);
});

it('names in sorts and hints are the stored ones', async () => {
  await Item.deleteMany({});
  await Item.insertMany([
    { name: 'a', rank: 2 },
    { name: 'b', rank: 1 },
  ]);
  database.sent();
  const sort = { rank: 1 } as const;
  await Item.findOneAndUpdate({}, { $set: { name: 'c' } }, { sort });
  expect(database.sent()[0]).toMatchObject({ sort: new Map([['r', 1]]) });
  expect((await Item.find().sort(sort))[0]?.name).toBe('c');
  expect((await Item.findOneAndReplace({}, { name: 'd', rank: 1 }, { sort, returnDocument: 'after' }))?.name).toBe('d');
  expect((await Item.findOneAndDelete({}, { sort }))?.name).toBe('d');
  database.sent();
  await outcomeOf((options) => Item.updateMany({}, plain, options), { hint: { rank: 1 } });
  await outcomeOf(
    (options) =>
      Item.bulk()
        .deleteOne({}, { hint: { rank: 1 } })
        .execute(options),
    {},
  );
  expect(JSON.stringify(database.sent()).match(/"hint":\{"r":1\}/g)).toHaveLength(2);
});

it.each([
  ['create()', (options: never) => Item.create({ name: 'x' }, options)],
  ['insertMany()', (options: never) => Item.insertMany([{ name: 'x' }], options)],
  ['$rebase()', (options: never) => saved({}, (item) => item.$rebase(options))],
  ['delete()', (options: never) => saved({}, (item) => item.delete(options))],
  ['reload()', (options: never) => saved({}, (item) => item.reload(options))],
  ['aggregate()', async (options: never) => Item.aggregate(options)],
  ['asOf()', (options: never) => Kept.asOf('65f0a1b2c3d4e5f601234567', 1, options)],
])('%s refuses options that are none', async (_name, call) => {
  await expect(call('name' as never)).rejects.toThrow('takes its options as an object, got a string');
  await expect(call(5 as never)).rejects.toThrow('takes its options as an object, got a number');
});

it('types refuse what is ignored', () => {
  const wrong = () => [
    // @ts-expect-error -- an update by operators has filters of elements, a replacement none
    Item.replaceOne({}, { name: 'x' }, { arrayFilters: [] }),
    // @ts-expect-error -- nor this one
    Item.findOneAndReplace({}, { name: 'x' }, { arrayFilters: [] }),
    // @ts-expect-error -- the first of many is not chosen
    Item.updateMany({}, plain, { sort: { rank: 1 } }),
    // @ts-expect-error -- one statement has no order
    Item.deleteOne({}, { ordered: false }),
    // @ts-expect-error -- writes go to the primary
    Item.updateOne({}, plain, { readPreference: 'secondary' }),
    // @ts-expect-error -- it is one
    Item.findOne({}, { limit: 2 }),
    // @ts-expect-error -- a number has no order
    Item.count({}, { sort: { rank: 1 } }),
    // @ts-expect-error -- documents have their _id
    Item.insertMany([], { forceServerObjectId: true }),
    // @ts-expect-error -- what is found is not deleted
    Item.findOne({}, { hard: true }),
    // @ts-expect-error -- hooks stand around documents
    Item.updateOne({}, plain, { hooks: false }),
    // @ts-expect-error -- it has no document whose references could be saved
    Item.insertMany([], { cascade: true }),
    Item.findOneAndDelete({}, { hard: true, unscoped: true }),
    Item.findById('65f0a1b2c3d4e5f601234567', { unscoped: ['tenant'] }),
  ];
  expect(wrong).toBeTypeOf('function');
});

import fc from 'fast-check';
import type { BSON, ObjectId } from 'mongodb';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { tenant, withTenant } from '../src/extensions.ts';
import { DataBridgeError, model } from '../src/index.ts';
import { runs } from './support/arbitrary.ts';
import { useDatabase } from './support/database.ts';

/*
 * Whatever a program calls of a tenant's model, it never sees or writes a document of another tenant.
 */

const fields = { n: z.int().default(0), tags: z.array(z.string()).default([]), ...tenant.fields };

class Plain extends model('tenant_plain', fields, { timestamps: true, extensions: [tenant] }) {}
class Guarded extends model('tenant_guarded', fields, { concurrency: 'fields', version: 'v', extensions: [tenant] }) {}
class Kept extends model('tenant_kept', fields, { history: true, extensions: [tenant] }) {}

const MODELS = [Plain, Guarded, Kept as unknown as typeof Plain] as const;
type Item = Plain;

/** Where a step may point at: a document of either tenant. */
interface Scene {
  readonly model: typeof Plain;
  readonly ids: readonly ObjectId[];
  readonly id: ObjectId;
  /** A document that was read for the tenant to whom it belongs. */
  readonly held: Item;
  readonly n: number;
}

/** Gives what was seen: documents, plain objects, or how many of the tenant's there are. */
const CALLS: Readonly<Record<string, (scene: Scene) => unknown>> = {
  find: ({ model: M }) => M.find(),
  'find by id': ({ model: M, id }) => M.find({ _id: id }),
  'find with $or': ({ model: M, id, n }) => M.find({ $or: [{ _id: id }, { n: { $gte: n } }] }),
  'find the other tenant': ({ model: M }) => M.find({ tenant: { $in: ['a', 'b'] } }),
  lean: ({ model: M }) => M.find().lean(),
  select: ({ model: M }) => M.find().select('tenant', 'n'),
  page: async ({ model: M }) => (await M.find().sort('n').page({ size: 2 })).items,
  forEach: async ({ model: M }) => {
    const seen: Item[] = [];
    await M.find().forEach((each) => seen.push(each));
    return seen;
  },
  findOne: ({ model: M, id }) => M.findOne({ _id: id }),
  findById: ({ model: M, id }) => M.findById(id),
  findBy: ({ model: M, n }) => M.findBy({ n }),
  count: ({ model: M }) => M.count(),
  'count of a query': ({ model: M }) => M.find().count(),
  exists: ({ model: M, id }) => M.exists({ _id: id }).then(() => []),
  distinct: async ({ model: M }) => (await M.distinct('tenant')).map((each) => ({ tenant: each })),
  sum: ({ model: M }) =>
    M.find()
      .max('tenant')
      .then((each) => (each === null ? [] : [{ tenant: each }])),
  aggregate: ({ model: M, n }) => M.aggregate().match({ n: { $gte: n } }),
  'aggregate raw': ({ model: M }) => M.aggregate().raw<{ tenant: string }>({ $project: { tenant: 1 } }),
  hydrated: ({ model: M }) => M.aggregate().sort({ n: 1 }).hydrate(),
  facet: async ({ model: M }) => (await M.aggregate().facet({ all: (each) => each.limit(9) }))[0]?.all,
  updateOne: ({ model: M, id, n }) => M.updateOne({ _id: id }, { $inc: { n } }).then(() => []),
  updateMany: ({ model: M, n }) => M.updateMany({}, { $set: { n } }, { history: false }).then(() => []),
  'updateMany by stages': ({ model: M, n }) => M.updateMany({}, [{ $set: { n } }], { history: false }).then(() => []),
  'update of the tenant': ({ model: M }) => M.updateMany({}, { $set: { tenant: 'b' } }, { history: false }),
  'upsert of the tenant': ({ model: M, n }) =>
    M.updateOne({ n }, { $setOnInsert: { tenant: 'b' } }, { upsert: true }).then(() => []),
  'rename of the tenant': ({ model: M }) => M.updateMany({}, { $rename: { n: 'tenant' } }, { history: false }),
  'replacing stages': ({ model: M }) => M.updateOne({}, [{ $replaceWith: { tenant: 'b' } }]),
  'query update': ({ model: M, n }) =>
    M.find({ n })
      .update({ $inc: { n: 1 } }, { history: false })
      .then(() => []),
  findOneAndUpdate: ({ model: M, id, n }) => M.findOneAndUpdate({ _id: id }, { $set: { n } }),
  upsert: ({ model: M, id, n }) => M.upsert({ _id: id }, { $set: { n } }),
  replaceOne: ({ model: M, id, n }) => M.replaceOne({ _id: id }, { n, tenant: 'b' }).then(() => []),
  'replaceOne with upsert': ({ model: M, n }) => M.replaceOne({ n: n + 50 }, { n }, { upsert: true }).then(() => []),
  findOneAndReplace: ({ model: M, id, n }) => M.findOneAndReplace({ _id: id }, { n }),
  deleteOne: ({ model: M, id }) => M.deleteOne({ _id: id }).then(() => []),
  deleteMany: ({ model: M, n }) => M.deleteMany({ n }, { history: false }).then(() => []),
  'hard deleteMany': ({ model: M, n }) => M.deleteMany({ n }, { hard: true, history: false }).then(() => []),
  'query delete': ({ model: M, n }) =>
    M.find({ n })
      .delete({ history: false })
      .then(() => []),
  findOneAndDelete: ({ model: M, id }) => M.findOneAndDelete({ _id: id }),
  create: ({ model: M, n }) => M.create({ n }),
  'create for the other': ({ model: M, n }) => M.create({ n, tenant: 'b' }),
  'create over it': ({ model: M, id, n }) => M.create({ _id: id, n }),
  insertMany: ({ model: M, n }) => M.insertMany([{ n }, { n, tenant: 'b' }]),
  'insertMany of ids': ({ model: M, n }) =>
    M.insertMany([{ n }, { n, tenant: 'b' }], { validate: false, return: 'ids' }).then(() => []),
  bulk: ({ model: M, id, n }) =>
    M.bulk()
      .insertOne({ n, tenant: 'b' })
      .updateOne({ _id: id }, { $inc: { n: 1 } })
      .updateMany({ n }, { $inc: { n: 1 } })
      .replaceOne({ _id: id }, { n })
      .deleteOne({ _id: id })
      .execute({ history: false })
      .then(() => []),
  'save of a held one': ({ held, n }) => held.set('n', n + 100).save(),
  'save of a held one, guarded': ({ held, n }) =>
    held.set('n', n + 200).save({ guard: ['tenant'], onConflict: 'mine' }),
  'change of the tenant': ({ held }) => held.set('tenant', 'b').save(),
  'atomic save': ({ held }) => held.$inc('n').save(),
  saveAll: ({ model: M, held, n }) => M.saveAll([held.set('n', n + 300), new M({ n })]).then(() => []),
  reload: ({ held }) => held.reload(),
  $rebase: ({ held }) => held.$rebase(),
  delete: ({ held }) => held.delete().then(() => []),
  'hard delete': ({ held }) => held.delete({ hard: true }).then(() => []),
  // What it shows is what the program says, not what is stored.
  hydrate: ({ model: M, id, n }) =>
    M.hydrate({ _id: id, tenant: 'b', n: -1 })
      .set('n', n)
      .save()
      .then(() => []),
  history: async ({ model: M, id }) => {
    const page = await (M as unknown as typeof Kept).history?.(id);
    return (page?.items ?? [])
      .flatMap(({ changes }) => changes ?? [])
      .filter(({ path }) => path === 'tenant')
      .map(({ from, to }) => ({ tenant: to ?? from }));
  },
  asOf: ({ model: M, id }) => (M as unknown as typeof Kept).asOf?.(id, new Date()),
  restore: ({ model: M, id }) => (M as unknown as typeof Kept).restore?.(id),
};

const step = fc.record({
  call: fc.constantFrom(...Object.keys(CALLS)),
  as: fc.constantFrom('a', 'b'),
  at: fc.nat(5),
  n: fc.nat(4),
});

useDatabase();

/** The documents of a tenant as they are stored. */
const storedOf = (M: typeof Plain, whose: string): Promise<BSON.Document[]> =>
  M.collection.find({ tenant: whose }).sort({ _id: 1 }).toArray();

function tenantsIn(seen: unknown): unknown[] {
  if (seen === null || seen === undefined) return [];
  if (Array.isArray(seen)) return seen.flatMap(tenantsIn);
  return [(seen as { tenant?: unknown }).tenant];
}

it.each([0, 1, 2])(
  'no call of model %i sees or writes what is of another tenant',
  async (place) => {
    const M = MODELS[place] as typeof Plain;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
        await M.collection.deleteMany({});
        const held: Item[] = [];
        for (const whose of ['a', 'b']) {
          const made = [0, 1, 2].map((n) => ({ n }));
          held.push(...(await withTenant(whose, () => M.insertMany(made))));
        }
        const ids = held.map(({ _id }) => _id);
        for (const { call, as, at, n } of steps) {
          const other = as === 'a' ? 'b' : 'a';
          const before = await storedOf(M, other);
          const scene: Scene = { model: M, ids, id: ids[at] as ObjectId, held: held[at] as Item, n };
          try {
            const seen = await withTenant(as, async () => CALLS[call]?.(scene));
            if (typeof seen === 'number') expect(seen).toBe((await storedOf(M, as)).length);
            else expect(tenantsIn(seen).filter((each) => each !== as)).toEqual([]);
          } catch (error) {
            if (!(error instanceof DataBridgeError)) throw error;
          }
          expect(await storedOf(M, other)).toEqual(before);
          expect(await M.collection.countDocuments({ tenant: { $nin: ['a', 'b'] } })).toBe(0);
        }
      }),
      runs(300),
    );
  },
  120_000,
);

it('outside of a tenant every call throws', async () => {
  const held = await withTenant('a', () => Plain.create({ n: 1 }));
  const scene: Scene = { model: Plain, ids: [held._id], id: held._id, held, n: 0 };
  const names = Object.keys(CALLS).filter((name) => !['history', 'asOf', 'restore'].includes(name));
  for (const name of names)
    await expect(Promise.resolve().then(async () => CALLS[name]?.(scene))).rejects.toThrow(DataBridgeError);
  expect(await Plain.collection.findOne({ _id: held._id })).toMatchObject({ n: 1 });
});

/** What cannot be done, by a tenant's own document either. */
const REFUSED: Readonly<Record<string, string>> = {
  'update of the tenant': 'written once',
  'rename of the tenant': 'written once',
  'replacing stages': 'written once',
  'change of the tenant': 'written once',
  'create over it': 'choose another value',
  restore: 'not deleted',
};

it.each(Object.keys(CALLS))('%s works for the tenant itself, or is refused', async (name) => {
  const held = await withTenant('a', () => Kept.create({ n: 1 }));
  const scene: Scene = {
    model: Kept as unknown as typeof Plain,
    ids: [held._id],
    id: held._id,
    held: held as never,
    n: 0,
  };
  const call = withTenant('a', async () => CALLS[name]?.(scene));
  const refused = REFUSED[name];
  const told = await call.then(
    () => 'done',
    (error: unknown) => String(error),
  );
  expect(told).toContain(refused ?? 'done');
});

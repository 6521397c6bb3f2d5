import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { currentAuthorship } from '../src/definition/authorship.ts';
import { softDelete, tenant, withActor, withTenant } from '../src/extensions.ts';
import {
  backRef,
  DocumentNotFoundError,
  model,
  type ObjectId,
  ref,
  stored,
  transaction,
  ValidationError,
} from '../src/index.ts';
import { useDatabase } from './support/database.ts';
import { askForReplicaSet } from './support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

const database = useDatabase();

describe('a tenant', () => {
  class Item extends model('ext_items', { n: z.int(), ...tenant.fields }, { extensions: [tenant] }) {}

  it('is written by whoever stores, in the place of what an input says', async () => {
    const made = await withTenant('a', () => Item.create({ n: 1, tenant: 'b' }));
    expect(made.tenant).toBe('a');
    const unscoped = { unscoped: ['tenant'] };
    const imported = await Item.create({ n: 2, tenant: 'c' }, unscoped);
    imported.n = 3;
    await imported.save(unscoped);
    expect(
      await Item.find()
        .unscoped('tenant')
        .sort('n')
        .map((each) => each.tenant),
    ).toEqual(['a', 'c']);
    await expect(Item.create({ n: 4 }, unscoped)).rejects.toThrow(ValidationError);
    await expect(withTenant('b', () => made.set('n', 9).save())).rejects.toThrow(DocumentNotFoundError);
  });

  it('sees through references what is its own, whoever asks at the same time', async () => {
    class Owner extends model('ext_owners', { name: z.string(), ...tenant.fields }, { extensions: [tenant] }) {}
    class Thing extends model(
      'ext_things',
      { owner: ref<Owner>(() => Owner), ...tenant.fields },
      { extensions: [tenant] },
    ) {}
    const make = async (name: string) => Thing.create({ owner: await Owner.create({ name }) });
    const a = await withTenant('a', () => make('of a'));
    const b = await withTenant('b', () => make('of b'));
    // Past the mapper: a reference to what is of another tenant.
    const wrong = await withTenant('b', () => Thing.create({ owner: a.owner.$id }));
    const read = (id: ObjectId, whose: string) => withTenant(whose, async () => Thing.find({ _id: id }).one());
    const [first, second, third] = await Promise.all([read(a._id, 'a'), read(b._id, 'b'), read(wrong._id, 'b')]);
    const [mine, yours, none] = await Promise.all([
      withTenant('a', () => first.owner.$load()),
      withTenant('b', () => second.owner.$load()),
      withTenant('b', () => third.owner.$load()),
    ]);
    expect([mine?.name, yours?.name, none]).toEqual(['of a', 'of b', null]);
    const found = await withTenant('b', async () => Thing.find().sort('_id').with('owner'));
    expect(found.map(({ owner }) => owner.$doc?.name)).toEqual(['of b', undefined]);
    const all = await withTenant('b', async () => Thing.find().with('owner', (q) => q.unscoped('tenant')));
    expect(all.map(({ owner }) => owner.$doc?.name)).toEqual(['of b', 'of a']);
    expect((await Thing.findById(a._id).unscoped('tenant'))?.tenant).toBe('a');
    await expect(Thing.findById(a._id)).rejects.toThrow('There is no tenant');
  });

  it('is the one for whom a query was given, also inside of another', async () => {
    await Item.deleteMany({}, { unscoped: true });
    const made = await withTenant('a', () => Item.insertMany([1, 2].map((n) => ({ n }))));
    await withTenant('b', () => Item.create({ n: 3 }));
    const [found, one, rows, ids, plain] = await withTenant('b', async () => [
      await withTenant('a', () => Item.find().sort('n')),
      await withTenant('a', () => Item.findById(made[0]?._id ?? '')),
      await withTenant('a', () => Item.aggregate().count('n')),
      await withTenant('a', () =>
        Item.find()
          .sort('n')
          .map(({ n }) => n),
      ),
      withTenant('a', () => 7),
    ]);
    const type: Item[] | undefined = found;
    const number: number | undefined = plain;
    expect([type?.map(({ n }) => n), one?.n, rows, ids, number]).toEqual([[1, 2], 1, [{ n: 2 }], [1, 2], 7]);
    // Whoever awaits what is kept for later.
    const kept = withTenant('a', () => ({ query: Item.find() }));
    expect(await withTenant('b', () => kept.query)).toHaveLength(1);
    await expect(kept.query).rejects.toThrow('There is no tenant');
  });

  it('is noted before a new document is validated', async () => {
    const item = new Item({ n: 1 });
    await withTenant('a', () => item.validate());
    expect(item.tenant).toBe('a');
    await expect(new Item({ n: 1 }).validate()).rejects.toThrow('There is no tenant');
  });

  it.runIf(isReplicaSet)('is still the one for what comes after the commit, and so is the actor', async () => {
    const seen: unknown[] = [];
    class Noted extends model('ext_noted', { n: z.int(), ...tenant.fields }, { extensions: [tenant] }) {
      async afterCommit(): Promise<void> {
        seen.push([await Noted.count(), (await Noted.find()).length, currentAuthorship().actor]);
      }
    }
    await Noted.ensureCollection();
    await transaction(async () => {
      await withTenant('a', () => withActor('ann', () => Noted.insertMany([1, 2].map((n) => ({ n })))));
      await withTenant('b', () => Noted.create({ n: 3 }));
    });
    expect(seen).toEqual([
      [2, 2, 'ann'],
      [2, 2, 'ann'],
      [1, 1, undefined],
    ]);
  });

  it('sees its own changes alone', async () => {
    expect(() => withTenant('a', () => Item.watch())).toThrow("{ fullDocument: 'updateLookup' }");
    expect(() => withTenant('', () => 1)).toThrow('takes a text');
    const stream = await withTenant('a', () => Item.watch([], { fullDocument: 'updateLookup' }).opened());
    const [mine] = await withTenant('a', () => Item.insertMany([{ n: 1 }]));
    await withTenant('b', () => Item.create({ n: 2 }));
    await withTenant('a', async () => mine?.set('n', 3).save());
    await withTenant('b', () => Item.updateMany({}, { $set: { n: 4 } }));
    await withTenant('a', () => Item.create({ n: 5 }));
    const seen: unknown[] = [];
    for await (const change of stream) {
      seen.push((change as { fullDocument: Item }).fullDocument.n);
      if (seen.at(-1) === 5) break;
    }
    expect(seen.at(-1)).toBe(5);
    expect(seen).not.toContain(2);
    expect(seen).not.toContain(4);
  });

  it('is the border of joins, whatever the model that joins them', async () => {
    class Owner extends model(
      'ext_join_owners',
      { name: z.string() },
      { backRefs: { things: backRef<Thing>(() => Thing, 'owner') } },
    ) {}
    class Thing extends model(
      'ext_join_things',
      { n: stored('m', z.int()), owner: ref<Owner>(() => Owner), ...tenant.fields, ...softDelete.fields },
      { extensions: [tenant, softDelete] },
    ) {}
    const owner = await Owner.create({ name: 'x' });
    await withTenant('a', async () => {
      await Thing.insertMany([1, 2].map((n) => ({ n, owner })));
      await Thing.deleteOne({ n: 2 });
    });
    await withTenant('b', () => Thing.create({ n: 3, owner }));
    const join = { from: Thing, localField: '_id', foreignField: 'owner', as: 'things' } as const;
    const numbers = (rows: readonly { readonly things: readonly { readonly n: number }[] }[]) =>
      rows.flatMap(({ things }) => things.map(({ n }) => n).toSorted((a, b) => a - b));
    const asked = Owner.aggregate();
    const seen = await withTenant('a', async () => [
      numbers(await asked.lookup('things')),
      numbers(await asked.lookup(join)),
      numbers((await asked.facet({ all: (rows) => rows.lookup(join) }))[0]?.all ?? []),
      numbers(
        await Thing.aggregate()
          .match({ n: 1 })
          .lookup({ ...join, localField: 'owner' }),
      ),
      numbers(
        await Thing.aggregate({ unscoped: ['softDelete'] })
          .match({ n: 1 })
          .lookup({ ...join, localField: 'owner' }),
      ),
    ]);
    expect(seen).toEqual([[1], [1], [1], [1], [1, 2]]);
    expect(numbers(await Owner.aggregate({ unscoped: true }).lookup(join))).toEqual([1, 2, 3]);
    await expect(asked.lookup('things')).rejects.toThrow('There is no tenant');
    const [plain] = await asked.raw<{ all: unknown[] }>({ $facet: { all: [{ $match: {} }] } });
    expect(plain?.all).toHaveLength(1);
  });

  it('is the border of what was deleted, where events tell of it', async () => {
    await Item.ensureCollection();
    const images = { changeStreamPreAndPostImages: { enabled: true } };
    await database.db.command({ collMod: 'ext_items', ...images });
    const options = { fullDocument: 'updateLookup', fullDocumentBeforeChange: 'whenAvailable' } as const;
    const stream = await withTenant('a', () => Item.watch([], options).opened());
    const before = await withTenant('b', () => Item.create({ n: 1 }));
    const mine = await withTenant('a', () => Item.create({ n: 2 }));
    await withTenant('b', () => before.delete());
    await withTenant('a', () => mine.delete());
    const seen: unknown[] = [];
    for await (const change of stream) {
      const { operationType, fullDocumentBeforeChange } = change as {
        operationType: string;
        fullDocumentBeforeChange?: Item;
      };
      seen.push([operationType, fullDocumentBeforeChange?.n]);
      if (operationType === 'delete') break;
    }
    expect(seen).toEqual([
      ['insert', undefined],
      ['delete', 2],
    ]);
    await database.db.command({ collMod: 'ext_items', changeStreamPreAndPostImages: { enabled: false } });
  });
});

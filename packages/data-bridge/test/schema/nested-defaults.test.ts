import { type } from 'arktype';
import { Double, Int32 } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { onlyUpdate, useDatabase } from '../support/database.ts';
import { type Loose, looseModel, type LooseModel } from '../support/loose-models.ts';

const database = useDatabase();

let ids = 0;
const fields = {
  z: z.object({
    city: z.string(),
    role: z.string().default('user'),
    prefs: z.object({ theme: z.string().default('dark'), size: z.int() }).default({ theme: 'light', size: 1 }),
    id: z.string().default(() => `id${ids++}`),
  }),
  list: z
    .array(z.object({ sku: z.string(), qty: z.int().default(1), tags: z.array(z.string()).default([]) }))
    .optional(),
  rec: z.record(z.string(), z.object({ on: z.boolean().default(false) })).optional(),
  either: z
    .discriminatedUnion('k', [
      z.object({ k: z.literal('a'), x: z.int().default(1) }),
      z.object({ k: z.literal('b'), y: z.int().default(2) }),
    ])
    .optional(),
  plain: z
    .union([z.object({ p: z.int(), d: z.int().default(1) }), z.object({ q: z.int(), d: z.int().default(2) })])
    .optional(),
  map: z.map(z.string(), z.object({ n: z.int().default(4) })).optional(),
  pre: z.preprocess((o) => o, z.object({ t: z.string().default('T') })).optional(),
  vb: v.optional(
    v.object({
      a: v.string(),
      b: v.optional(v.string(), 'vd'),
      c: v.optional(v.array(v.object({ d: v.optional(v.number(), 7) }))),
    }),
  ),
  ark: type({ a: 'string', b: "string='ad'", c: type({ d: 'number=3' }).array() }).or('undefined'),
};
const stored = {
  z: { city: 'x', legacy: 1 },
  list: [{ sku: 'a' }, { sku: 'b', qty: 2 }],
  rec: { p: {} },
  either: { k: 'b' },
  plain: { p: 1 },
  map: { m: {} },
  pre: {},
  vb: { a: 'q', c: [{}] },
  ark: { a: 'w', c: [{}] },
};

const make = (): LooseModel => looseModel(database, fields);
const load = async ({ load: begin }: LooseModel): Promise<Loose> => {
  const document = await begin(structuredClone(stored));
  database.sent();
  return document;
};

describe('defaults of members that the stored document lacks', () => {
  it('are read, in every library, and reading them is no change', async () => {
    const document = await load(make());
    expect(document.z).toMatchObject({ city: 'x', legacy: 1, role: 'user', prefs: { theme: 'light', size: 1 } });
    expect(document.list).toEqual([
      { sku: 'a', qty: 1, tags: [] },
      { sku: 'b', qty: 2, tags: [] },
    ]);
    expect([document.rec.p.on, document.either, document.map.get('m').n]).toEqual([false, { k: 'b', y: 2 }, 4]);
    expect(document.plain).toEqual({ p: 1 });
    expect(document.pre).toEqual({ t: 'T' });
    expect(document.vb).toEqual({ a: 'q', b: 'vd', c: [{ d: 7 }] });
    expect(document.ark).toEqual({ a: 'w', b: 'ad', c: [{ d: 3 }] });
    expect(document.list[0].qty + 1).toBe(2);
    expect(document.get('z.role')).toBe('user');
    expect(document.isModified()).toBe(false);
    expect(document.changes()).toEqual([]);
    expect(document.$state.toUpdate()).toBeNull();
    await document.validate();
    await document.save();
    expect(database.sent()).toEqual([]);
  });

  it('are none of a field that is not there', async () => {
    const one = looseModel(database, fields);
    const { _id } = await one.load({ z: { city: 'x' } });
    const document = await one.Model.find({ _id }).first();
    expect(Object.keys(document.toObject() as object)).toEqual(['_id', 'z']);
    expect(document.isModified()).toBe(false);
  });

  it('are made once for a document, wherever they are read', async () => {
    const one = make();
    const document = await load(one);
    const { id } = document.z;
    expect([document.toObject().z.id, JSON.parse(JSON.stringify(document)).z.id, document.z.id]).toEqual([id, id, id]);
    const other = await load(one);
    const shown = other.toObject().z.id;
    expect(other.z.id).toBe(shown);
    expect(shown).not.toBe(id);
    const [, second] = await Promise.all([load(one), load(one)]);
    void second.z;
    expect(second.z.id).toBe(second.z.id);
  });

  it('are stored when they are changed, each at its path, and no others', async () => {
    const one = make();
    const document = await load(one);
    document.z.role = 'admin';
    document.z.prefs.theme = 'blue';
    document.list[0].qty = 5;
    document.list[1].tags.push('t');
    document.rec.p.on = true;
    document.ark.c[0].d = 4;
    const paths = document.changes().map(({ path }: { path: string }) => path);
    expect(paths).toEqual(expect.arrayContaining(['z.role', 'z.prefs', 'rec.p.on']));
    await document.save();
    expect(document.isModified()).toBe(false);
    const raw: Loose = await one.raw(document);
    expect(raw.z).toEqual({ city: 'x', legacy: 1, role: 'admin', prefs: { theme: 'blue', size: 1 } });
    expect(raw.list).toEqual([
      { sku: 'a', qty: 5 },
      { sku: 'b', qty: 2, tags: ['t'] },
    ]);
    expect([raw.rec, raw.ark.c]).toEqual([{ p: { on: true } }, [{ d: 4 }]]);
    database.sent();
    await document.save();
    expect(database.sent()).toEqual([]);
    document.z.role = 'user';
    document.z.city = 'y';
    await document.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { 'z.city': 'y', 'z.role': 'user' } });
  });

  it('stay unstored where an element takes the place of one that has stored them, and that keeps its type', async () => {
    const savedWithoutFirst = async (qty: unknown): Promise<Loose[]> => {
      const one = make();
      const document = await one.load({ z: stored.z, list: [{ sku: 'c' }, { sku: 'b', qty }, { sku: 'a' }] });
      document.list.shift();
      await document.save();
      return (await one.Model.collection.findOne({ _id: document._id }, { promoteValues: false })).list;
    };
    expect(await savedWithoutFirst(2)).toEqual([{ sku: 'b', qty: new Int32(2) }, { sku: 'a' }]);
    expect((await savedWithoutFirst(new Double(2)))[0]).toEqual({ sku: 'b', qty: new Double(2) });
  });

  it('stay unstored when something else changes: in place, pushed, moved or removed', async () => {
    const one = make();
    const document = await load(one);
    document.z.city = 'y';
    document.list.push({ sku: 'c' });
    await document.save();
    document.list.reverse();
    await document.save();
    expect(document.list.map(({ qty }: { qty: number }) => qty)).toEqual([1, 2, 1]);
    document.list.splice(1, 1);
    document.rec.q = document.rec.p;
    await document.save();
    const raw: Loose = await one.raw(document);
    expect(raw.z).toEqual({ city: 'y', legacy: 1 });
    expect(raw.list.at(-1)).toEqual({ sku: 'a' });
    expect(raw.rec).toEqual({ p: {}, q: {} });
    expect(document.isModified()).toBe(false);
    delete document.z.role;
    expect([document.z.role, document.isModified()]).toEqual([undefined, false]);
  });

  it('go along with checkpoints, rollbacks, clones and reloads', async () => {
    const one = make();
    const document = await load(one);
    document.z.city = 'm';
    const checkpoint = document.$checkpoint();
    document.z.role = 'q';
    checkpoint.rollback();
    expect(document.changes().map(({ path }: { path: string }) => path)).toEqual(['z.city']);
    expect(document.z.role).toBe('user');
    document.rollback('z');
    expect([document.z.role, document.isModified()]).toEqual(['user', false]);
    document.z.role = 'other';
    document.rollback();
    expect([document.z.role, document.isModified()]).toEqual(['user', false]);
    const clone = document.$clone();
    await clone.save();
    expect(clone.z.role).toBe('user');
    await document.reload();
    expect(document.z.role).toBe('user');
    document.z = { ...document.z, city: 'n' };
    await document.save();
    expect(document.isModified()).toBe(false);
  });

  it('are not read where only a part was loaded, unless all of them was asked for', async () => {
    const one = make();
    const { _id } = await load(one);
    const part = await one.Model.find({ _id }).select('z.city', 'list.sku').first();
    expect([part.z, part.list]).toEqual([{ city: 'x' }, [{ sku: 'a' }, { sku: 'b' }]]);
    const more = await one.Model.find({ _id }).select('z.city', 'z.role').first();
    expect(more.z).toEqual({ city: 'x', role: 'user' });
    more.z.role = 'n';
    database.sent();
    await more.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { 'z.role': 'n' } });
    const less = await one.Model.find({ _id }).omit('z.prefs').first();
    expect([less.z.prefs, less.z.role]).toEqual([undefined, 'n']);
  });

  it('are no part of lean() results, and filters do not see them', async () => {
    const one = make();
    const { _id } = await load(one);
    expect((await one.Model.find({ _id }).lean().first()).z).toEqual(stored.z);
    expect(await one.Model.count({ _id, 'z.role': 'user' })).toBe(0);
  });
});

describe('a member that has the name of one that every object inherits', () => {
  it('has its default', async () => {
    const one = looseModel(database, { a: z.object({ constructor: z.string().default('c'), x: z.int() }) });
    const document = await one.load({ a: { x: 1 } });
    expect(document.a).toEqual({ x: 1, constructor: 'c' });
    expect(document.isModified()).toBe(false);
  });
});

describe('what an upsert inserts', () => {
  it('has the defaults beside what it writes inside of a field', async () => {
    const one = looseModel(database, {
      email: z.string(),
      nested: z
        .object({ a: z.int(), b: z.int().default(2), deep: z.object({ c: z.int().default(3), d: z.int() }).optional() })
        .optional(),
    });
    const made = await one.Model.upsert({ email: 'x' }, { $set: { 'nested.a': 9, 'nested.deep.d': 1 } });
    expect(await one.raw(made)).toEqual({ email: 'x', nested: { a: 9, b: 2, deep: { d: 1, c: 3 } } });
    await one.Model.upsert({ email: 'x' }, { $set: { 'nested.a': 10 } });
    expect(await one.raw(made)).toMatchObject({ nested: { a: 10, b: 2 } });
    const given = await one.Model.upsert({ email: 'y', 'nested.b': 7 }, { $set: { 'nested.a': 9 } });
    expect(await one.raw(given)).toMatchObject({ nested: { a: 9, b: 7 } });
  });
});

describe('a schema that contains itself', () => {
  const Tree: z.ZodType = z.lazy(() =>
    z.object({
      name: z.string().trim(),
      size: z.bigint().default(1n),
      kid: Tree.optional(),
      map: z.map(z.string(), Tree).optional(),
    }),
  );
  const Valibot: v.GenericSchema = v.lazy(() =>
    v.object({ name: v.string(), size: v.optional(v.bigint(), 1n), kid: v.optional(Valibot) }),
  );
  const Getter = z.object({
    name: z.string(),
    size: z.bigint().default(1n),
    get kid() {
      return Getter.optional();
    },
  });

  it.each([
    ['Zod, lazily', Tree],
    ['Valibot, lazily', Valibot],
    ['Zod by a getter', Getter],
  ])('is gone through as deep as its values are: %s', async (_, schema) => {
    const one = looseModel(database, { tree: schema });
    const document = await one.load({ tree: { name: 'a', kid: { name: 'b', kid: { name: 'c', size: 5 } } } });
    expect([document.tree.size, document.tree.kid.size, document.tree.kid.kid.size]).toEqual([1n, 1n, 5n]);
    expect(document.isModified()).toBe(false);
    document.tree.kid.kid.kid = { name: 'd' };
    await document.save();
    expect((await one.raw(document))?.['tree'].kid.kid.kid).toMatchObject({ name: 'd' });
    await expect(one.Model.create({ tree: { name: 'x', kid: { name: 'y', role: 1 } } })).rejects.toThrow(
      'tree.kid.role',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';
import { keeping, strict, stripping } from '../support/unnamed-keys.ts';

const database = useDatabase();

const input = { city: 'x', role: 'admin' };

describe.each(stripping)('a key that the nested schema does not name, of %s', (_, schema) => {
  it('is refused with its path in every new value, each time', async () => {
    const { Model, load, raw } = looseModel(database, { a: schema, l: z.unknown().optional() });
    const issues = [{ path: 'a.role', message: 'the schema has no such key' }];
    const draft = new Model({ a: input });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(Model.create({ a: input })).rejects.toMatchObject({ issues });
    await expect(Model.insertMany([{ a: { city: 'y' } }, { a: input }])).rejects.toMatchObject({
      issues: [{ path: '1.a.role' }],
    });
    await expect(Model.replaceOne({}, { a: input })).rejects.toMatchObject({ issues });
    await expect(Model.bulk().insertOne({ a: input }).execute()).rejects.toMatchObject({
      issues: [{ path: '0.a.role' }],
    });
    const document = await load({ a: { city: 'y' } });
    document.a = input;
    await expect(document.save()).rejects.toMatchObject({ issues });
    document.rollback();
    document.set('a', input);
    await expect(document.save()).rejects.toMatchObject({ issues });
    expect(await Model.count()).toBe(1);
    expect(await raw(document)).toEqual({ a: { city: 'y' } });
    expect(input).toEqual({ city: 'x', role: 'admin' });
  });

  it('is refused in what was changed in place, and what is stored stays', async () => {
    const { load, raw } = looseModel(database, { a: schema });
    const document = await load({ a: { city: 'y', old: 1 } });
    document.a.city = 'z';
    await document.save();
    document.a.old = 2;
    await document.save();
    expect(await raw(document)).toEqual({ a: { city: 'z', old: 2 } });
    document.a.role = 'admin';
    await expect(document.save()).rejects.toThrow('a.role');
    await expect(document.save()).rejects.toThrow('a.role');
    delete document.a.role;
    document.set('a.role', 'admin');
    await expect(document.save()).rejects.toThrow('a.role');
    document.unset('a.role');
    document.a = { ...document.a, city: 'w' };
    await document.save();
    expect(await raw(document)).toEqual({ a: { city: 'w', old: 2 } });
  });

  it('is left out with unknown: drop, and stored with unknown: keep', async () => {
    const dropping = looseModel(database, { a: schema }, { unknown: 'drop' });
    const dropped = await dropping.Model.create({ a: input });
    expect(await dropping.raw(dropped)).toEqual({ a: { city: 'x' } });
    const stored = await dropping.load({ a: { city: 'y', old: 1 } });
    stored.a.role = 'admin';
    stored.a.city = 'z';
    await stored.save();
    expect(await dropping.raw(stored)).toEqual({ a: { city: 'z', old: 1 } });
    const keep = looseModel(database, { a: schema }, { unknown: 'keep' });
    expect(await keep.raw(await keep.Model.create({ a: { ...input } }))).toMatchObject({ a: { city: 'x' } });
  });
});

describe.each(keeping)('a key that the nested schema keeps, of %s', (_, schema) => {
  it.each(['error', 'drop', 'keep'] as const)('is kept with unknown: %s', async (unknown) => {
    const { Model, raw } = looseModel(database, { a: schema }, { unknown });
    const document = await Model.create({ a: input });
    expect(await raw(document)).toEqual({ a: input });
    document.a.more = 'm';
    await document.save();
    expect(await raw(document)).toEqual({ a: { ...input, more: 'm' } });
  });
});

describe.each(strict)('a strict schema of %s', (_, schema) => {
  it.each(['error', 'drop', 'keep'] as const)('refuses in its own words with unknown: %s', async (unknown) => {
    const { Model } = looseModel(database, { a: schema }, { unknown });
    await expect(Model.create({ a: input })).rejects.toMatchObject({ code: 'DATA_BRIDGE_VALIDATION' });
    expect(await Model.count()).toBe(0);
  });
});

describe('unknown keys in lists and records', () => {
  const element = z.object({ n: z.string(), in: z.object({ x: z.int() }).optional() });

  it('are refused in elements that are pushed, set or assigned, at any depth', async () => {
    const { load } = looseModel(database, { l: z.array(element), r: z.record(z.string(), element) });
    const stored = { l: [{ n: 'a', floor: 3 }], r: { k: { n: 'a', floor: 3 } } };
    const paths = async (change: (document: Loose) => void): Promise<string[]> => {
      const document = await load(structuredClone(stored));
      change(document);
      const error = await document.save().catch((thrown: unknown) => thrown);
      return error?.issues?.map(({ path }: { path: string }) => path) ?? [];
    };
    expect(await paths((d) => d.l.push({ n: 'b', role: 1 }))).toEqual(['l.1.role']);
    expect(await paths((d) => d.$push('l', { n: 'b', role: 1 }))).toEqual(['l.1.role']);
    expect(await paths((d) => d.l.push({ n: 'b', in: { x: 1, y: 2 } }))).toEqual(['l.1.in.y']);
    expect(await paths((d) => (d.l = [{ n: 'b', in: { x: 1, y: 2 } }]))).toEqual(['l.0.in.y']);
    expect(await paths((d) => d.set('l.0.in', { x: 1, y: 2 }))).toEqual(['l.0.in.y']);
    expect(await paths((d) => (d.r.m = { n: 'b', role: 1 }))).toEqual(['r.m.role']);
    expect(await paths((d) => (d.l[0].n = 'c'))).toEqual([]);
    expect(await paths((d) => d.l.unshift({ n: 'z' }))).toEqual([]);
  });

  it('that are stored in an element stay, wherever it moves', async () => {
    const { load, raw } = looseModel(database, { l: z.array(element) });
    const document = await load({ l: [{ n: 'a', floor: 3 }] });
    document.l.unshift({ n: 'z' });
    document.l[1].n = 'A';
    await document.save();
    expect(await raw(document)).toEqual({ l: [{ n: 'z' }, { n: 'A', floor: 3 }] });
  });
});

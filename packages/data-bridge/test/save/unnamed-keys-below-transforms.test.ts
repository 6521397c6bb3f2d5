import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../support/database.ts';
import { hidden, type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();

const inner = z.object({ city: z.string().trim(), more: z.object({ n: z.int() }).optional() });
const outer = z.object({ in: inner, note: z.string().optional() });
const wrappers: readonly (readonly [string, Loose])[] = [
  ['a transform', outer.transform((o) => ({ ...o }))],
  ['a transform that adds', outer.transform((o) => ({ ...o, size: o.in.city.length }))],
  ['preprocess', z.preprocess((given) => given, outer)],
  ['preprocess inside of an object', z.object({ in: z.preprocess((given) => given, inner) })],
  ['a pipe', outer.pipe(outer)],
  ['catch', outer.catch({ in: { city: 'caught' } })],
  ['overwrite', outer.overwrite((o) => ({ ...o }))],
  [
    'Valibot’s transform',
    v.pipe(
      v.object({ in: v.object({ city: v.pipe(v.string(), v.trim()), more: v.optional(v.object({ n: v.number() })) }) }),
      v.transform((o) => o),
    ),
  ],
  ['a library that tells nothing', hidden(outer)],
];

describe.each(wrappers)('keys that no schema names, deep below %s', (_, schema) => {
  const input = () => ({ in: { city: ' x ', role: 'admin', more: { n: 1, deep: 2 } } });
  const issues = [{ path: 'a.in.role' }, { path: 'a.in.more.deep' }];

  it('are refused in a new value, each time, and what is right is taken after', async () => {
    const { Model, load, raw } = looseModel(database, { a: schema });
    const draft = new Model({ a: input() });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    delete draft.a.in.role;
    delete draft.a.in.more.deep;
    await draft.save();
    expect(await raw(draft)).toMatchObject({ a: { in: { city: 'x', more: { n: 1 } } } });
    const document = await load({ a: { in: { city: 'y' } } });
    document.a = input();
    await expect(document.save()).rejects.toMatchObject({ issues });
    await expect(document.save()).rejects.toMatchObject({ issues });
    expect(await raw(document)).toEqual({ a: { in: { city: 'y' } } });
  });

  it('are left out with unknown: drop, and stored with unknown: keep', async () => {
    for (const unknown of ['drop', 'keep'] as const) {
      const { Model, raw } = looseModel(database, { a: schema }, { unknown });
      const stored: Loose = await raw(await Model.create({ a: input() }));
      const expected = unknown === 'drop' ? { city: 'x', more: { n: 1 } } : { ...input().in, city: 'x' };
      expect(stored.a.in).toEqual(expected);
    }
  });
});

it('a key that a function before the schema uses is none', async () => {
  const old = z.preprocess(
    (given: Loose) => ({ city: given.city ?? given.town?.name }),
    z.object({ city: z.string() }),
  );
  const { Model, raw } = looseModel(database, { a: old, in: z.object({ a: old }).optional() });
  const document = await Model.create({ a: { town: { name: 'x' } }, in: { a: { town: { name: 'y' } } } });
  expect(await raw(document)).toEqual({ a: { city: 'x' }, in: { a: { city: 'y' } } });
  await expect(Model.create({ a: { town: { name: 'x', role: 1 } } })).resolves.toBeDefined();
  await expect(Model.create({ a: { town: { name: 'x' }, role: 1 } })).rejects.toThrow('"a.role"');
});

describe('below a transform of a list', () => {
  const element = z.object({ n: z.string().trim(), o: z.int().optional(), in: z.object({ x: z.int() }).optional() });
  const lists: readonly (readonly [string, Loose])[] = [
    ['reversed', z.array(element).transform((l) => l.toReversed())],
    ['sorted', z.array(element).transform((l) => l.toSorted((a, b) => (a.n < b.n ? -1 : 1)))],
    ['as it is', z.array(element).transform((l) => l)],
  ];
  it.each(lists)('%s: unknown keys of new elements are refused, deep ones, too', async (_, list) => {
    for (const wrong of [
      { n: 'b', role: 1 },
      { n: 'b', in: { x: 1, role: 1 } },
    ]) {
      const { Model, load, raw } = looseModel(database, { l: list });
      const draft = new Model({ l: [{ n: 'a' }, wrong] });
      await expect(draft.save()).rejects.toThrow('role');
      await expect(draft.save()).rejects.toThrow('role');
      for (const change of [
        (d: Loose) => d.l.push({ n: 'z' }, structuredClone(wrong)),
        (d: Loose) => (d.l = [{ n: 'z' }, wrong]),
      ]) {
        const document = await load({ l: [{ n: 'm' }] });
        change(document);
        await expect(document.save()).rejects.toThrow('role');
        await expect(document.save()).rejects.toThrow('role');
        expect(await raw(document)).toEqual({ l: [{ n: 'm' }] });
      }
      const dropping = looseModel(database, { l: list }, { unknown: 'drop' });
      const dropped: Loose = await dropping.raw(await dropping.Model.create({ l: [{ n: 'a' }, wrong] }));
      expect(JSON.stringify(dropped)).not.toContain('role');
      expect(dropped.l).toHaveLength(2);
      const keeping = looseModel(database, { l: list }, { unknown: 'keep' });
      await expect(keeping.Model.create({ l: [{ n: ' a ' }, wrong] })).rejects.toThrow('role');
    }
  });
});

describe('new elements around stored ones, under a transform of the list', () => {
  const element = z.object({ n: z.string(), o: z.int().optional(), p: z.string().trim().optional() });
  const reversed = z.array(element).transform((l) => l.toReversed());
  const sorted = z.array(element).transform((l) => l.toSorted((a, b) => (a.n < b.n ? -1 : 1)));

  it.each([
    [reversed, [{ n: 'b', o: 1 }, { n: 'm' }, { n: 'c', p: 'p' }], ['c', 'm', 'b']],
    [reversed, [{ n: 'b', o: 1 }, { n: 'm' }, { n: 'c', p: ' p ' }], ['c', 'm', 'b']],
    [
      reversed,
      [{ n: 'b', o: 1 }, { n: 'c' }, { n: 'm' }, { n: 'd', p: ' p ', o: 2 }, { n: 'e' }],
      ['e', 'd', 'm', 'c', 'b'],
    ],
    [sorted, [{ n: 'z', o: 1 }, { n: 'm' }, { n: 'a', p: ' p ' }], ['a', 'm', 'z']],
    [sorted, [{ n: 'm' }, { n: 'z', o: 1 }, { n: 'y', p: 'p' }], ['m', 'y', 'z']],
  ])('may differ in their optional members, case %#', async (schema, elements, order) => {
    const { load, raw } = looseModel(database, { l: schema });
    const document = await load({ l: [{ n: 'm' }] });
    const held = document.l[0];
    document.l = elements.map((each) => (each.n === 'm' ? held : { ...each }));
    await document.save();
    const expected = order.map((n) => {
      const given: Loose = elements.find((each) => each.n === n);
      return { ...given, ...(given.p && { p: given.p.trim() }) };
    });
    expect(document.toObject().l).toEqual(expected);
    expect(await raw(document)).toEqual({ l: expected });
    database.sent();
    await document.save();
    expect(database.sent()).toEqual([]);
  });
});

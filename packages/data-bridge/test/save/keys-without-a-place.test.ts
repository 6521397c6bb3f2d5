import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();

const place = z.object({ city: z.string() });
const city = { city: 'x', role: 'admin' };
const message = 'the schema has no such key, and what it makes of the value around it cannot keep any';

/** Schemas that make another kind of value of an object, what they are given, and what they make of it without the odd key. */
const others: readonly (readonly [string, Loose, Loose, string, Loose])[] = [
  ['a text', z.union([z.string(), place.transform((o) => o.city)]), city, 'a.role', 'x'],
  ['a number', z.union([z.number(), place.transform((o) => o.city.length)]), city, 'a.role', 1],
  ['a date', z.union([z.date(), place.transform(() => new Date(0))]), city, 'a.role', new Date(0)],
  ['an array', z.union([z.array(z.string()), place.transform((o) => [o.city])]), city, 'a.role', ['x']],
  ['a text, piped', z.union([z.string(), place.transform((o) => o.city).pipe(z.string())]), city, 'a.role', 'x'],
  [
    'a text, of Valibot',
    v.union([
      v.string(),
      v.pipe(
        v.object({ city: v.string() }),
        v.transform((o) => o.city),
      ),
    ]),
    city,
    'a.role',
    'x',
  ],
  [
    'a text in a member',
    z.object({ in: z.union([z.string(), place.transform((o) => o.city)]) }),
    { in: city },
    'a.in.role',
    { in: 'x' },
  ],
  [
    'a text in an element',
    z.array(z.union([z.string(), place.transform((o) => o.city)])),
    ['y', city],
    'a.1.role',
    ['y', 'x'],
  ],
  [
    'a text in a record',
    z.record(z.string(), z.union([z.string(), place.transform((o) => o.city)])),
    { k: city },
    'a.k.role',
    { k: 'x' },
  ],
];

describe.each(others)('a key that no schema names in an object that becomes %s', (_, schema, given, path, made) => {
  it('is refused with unknown: keep, each time, since nothing could keep it', async () => {
    const { Model, load, raw } = looseModel(database, { a: schema }, { unknown: 'keep' });
    const issues = [{ path, message }];
    const draft = new Model({ a: given });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(Model.create({ a: given })).rejects.toMatchObject({ issues });
    const document = await load({ a: made });
    document.a = given;
    await expect(document.save()).rejects.toMatchObject({ issues });
    expect(await raw(document)).toEqual({ a: made });
    expect(await Model.count()).toBe(1);
  });

  it('is refused with unknown: error, and left out with unknown: drop', async () => {
    const strict = looseModel(database, { a: schema });
    await expect(strict.Model.create({ a: given })).rejects.toMatchObject({ issues: [{ path }] });
    const dropping = looseModel(database, { a: schema }, { unknown: 'drop' });
    expect(await dropping.raw(await dropping.Model.create({ a: given }))).toEqual({ a: made });
  });
});

it.each(['error', 'keep'] as const)(
  'two elements with such keys are refused each time, with unknown: %s',
  async (unknown) => {
    const element = z.union([z.string(), place.transform((o) => `${o.city}!`)]);
    const { Model, raw } = looseModel(database, { a: z.object({ l: z.array(element) }) }, { unknown });
    const draft = new Model({ a: { l: [{ ...city }, { city: 'y' }, { ...city, city: 'z' }] } });
    const issues = [{ path: 'a.l.0.role' }, { path: 'a.l.2.role' }];
    await expect(draft.save()).rejects.toMatchObject({ issues });
    await expect(draft.save()).rejects.toMatchObject({ issues });
    for (const i of [0, 2]) delete draft.a.l[i].role;
    await draft.save();
    expect(await raw(draft)).toEqual({ a: { l: ['x!', 'y!', 'z!'] } });
  },
);

it('a key is kept where the object around it stays one', async () => {
  const schema = z.object({ in: place.transform((o) => ({ ...o, n: o.city.length })), to: z.string() });
  const { Model, raw } = looseModel(database, { a: schema }, { unknown: 'keep' });
  const stored = await raw(await Model.create({ a: { in: city, to: 'y', odd: { deep: 1 } } }));
  expect(stored).toEqual({ a: { in: { city: 'x', n: 1, role: 'admin' }, to: 'y', odd: { deep: 1 } } });
});

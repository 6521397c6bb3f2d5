import { type } from 'arktype';
import { Int32 } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConflictError, identified, model, SchemaError, stored, unique } from '../../src/index.ts';
import { identitiesOf } from '../../src/schema/identities.ts';
import { identified as identifiedZod, objectId, unique as uniqueZod } from '../../src/zod.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

const database = useDatabase();

const Ticket = z.object({ days: uniqueZod(z.array(z.date()).default([])) });

class Draw extends model('draws', {
  numbers: unique(z.array(z.int())),
  marks: unique(v.optional(v.array(v.number()))),
  codes: unique(type('(string | number)[]')),
  tickets: z.record(z.string(), Ticket).optional(),
  short: stored('s', unique(z.array(z.int()).optional())),
}) {}

describe('unique', () => {
  const twice = async (input: ConstructorParameters<typeof Draw>[0]): Promise<[Draw, Draw]> => {
    const { _id } = await Draw.create(input);
    const loaded: [Draw, Draw] = [await Draw.find({ _id }).one(), await Draw.find({ _id }).one()];
    database.sent();
    return loaded;
  };

  it('has a value that two writers add once, and lets each of them remove', async () => {
    const [first, second] = await twice({ numbers: [1, 2, 3], codes: ['a', 1], marks: [1.5, 2] });
    first.numbers.push(4);
    first.marks = [2];
    first.codes.shift();
    await first.save();
    second.numbers.push(4, 5);
    second.marks?.push(3);
    second.codes.pop();
    await second.save();
    const stored = await Draw.find({ _id: first._id }).lean().one();
    expect(stored).toMatchObject({ numbers: [1, 2, 3, 4, 5], codes: [], marks: [2, 3] });
  });

  it('sends what is added, and what is removed', async () => {
    const [draw] = await twice({ numbers: [1, 2, 3], codes: [] });
    draw.numbers.push(7);
    await draw.save();
    expect(onlyUpdate(database.sent())).toEqual({ $addToSet: { numbers: { $each: [7] } } });
    draw.numbers.shift();
    await draw.save();
    expect(onlyUpdate(database.sent())).toEqual({ $pullAll: { numbers: [new Int32(1)] } });
  });

  it('nests in other Zod types, and stands inside stored()', async () => {
    const days = [1, 2, 3].map((day) => new Date(day));
    const [draw] = await twice({ numbers: [], codes: [], tickets: { a: { days: days.slice(0, 2) } }, short: [1, 2] });
    draw.tickets?.['a']?.days.splice(0, 1);
    draw.short?.pop();
    await draw.save();
    expect(onlyUpdate(database.sent())).toEqual({ $pullAll: { 'tickets.a.days': [days[0]], s: [new Int32(2)] } });
  });

  it('is in conflict in mode fields only where two changed the order', async () => {
    const [first, second] = await twice({ numbers: [1, 2, 3], codes: [] });
    first.numbers.pop();
    second.numbers.shift();
    await first.save();
    await second.save({ concurrency: 'fields' });
    expect(await Draw.find({ _id: first._id }).lean().one()).toMatchObject({ numbers: [2] });
    const [third, fourth] = await twice({ numbers: [1, 2, 3], codes: [] });
    third.numbers.reverse();
    fourth.numbers = [2, 1, 3];
    await third.save();
    await expect(fourth.save({ concurrency: 'fields' })).rejects.toThrow(ConflictError);
    await fourth.save({ concurrency: 'fields', onConflict: 'mine' });
    expect(await Draw.find({ _id: third._id }).lean().one()).toMatchObject({ numbers: [2, 1, 3] });
  });

  it('refuses what is no array of scalars, or has a bound on its length', () => {
    const refused: readonly (() => unknown)[] = [
      // @ts-expect-error no array
      () => unique(z.string()),
      // @ts-expect-error no scalars
      () => unique(z.array(z.object({ a: z.string() }))),
      // @ts-expect-error null tells nothing apart
      () => unique(z.array(z.string().nullable())),
      // @ts-expect-error no schema
      () => unique(['a']),
      // @ts-expect-error no schema
      () => unique(),
      () => unique(z.array(z.string()).max(3)),
      () => unique(z.tuple([z.string()])),
      () => unique(type('string[] <= 3')),
      () => unique(identified(z.array(z.object({ a: z.string() })), 'a') as never),
      () => unique(stored('x', z.array(z.string())) as never),
      // @ts-expect-error no array
      () => uniqueZod(z.string()),
      () => uniqueZod(z.array(z.string()).min(1)),
    ];
    for (const make of refused) expect(make).toThrow(SchemaError);
  });

  it('takes whatever tells its own kind, where no more is known of it', () => {
    const taken = [
      z.array(z.enum(['a', 'b'])),
      z.array(objectId()),
      z.array(z.date()).default([]),
      v.array(v.string()),
    ];
    for (const schema of taken)
      expect(identitiesOf(unique(schema as unknown as z.ZodArray<z.ZodString>))?.isUnique).toBe(true);
  });
});

describe('an array with a bound on its length, or with places of its own', () => {
  const texts = z.array(z.string());
  const valibotTexts = v.array(v.string());
  const objects = z.object({
    a: texts.length(2),
    b: texts,
    c: identifiedZod(z.array(z.object({ d: z.string() })), 'd'),
  });

  it.each<[string, unknown, boolean]>([
    ['Zod: none', texts, false],
    ['Zod: max', texts.max(3), true],
    ['Zod: min', texts.min(1).optional(), true],
    ['Zod: nonempty', texts.nonempty().default(['a']), true],
    ['Zod: length', z.union([z.string(), texts.length(2)]), true],
    ['Zod: a refinement', texts.refine(() => true), false],
    ['Zod: tuple', z.tuple([z.string(), z.string()]), true],
    ['Zod: lazy', z.lazy(() => texts.max(2)), true],
    ['Zod: unique', uniqueZod(texts).max(3), true],
    ['Valibot: none', valibotTexts, false],
    ['Valibot: maxLength', v.pipe(valibotTexts, v.maxLength(3)), true],
    ['Valibot: minLength', v.optional(v.pipe(valibotTexts, v.minLength(1))), true],
    ['Valibot: nonEmpty', v.nullable(v.pipe(valibotTexts, v.nonEmpty())), true],
    ['Valibot: length', v.union([v.pipe(valibotTexts, v.length(2)), v.string()]), true],
    ['Valibot: tuple', v.tuple([v.string()]), true],
    [
      'Valibot: a check',
      v.pipe(
        valibotTexts,
        v.check(() => true),
      ),
      false,
    ],
    ['Valibot: lazy', v.lazy(() => v.pipe(valibotTexts, v.maxLength(3))), true],
    ['ArkType: none', type('string[]'), false],
    ['ArkType: <=', type('string[] <= 3'), true],
    ['ArkType: >', type('string[] > 1 | string'), true],
    ['ArkType: tuple', type(['string', 'number']), true],
    ['ArkType: identified', identified(type({ a: 'string' }).array().atMostLength(3), 'a'), true],
    ['no structure', { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } }, false],
  ])('is found: %s', (_, schema, expected) => {
    expect(identitiesOf(schema)?.isBound ?? false).toBe(expected);
  });

  it('is found inside other types', () => {
    const bound = (schema: unknown, ...keys: (string | number)[]): boolean => {
      let found = identitiesOf(schema);
      for (const key of keys) found = found?.at(key);
      return found?.isBound ?? false;
    };
    expect([bound(objects, 'a'), bound(objects, 'b'), bound(objects, 'c')]).toEqual([true, false, false]);
    expect([bound(z.array(objects), 1, 'a'), bound(z.record(z.string(), objects), 'x', 'a')]).toEqual([true, true]);
    const valibot = v.object({ a: v.pipe(valibotTexts, v.maxLength(3)), b: valibotTexts });
    expect([bound(valibot, 'a'), bound(valibot, 'b'), bound(valibot, 'x')]).toEqual([true, false, false]);
    expect([bound(v.array(valibot), 0, 'a'), bound(v.record(v.string(), valibot), 'x', 'a')]).toEqual([true, true]);
    expect(bound(v.objectWithRest({ b: valibotTexts }, v.pipe(valibotTexts, v.length(2))), 'x')).toBe(true);
    const ark = type({ a: 'string[] <= 3', b: 'string[]', 'c?': { '[string]': 'string[] > 2' }, d: ['string'] });
    expect(['a', 'b', 'd', 'x'].map((key) => bound(ark, key))).toEqual([true, false, true, false]);
    expect([bound(ark, 'c', 'any'), bound(ark.array(), 0, 'a')]).toEqual([true, true]);
    const keyed = identified(type({ sku: 'string', sizes: 'string[] <= 3' }).array(), 'sku');
    expect([identitiesOf(keyed)?.key, bound(keyed), bound(keyed, 0, 'sizes')]).toEqual(['sku', false, true]);
  });

  it('is not merged value by value, but set', async () => {
    class Pair extends model('pairs', { pair: z.tuple([z.string(), z.string()]), three: texts.max(3), free: texts }) {}
    const pair = await Pair.create({ pair: ['a', 'b'], three: ['a', 'b', 'c'], free: ['a', 'b', 'c', 'd'] });
    database.sent();
    pair.pair = ['b', 'z'];
    pair.three = ['b', 'c', 'z'];
    pair.free.shift();
    await pair.save();
    expect(onlyUpdate(database.sent())).toEqual({
      $set: { pair: ['b', 'z'], three: ['b', 'c', 'z'] },
      $pullAll: { free: ['a'] },
    });
  });
});

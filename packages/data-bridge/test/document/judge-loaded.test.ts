import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type FieldSchema, model, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

useDatabase();

const hash = z.string().transform((text) => `h(${text})`);
const hashLater = z.string().transform((text) => Promise.resolve(`h(${text})`));
const Zod = z.object({ p: hash, n: z.number() });
const Valibot = v.object({
  p: v.pipe(
    v.string(),
    v.transform((text) => `h(${text})`),
  ),
  n: v.number(),
});
const Ark = type({ p: type('string').pipe((text) => `h(${text})`), n: 'number' });
const hidden = (schema: FieldSchema): FieldSchema => {
  const { validate } = schema['~standard'] as { validate: unknown };
  return { '~standard': { version: 1, vendor: 'hidden', validate } };
};

const inObject = { x: { p: '1', n: 1 } };
const ofKind = { kind: 'a', ...inObject };
const cases: Record<string, [FieldSchema, object]> = {
  'an object': [z.object({ x: Zod }), inObject],
  'a record': [z.record(z.string(), Zod), inObject],
  'a Map': [z.map(z.string(), Zod), new Map(Object.entries(inObject))],
  'a union whose literals were not loaded': [
    z.union([z.object({ kind: z.literal('a'), x: Zod }), z.object({ kind: z.literal('b'), y: z.string() })]),
    ofKind,
  ],
  'choices that agree': [
    z.union([
      z.object({ kind: z.literal('a'), x: Zod }),
      z.object({ kind: z.literal('b'), x: z.object({ p: hash, n: z.number() }) }),
    ]),
    ofKind,
  ],
  'a transform': [z.object({ x: Zod }).transform((each) => each), inObject],
  'a preprocess': [z.preprocess((each) => each, z.object({ x: Zod })), inObject],
  'a catch': [z.object({ x: Zod }).catch({ x: { p: '', n: 0 } }), inObject],
  'an intersection': [z.intersection(z.object({ x: Zod }), z.object({ y: z.string().optional() })), inObject],
  'a schema made later': [z.lazy(() => z.object({ x: Zod })), inObject],
  'an asynchronous schema': [z.object({ x: z.object({ p: hashLater, n: z.number() }) }), inObject],
  'an asynchronous record': [z.record(z.string(), z.object({ p: hashLater, n: z.number() })), inObject],
  'Valibot’s variant': [
    v.variant('kind', [v.object({ kind: v.literal('a'), x: Valibot }), v.object({ kind: v.literal('b') })]),
    ofKind,
  ],
  'Valibot’s intersect': [v.intersect([v.object({ x: Valibot }), v.object({ y: v.optional(v.string()) })]), inObject],
  'ArkType’s object': [type({ x: Ark }), inObject],
};

interface Held {
  [key: string]: { p: unknown; n: unknown };
}

const held = (field: Held | Map<string, Held[string]>) => (field instanceof Map ? field.get('x') : field['x'])!;

describe.each(Object.entries(cases))('a field loaded in part, of %s', (_name, [schema, input]) => {
  class Part extends model('parts', { f: schema }) {}
  const load = async (...paths: string[]) => {
    const { _id } = await Part.create({ f: structuredClone(input) });
    const document = await Part.find({ _id })
      .select(...(paths as ['f']))
      .one();
    const stored = async () => ((await Part.collection.findOne({ _id })) as unknown as { f: Held }).f['x'];
    return { document, stored, x: held(document.f as never) };
  };

  it.each(['f.x', 'f.x.p'])('takes what the schemas make of a new value once: %s', async (path) => {
    const { document, x, stored } = await load(path);
    x.p = 'new';
    await document.validate();
    await document.save();
    await document.save();
    expect(await stored()).toEqual({ p: 'h(new)', n: 1 });
  });

  it('leaves what is stored as it is, and refuses what is wrong', async () => {
    const { document, x, stored } = await load('f.x.n');
    x.n = 'text';
    const error: unknown = await document.save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect((error as ValidationError).issues.map(({ path }) => path)).toEqual(['f.x.n']);
    expect(await stored()).toEqual({ p: 'h(1)', n: 1 });
    x.n = 2;
    await document.save();
    expect(await stored()).toEqual({ p: 'h(1)', n: 2 });
  });
});

describe('a new element of an array loaded in part', () => {
  class Lines extends model('lines', {
    zod: z.array(z.object({ p: hash, q: hash.optional(), n: z.number().optional() })),
    identified: z.array(z.object({ _id: z.number(), p: hash, q: hash.optional() })).optional(),
  }) {}
  const load = async () => {
    const { _id } = await Lines.create({ zod: [{ p: '1', q: '2' }], identified: [{ _id: 1, p: '1', q: '2' }] });
    const document = (await Lines.find({ _id })
      .select('zod.p', 'identified._id', 'identified.p')
      .one()) as unknown as Lines;
    return { document, stored: () => Lines.collection.findOne({ _id }) };
  };

  it('is a new value as a whole', async () => {
    const { document, stored } = await load();
    document.zod.push({ p: 'new', q: 'new' });
    document.identified!.push({ _id: 2, p: 'new', q: 'new' });
    await document.save();
    expect(await stored()).toMatchObject({
      zod: [
        { p: 'h(1)', q: 'h(2)' },
        { p: 'h(new)', q: 'h(new)' },
      ],
      identified: [
        { _id: 1, p: 'h(1)', q: 'h(2)' },
        { _id: 2, p: 'h(new)', q: 'h(new)' },
      ],
    });
  });

  it('may hold nothing wrong, and nothing that the schema does not name', async () => {
    for (const wrong of [{ p: 'new', n: 'text' }, { p: 'new', role: 'admin' }, { q: 'new' }]) {
      const { document, stored } = await load();
      document.zod.push(wrong as never);
      await expect(document.save()).rejects.toThrow(/Validation failed for "zod.1.(?:n|role|p)"/);
      expect(await stored()).toMatchObject({ zod: [{ p: 'h(1)', q: 'h(2)' }] });
    }
  });
});

describe('a change of which nobody can tell what becomes of it', () => {
  const asked = z.object({ x: Zod });
  const choices = z.union([
    z.object({ kind: z.literal('a'), x: Zod }),
    z.object({ kind: z.literal('b'), x: z.object({ p: z.string(), n: z.number() }) }),
  ]);
  it.each([
    ['a library that tells nothing', hidden(asked), inObject],
    ['choices that disagree', choices, ofKind],
  ] as const)('is refused: %s', async (_name, schema, input) => {
    class Untold extends model('untold', { f: schema }) {}
    const { _id } = await Untold.create({ f: structuredClone(input) });
    const document = await Untold.find({ _id })
      .select('f.x' as 'f')
      .one();
    held(document.f as Held).p = 'new';
    await expect(document.save()).rejects.toThrow(/"f\.x(?:\.p)?": nobody can tell .*: load it as a whole/);
    const whole = await Untold.find({ _id }).one();
    expect(held(whole.f as Held)).toEqual({ p: 'h(1)', n: 1 });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { stored, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';
import { keeping, strict, stripping } from '../support/unnamed-keys.ts';

const database = useDatabase();

/** Every call that takes an update by operators; some store a document where there is none. */
const calls: readonly (readonly [string, (Model: Loose, update: object, options?: object) => Promise<unknown>])[] = [
  ['updateOne()', async (Model, update, options) => Model.updateOne({ k: 1 }, update, options)],
  ['updateMany()', async (Model, update, options) => Model.updateMany({ k: 1 }, update, options)],
  ['updateOne() with upsert', async (Model, update) => Model.updateOne({ k: 1 }, update, { upsert: true })],
  ['upsert()', async (Model, update, options) => Model.upsert({ k: 1 }, update, options)],
  ['findOneAndUpdate()', async (Model, update, options) => Model.findOneAndUpdate({ k: 1 }, update, options)],
  ['bulk().updateOne()', async (Model, update, options) => Model.bulk().updateOne({ k: 1 }, update, options).execute()],
  ['bulk().updateMany()', async (Model, update) => Model.bulk().updateMany({ k: 1 }, update).execute()],
  ['find().update()', async (Model, update) => Model.find({ k: 1 }).update(update)],
];

const k = z.int();
const input = { city: 'x', role: 'admin' };
const refused = (path: string) => ({ code: 'DATA_BRIDGE_VALIDATION', issues: [{ path }] });

describe.each(stripping)('what an update writes, of %s', (_, schema) => {
  const fields = { k, a: schema };

  it('has no key that the schema does not name', async () => {
    const { Model, raw } = looseModel(database, fields);
    const document = await Model.create({ k: 1, a: { city: 'y' } });
    await expect(Model.updateOne({}, { $set: { a: input } })).rejects.toMatchObject(refused('a.role'));
    expect(await raw(document)).toEqual({ k: 1, a: { city: 'y' } });
    await Model.updateOne({}, { $set: { a: { city: 'z' } } });
    expect(await raw(document)).toEqual({ k: 1, a: { city: 'z' } });
  });

  it('loses it with unknown: drop, and keeps it with unknown: keep', async () => {
    for (const unknown of ['drop', 'keep'] as const) {
      const { Model, raw } = looseModel(database, fields, { unknown });
      const document = await Model.create({ k: 1, a: { city: 'y' } });
      await Model.updateOne({}, { $set: { a: input, top: 1 } });
      expect(await raw(document)).toEqual(unknown === 'drop' ? { k: 1, a: { city: 'x' } } : { k: 1, a: input, top: 1 });
    }
  });
});

describe.each(keeping)('what an update writes, of %s', (_, schema) => {
  it.each(['error', 'drop', 'keep'] as const)('has what the schema keeps, with unknown: %s', async (unknown) => {
    const { Model, raw } = looseModel(database, { k, a: schema }, { unknown });
    const document = await Model.upsert({ k: 1 }, { $set: { a: input } });
    await Model.updateOne({}, { $set: { 'a.more': 'm' } });
    expect(await raw(document)).toEqual({ k: 1, a: { ...input, more: 'm' } });
  });
});

describe.each(strict)('what an update writes, of a strict schema of %s', (_, schema) => {
  it.each(['error', 'drop', 'keep'] as const)('has no key that it refuses, with unknown: %s', async (unknown) => {
    const { Model } = looseModel(database, { k, a: schema }, { unknown });
    await expect(Model.upsert({ k: 1 }, { $set: { a: input } })).rejects.toMatchObject(refused('a.role'));
    await expect(Model.upsert({ k: 1 }, { $set: { 'a.role': 1 } })).rejects.toMatchObject(refused('a.role'));
    expect(await Model.count()).toBe(0);
  });
});

const line = z.object({
  n: z.string(),
  in: z.object({ x: z.int() }).optional(),
  l: z.array(z.object({ y: z.int() })).optional(),
});
const deep = {
  k,
  lines: z.array(line).optional(),
  box: z.object({ lines: z.array(line).optional(), in: line.optional() }).optional(),
  map: z.map(z.string(), line).optional(),
  rec: z.record(z.string(), line).optional(),
  pair: z.tuple([z.object({ a: z.int() }), z.object({ b: z.int() })]).optional(),
  kind: z
    .discriminatedUnion('t', [z.object({ t: z.literal('a'), a: z.int() }), z.object({ t: z.literal('b'), b: z.int() })])
    .optional(),
  either: z.union([z.object({ city: z.string() }), z.object({ town: z.string() })]).optional(),
  both: z.intersection(z.object({ c: z.int() }), z.object({ d: z.int() })).optional(),
  made: z
    .object({ w: z.int(), area: z.int().optional() })
    .transform(({ w }) => ({ w, area: w * w, extra: 1 }))
    .optional(),
  first: z
    .union([z.object({ full: z.string() }), z.object({ one: z.string() }).transform(({ one }) => ({ full: one }))])
    .optional(),
  pre: z.preprocess((given) => given, z.object({ city: z.string(), in: line.optional() })).optional(),
  later: z
    .object({ city: z.string() })
    .transform(async (o) => ({ ...o, more: 1 }))
    .optional(),
  self: z
    .object({
      v: z.int(),
      get next() {
        return z.array(line).optional();
      },
    })
    .optional(),
  text: z.string().optional(),
};

const wrong: readonly (readonly [object, string])[] = [
  [{ $set: { top: 1 } }, 'top'],
  [{ $set: { 'top.inner': 1 } }, 'top'],
  [{ $setOnInsert: { box: { in: { n: 'a', role: 1 } } } }, 'box.in.role'],
  [{ $min: { box: { role: 1 } } }, 'box.role'],
  [{ $max: { box: { role: 1 } } }, 'box.role'],
  [{ $set: { 'box.role': 1 } }, 'box.role'],
  [{ $set: { 'box.in.in.y': 1 } }, 'box.in.in.y'],
  [{ $inc: { 'box.role': 1 } }, 'box.role'],
  [{ $mul: { role: 1 } }, 'role'],
  [{ $bit: { 'box.role': { or: 1 } } }, 'box.role'],
  [{ $currentDate: { 'box.role': true } }, 'box.role'],
  [{ $rename: { text: 'role' } }, 'role'],
  [{ $rename: { text: 'box.role' } }, 'box.role'],
  [{ $push: { lines: { n: 'a', role: 1 } } }, 'lines.role'],
  [{ $push: { lines: { $each: [{ n: 'a' }, { n: 'a', in: { x: 1, role: 1 } }] } } }, 'lines.in.role'],
  [{ $push: { lines: { $position: 0, $each: [{ n: 'a', role: 1 }] } } }, 'lines.role'],
  [{ $addToSet: { 'box.lines': { n: 'a', role: 1 } } }, 'box.lines.role'],
  [{ $push: { 'box.role': 1 } }, 'box.role'],
  [{ $set: { lines: [{ n: 'a', l: [{ y: 1, role: 1 }] }] } }, 'lines.0.l.0.role'],
  [{ $set: { 'lines.0.role': 1 } }, 'lines.0.role'],
  [{ $set: { 'lines.$.role': 1 } }, 'lines.$.role'],
  [{ $set: { 'lines.$[].in.role': 1 } }, 'lines.$[].in.role'],
  [{ $set: { 'lines.$[e].l.$[f]': { y: 1, role: 1 } } }, 'lines.$[e].l.$[f].role'],
  [{ $set: { 'lines.n': 1 } }, 'lines.n'],
  [{ $set: { map: new Map([['m', { n: 'a', role: 1 }]]) } }, 'map.m.role'],
  [{ $set: { rec: { m: { n: 'a', role: 1 } } } }, 'rec.m.role'],
  [{ $set: { 'rec.m.role': 1 } }, 'rec.m.role'],
  [{ $set: { pair: [{ a: 1 }, { b: 1, a: 1 }] } }, 'pair.1.a'],
  [{ $set: { 'pair.1.a': 1 } }, 'pair.1.a'],
  [{ $set: { kind: { t: 'a', a: 1, b: 1 } } }, 'kind.b'],
  [{ $set: { either: { city: 'x', town: 'y' } } }, 'either.town'],
  [{ $set: { both: { c: 1, d: 1, role: 1 } } }, 'both.role'],
  [{ $set: { made: { w: 1, role: 1 } } }, 'made.role'],
  [{ $set: { first: { full: 'a', role: 1 } } }, 'first.role'],
  // Updates run no transform, so what one begins with would stay as it is.
  [{ $set: { first: { one: 'a' } } }, 'first.one'],
  [{ $set: { pre: { city: 'x', in: { n: 'a', role: 1 } } } }, 'pre.in.role'],
  [{ $set: { 'pre.role': 1 } }, 'pre.role'],
  [{ $set: { self: { v: 1, next: [{ n: 'a', role: 1 }] } } }, 'self.next.0.role'],
  [{ $set: { 'text.role': 1 } }, 'text.role'],
  [{ $set: { box: { in: { n: 'a', constructor: 1 } } } }, 'box.in.constructor'],
];

const right: readonly object[] = [
  { $set: { k: 2, 'lines.0.n': 'b', 'box.in.in': { x: 1 }, map: new Map([['m', { n: 'a' }]]), 'rec.any': { n: 'r' } } },
  { $push: { lines: { $each: [{ n: 'a', in: { x: 1 } }], $position: 0 }, 'box.lines': { n: 'b', l: [{ y: 1 }] } } },
  { $set: { pair: [{ a: 1 }, { b: 2 }], kind: { t: 'b', b: 1 }, either: { town: 'y' }, both: { c: 1, d: 2 } } },
  { $set: { 'pair.1.b': 3, 'kind.a': 1, 'kind.b': 1, 'either.town': 'z', 'both.d': 3 } },
  {
    $set: {
      made: { w: 2, area: 4, extra: 1 },
      first: { full: 'a' },
      pre: { city: 'p' },
      later: { city: 'l', more: 1 },
    },
  },
  { $set: { 'made.area': 9, 'made.extra': 2, 'first.full': 'b', 'pre.in': { n: 'n' }, 'later.more': 2 } },
  { $set: { self: { v: 1, next: [{ n: 'a' }] }, text: 't' } },
  { $unset: { old: '', 'box.old': '' } },
  { $pull: { old: 1, lines: { old: 1 } } },
  { $rename: { old: 'text' } },
];

describe('an update', () => {
  let Model: Loose;
  beforeAll(() => {
    ({ Model } = looseModel(database, deep));
    database.sent();
  });

  it.each(wrong)('that writes %o is refused at %s', async (update, path) => {
    await expect(Model.updateOne({}, update)).rejects.toMatchObject(refused(path));
    expect(database.sent()).toEqual([]);
  });

  it.each(right.map((update) => [update]))('that writes %o is sent as it is', async (update) => {
    await Model.updateOne({}, update);
    const [sent] = database.sent();
    for (const [operator, operand] of Object.entries(update)) expect(sent?.['updates'][0].u[operator]).toEqual(operand);
  });

  it('tells of all such keys at once, by the names of the program', async () => {
    const { Model: Named } = looseModel(database, { inner: stored('i', z.object({ a: z.int() })) });
    const error: unknown = await Named.updateOne(
      {},
      { $set: { top: 1, inner: { b: 1 } }, $inc: { 'inner.z': 1 } },
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    const keys = [['top'], ['inner', 'b'], ['inner', 'z']];
    expect(error).toMatchObject({ issues: keys.map((each) => ({ keys: each, path: each.join('.') })) });
  });
});

it.each(calls)('%s stores no key that the schema does not name', async (_call, call) => {
  const { Model } = looseModel(database, { k, a: z.object({ city: z.string() }) });
  await Model.create({ k: 1, a: { city: 'y' } });
  await expect(call(Model, { $set: { a: input } })).rejects.toMatchObject(refused('a.role'));
  expect(await Model.find().lean()).toMatchObject([{ k: 1, a: { city: 'y' } }]);
  await call(Model, { $set: { a: { city: 'z' } } });
  expect((await Model.findOne()).a).toEqual({ city: 'z' });
  expect(input).toEqual({ city: 'x', role: 'admin' });
});

describe('with unknown: drop', () => {
  it('paths and members that the schema does not name are left out, whatever the operator', async () => {
    const { Model, raw } = looseModel(database, deep, { unknown: 'drop' });
    const document = await Model.upsert(
      { k: 1 },
      {
        $set: { 'box.role': 1, top: 1, 'rec.m': { n: 'a', role: 1, in: { x: 1, y: 2 } } },
        $push: { lines: { $each: [{ n: 'a', role: 1 }, { n: 'b' }] }, roles: 'admin' },
        $inc: { 'box.level': 1 },
      },
    );
    expect(await raw(document)).toEqual({
      k: 1,
      lines: [{ n: 'a' }, { n: 'b' }],
      rec: { m: { n: 'a', in: { x: 1 } } },
    });
    await expect(Model.updateOne({}, { $rename: { k: 'role' } })).rejects.toMatchObject(refused('role'));
  });
});

describe('the filter of an upsert', () => {
  it.each([
    [{ role: 'admin' }, 'role'],
    [{ box: { in: { n: 'a', role: 1 } } }, 'box.in.role'],
    [{ 'box.role': 1 }, 'box.role'],
    [{ 'box.role': { $eq: 1 } }, 'box.role'],
    [{ $and: [{ k: 1 }, { 'rec.m': { $in: [{ n: 'a', role: 1 }] } }] }, 'rec.m.role'],
  ])('with %o is refused, since the new document would have it', async (filter, path) => {
    for (const unknown of ['error', 'drop'] as const) {
      const { Model } = looseModel(database, deep, { unknown });
      await expect(Model.upsert(filter, { $set: { text: 't' } })).rejects.toMatchObject(refused(path));
      await expect(Model.updateMany(filter, { $set: { text: 't' } }, { upsert: true })).rejects.toMatchObject(
        refused(path),
      );
      await expect(Model.upsert(filter, [{ $set: { text: 't' } }])).rejects.toMatchObject(refused(path));
      expect(await Model.count()).toBe(0);
      await Model.updateOne(filter, { $set: { text: 't' } });
    }
    const { Model } = looseModel(database, deep, { unknown: 'keep' });
    await Model.upsert(filter, { $set: { text: 't' } });
    expect(await Model.count()).toBe(1);
  });

  it('may name what the update removes or only compare', async () => {
    const { Model, raw } = looseModel(database, deep);
    const moved = await Model.upsert({ old: 't' }, { $rename: { old: 'text' } });
    expect(await raw(moved)).toEqual({ text: 't' });
    const gone = await Model.upsert({ older: 1 }, { $unset: { older: '' }, $set: { k: 1 } });
    expect(await raw(gone)).toEqual({ k: 1 });
    await Model.upsert({ other: { $gt: 1 } }, { $set: { k: 2 } });
    expect(await Model.count()).toBe(3);
  });

  it('that names a member has its siblings get their defaults', async () => {
    const inner = z.object({
      a: z.int().default(1),
      b: z.int().default(2),
      in: z.object({ c: z.int(), d: z.int().default(4) }).optional(),
    });
    const { Model, raw } = looseModel(database, { k, box: inner.optional() });
    expect(await raw(await Model.upsert({ 'box.a': 9 }, { $set: { k: 1 } }))).toEqual({ k: 1, box: { a: 9, b: 2 } });
    const deeper = await Model.upsert({ $and: [{ 'box.in.c': { $eq: 3 } }] }, { $set: { k: 2, 'box.b': 5 } });
    expect(await raw(deeper)).toEqual({ k: 2, box: { a: 1, b: 5, in: { c: 3, d: 4 } } });
    expect(await raw(await Model.upsert({ box: { a: 7 } }, { $set: { k: 3 } }))).toEqual({ k: 3, box: { a: 7 } });
  });
});

describe('the times that the mapper keeps', () => {
  const timed = (): Loose => looseModel(database, { k: k.optional() }, { timestamps: true }).Model;
  const text = '2020-01-01T00:00:00Z';

  it.each<readonly [object]>([
    [{ $set: { createdAt: text } }],
    [{ $setOnInsert: { createdAt: text } }],
    [{ $max: { updatedAt: text } }],
    [{ $min: { updatedAt: 5 } }],
    [{ $set: { createdAt: null } }],
    [{ $set: { updatedAt: { at: 1 } } }],
    [{ $currentDate: { updatedAt: { $type: 'timestamp' } } }],
  ])('are Dates: %o is refused', async (update) => {
    const path = Object.keys(Object.values(update)[0] as object)[0] as string;
    const Timed = timed();
    for (const [, call] of calls) await expect(call(Timed, update)).rejects.toMatchObject(refused(path));
    expect(await Timed.count()).toBe(0);
  });

  it('may be set to Dates', async () => {
    const Timed = timed();
    const date = new Date(text);
    await Timed.upsert({ k: 1 }, { $setOnInsert: { createdAt: date }, $currentDate: { updatedAt: { $type: 'date' } } });
    expect((await Timed.findOne()).createdAt).toEqual(date);
    await Timed.updateOne({}, { $set: { updatedAt: date }, $unset: { createdAt: '' } });
    expect((await Timed.findOne()).updatedAt).toEqual(date);
  });
});

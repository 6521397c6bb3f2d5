import { type } from 'arktype';
import { Binary, Double, Int32, Long } from 'mongodb';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, SchemaError } from '../../src/index.ts';
import { binary, long } from '../../src/zod.ts';
import { type TestDatabase, useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();
const wide = useDatabase({ useBigInt64: true, promoteBuffers: true });

const rich = {
  o: z.object({
    big: z.bigint(),
    i64: z.int64().optional(),
    l: long(),
    bin: binary(),
    u8: z.instanceof(Uint8Array),
    buf: z.instanceof(Buffer),
    m: z.map(z.string(), z.object({ n: z.bigint() })),
    list: z.array(z.bigint()),
    rec: z.record(z.string(), z.object({ n: long() })),
    pair: z.tuple([z.string(), z.bigint()]),
    either: z.union([z.number(), z.bigint()]),
    none: z.bigint().nullable(),
    kind: z.discriminatedUnion('k', [
      z.object({ k: z.literal('a'), n: z.bigint() }),
      z.object({ k: z.literal('b'), n: z.int() }),
    ]),
  }),
  top: z.bigint().optional(),
  topMap: z.map(z.string(), z.int()).optional(),
  vb: v.object({ b: v.bigint(), m: v.map(v.string(), v.bigint()), u: v.instance(Uint8Array) }),
  ark: type({ b: 'bigint', u: type.instanceOf(Uint8Array), l: type('bigint').array() }),
};

const input = (): Loose => ({
  o: {
    big: 1n,
    i64: 2n,
    l: 3,
    bin: new Uint8Array([1]),
    u8: new Uint8Array([2]),
    buf: Buffer.from([3]),
    m: new Map([['k', { n: 4n }]]),
    list: [1n, 2n],
    rec: { a: { n: 5n } },
    pair: ['x', 6n],
    either: 5,
    none: null,
    kind: { k: 'b', n: 7 },
  },
  top: 2n ** 60n,
  topMap: new Map([['a', 1]]),
  vb: { b: 1n, m: new Map([['x', 2n]]), u: new Uint8Array([4]) },
  ark: { b: 3n, u: new Uint8Array([9]), l: [1n] },
});

describe.each(['the driver’s defaults', 'useBigInt64 and promoteBuffers'])('with %s', (name) => {
  const open = (): TestDatabase => (name === 'the driver’s defaults' ? database : wide);
  const richModel = (): Loose => {
    const { Model } = looseModel(open(), rich);
    return Model.using(open().connection);
  };

  it('values inside have the JavaScript types of their schemas, and reading is no change', async () => {
    const Model = richModel();
    const made = await Model.create(input());
    const read = await Model.findById(made._id);
    const { o, vb, ark, top, topMap } = read;
    expect([o.big, o.i64, o.l, o.list, o.rec.a.n, o.pair, o.none]).toEqual([1n, 2n, 3n, [1n, 2n], 5n, ['x', 6n], null]);
    expect([top, vb.b, vb.m.get('x'), ark.b, ark.l]).toEqual([2n ** 60n, 1n, 2n, 3n, [1n]]);
    expect(o.m.get('k')).toEqual({ n: 4n });
    expect(topMap).toEqual(new Map([['a', 1]]));
    for (const bytes of [o.bin, o.u8, vb.u, ark.u]) expect(bytes).toBeInstanceOf(Uint8Array);
    expect(Buffer.isBuffer(o.buf)).toBe(true);
    expect(o.kind).toEqual({ k: 'b', n: 7 });
    expect(read.isModified()).toBe(false);
    expect(made.toObject()).toEqual({ ...input(), ...made.toObject() });
    await read.validate();
    open().sent();
    await read.save();
    expect(open().sent()).toEqual([]);
    expect((await Model.findById(made._id)).toObject()).toEqual(read.toObject());
  });

  it('they can be changed in place, and are stored as their types', async () => {
    const Model = richModel();
    const { _id } = await Model.create(input());
    const read = await Model.findById(_id);
    read.o.big += 1n;
    read.o.m.set('z', { n: 8n });
    read.o.m.get('k').n = 5n;
    read.o.list.push(3n);
    read.o.u8[0] = 7;
    read.vb.m.set('y', 1n);
    const changes: Loose[] = read.changes();
    expect(changes.find(({ path }) => path === 'o.big')).toMatchObject({ from: 1n, to: 2n });
    await read.save();
    expect(read.isModified()).toBe(false);
    const raw: Loose = await open()
      .db.collection(Model.collection.collectionName)
      .findOne({ _id }, { promoteValues: false, promoteLongs: true, useBigInt64: false });
    expect(raw.o.big).toBeInstanceOf(Long);
    expect(raw.o.m.z.n).toBeInstanceOf(Long);
    expect(raw.o.u8).toBeInstanceOf(Binary);
    const again = await Model.findById(_id);
    expect(again.toObject()).toEqual(read.toObject());
    expect(again.$previousChanges()).toEqual([]);
  });

  it('lean() gives them too, and JSON.stringify shows them', async () => {
    const Model = richModel();
    const { _id } = await Model.create(input());
    const lean = await Model.find({ _id }).lean().first();
    expect(lean.o.big).toBe(1n);
    expect(lean.o.m).toBeInstanceOf(Map);
    const shown = JSON.parse(JSON.stringify({ lean, all: [lean] }));
    expect(shown.lean.o).toMatchObject({ big: '1', bin: 'AQ==', m: { k: { n: '4' } }, list: ['1', '2'] });
    expect(shown.all[0].top).toBe(String(2n ** 60n));
    expect(Object.keys(lean)).not.toContain('toJSON');
    expect(await Model.aggregate().project({ big: '$o.big', list: '$o.list' }).first()).toMatchObject({
      big: 1n,
      list: [1n, 2n],
    });
  });
});

describe('what is stored as another type', () => {
  it('is read as the integer that it is, and is no change: doubles and int32s', async () => {
    const { load } = looseModel(database, {
      n: long(),
      o: z.object({ n: long(), big: z.bigint(), list: z.array(z.bigint()) }),
      t: z.date().optional(),
    });
    const six = new Double(6);
    const read = await load({ n: six, o: { n: six, big: new Int32(5), list: [six, new Double(-0)] } });
    expect([read.n, read.o]).toEqual([6n, { n: 6n, big: 5n, list: [6n, 0n] }]);
    expect(read.isModified()).toBe(false);
    await read.validate();
    read.o.list.push(7n);
    database.sent();
    await read.save();
    expect(database.sent()).toHaveLength(1);
    expect(read.isModified()).toBe(false);
    expect(read.o.list).toEqual([6n, 0n, 7n]);
  });

  it('stays as it is where it is no such value', async () => {
    const { load } = looseModel(database, { o: z.object({ big: z.bigint(), m: z.map(z.string(), z.int()) }) });
    const read = await load({ o: { big: 1.5, m: [1] } });
    expect(read.o).toEqual({ big: 1.5, m: [1] });
    expect(read.isModified()).toBe(false);
  });
});

describe('a type that BSON does not have', () => {
  class Money {
    cents = 5;
  }
  const refused: readonly (readonly [string, Loose, RegExp])[] = [
    ['a set', z.set(z.int()), /"f" is of z\.set/],
    ['a nested set', z.object({ a: z.array(z.object({ s: z.set(z.int()) })) }), /"f\.a\.\*\.s"/],
    ['a symbol', z.symbol(), /symbol/],
    ['a promise', z.object({ p: z.promise(z.int()) }), /"f\.p"/],
    ['a file', z.file(), /file/],
    ['a Map with numbers as keys', z.array(z.map(z.number(), z.int())), /keys are no strings/],
    ['a class of the program', z.object({ m: z.instanceof(Money) }), /instances of Money/],
    ['Valibot’s set', v.object({ s: v.set(v.number()) }), /"f\.s"/],
    ['Valibot’s class', v.array(v.instance(Money)), /instances of Money/],
    ['ArkType’s set', type({ s: 'Set' }), /instances of Set/],
    ['ArkType’s symbol', type('symbol'), /symbols/],
  ];

  it.each(refused)('is refused when the model is made: %s', (_, f, message) => {
    expect(() => looseModel(database, { f })).toThrow(SchemaError);
    expect(() => looseModel(database, { f })).toThrow(message);
  });

  it('is refused at the first use where its schema was made later', () => {
    class Late extends model('late', {
      f: z.object({
        get inner(): z.ZodOptional<typeof later> {
          return later.optional();
        },
      }),
    }) {}
    const later = z.object({ s: z.set(z.int()) });
    expect(() => new Late({ f: {} })).toThrow(SchemaError);
  });

  it('may stand under a transform that gives another', async () => {
    const { Model, raw } = looseModel(database, {
      f: z.union([z.array(z.int()), z.set(z.int()).transform((set) => [...set])]),
      m: z.union([z.int(), z.instanceof(Money).transform(({ cents }) => cents)]),
    });
    const made = await Model.create({ f: new Set([1, 2]), m: new Money() });
    expect(await raw(made)).toEqual({ f: [1, 2], m: 5 });
  });
});

import type { IndexDescription, ObjectId } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model, ref, SchemaError } from '../../src/index.ts';
import { ref as zodRef } from '../../src/zod.ts';

class User extends model(
  'users',
  {
    name: z.string(),
    age: z.number().optional(),
    role: z.enum(['admin', 'guest']).default('guest'),
    conf: z.object({
      theme: z.string().default('dark'),
      size: z.number(),
      deep: z.object({ b: z.boolean().default(true) }),
    }),
    lines: z.array(z.object({ qty: z.number().default(1), sku: z.string() })).default([]),
    shape: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), n: z.number().default(0) }),
      z.object({ kind: z.literal('b'), t: z.string() }),
    ]),
    pair: z.tuple([z.string(), z.number()]),
    owner: ref<User>(() => User),
    scores: z.record(z.string(), z.number()),
  },
  { timestamps: true },
) {}

class Page extends model('pages', { _id: z.string().default('x'), n: z.number() }) {}

interface StoredUser {
  readonly _id: ObjectId;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  name: string;
  age?: number | undefined;
  role?: 'admin' | 'guest';
  conf: { theme?: string; size: number; deep: { b?: boolean } };
  lines?: { qty?: number; sku: string }[];
  shape: { kind: 'a'; n?: number } | { kind: 'b'; t: string };
  pair: [string, number];
  owner: ObjectId;
  scores: Record<string, number>;
}

declare const user: User;
declare const page: Page;

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of what is stored', () => {
  it('lean() gives fields that have a default as optional, at any depth, since documents stored before lack them', () => {
    expectCompiled(async () => {
      const [lean] = await User.find().lean();
      if (lean === undefined) return undefined;
      const stored: StoredUser = lean;
      const back: typeof lean = stored;
      expectTypeOf<(typeof lean)['role']>().toEqualTypeOf<'admin' | 'guest' | undefined>();
      expectTypeOf<(typeof lean)['conf']['deep']['b']>().toEqualTypeOf<boolean | undefined>();
      expectTypeOf<(typeof lean)['_id']>().toEqualTypeOf<ObjectId>();
      expectTypeOf<keyof typeof lean>().toEqualTypeOf<keyof StoredUser>();
      expectTypeOf((await Page.find().lean())[0]?._id).toEqualTypeOf<string | undefined>();
      // @ts-expect-error -- the list may be missing
      lean.lines.push({ sku: 'x' });
      // @ts-expect-error -- so may a member that has a default
      return [back, lean.conf.theme.length];
    });
  });

  it('so in records and Maps, where ids stand for references', () => {
    class Kept extends model('kept', {
      rec: z.record(z.string(), z.object({ qty: z.number().default(1), by: zodRef<User>(() => User) })),
      refs: z.record(
        z.string(),
        zodRef<User>(() => User),
      ),
      map: z.map(z.string(), z.object({ qty: z.number().default(1) })),
    }) {}
    expectCompiled(async () => {
      const [lean] = await Kept.find().lean();
      expectTypeOf(lean!.rec).toEqualTypeOf<Record<string, { qty?: number; by: ObjectId }>>();
      expectTypeOf(lean!.refs).toEqualTypeOf<Record<string, ObjectId>>();
      expectTypeOf(lean!.map).toEqualTypeOf<Map<string, { qty?: number }>>();
    });
  });

  it('so do select() and omit() before it; documents have their defaults', () => {
    expectCompiled(async () => {
      const [picked] = await User.find().select('role', 'conf.theme').lean();
      expectTypeOf(picked).toEqualTypeOf<
        { readonly _id: ObjectId; role?: 'admin' | 'guest'; conf: { theme?: string } } | undefined
      >();
      const [rest] = await User.find().omit('conf', 'lines').select('role', 'name').lean();
      expectTypeOf(rest?.role).toEqualTypeOf<'admin' | 'guest' | undefined>();
      const [part] = await User.find().select('role', 'conf.theme');
      expectTypeOf(part!.role).toEqualTypeOf<'admin' | 'guest'>();
      expectTypeOf(part!.conf).toEqualTypeOf<{ theme: string }>();
      expectTypeOf(user.role).toEqualTypeOf<'admin' | 'guest'>();
      expectTypeOf(user.toObject().lines).toEqualTypeOf<{ qty: number; sku: string }[]>();
    });
  });

  it('aggregate() and lookup() give them as optional, too', () => {
    expectCompiled(async () => {
      const [row] = await User.aggregate();
      expectTypeOf(row?.role).toEqualTypeOf<'admin' | 'guest' | undefined>();
      const [group] = await User.aggregate().group({ _id: '$role', n: { $sum: 1 } });
      expectTypeOf(group?._id).toEqualTypeOf<'admin' | 'guest' | null | undefined>();
      const [line] = await User.aggregate().unwind('lines');
      expectTypeOf(line!.lines).toEqualTypeOf<{ qty?: number; sku: string }>();
      const joined = User.aggregate().lookup({ from: User, localField: 'owner', foreignField: '_id', as: 'owners' });
      expectTypeOf<Awaited<typeof joined>[0]['owners'][0]['conf']['deep']>().toEqualTypeOf<{ b?: boolean }>();
    });
  });

  it('the fields of a spread document are no input: they are on its class', () => {
    expectCompiled(() => {
      const { _id, createdAt, updatedAt, ...fields } = user.toObject();
      void User.create(fields);
      // @ts-expect-error -- a spread document has no fields
      void User.create({ ...user });
      // @ts-expect-error -- nor when others are added
      void User.replaceOne({}, { ...user, name: 'x' });
      // @ts-expect-error -- a document is no input
      new User(user);
      // @ts-expect-error -- a filter without fields finds all
      void Page.deleteMany({ ...page });
      // @ts-expect-error -- also in another
      void Page.find({ $or: [{ ...page }] });
      // @ts-expect-error -- also one of values
      void Page.findBy({ ...page });
      // @ts-expect-error -- also in bulk
      void Page.bulk().deleteMany({ ...page });
      // @ts-expect-error -- also of an aggregation
      void Page.aggregate().match({ ...page });
      // @ts-expect-error -- nothing would be set
      void Page.updateMany({}, { $set: { ...page } });
      // @ts-expect-error -- nor assigned
      page.assign({ ...page });
      return [_id, createdAt, updatedAt];
    });
  });
});

describe('the types of indexes', () => {
  const fields = {
    email: z.string(),
    address: z.object({ city: z.string(), at: z.object({ floor: z.int() }).optional() }),
    owner: ref<User>(() => User),
    lines: z.array(z.object({ sku: z.string(), tags: z.array(z.string()) })).optional(),
    either: z.union([z.string(), z.object({ a: z.int() }), z.object({ b: z.int() })]),
    rec: z.record(z.string(), z.object({ n: z.int() })),
    any: z.unknown(),
    made: z.object({ w: z.int() }).transform(({ w }) => ({ w, area: w * w })),
    late: z.lazy(() => z.object({ x: z.int() })),
    at: z.tuple([z.int(), z.int()]),
  };

  it('keys begin with fields of the model', () => {
    class Indexed extends model('x', fields, {
      timestamps: { createdAt: 'made' },
      version: 'rev',
      indexes: [
        { key: { email: 1, 'address.city': -1, made: 1, rev: 1, _id: 1 }, unique: true },
        { key: { '$**': 1 } },
        { key: { email: 'text' }, weights: { email: 2 } },
        { key: new Map([['owner', 1]]) },
      ],
      shardKey: ['email', 'address.city'],
    }) {}
    expect(Indexed).toBeTypeOf('function');
    const inside = model('x', fields, {
      indexes: [
        { key: { 'address.at.floor': 1, 'lines.sku': 1, 'lines.0.tags': 1, 'either.a': 1, 'either.b': 1 } },
        { key: { 'rec.m.n': 1, 'any.thing': 1, 'made.area': 1, 'late.x': 1 } },
        { key: { 'address.$**': 1 } },
        { key: { email: 1 }, partialFilterExpression: { $and: [{ 'lines.sku': { $exists: true } }] } },
      ],
      shardKey: ['address.at.floor'],
    });
    expect(inside).toBeTypeOf('function');
    const shared: IndexDescription[] = [{ key: { email: 1 } }];
    expect(model('x', fields, { indexes: shared })).toBeTypeOf('function');
    const open = model('x', fields, { unknown: 'keep', indexes: [{ key: { emial: 1 } }], shardKey: ['emial'] });
    expect(open).toBeTypeOf('function');
  });

  it('another key is refused by the compiler and when the model is made', () => {
    // @ts-expect-error -- a misspelt field
    const key = (): unknown => model('x', fields, { indexes: [{ key: { email: 1 } }, { key: { emial: 1 } }] });
    expect(key).toThrow(SchemaError);
    expect(key).toThrow('"indexes" names "emial"');
    // @ts-expect-error -- times that are not kept
    const times = (): unknown => model('x', fields, { indexes: [{ key: { createdAt: 1 } }] });
    expect(times).toThrow('names "createdAt"');
    // @ts-expect-error -- a path that begins with no field
    const path = (): unknown => model('x', fields, { indexes: [{ key: { 'adress.city': 1 } }] });
    expect(path).toThrow('names "adress.city"');
    // @ts-expect-error -- a place that the tuple has not, a misspelt member in a record
    const places = (): unknown => model('x', fields, { indexes: [{ key: { 'at.2': 1, 'rec.m.x': 1 } }] });
    expect(places).toThrow('names "at.2"');
    // @ts-expect-error -- a misspelt option
    expect(model('x', fields, { indexes: [{ key: { email: 1 } }, { key: { either: 1 }, uniqe: true }] })).toBeDefined();
    // @ts-expect-error -- a misspelt part of the shard key
    const shardKey = (): unknown => model('x', fields, { shardKey: ['emial'] });
    expect(shardKey).toThrow('"shardKey" names "emial"');
    // @ts-expect-error -- a misspelt member
    const inner = (): unknown => model('x', fields, { indexes: [{ key: { 'address.cty': 1 } }] });
    expect(inner).toThrow('"indexes" names "address.cty"');
    // @ts-expect-error -- a misspelt member of elements
    const element = (): unknown => model('x', fields, { indexes: [{ key: { email: 1, 'lines.sk': 1 } }] });
    expect(element).toThrow('names "lines.sk"');
    // @ts-expect-error -- a member of a text
    const ofText = (): unknown => model('x', fields, { indexes: [{ key: { 'email.domain': 1 } }] });
    expect(ofText).toThrow('names "email.domain"');
    // @ts-expect-error -- a misspelt member in the shard key
    const sharded = (): unknown => model('x', fields, { shardKey: ['email', 'address.at.flor'] });
    expect(sharded).toThrow('"shardKey" names "address.at.flor"');
    for (const path of ['address.at.x', 'lines.0.sk', 'lines.tags.x', 'either.c', 'rec.m.x', 'address.x.$**']) {
      const partial = { $or: [{ [path]: { $exists: true } }] };
      expect(() => model('x', fields, { indexes: [{ key: new Map([[path, 1]]) }] })).toThrow(
        `names "${path.replace('.$**', '')}`,
      );
      expect(() => model('x', fields, { indexes: [{ key: { email: 1 }, partialFilterExpression: partial }] })).toThrow(
        path,
      );
    }
    const others = [
      { key: new Map([['emial', 1 as const]]) },
      { key: { email: 'text' as const }, weights: { emial: 2 } },
      { key: { '$**': 1 as const }, wildcardProjection: { emial: 1 } },
      { key: { email: 1 as const }, partialFilterExpression: { emial: { $exists: true } } },
    ];
    for (const index of others) expect(() => model('x', fields, { indexes: [index] })).toThrow('names "emial"');
  });
});

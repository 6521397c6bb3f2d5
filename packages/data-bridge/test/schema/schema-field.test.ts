import { type } from 'arktype';
import * as v from 'valibot';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, objectId, SchemaError, ValidationError } from '../../src/index.ts';
import { onlyStatement, onlyUpdate, useDatabase } from '../support/database.ts';

const database = useDatabase();
beforeEach(() => {
  database.sent();
});

async function refusal(promise: Promise<unknown>): Promise<ValidationError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ValidationError)) throw new Error('Expected a ValidationError', { cause: error });
  return error;
}

describe('fields of several libraries', () => {
  class Zod extends model('people', {
    name: z.string().min(2),
    age: z.int().optional(),
    tags: z.array(z.string()).default([]),
  }) {}
  class Valibot extends model('people', {
    name: v.pipe(v.string(), v.minLength(2)),
    age: v.optional(v.pipe(v.number(), v.integer())),
    tags: v.optional(v.array(v.string()), []),
  }) {}
  class ArkType extends model('people', {
    name: type('string >= 2'),
    age: type('number.integer | undefined'),
    tags: type('string[]'),
  }) {}

  it.each([
    [
      'Zod',
      () => Zod.create({ name: 'Ann', tags: ['a'] }),
      () => Zod.create({ name: 'A', age: 1.5, tags: [5 as never] }),
    ],
    [
      'Valibot',
      () => Valibot.create({ name: 'Ann', tags: ['a'] }),
      () => Valibot.create({ name: 'A', age: 1.5, tags: [5 as never] }),
    ],
    [
      'ArkType',
      () => ArkType.create({ name: 'Ann', tags: ['a'] }),
      () => ArkType.create({ name: 'A', age: 1.5, tags: [5 as never] }),
    ],
  ])('%s validates what is stored, all issues at once', async (_, good, bad) => {
    const stored = await good();
    expect(onlyStatement(database.sent())).toEqual({ _id: stored._id, name: 'Ann', tags: ['a'] });
    const error = await refusal(bad());
    expect(error.issues.map(({ path }) => path)).toEqual(['name', 'age', 'tags.0']);
    expect(error.issues.map(({ keys }) => keys)).toEqual([['name'], ['age'], ['tags', 0]]);
    expect(error.issues.every(({ message }) => message.length > 0)).toBe(true);
    expect(database.sent()).toEqual([]);
  });

  it('mix in one model', async () => {
    class Mixed extends model('mixed', {
      a: z.string(),
      b: v.number(),
      c: type('boolean'),
      d: objectId().optional(),
    }) {}
    const mixed = await Mixed.create({ a: 'x', b: 1, c: true, d: '507f1f77bcf86cd799439011' });
    expect(mixed.toObject()).toMatchObject({ a: 'x', b: 1, c: true });
    expect(String(mixed.d)).toBe('507f1f77bcf86cd799439011');
    const error = await refusal(Mixed.create({ a: 1, b: 'x', c: 2, d: 'y' } as never));
    expect(error.issues.map(({ path }) => path)).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each([[undefined], [null], ['string'], [{}], [{ '~standard': {} }], [() => true]])(
    'refuse %s as a field',
    (schema) => {
      expect(() => model('broken', { name: schema as never })).toThrow(SchemaError);
      expect(() => model('broken', { name: schema as never })).toThrow('"name"');
    },
  );
});

describe('a ValidationError', () => {
  class Account extends model('accounts', {
    name: z.string(),
    secret: z.object({ pin: z.string().length(4) }).optional(),
  }) {}

  it('names the model, the document and the paths, and shows no value', async () => {
    const account = new Account({ name: 'Ann', secret: { pin: 'hunter2' } });
    const error = await refusal(account.save());
    expect(error).toMatchObject({
      code: 'DATA_BRIDGE_VALIDATION',
      model: 'accounts',
      id: account._id,
      name: 'ValidationError',
    });
    expect(error.message).toContain('"secret.pin"');
    expect(error.issues[0]?.value).toBe('hunter2');
    expect([JSON.stringify(error), JSON.stringify(error.issues), inspect(error), String(error)].join()).not.toContain(
      'hunter2',
    );
  });

  it('lists keys that the schema does not name', async () => {
    const error = await refusal(Account.create({ name: 5, nickname: 'x', secret: {} } as never));
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual(['name', 'nickname', 'secret.pin']);
  });

  it('comes from validate() too', async () => {
    const account = await Account.create({ name: 'Ann' });
    await expect(account.validate()).resolves.toBeUndefined();
    account.name = 5 as never;
    expect((await refusal(account.validate())).issues.map(({ path }) => path)).toEqual(['name']);
  });
});

describe('unknown keys', () => {
  it('are stored or left out where the model says so', async () => {
    class Keep extends model('loose', { name: z.string() }, { unknown: 'keep' }) {}
    class Drop extends model('loose', { name: z.string() }, { unknown: 'drop' }) {}
    const kept = await Keep.create({ name: 'x', extra: 1 } as never);
    const dropped = await Drop.create({ name: 'x', extra: 1 } as never);
    expect(kept.get('extra')).toBe(1);
    expect(await database.db.collection('loose').find().toArray()).toEqual([
      { _id: kept._id, name: 'x', extra: 1 },
      { _id: dropped._id, name: 'x' },
    ]);
  });
});

describe('lazy validation', () => {
  class Item extends model('items', {
    name: z.string(),
    size: z.number(),
    inner: z.object({ a: z.string() }).optional(),
  }) {}

  it('looks at changed fields only', async () => {
    await database.db.collection('items').insertOne({ name: 'x', size: 'stored by somebody else' });
    const item = await Item.findOne({ name: 'x' });
    if (item === null) throw new Error('Expected the document');
    database.sent();
    item.name = 'y';
    await item.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { name: 'y' } });
    item.size = 'other' as never;
    expect((await refusal(item.save())).issues.map(({ path }) => path)).toEqual(['size']);
  });

  it('refuses the removal of a field that must be there', async () => {
    const item = await Item.create({ name: 'x', size: 1 });
    item.unset('name' as string);
    expect((await refusal(item.save())).issues.map(({ path }) => path)).toEqual(['name']);
  });

  it('leaves keys that a nested schema strips', async () => {
    await database.db.collection('items').insertOne({ name: 'nested', size: 1, inner: { a: 'x', legacy: 1 } });
    const item = await Item.findOne({ name: 'nested' });
    if (item?.inner === undefined) throw new Error('Expected the document');
    item.inner.a = 'y';
    await item.save();
    expect((await Item.findOne({ name: 'nested' }))?.inner).toEqual({ a: 'y', legacy: 1 });
    item.inner = { a: 'z', legacy: 2 } as never;
    await item.save();
    expect((await Item.findOne({ name: 'nested' }))?.inner).toEqual({ a: 'z', legacy: 2 });
    await expect(Item.create({ name: 'new', size: 1, inner: { a: 'x', extra: [1] } as never })).rejects.toThrow(
      'inner.extra',
    );
  });
});

describe('transforms', () => {
  it('run once for each value that is assigned', async () => {
    let runs = 0;
    class Counted extends model('counted', {
      text: z.string().transform((text) => {
        runs++;
        return `${text}!`;
      }),
      other: z.int().min(0).default(0),
    }) {}
    const counted = new Counted({ text: 'a', other: -1 });
    await refusal(counted.save());
    await refusal(counted.save());
    counted.other = 1;
    await counted.save();
    expect(counted.text).toBe('a!');
    expect((await Counted.findById(counted._id))?.text).toBe('a!');
    runs = 0;
    counted.other = 2;
    await counted.save();
    expect(runs).toBe(0);
    counted.text = 'b';
    await counted.save();
    await counted.save();
    expect([counted.text, runs]).toEqual(['b!', 1]);
  });

  it('are copied into an assigned container', async () => {
    class Tagged extends model('tagged', {
      tags: z.array(z.string().toLowerCase()),
      inner: z.object({ list: z.array(z.object({ code: z.string().toUpperCase() })) }).optional(),
    }) {}
    const tagged = new Tagged({ tags: ['A', 'B'], inner: { list: [{ code: 'x' }] } });
    const { tags, inner } = tagged;
    await tagged.save();
    expect(tagged.tags).toBe(tags);
    expect(tags).toEqual(['a', 'b']);
    expect(tagged.inner).toBe(inner);
    expect(inner).toEqual({ list: [{ code: 'X' }] });
    expect(tagged.isModified()).toBe(false);
    tags.push('c');
    await tagged.save();
    expect((await Tagged.findById(tagged._id))?.tags).toEqual(['a', 'b', 'c']);
  });

  it('are done once on what is put inside of what was loaded', async () => {
    class Lower extends model('tagged', { tags: z.array(z.string().toLowerCase()) }) {}
    const { _id } = await Lower.create({ tags: ['a'] });
    const lower = await Lower.findById(_id);
    lower?.tags.push('B');
    await lower?.save();
    expect((await Lower.findById(_id))?.tags).toEqual(['a', 'b']);
  });

  it('may put elements in another order, or leave some out', async () => {
    class Sorted extends model('sorted', {
      list: z
        .array(z.unknown())
        .transform((list) => list.toSorted((a, b) => (a as { n: number }).n - (b as { n: number }).n)),
      few: z.array(z.object({ n: z.int() })).transform((list) => list.filter(({ n }) => n > 1)),
    }) {}
    const sorted = await Sorted.create({
      list: [
        { n: 2, b: 1 },
        { n: 1, a: 1 },
      ],
      few: [{ n: 1 }, { n: 2 }],
    });
    const expected = {
      list: [
        { n: 1, a: 1 },
        { n: 2, b: 1 },
      ],
      few: [{ n: 2 }],
    };
    expect(sorted.toObject()).toEqual({ _id: sorted._id, ...expected });
    expect((await Sorted.findById(sorted._id))?.toObject()).toEqual({ _id: sorted._id, ...expected });
  });

  it('leave frozen values of the program alone', async () => {
    class Frozen extends model('frozen', { list: z.array(z.object({ a: z.string().toLowerCase() })) }) {}
    const list = Object.freeze([Object.freeze({ a: 'X' })]) as unknown as { a: string }[];
    const frozen = await Frozen.create({ list });
    expect(frozen.list).toEqual([{ a: 'x' }]);
    frozen.list.push(list[0]!);
    await frozen.save();
    expect(frozen.list).toEqual([{ a: 'x' }, { a: 'x' }]);
    expect(list).toEqual([{ a: 'X' }]);
  });

  it('may give a value of another kind', async () => {
    class Odd extends model('odd', { value: z.union([z.string(), z.number()]).transform((value) => String(value)) }) {}
    const odd = await Odd.create({ value: 5 });
    expect([odd.value, (await Odd.findById(odd._id))?.value]).toEqual(['5', '5']);
  });
});

describe('validators that wait', () => {
  class Slow extends model('slow', {
    name: z.string().refine(async (name) => {
      await Promise.resolve();
      return name !== 'taken';
    }, 'is taken'),
    size: z.number(),
  }) {}

  it('are waited for, all issues at once', async () => {
    const slow = await Slow.create({ name: 'free', size: 1 });
    expect((await Slow.findById(slow._id))?.name).toBe('free');
    const error = await refusal(Slow.create({ name: 'taken', size: 'x' as never }));
    expect(error.issues.map(({ path }) => path).toSorted()).toEqual(['name', 'size']);
  });
});

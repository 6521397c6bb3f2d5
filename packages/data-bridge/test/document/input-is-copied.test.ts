import { Binary } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DuplicateKeyError, model, transaction } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

const database = useDatabase();

class Account extends model('accounts', {
  k: z.int().optional(),
  a: z.object({ pw: z.string().transform((text) => `h(${text})`), list: z.array(z.string()).optional() }).optional(),
  tags: z.array(z.string()).default([]),
  items: z.array(z.object({ n: z.int() })).default([]),
  conf: z.object({ deep: z.object({ list: z.array(z.int()) }) }).optional(),
  map: z.map(z.string(), z.array(z.int())).optional(),
  at: z.date().optional(),
  any: z.unknown().optional(),
}) {}

const raw = async (document: { _id: unknown }): Promise<Record<string, unknown> | null> =>
  database.db.collection('accounts').findOne({ _id: document._id as never });

describe('input belongs to the caller', () => {
  it('in insertMany, where two documents are made of one object', async () => {
    const a = { pw: 's' };
    const made = await Account.insertMany([
      { k: 1, a },
      { k: 2, a },
    ]);
    expect(a).toEqual({ pw: 's' });
    for (const each of made) expect((await raw(each))?.['a']).toEqual({ pw: 'h(s)' });
    made[0]!.a!.pw = 'other';
    expect([made[0]!.isModified(), made[1]!.isModified()]).toEqual([true, false]);
  });

  it.each(['ids', 'documents'] as const)('in insertMany with return: %s', async (kind) => {
    const input = { a: { pw: 'r', list: ['x'] } };
    await Account.insertMany([input, input], { return: kind });
    expect(input).toEqual({ a: { pw: 'r', list: ['x'] } });
    expect(await Account.count({ 'a.pw': 'h(r)' })).toBeGreaterThanOrEqual(2);
  });

  it('in create, which is tried again after a duplicate key', async () => {
    const id = (await Account.create({}))._id;
    const input: { _id?: typeof id; a: { pw: string } } = { _id: id, a: { pw: 'dup' } };
    await expect(Account.create(input)).rejects.toBeInstanceOf(DuplicateKeyError);
    delete input._id;
    const made = await Account.create(input);
    expect((await raw(made))?.['a']).toEqual({ pw: 'h(dup)' });
  });

  it('in replaceOne, findOneAndReplace and bulk', async () => {
    const input = { a: { pw: 'q' } };
    const { _id } = await Account.create({});
    await Account.replaceOne({ _id }, input);
    expect((await raw({ _id }))?.['a']).toEqual({ pw: 'h(q)' });
    await Account.findOneAndReplace({ _id }, input);
    expect((await raw({ _id }))?.['a']).toEqual({ pw: 'h(q)' });
    await Account.bulk().insertOne(input).replaceOne({ _id }, input).execute();
    expect((await raw({ _id }))?.['a']).toEqual({ pw: 'h(q)' });
    expect(input).toEqual({ a: { pw: 'q' } });
  });

  it('between new and save: what the caller changes then is not the document’s', async () => {
    const input = { tags: ['a'], at: new Date(5), map: new Map([['k', [1]]]), any: { bytes: new Uint8Array([1]) } };
    const document = new Account(input);
    input.tags.push('b');
    input.at.setTime(9);
    input.map.get('k')!.push(2);
    input.any.bytes[0] = 9;
    await document.save();
    const any = { bytes: new Binary(new Uint8Array([1])) };
    expect(await raw(document)).toMatchObject({ tags: ['a'], at: new Date(5), map: { k: [1] }, any });
  });

  it('in a transaction that is tried again', async () => {
    const input = { a: { pw: 'tx' } };
    const attempt = (fails: boolean) =>
      transaction(async () => {
        const document = await Account.create(input);
        if (fails) throw new Error('given up');
        return document;
      });
    await expect(attempt(true)).rejects.toThrow('given up');
    expect((await raw(await attempt(false)))?.['a']).toEqual({ pw: 'h(tx)' });
    expect(input).toEqual({ a: { pw: 'tx' } });
  });

  it('in assignments and set()', async () => {
    const conf = { deep: { list: [1] } };
    const [one, two] = await Account.insertMany([{}, {}]);
    one!.conf = conf;
    two!.conf = conf;
    two!.set('conf.deep', conf.deep);
    await one!.save();
    conf.deep.list.push(2);
    one!.conf.deep.list.push(3);
    expect(conf.deep.list).toEqual([1, 2]);
    expect(two!.conf.deep.list).toEqual([1]);
    one!.set('conf.deep.list', conf.deep.list);
    conf.deep.list.push(4);
    expect(one!.conf.deep.list).toEqual([1, 2]);
    one!.conf = two!.conf;
    expect(one!.conf).not.toBe(two!.conf);
  });

  it('in operands of operators', async () => {
    const document = await Account.create({ items: [{ n: 1 }] });
    const item = { n: 2 };
    document.$push('items', item);
    item.n = 3;
    expect(document.items).toEqual([{ n: 1 }, { n: 2 }]);
    document.items[1]!.n = 4;
    expect(item).toEqual({ n: 3 });
    await document.save();
    expect((await raw(document))?.['items']).toEqual([{ n: 1 }, { n: 4 }]);
  });
});

describe('what the document holds at a place stays itself', () => {
  it('when the field is assigned anew, so that references stay part of the document', async () => {
    const document = await Account.create({ items: [{ n: 1 }, { n: 2 }, { n: 3 }] });
    const [, second] = document.items;
    document.items = document.items.filter(({ n }) => n > 1);
    expect(document.items[0]).toBe(second);
    second!.n = 9;
    await document.save();
    expect((await raw(document))?.['items']).toEqual([{ n: 9 }, { n: 3 }]);
  });

  it('in set() too, and the field itself', async () => {
    const document = await Account.create({ conf: { deep: { list: [1] } } });
    const { list } = document.conf!.deep;
    document.set('conf.deep', { list });
    expect(document.conf!.deep.list).toBe(list);
    const { conf } = document;
    document.conf = conf;
    expect(document.conf).toBe(conf);
  });

  it('but once: the second time it is a copy', () => {
    const document = new Account({ items: [{ n: 1 }] });
    const [item] = document.items;
    document.items = [item!, item!];
    expect(document.items[0]).toBe(item);
    expect(document.items[1]).not.toBe(item);
    expect(document.items[1]).toEqual(item);
  });
});

describe('what is no data', () => {
  it('is kept by reference: instances of the program’s own classes', () => {
    class Money {
      cents = 5;
    }
    const money = new Money();
    const said = { toBSON: () => 5 };
    const document = new Account({ any: { money, said } });
    const held = document.any as { money: unknown; said: unknown };
    expect(held.money).toBe(money);
    expect(held.said).toBe(said);
  });

  it('of a value that contains itself is told as ever', async () => {
    const any: Record<string, unknown> = { list: [] };
    (any['list'] as unknown[]).push(any);
    await expect(new Account({ any }).save()).rejects.toThrow(/any\.list\.0/);
  });

  it('that has the key __proto__ stays an own member', () => {
    const document = new Account({ any: JSON.parse('{"__proto__":{"x":{}},"a":1}') as unknown });
    expect(Object.keys(document.any as object)).toEqual(['__proto__', 'a']);
    expect((document.any as { x?: unknown }).x).toBeUndefined();
  });
});

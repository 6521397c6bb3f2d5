import { type } from 'arktype';
import * as v from 'valibot';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { transaction } from '../../src/index.ts';
import { identified } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';
import { hidden, type Loose, looseModel, type LooseModel } from '../support/loose-models.ts';

const database = useDatabase();

/** Another one each time: a hash of a hash, and a second hash, would show. */
let salt = 0;
beforeEach(() => {
  salt = 0;
});
const hash = (text: string): string => `H${salt++}(${text})`;
const withoutSalt = <V>(value: V): V => JSON.parse(JSON.stringify(value).replaceAll(/H\d+\(/g, 'H(')) as V;

const H = z.string().transform(hash);
const vH = v.pipe(v.string(), v.transform(hash));
const aH = type('string').pipe(hash);
const make = (fields: Loose, options = {}): LooseModel => looseModel(database, fields, options);
const saved = async ({ raw }: LooseModel, document: Loose): Promise<Loose> => {
  await document.save();
  expect(document.isModified()).toBe(false);
  database.sent();
  await document.save();
  expect(database.sent()).toEqual([]);
  return withoutSalt(await raw(document));
};

const libraries = [
  [
    'Zod',
    { auth: z.object({ pw: H, q: z.string() }), list: z.array(z.object({ pw: H })), rec: z.record(z.string(), H) },
  ],
  [
    'Valibot',
    {
      auth: v.object({ pw: vH, q: v.string() }),
      list: v.array(v.object({ pw: vH })),
      rec: v.record(v.string(), vH),
    },
  ],
  ['ArkType', { auth: type({ pw: aH, q: 'string' }), list: type({ pw: aH }).array(), rec: type({ '[string]': aH }) }],
  [
    'a library that tells nothing',
    {
      auth: hidden(z.object({ pw: H, q: z.string() })),
      list: hidden(z.array(z.object({ pw: H }))),
      rec: hidden(z.record(z.string(), H)),
    },
  ],
] as const;

/** Of what a list has besides what it had, where its elements cannot be told apart from those that the library changed. */
const UNTOLD = 'nobody can tell what the schema makes of this change alone';

describe.each(libraries)('a new value inside what is stored, in %s', (library, fields) => {
  const isTold = library !== 'a library that tells nothing';
  const stored = { auth: { pw: 'S', q: 'q' }, list: [{ pw: 'S1' }, { pw: 'S2' }], rec: { a: 'S' } };

  it('is transformed once when it is assigned', async () => {
    const one = make(fields);
    const document = await one.load(stored);
    document.auth.pw = 'new';
    expect((await saved(one, document)).auth).toEqual({ pw: 'H(new)', q: 'q' });
    document.set('auth.pw', 'other');
    expect((await saved(one, document)).auth.pw).toBe('H(other)');
    document.auth = { ...document.auth, q: 'Q' };
    expect((await saved(one, document)).auth).toEqual({ pw: 'H(other)', q: 'Q' });
  });

  it('is transformed once when it is put into a list or a record', async () => {
    const one = make(fields);
    const document = await one.load(stored);
    document.list.push({ pw: 'new' });
    document.list.unshift({ pw: 'first' });
    document.list.splice(1, 1);
    document.rec.b = 'B';
    if (!isTold) return expect(document.save()).rejects.toThrow(UNTOLD);
    const { list, rec } = await saved(one, document);
    expect(list).toEqual([{ pw: 'H(first)' }, { pw: 'S2' }, { pw: 'H(new)' }]);
    expect(rec).toEqual({ a: 'S', b: 'H(B)' });
    document.list.reverse();
    expect((await saved(one, document)).list).toEqual([{ pw: 'H(new)' }, { pw: 'S2' }, { pw: 'H(first)' }]);
  });

  it('is transformed once though saves fail before', async () => {
    const one = make({ ...fields, gate: z.literal('ok') });
    const document = await one.load({ ...stored, gate: 'ok' });
    document.auth.pw = 'new';
    for (let i = 0; i < 3; i++) {
      document.gate = 'bad';
      await expect(document.save()).rejects.toThrow('gate');
    }
    document.list.push({ pw: 'late' });
    document.gate = 'ok';
    if (!isTold) return expect(document.save()).rejects.toThrow(UNTOLD);
    const { auth, list } = await saved(one, document);
    expect(auth.pw).toBe('H(new)');
    expect(list.at(-1)).toEqual({ pw: 'H(late)' });
  });

  it('leaves what is stored as it is when something else changes', async () => {
    const one = make(fields);
    const document = await one.load(stored);
    document.auth.q = 'Q';
    expect(await saved(one, document)).toEqual({ ...stored, auth: { pw: 'S', q: 'Q' } });
    if (!isTold) return;
    document.rec.a2 = document.rec.a;
    delete document.rec.a;
    expect((await saved(one, document)).rec).toEqual({ a2: 'S' });
  });

  it('of a new document is transformed once, however often it is validated', async () => {
    const one = make(fields);
    const document = new one.Model({ auth: { pw: 'x', q: 'q' }, list: [{ pw: 'y' }], rec: { k: 'z' } });
    await document.validate();
    await document.validate();
    if (isTold) document.list.push({ pw: 'w' });
    expect(await saved(one, document)).toEqual({
      auth: { pw: 'H(x)', q: 'q' },
      list: isTold ? [{ pw: 'H(y)' }, { pw: 'H(w)' }] : [{ pw: 'H(y)' }],
      rec: { k: 'H(z)' },
    });
  });
});

describe('a new value', () => {
  it('of an operator is sent as its schema gives it', async () => {
    const one = make({ t: z.array(z.string().trim()), l: z.array(z.object({ pw: H })) });
    const document = await one.load({ t: [], l: [{ pw: 'S' }] });
    const pushed = { pw: 'x' };
    document.$push('t', ' Y ', ' Z ').$push('l', pushed);
    expect(await saved(one, document)).toEqual({ t: ['Y', 'Z'], l: [{ pw: 'S' }, { pw: 'H(x)' }] });
    expect(pushed).toEqual({ pw: 'x' });
    document.$addToSet('t', ' W ');
    expect((await saved(one, document)).t).toEqual(['Y', 'Z', 'W']);
  });

  it('is the whole output where it replaces nothing: defaults, renames, branches', async () => {
    const name = z.union([
      z.object({ name: z.string() }),
      z.object({ first: z.string(), last: z.string() }).transform(({ first, last }) => ({ name: `${first} ${last}` })),
    ]);
    const one = make({
      n: name,
      l: z.array(name),
      r: z.record(z.string(), name),
      p: z.preprocess((o: Loose) => ({ name: o.name ?? o.old }), z.object({ name: z.string() })),
      d: z.array(z.object({ a: z.string(), role: z.string().default('user') })),
    });
    const made = await one.Model.create({
      n: { first: 'A', last: 'B' },
      l: [],
      r: {},
      p: { old: 'O' },
      d: [{ a: 'x' }],
    });
    expect(await one.raw(made)).toMatchObject({ n: { name: 'A B' }, p: { name: 'O' }, d: [{ a: 'x', role: 'user' }] });
    const document = await one.load({
      n: { name: 'S' },
      l: [{ name: 'S' }],
      r: { a: { name: 'S' } },
      p: { name: 'S' },
      d: [],
    });
    document.l.push({ first: 'A', last: 'B' });
    document.r.b = { first: 'A', last: 'B' };
    document.d.push({ a: 'y' });
    expect(await saved(one, document)).toMatchObject({
      l: [{ name: 'S' }, { name: 'A B' }],
      r: { a: { name: 'S' }, b: { name: 'A B' } },
      d: [{ a: 'y', role: 'user' }],
    });
  });

  it('moved within the field is not new: to another list, in a record under another key', async () => {
    const one = make({
      c: identified(z.array(z.object({ n: z.string(), t: z.array(z.object({ pw: H })) })), 'n'),
    });
    const document = await one.load({
      c: [
        { n: 'a', t: [{ pw: 'S' }, { pw: 'T' }] },
        { n: 'b', t: [] },
      ],
    });
    document.c[0].t.reverse();
    document.c[0].t.push({ ...document.c[0].t[0] });
    expect((await saved(one, document)).c[0].t).toEqual([{ pw: 'T' }, { pw: 'S' }, { pw: 'T' }]);
  });

  it('is laid over in place, so that references stay part of the document; not over what is frozen', async () => {
    const one = make({ l: z.array(z.object({ t: z.string().trim() })) });
    const document = await one.load({ l: [] });
    const mine = { t: ' x ' };
    document.l.push(mine, Object.freeze({ t: ' y ' }));
    expect(await saved(one, document)).toEqual({ l: [{ t: 'x' }, { t: 'y' }] });
    expect(document.l[0]).toBe(mine);
  });
});

describe('a transform around what is stored', () => {
  it('gives its verdict, and new members and elements are as their own schemas have them', async () => {
    const one = make({
      p: z.object({ title: z.string(), pw: H }).transform((o) => ({ ...o, slug: o.title.toLowerCase() })),
      l: z.array(z.object({ t: z.array(H) }).transform((o) => ({ ...o }))),
    });
    const document = await one.load({ p: { title: 'Old', pw: 'S', slug: 'old' }, l: [{ t: ['S'] }] });
    document.p.title = 'New';
    document.l[0].t.push('x');
    document.l.push({ t: ['y'] });
    expect(await saved(one, document)).toEqual({
      p: { title: 'New', pw: 'S', slug: 'old' },
      l: [{ t: ['S', 'H(x)'] }, { t: ['H(y)'] }],
    });
  });

  it('of an array is taken whole where all that is stored is in it unaltered: sorted, without duplicates', async () => {
    const one = make({
      l: z.array(z.int()).transform((all) => all.toSorted((a, b) => a - b)),
      u: z.array(z.string().trim()).overwrite((all) => [...new Set(all)]),
      o: z.array(z.object({ n: z.string(), pw: H })).transform((all) => all.toSorted((a, b) => (a.n < b.n ? -1 : 1))),
    });
    const document = await one.load({ l: [1, 5], u: ['a', 'b'], o: [{ n: 'b', pw: 'S' }] });
    document.l.push(3);
    document.u.push(' a ');
    document.o.push({ n: 'a', pw: 'x' });
    const { l, u, o } = await saved(one, document);
    expect([l, u]).toEqual([
      [1, 3, 5],
      ['a', 'b'],
    ]);
    expect(o).toContainEqual({ n: 'b', pw: 'S' });
    expect(o).toContainEqual({ n: 'a', pw: 'H(x)' });
  });

  it('that makes another kind of value of what is stored is refused: assign it as a whole', async () => {
    const one = make({ o: z.object({ n: z.int() }).nullable().catch(null) });
    const document = await one.load({ o: { n: 1 } });
    document.o.n = 'bad';
    await expect(document.save()).rejects.toMatchObject({
      code: 'DATA_BRIDGE_VALIDATION',
      issues: [{ path: 'o', message: expect.stringContaining('assign the field as a whole') as string }],
    });
    document.o = { n: 2 };
    expect(await saved(one, document)).toEqual({ o: { n: 2 } });
  });

  it('whose elements wait is refused rather than stored as it is', async () => {
    const slow = z.string().transform(async (text) => hash(text));
    const one = make({ l: z.array(slow).transform((all) => [...all]), a: z.object({ pw: slow, t: z.string() }) });
    const document = await one.load({ l: ['S'], a: { pw: 'S', t: 't' } });
    document.a.t = 'T';
    expect((await saved(one, document)).a).toEqual({ pw: 'S', t: 'T' });
    document.a.pw = 'new';
    expect((await saved(one, document)).a.pw).toBe('H(new)');
    document.l.push('x');
    await expect(document.save()).rejects.toThrow('nobody can tell');
    expect((await one.raw(document))?.['l']).toEqual(['S']);
  });
});

describe('what is stored is never transformed', () => {
  const fields = { a: z.object({ pw: H, q: z.string().optional() }) };

  it('after a removal, which stays one, and absent members get no default', async () => {
    const one = make({ a: z.object({ pw: H.default('gone'), q: z.string(), r: z.string().default('R') }) });
    const document = await one.load({ a: { pw: 'S', q: 'q' } });
    delete document.a.pw;
    document.a.q = 'Q';
    expect(await saved(one, document)).toEqual({ a: { q: 'Q' } });
  });

  it('when a value goes back to it after a failed save', async () => {
    const one = make({ ...fields, gate: z.literal(1) });
    const document = await one.load({ a: { pw: 'S' }, gate: 1 });
    document.a.pw = 'new';
    document.gate = 2;
    await expect(document.save()).rejects.toThrow('gate');
    document.a.pw = 'S';
    document.a.q = 'Q';
    document.gate = 1;
    expect((await saved(one, document)).a).toEqual({ pw: 'S', q: 'Q' });
  });

  it('by checkpoints, transactions and rollbacks', async () => {
    const one = make(fields);
    const document = await one.load({ a: { pw: 'S' } });
    document.a.pw = 'new';
    await expect(
      transaction(async () => {
        await document.save();
        throw new Error('abort');
      }),
    ).rejects.toThrow('abort');
    expect(document.a.pw).toBe('new');
    const checkpoint = document.$checkpoint();
    expect((await saved(one, document)).a).toEqual({ pw: 'H(new)' });
    document.a.q = 'q';
    const later = document.$checkpoint();
    document.a.pw = 'third';
    await document.save();
    later.rollback();
    expect((await saved(one, document)).a).toEqual({ pw: 'H(new)', q: 'q' });
    checkpoint.rollback();
    expect((await saved(one, document)).a).toEqual({ pw: 'H(new)' });
    const draft = new one.Model({ a: { pw: 'x' } });
    expect(draft.a.pw).toBe('x');
    await draft.validate();
    draft.rollback();
    expect(draft.a.pw).toBe('x');
    expect((await saved(one, draft)).a).toEqual({ pw: 'H(x)' });
  });

  it('by clones, and by what history reverts and restores', async () => {
    const one = make({ ...fields, n: z.int().optional() }, { history: true });
    const document = await one.Model.create({ a: { pw: 'x' } });
    const clone = document.$clone();
    await clone.save();
    expect(withoutSalt(await one.raw(clone))).toMatchObject({ a: { pw: 'H(x)' } });
    clone.a.pw = 'y';
    await clone.save();
    await clone.$revert(1);
    expect(withoutSalt(await one.raw(clone))).toMatchObject({ a: { pw: 'H(x)' } });
    const { _id } = clone;
    await clone.delete();
    await one.Model.restore(_id);
    expect(withoutSalt(await one.raw({ _id }))).toMatchObject({ a: { pw: 'H(x)' } });
  });

  it('when another writer was there, and the program’s changes are laid on the newer document', async () => {
    const one = make({ a: z.object({ pw: H, l: z.array(H) }) }, { concurrency: 'fields' });
    const document = await one.load({ a: { pw: 'S', l: ['L1', 'L2'] } });
    document.a.pw = 'new';
    document.a.l.push('L3');
    await one.Model.collection.updateOne({ _id: document._id }, { $set: { 'a.pw': 'other', 'a.l': ['L2'] } });
    await document.save({ onConflict: 'mine' });
    const { a } = withoutSalt(await one.raw(document)) as Loose;
    expect(a.pw).toBe('H(new)');
    expect(a.l).toContain('H(L3)');
    expect(a.l.filter((each: string) => each.startsWith('H('))).toEqual(['H(L3)']);
  });
});

describe('what schemas give', () => {
  it('is copied: a constant default or output is not shared by documents', async () => {
    const shared = { s: [] as string[] };
    const one = make({
      o: z.object({ a: z.object({ t: z.array(z.string()) }).default({ t: [] }) }),
      any: z.any().transform(() => shared),
    });
    const [a, b] = await one.Model.insertMany([
      { o: {}, any: 1 },
      { o: {}, any: 1 },
    ]);
    a.o.a.t.push('x');
    a.any.s.push('y');
    expect([b.o.a.t, b.any.s, shared.s]).toEqual([[], [], []]);
  });

  it('of a long list is taken in time that grows with its length', async () => {
    const one = make({ l: z.array(z.string().trim()), o: z.array(z.object({ t: z.string().trim() })) });
    const texts = Array.from({ length: 5000 }, (_, i) => ` ${i}`);
    const document = await one.load({ l: texts, o: texts.slice(0, 500).map((t) => ({ t })) });
    document.l.shift();
    document.l.push(' new ');
    document.o.push({ t: ' new ' });
    const start = process.cpuUsage();
    await document.validate();
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(500);
    expect([document.l[0], document.l.at(-1), document.o.at(-1).t]).toEqual([' 1', 'new', 'new']);
  });
});

import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, ConflictError, model, type SaveOptions, transaction } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { canonical } from '../support/laws-canonical.ts';

/*
 * Where another writer left a value of another kind, an array, an object or a number can no longer be changed as it was
 * meant. In the modes that guard what is stored that is a conflict, in whatever form a save is sent.
 */

const fields = { v: z.unknown(), o: z.unknown() };
class Plain extends model('plain', fields, { unknown: 'keep', validate: false, concurrency: 'fields' }) {}
class Counted extends model('counted', fields, { unknown: 'keep', validate: false, version: 'writes' }) {}
const recorded = { unknown: 'keep', validate: false, version: 'writes', history: true } as const;
class Recorded extends model('recorded', fields, recorded) {}
type Model = typeof Counted;
type Free = Counted;

const database = useDatabase();
beforeEach(() => void database.sent());

// ── what is changed ─────────────────────────────────────────────────────────────────────────────────────────────────

interface Place {
  readonly path: string;
  readonly hold: (value: unknown) => object;
  /** Where the parents are of another kind, too. */
  readonly parent?: string;
}

const PLACES: readonly Place[] = [
  { path: 'v', hold: (v) => ({ v }) },
  { path: 'o.v', hold: (v) => ({ o: { v, w: 1 } }), parent: 'o' },
  { path: 'o.p.v', hold: (v) => ({ o: { p: { v }, w: 1 } }), parent: 'o.p' },
  { path: 'o.7.v', hold: (v) => ({ o: { 7: { v }, w: 1 } }), parent: 'o.7' },
];

const NOTHING = undefined;

interface Change {
  readonly name: string;
  readonly base: unknown;
  readonly kind: 'array' | 'number' | 'object' | 'any';
  readonly make: (document: Free, place: Place) => void;
}

const valueIn = (document: Free, { path }: Place): unknown =>
  path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], document);
const inPlace =
  <V>(change: (value: V) => void) =>
  (document: Free, place: Place): void =>
    change(valueIn(document, place) as V);
const operator =
  (name: string, ...operands: unknown[]) =>
  (document: Free, { path }: Place): void => {
    const methods = document as unknown as Record<string, (path: string, ...operands: unknown[]) => void>;
    methods[name]?.(path, ...operands);
  };

const element = { _id: 'a', n: 1, l: [1] };
const elements = [element, { _id: 'b', n: 1, l: [1] }];
type Element = typeof element;

const CHANGES: readonly Change[] = [
  { name: 'push', base: ['a'], kind: 'array', make: inPlace<string[]>((list) => list.push('b')) },
  { name: 'an element', base: [1, 2, 3], kind: 'array', make: inPlace<number[]>((list) => (list[1] = 5)) },
  { name: 'a member', base: { a: 1, b: 1 }, kind: 'object', make: inPlace<{ a: number }>((o) => (o.a = 2)) },
  { name: 'a new member', base: { a: 1 }, kind: 'object', make: inPlace<{ c?: number }>((o) => (o.c = 2)) },
  { name: 'no member', base: { a: 1, b: 1 }, kind: 'object', make: inPlace<{ a?: number }>((o) => delete o.a) },
  { name: 'a list in it', base: { l: [1] }, kind: 'object', make: inPlace<{ l: number[] }>((o) => o.l.push(2)) },
  { name: 'an odd member', base: { 'a.b': 1 }, kind: 'object', make: inPlace<{ 'a.b': 1 }>((o) => (o['a.b'] += 1)) },
  {
    name: 'an element found',
    base: elements,
    kind: 'array',
    make: inPlace<Element[]>(([a]) => ((a as Element).n = 2)),
  },
  { name: 'a list in one', base: elements, kind: 'array', make: inPlace<Element[]>(([a]) => a?.l.push(2)) },
  { name: 'no element', base: elements, kind: 'array', make: inPlace<Element[]>((list) => list.pop()) },
  { name: 'one more', base: elements, kind: 'array', make: inPlace<object[]>((list) => list.push({ _id: 'c' })) },
  { name: 'another order', base: elements, kind: 'array', make: inPlace<object[]>((list) => list.reverse()) },
  { name: '$inc', base: 3, kind: 'number', make: operator('$inc', 2) },
  { name: '$mul', base: 3, kind: 'number', make: operator('$mul', 2) },
  { name: '$bit', base: 3, kind: 'number', make: operator('$bit', { or: 4 }) },
  { name: '$push', base: ['a'], kind: 'array', make: operator('$push', 'b') },
  { name: '$addToSet', base: ['a'], kind: 'array', make: operator('$addToSet', 'b') },
  { name: '$pull', base: ['a', 'b'], kind: 'array', make: operator('$pull', 'b') },
  { name: '$pop', base: ['a', 'b'], kind: 'array', make: operator('$pop') },
  { name: '$min', base: 3, kind: 'any', make: operator('$min', 2) },
  { name: '$max', base: 3, kind: 'any', make: operator('$max', 4) },
  { name: '$currentDate', base: new Date(0), kind: 'any', make: operator('$currentDate') },
];

/** What another writer leaves, by kind. */
const OTHERS: readonly (readonly [kind: string, value: unknown])[] = [
  ['nothing', NOTHING],
  ['null', null],
  ['number', 5],
  ['text', 'txt'],
  ['object', { x: 1 }],
  ['array', [9]],
];

// ── how it is saved ─────────────────────────────────────────────────────────────────────────────────────────────────

const WAYS: Readonly<Record<string, (document: Free, options: SaveOptions) => Promise<unknown>>> = {
  'by itself': (document, options) => document.save(options),
  'beside an odd key': (document, options) => {
    document.$state.set('odd.key' as never, 1 as never);
    return document.save(options);
  },
  'in a transaction': (document, options) => transaction(() => document.save(options as never)),
  'with others': (document, options) => {
    const { constructor } = document as unknown as { constructor: Model };
    return constructor.saveAll([document, new constructor({})], options).catch((error: unknown) => {
      const failed = error instanceof BulkSaveError ? error.results.find((each) => 'error' in each) : undefined;
      throw (failed as { error?: unknown } | undefined)?.error ?? error;
    });
  },
};

const anyCase = fc.record({
  Model: fc.constantFrom(...([Plain, Counted, Recorded] as unknown as Model[])),
  place: fc.constantFrom(...PLACES),
  change: fc.constantFrom(...CHANGES),
  other: fc.constantFrom(...OTHERS),
  atParent: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
  isVersion: fc.boolean(),
  way: fc.constantFrom(...Object.keys(WAYS)),
});

async function storedOf(Model: Model, _id: unknown): Promise<string> {
  return canonical(await Model.collection.findOne({ _id } as never));
}

describe('a value of another kind', () => {
  it("is a conflict in the modes 'fields' and 'version', and nothing is written", async () => {
    const property = fc.asyncProperty(anyCase, async ({ Model, place, change, other: [kind, value], ...how }) => {
      const { atParent, isVersion, way } = how;
      const created = await Model.create({ ...place.hold(change.base) });
      const { _id } = created;
      const document = await Model.find({ _id }).one();
      change.make(document, place);
      const at = atParent && place.parent !== undefined ? place.parent : place.path;
      await Model.collection.updateOne(
        { _id },
        value === NOTHING ? { $unset: { [at]: '' } } : { $set: { [at]: value } },
      );
      const before = await storedOf(Model, _id);
      const concurrency = isVersion && Model.name !== 'Plain' ? 'version' : 'fields';
      const saving = WAYS[way]?.(document, { concurrency });
      const isOtherKind = at === place.path ? change.kind !== 'any' && change.kind !== kind : kind !== 'object';
      if (isOtherKind) {
        await expect(saving).rejects.toThrow(ConflictError);
        expect(await storedOf(Model, _id)).toBe(before);
        return;
      }
      await saving?.catch((error: unknown) => expect(error).toBeInstanceOf(ConflictError));
    });
    await fc.assert(property, runs(1000));
  });
});

describe.each(['fields', 'version'] as const)("with '%s'", (concurrency) => {
  const two = async (fields: object): Promise<[Counted, Counted]> => {
    const { _id } = await Counted.create(fields);
    return [await Counted.find({ _id }).one(), await Counted.find({ _id }).one()];
  };

  it.each(Object.keys(WAYS))('what two add to one array, and count, is kept: %s', async (way) => {
    const [first, second] = await two({ v: ['a'], o: { n: 1 } });
    for (const each of [first, second]) {
      (each.v as string[]).push('b');
      each.$inc('o.n');
    }
    await first.save({ concurrency: 'merge' });
    await WAYS[way]?.(second, { concurrency, onConflict: 'rebase' });
    expect(await Counted.find({ _id: first._id }).lean().one()).toMatchObject({ v: ['a', 'b', 'b'], o: { n: 3 } });
  });

  it('an operator on what is not there makes it, and finds what another one made', async () => {
    const [first, second] = await two({ o: {} });
    for (const each of [first, second]) {
      each.$inc('o.n');
      each.$push('v' as never, 'a' as never);
    }
    await first.save({ concurrency: 'merge' });
    await second.save({ concurrency, onConflict: 'rebase' });
    expect(await Counted.find({ _id: first._id }).lean().one()).toMatchObject({ v: ['a', 'a'], o: { n: 2 } });
  });

  it('a revision that is taken up again is a conflict, too', async () => {
    const created = await Recorded.create({ v: ['a', 'b'] });
    const { _id } = created;
    (created.v as string[]).pop();
    await created.save();
    await Recorded.collection.updateOne({ _id }, { $set: { v: null } });
    await expect(created.$revert(1, { concurrency })).rejects.toThrow(ConflictError);
    expect(await Recorded.collection.findOne({ _id })).toMatchObject({ v: null });
  });
});

describe('a part of a document', () => {
  it('whose object was not there is saved with a guard of its own', async () => {
    const { _id } = await Plain.create({ v: 1 });
    for (const theirs of [{ x: 1 }, undefined]) {
      await Plain.collection.updateOne({ _id }, theirs ? { $set: { o: theirs } } : { $unset: { o: '' } });
      const part = await Plain.find({ _id })
        .select('o.p' as never)
        .one();
      part.set('o.p' as never, 2);
      database.sent();
      await part.save();
      expect(database.sent()).toHaveLength(1);
      expect(await Plain.collection.findOne({ _id })).toMatchObject({ o: { ...theirs, p: 2 } });
    }
  });
});

import fc from 'fast-check';
import { BSON, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import { inspect } from 'node:util';
import { expect, describe, it } from 'vitest';
import { ABSENT } from '../../src/bson/encode.ts';
import type { Identities } from '../../src/bson/identity.ts';
import { Layout } from '../../src/bson/layout.ts';
import { EncodeError } from '../../src/errors.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { changesOf, diff, type Edit, type EditTree, inParallel } from '../../src/edits/edits.ts';
import { carriedOut } from '../../src/tracking/pending-operators.ts';
import { fallback, plan } from '../../src/update/plan.ts';
import { clashesOf, rebaseEdits, takeMine } from '../../src/edits/rebase-edits.ts';
import { Selection } from '../../src/tracking/selection.ts';
import { treeOf } from '../../src/tracking/state-tracker.ts';
import { anyDocument, anyOptions, runs } from '../support/arbitrary.ts';
import { type Choose, chooser } from '../support/edits.ts';
import { anyOf, changeInPlace } from '../support/in-place.ts';

/** Elements of `lines` and those in them are told apart by `sku`. */
const bySku: Identities = { key: 'sku', at: () => bySku };
const declarations = new Map<string | number, Identities>([
  ['lines', bySku],
  ['set', { key: undefined, isUnique: true, at: () => undefined }],
  ['bound', { key: undefined, isBound: true, at: () => undefined }],
]);
const identities: Identities = { key: undefined, at: (step) => declarations.get(step) };

/** The tree as the exact diff tells it: with every original decoded. */
function exactTree(baseline: BsonBaseline): EditTree | null {
  const children = new Map<string, Edit>();
  baseline.eachChange((name, value) => {
    const of = baseline.identities?.at(name);
    const edit = diff(baseline.exact(name), value, [name], baseline.promotesBuffers, of);
    if (edit !== null) children.set(name, edit);
  });
  return children.size === 0 ? null : { kind: 'object', children: inParallel(children) };
}

/** What is stored of a value: a number and an Int32 of it are the same. */
function stored(value: unknown): string {
  return value === ABSENT
    ? 'absent'
    : Buffer.from(BSON.serialize({ value }, { ignoreUndefined: true })).toString('hex');
}

/** All that there is in an edit, as plain data. */
function spelled(edit: Edit | EditTree): unknown {
  const { kind, ...rest } = edit as Edit & { children?: ReadonlyMap<string | number, Edit> };
  const said: Record<string, unknown> = { kind };
  if ('base' in edit) said['base'] = stored(edit.base);
  if ('value' in edit) said['value'] = stored(edit.value);
  if ('children' in rest || 'children' in edit) {
    const { children } = edit as { children: ReadonlyMap<string | number, Edit> };
    said['children'] = Array.from(children, ([key, child]) => [key, spelled(child)]);
  }
  if (edit.kind === 'push') said['added'] = stored(edit.added);
  if (edit.kind === 'elements') {
    const { key, removed, added, isMoved } = edit;
    Object.assign(said, { key, removed: stored(removed), added: stored(added), isMoved });
  }
  if (edit.kind === 'positions') said['isByValue'] = edit.isByValue ?? false;
  if (edit.kind === 'values') {
    const { removed, added, first, inserted, last, isMoved, isUnique, hasTexts, isLong } = edit;
    const lists = Object.entries({ removed, added, first, inserted, last });
    Object.assign(said, Object.fromEntries(lists.map(([name, list]) => [name, stored(list)])));
    Object.assign(said, { isMoved, isUnique, hasTexts, isLong });
  }
  return said;
}

/** The tree, the changes, and the updates of both forms; or the error. */
function told(baseline: BsonBaseline, make: () => EditTree | null): unknown {
  try {
    const tree = make();
    if (tree === null) return null;
    const changes = changesOf(tree, (exact, keys) => baseline.live(exact, keys));
    const updates = [plan(tree), fallback(tree)].map((update) => BSON.EJSON.stringify(update, { relaxed: false }));
    return [updates, inspect(changes, { depth: null, maxArrayLength: null, maxStringLength: null }), spelled(tree)];
  } catch (error) {
    // case: changes() cannot show an original with a `_bsontype` of its own
    return error instanceof EncodeError ? [error.message, error.path] : error;
  }
}

/** What is made of a tree: laid on a newer document, carried out, and of a document that was loaded in part. */
function made(tree: EditTree, newer: BsonBaseline, selection: Selection): unknown {
  const theirs = (name: string): unknown => newer.exact(name);
  const clashes = clashesOf(tree, theirs).map(({ keys, base, mine }) => [keys, stored(base), stored(mine)]);
  const trees: (() => EditTree | null)[] = [
    () => rebaseEdits(tree, theirs, takeMine),
    () => carriedOut(tree, null),
    () => {
      return selection.confine(tree, (keys, extent) => {
        throw new Error(`${keys.join('.')}: ${extent}`);
      });
    },
  ];
  return [clashes, ...trees.map((make) => told(newer, make))];
}

function agree(baseline: BsonBaseline): void {
  expect(told(baseline, () => treeOf(baseline))).toEqual(told(baseline, () => exactTree(baseline)));
}

const types: readonly ((choose: Choose) => unknown)[] = [
  (choose) => choose(3),
  (choose) => new Double(choose(3)),
  (choose) => choose(3) + 0.5,
  (choose) => Long.fromNumber(choose(3)),
  (choose) => ['', 'a', 'café', 'text', 'c'.repeat(30)][choose(5)],
  (choose) => choose(2) === 0,
  () => null,
  (choose) => new Date(choose(3)),
  () => new ObjectId('0123456789abcdef01234567'),
  anyOf,
];

/** A document as programs have them: nested objects, arrays with and without identities. */
function usual(choose: Choose, depth = 0): Record<string, unknown> {
  const leaf = (): unknown => types[choose(types.length)]?.(choose);
  const list = (make: () => unknown): unknown[] => Array.from({ length: choose(4) }, make);
  const common = choose(3);
  const ids = [() => new ObjectId(), () => `id${choose(1000)}`, () => choose(1000)];
  const id = (): unknown => ids[choose(20) === 0 ? choose(3) : common]?.();
  const makers: Record<string, () => unknown> = {
    a: leaf,
    b: leaf,
    c: leaf,
    numbers: () => list(() => [1, 1.5, 2, new Double(2), 3][choose(5)]),
    leaves: () => list(leaf),
    tags: () => [...new Set(list(() => `tag${choose(9)}`))],
    set: () => list(id),
    bound: () => list(id),
    owners: () => list(() => (choose(4) === 0 ? new UUID() : id())),
    items: () => list(() => ({ _id: id(), ...usual(choose, 2) })),
    lines: () => list(() => ({ sku: id(), qty: choose(3), ...usual(choose, 2) })),
    objects: () => list(() => usual(choose, 2)),
    inner: () => usual(choose, depth + 1),
  };
  const document: Record<string, unknown> = {};
  for (const [name, make] of Object.entries(makers)) {
    if (choose(3) > 0 && (depth < 2 || 'abcnumbers'.includes(name))) document[name] = make();
  }
  return document;
}

/** A document of elements that are told apart. */
function withElements(choose: Choose): object {
  const list = (key: string): object[] =>
    Array.from({ length: 1 + choose(4) }, (_, i) => ({ [key]: `id${i}`, qty: choose(3), a: { b: choose(3) }, c: [1] }));
  return { items: list('_id'), lines: list('sku'), inner: { items: list('_id') } };
}

/** Bytes of such a document; what cannot be stored is left out of it. */
function usualBytes(seed: number): Buffer {
  const choose = chooser(seed);
  for (;;) {
    try {
      const document = usual(choose);
      diff(ABSENT, document, []);
      return Buffer.from(BSON.serialize(document));
    } catch {
      // Another one.
    }
  }
}

const usualDocument = fc.nat().map(usualBytes);

/** One field is changed: in place, or by a copy that was changed. */
function change(baseline: BsonBaseline, choose: Choose): void {
  const names = baseline.names();
  const name = choose(8) === 0 ? ['new', 'a', '$x', 'a.b', '__proto__'][choose(5)] : names[choose(names.length)];
  if (name === undefined) return;
  const way = choose(10);
  if (way === 0) return baseline.set(name, anyOf(choose));
  if (way === 1) return baseline.set(name, undefined);
  const value = way === 2 ? baseline.original(name) : baseline.get(name);
  const changed = changeInPlace(value, choose);
  if (changed !== value || way === 2) baseline.set(name, changed);
}

describe('the walk beside the bytes', () => {
  const property = (document: fc.Arbitrary<Buffer>) =>
    fc.property(document, anyOptions, fc.nat(), fc.integer({ min: 1, max: 6 }), (bytes, options, seed, changes) => {
      const choose = chooser(seed);
      const baseline = new BsonBaseline(new Layout(options, [], undefined, identities), Buffer.from(bytes), 0);
      for (let i = 0; i < changes; i++) {
        change(baseline, choose);
        agree(baseline);
      }
    });

  it('gives the same as the exact diff, for usual documents', () => {
    fc.assert(property(usualDocument), runs(2_000));
  });

  it('gives the same as the exact diff, for any document', () => {
    fc.assert(property(anyDocument), runs(2_000));
  });

  it('gives the same after saves, rollbacks, rebases and copies, and what it gave stays', () => {
    const documents = fc.tuple(usualDocument, usualDocument);
    const trace = fc.property(documents, anyOptions, fc.nat(), ([bytes, newer], options, seed) => {
      const choose = chooser(seed);
      const layout = new Layout(options, [], undefined, identities);
      let baseline = new BsonBaseline(layout, Buffer.from(bytes), 0);
      /** Trees of which nothing was decoded when they were made, and what is in them. */
      const kept: { readonly tree: EditTree; readonly exact: unknown }[] = [];
      for (let i = 0; i < 12; i++) {
        change(baseline, choose);
        const what = choose(8);
        if (what === 0) baseline = baseline.copy();
        else if (what === 1) baseline.revert(baseline.names()[0]);
        else if (what === 2) {
          const moved = new BsonBaseline(layout, Buffer.from(newer), 0);
          baseline.eachChange((name, value) => moved.carry(name, value));
          baseline = moved;
        } else if (what < 6) {
          try {
            const [tree, exact] = [treeOf(baseline), exactTree(baseline)];
            if (tree === null || exact === null) continue;
            kept.push({ tree, exact: spelled(exact) });
            baseline.settle(tree);
          } catch (error) {
            if (!(error instanceof EncodeError)) throw error;
            baseline.revert();
          }
        }
        agree(baseline);
      }
      for (const { tree, exact } of kept) expect(spelled(tree)).toEqual(exact);
    });
    fc.assert(trace, runs(2_000));
  });

  it('gives edits that are rebased, carried out and reduced to a loaded part as those of the exact diff are', () => {
    const selections = ['items.qty', 'lines', 'inner.a', 'inner.inner', 'objects.a', 'a', 'numbers'];
    const trace = fc.property(fc.nat(), fc.subarray(selections), (seed, paths) => {
      const choose = chooser(seed);
      const bytes = choose(3) === 0 ? usualBytes(seed) : BSON.serialize(withElements(choose));
      const layout = new Layout({}, [], undefined, identities);
      const [mine, newer] = [0, 0].map(() => new BsonBaseline(layout, Buffer.from(bytes), 0)) as [
        BsonBaseline,
        BsonBaseline,
      ];
      for (let i = 0; i < 4; i++) {
        change(mine, choose);
        change(newer, choose);
      }
      try {
        const theirs = exactTree(newer);
        if (theirs !== null) newer.settle(theirs);
        const exact = exactTree(mine);
        if (exact === null) return;
        const tree = treeOf(mine) as EditTree;
        const selection = Selection.of(['_id', ...paths]);
        expect(made(tree, newer, selection)).toEqual(made(exact, newer, selection));
      } catch (error) {
        if (!(error instanceof EncodeError)) throw error;
      }
    });
    fc.assert(trace, runs(2_000));
  });

  it('treats numbers that moved among doubles and integers as the exact diff does', () => {
    const number = fc.constantFrom(1, 2, 1.5, new Double(1), new Double(2), new Int32(1), Long.fromNumber(2));
    const numbers = fc.array(fc.oneof(number, fc.record({ a: number })), { maxLength: 4 });
    const live = fc.array(fc.oneof(fc.constantFrom(1, 2, 1.5, 3), fc.record({ a: fc.constantFrom(1, 2, 1.5) })), {
      maxLength: 5,
    });
    fc.assert(
      fc.property(numbers, live, fc.boolean(), (list, changed, isNested) => {
        const bytes = BSON.serialize({ list: isNested ? { list } : list });
        const baseline = new BsonBaseline(new Layout(), bytes, 0);
        baseline.set('list', isNested ? { list: changed } : changed);
        agree(baseline);
      }),
      runs(2_000),
    );
  });
});

import { BSON } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { shapeGuard } from '../../src/update/shape-guards.ts';
import { operators } from '../../src/update/operators.ts';
import { pipeline } from '../../src/update/pipeline.ts';
import { setOwn } from '../../src/bson/plain-object.ts';
import { canonical } from '../support/laws-canonical.ts';
import { isMembers, type Members } from '../support/laws-documents.ts';
import { editsOf, exact, readBytes, serverNames, type Stored, useStore } from '../support/laws-store.ts';
import { treeOf } from '../support/laws-trees.ts';
import { merged as mergedValues } from '../support/values-reference.ts';
import type { Edit, EditTree, ElementsEdit } from '../../src/edits/edits.ts';

const { Binary, Decimal128, Double, Int32, Long, MinKey, ObjectId, Timestamp } = BSON;

/** One of each BSON type, and what the server or a careless filter may take for another. */
const values: readonly unknown[] = [
  null,
  0,
  -0,
  1,
  new Double(1),
  Long.fromNumber(1),
  1.5,
  Decimal128.fromString('1.5'),
  Decimal128.fromString('1.50'),
  Decimal128.fromString('NaN'),
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Long.fromString('9007199254740993'),
  2 ** 53,
  '',
  'a',
  'A',
  '$a',
  true,
  false,
  new Date(0),
  new ObjectId('0123456789abcdef01234567'),
  new Binary(Buffer.from([1])),
  new Binary(Buffer.from([1]), 5),
  /a/,
  /a/i,
  new Timestamp({ t: 1, i: 1 }),
  new MinKey(),
  {},
  { x: 1 },
  { x: 1, y: 2 },
  { $x: 1 },
  { $gt: 0 },
  { 'a.b': 1 },
  { '': 1 },
  { x: null },
  [],
  [1],
  [[1]],
  [null],
  ['a'],
  [/a/],
  [{ x: 1 }],
  [[]],
  [1, 2],
  { 0: 1 },
];

/** As a server compares: numbers by value, whatever their type and sign of zero. */
function sameToServer(a: unknown, b: unknown): boolean {
  return canonical(serverValue(a)) === canonical(serverValue(b));
}

function serverValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(serverValue);
  if (isMembers(value))
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, serverValue(member)]));
  if (value instanceof Decimal128) return Number(value.toString()) + 0;
  return typeof value === 'number' ? value + 0 : value;
}

/** Two states of a document; between them, every kind of edit. */
const before: Members = {
  set: 1,
  gone: 1,
  push: ['a'],
  object: { set: 1, gone: 1, 'odd.key': { n: 1 }, $x: [1], 3: { l: [1] }, kept: new Int32(1) },
  removals: { gone: 1, kept: 1 },
  positions: [{ q: 1, '': [1] }, 'x', [[1]], 5],
  edited: [{ _id: 'a', q: 1, o: { p: 1 } }, { _id: 'A' }, { _id: 1, q: 1 }],
  mixed: { items: [{ sku: 'a', q: 1, $x: 1 }, { sku: 'b' }, { sku: 'c', rows: [{ _id: 1 }, { _id: 2, q: [0] }] }] },
  added: [{ _id: 1 }],
  removed: [{ _id: 1 }, { _id: 'a' }],
  '': { n: 1 },
  'top.odd': [1],
  $gone: 1,
};
const after: Members = {
  set: '$push',
  push: ['a', '$b', { $literal: 1 }],
  object: { set: { $ne: 1 }, 'odd.key': { n: 2 }, $x: [1, 2], 3: { l: [2] }, kept: new Int32(1), fresh: null },
  removals: { kept: 1 },
  positions: [{ q: 2, '': [1, 2] }, ['y'], [[1, 2]], 5],
  edited: [{ _id: 'a', q: 2, o: { p: '$q' } }, { _id: 'A' }, { _id: 1, q: 1, r: [] }],
  mixed: {
    items: [{ sku: 'd' }, { sku: 'c', rows: [{ _id: 2, q: [0, 1] }, { _id: 1 }] }, { sku: 'a', q: '$b', '': 1, 7: 1 }],
  },
  added: [{ _id: 1 }, { _id: 2 }],
  removed: [{ _id: 'a' }],
  '': { n: 2 },
  'top.odd': [2],
};

describe.each(serverNames)('on the server %s', (server) => {
  const store = useStore(server, 'forms');
  const read = async () => exact(await readBytes(store.collection, 1));

  beforeEach(async () => {
    await store.collection.deleteMany({});
  });

  describe('the guard of an edited element', () => {
    const shapes: readonly [string, (list: unknown) => Members][] = [
      ['of an array', (list) => ({ list })],
      ['below an object', (list) => ({ o: { list } })],
      ['below odd and number-like keys', (list) => ({ o: { 7: { list } } })],
    ];
    const strangers: readonly unknown[] = [
      undefined,
      null,
      5,
      'q',
      {},
      [],
      ['q'],
      { 1: 1 },
      { 1: 'a' },
      [{ 1: 1 }],
      [{ 1: 'a' }, 0],
    ];

    it.each(shapes)('%s matches exactly the element as it was', async (_, shape) => {
      const lists = [...values.map((value) => ['q', value]), ...strangers];
      await store.collection.insertMany(lists.map((list, _id) => ({ ...shape(list), _id })));
      const matches = [];
      const expected = [];
      for (const original of values) {
        const guard = shapeGuard(treeOf(shape(['q', original]), shape(['q', 'changed'])));
        const found = await store.collection
          .find({ ...guard })
          .project<Stored>({ _id: 1 })
          .toArray();
        const same = (list: unknown) => Array.isArray(list) && list.length > 1 && sameToServer(list[1], original);
        matches.push([canonical(original), found.map(({ _id }) => _id).sort((a, b) => a - b)]);
        expected.push([canonical(original), lists.flatMap((list, i) => (same(list) ? [i] : []))]);
      }
      expect(matches).toEqual(expected);
    });

    it('does not match where a parent became something else', async () => {
      const parents: readonly unknown[] = [null, 5, [], [{ list: [1, 0] }], { list: 1 }, {}];
      await store.collection.insertMany(parents.map((o, _id) => ({ _id, o })));
      const guard = shapeGuard(treeOf({ o: { list: [1, 0] } }, { o: { list: [2, 0] } }));
      expect(await store.collection.countDocuments({ ...guard })).toBe(0);
    });
  });

  describe('the guard of a number-like key', () => {
    it('matches unless the parent is an array', async () => {
      const parents: readonly unknown[] = [undefined, null, 5, {}, { 0: 1 }, [], [1], [[1]], [{ 0: 1 }]];
      await store.collection.insertMany(parents.map((map, _id) => ({ _id, map })));
      const guard = shapeGuard(treeOf({ map: { 0: 1 } }, { map: { 0: 2 } }));
      const found = await store.collection
        .find({ ...guard })
        .project<Stored>({ _id: 1 })
        .toArray();
      expect(found.map(({ _id }) => _id)).toEqual([0, 1, 2, 3, 4]);
    });
  });

  describe('the pipeline', () => {
    const stored: readonly unknown[] = [
      undefined,
      null,
      5,
      'x',
      [],
      {},
      [1],
      { 0: 1 },
      [{ q: 1 }],
      { other: 1 },
      [[1]],
      [{ _id: 'a' }, { _id: 'z', q: 1 }, { _id: 1, q: 5 }, { _id: 2 }, { _id: ['a'] }, 'a', null],
      { items: [{ sku: 'c', rows: 5 }, { sku: 'd', q: 1 }, [], { sku: 'z' }, { sku: null }] },
      { items: { sku: 'a' } },
    ];

    it('gives the values in memory from the original', async () => {
      await store.collection.insertOne({ ...before, _id: 1 });
      await store.collection.updateOne({ _id: 1 }, pipeline(treeOf(before, after)));
      expect(canonical(await read())).toBe(canonical({ ...after, _id: 1 }));
    });

    it.each(Object.keys(before))('has a value for "%s" whatever is stored there', async (name) => {
      const tree = treeOf(before, after);
      for (const each of [...stored, before[name]]) {
        const document: Members = { other: 1, ...(each !== undefined && { [name]: each }), _id: 1 };
        await store.collection.deleteMany({});
        await store.collection.insertOne(document as Stored);
        const only: EditTree = {
          kind: 'object',
          children: new Map([...tree.children].filter(([key]) => key === name)),
        };
        await store.collection.updateOne({ _id: 1 }, pipeline(only));
        expect([document, canonical(await read())]).toEqual([document, canonical(merged(document, only.children))]);
      }
    });
  });

  describe('the operators', () => {
    it('give the values in memory from the original', async () => {
      const nameable = ({ object: _, mixed: _m, '': _e, 'top.odd': _odd, $gone: _d, ...rest }: Members) => rest;
      await store.collection.insertOne({ ...nameable(before), _id: 1 });
      const tree = treeOf(nameable(before), nameable(after));
      const { update, arrayFilters = [] } = operators(tree) ?? { update: {} };
      const filter = { _id: 1, ...shapeGuard(tree) };
      const { matchedCount } = await store.collection.updateOne(filter, update, {
        arrayFilters,
      });
      expect(matchedCount).toBe(1);
      expect(canonical(await read())).toBe(canonical({ ...nameable(after), _id: 1 }));
      expect(editsOf(await read(), { ...nameable(after), _id: 1 })).toBeNull();
    });
  });
});

/** What an edit makes of a stored value, said in JavaScript. */
function applied(edit: Edit, value: unknown): unknown {
  switch (edit.kind) {
    case 'set':
    case 'atomic':
      return edit.value;
    case 'delete':
      return undefined;
    case 'push':
      return Array.isArray(value) ? [...(value as unknown[]), ...edit.added] : edit.value;
    case 'object':
      return isMembers(value) ? merged(value, edit.children) : edit.value;
    case 'positions': {
      const { children } = edit;
      if (
        !Array.isArray(value) ||
        ![...children].every(([i, { base }]) => i in value && sameToServer(value[i], base))
      ) {
        return edit.value;
      }
      return value.map((element, i) =>
        children.has(i) ? applied(children.get(i) as Edit, element) : (element as unknown),
      );
    }
    case 'elements':
      return Array.isArray(value) ? appliedToElements(edit, value) : edit.value;
    case 'values':
      return Array.isArray(value) ? mergedValues(edit.base, edit.value, value, edit.isUnique) : edit.value;
  }
}

function appliedToElements(edit: ElementsEdit, stored: readonly unknown[]): unknown[] {
  const { key, base, value, children, removed, added, isMoved } = edit;
  const idOf = (element: unknown) => (isMembers(element) ? canonical(serverValue(element[key])) : '');
  const idsOf = (elements: readonly unknown[]) => elements.map(idOf);
  const edits = new Map(Array.from(children, ([i, child]) => [idOf(base[i]), child]));
  const gone = new Set(idsOf([...removed, ...added]));
  const kept = stored.filter((element) => !gone.has(idOf(element)));
  const all = [...kept.map((element) => appliedToElement(edits.get(idOf(element)), element)), ...added];
  if (!isMoved) return all;
  const order = idsOf(value);
  const known = order.flatMap((id) => all.filter((element) => idOf(element) === id));
  return [...known, ...all.filter((element) => !order.includes(idOf(element)))];
}

function appliedToElement(edit: Edit | undefined, element: unknown): unknown {
  return edit === undefined ? element : applied(edit, element);
}

function merged(members: Members, children: ReadonlyMap<string, Edit>): Members {
  const result = { ...members };
  for (const [key, edit] of children) setOwn(result, key, applied(edit, result[key]));
  return result;
}

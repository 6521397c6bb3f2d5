import fc from 'fast-check';
import type { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { backRef, model, ref } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { useDatabase } from '../support/database.ts';
import { runs } from '../support/arbitrary.ts';

class Node extends model(
  'nodes',
  {
    _id: z.string(),
    a: ref<Node>(() => Node).optional(),
    list: ref<Node>(() => Node).array(),
    items: z.array(z.object({ r: zref<Node>(() => Node).optional(), k: z.int() })),
    map: z.record(
      z.string(),
      zref<Node>(() => Node),
    ),
  },
  {
    backRefs: {
      up: backRef<Node>(() => Node, 'a'),
      lists: backRef<Node>(() => Node, 'list'),
      held: backRef<Node>(() => Node, 'items.r'),
    },
  },
) {}

const PATHS = [
  'a',
  'a.a.a',
  'list',
  'list.items.r',
  'items.r',
  'items.r.list',
  'map',
  'map.a',
  'a.map.list',
  'up',
  'up.list',
  'lists.a',
  'held.up',
  'a.lists',
] as const;

const ids = ['n0', 'n1', 'n2', 'n3', 'n4', 'n5'];
/** Ids that are there, and one that is not. */
const id = fc.constantFrom(...ids, 'gone');
const graph = fc.tuple(
  ...ids.map((_id) =>
    fc.record({
      _id: fc.constant(_id),
      a: fc.option(id, { nil: undefined }),
      list: fc.array(id, { maxLength: 3 }),
      items: fc.array(fc.record({ r: fc.option(id, { nil: undefined }), k: fc.nat(9) }), { maxLength: 3 }),
      map: fc.dictionary(fc.constantFrom('x', 'y'), id),
    }),
  ),
);

type Raw = ReadonlyMap<string, BSON.Document>;

/** The ids that a field refers back by. */
const BACKS: Readonly<Record<string, (node: BSON.Document) => unknown[]>> = {
  up: (node) => [node['a']],
  lists: (node) => node['list'] as unknown[],
  held: (node) => (node['items'] as BSON.Document[]).map((item) => item['r'] as unknown),
};

/** Joins by hand: the ids met along a path, level by level, as nested lists; null for what is gone. */
function joined(raw: Raw, node: BSON.Document, [name = '', ...rest]: readonly string[]): unknown {
  const back = BACKS[name];
  if (back !== undefined) {
    const found = [...raw.values()].filter((each) => back(each).includes(node['_id']));
    return sorted(found.map((each) => [each['_id'], rest.length === 0 ? null : joined(raw, each, rest)]));
  }
  const inside = (value: unknown, left: readonly string[]): unknown => {
    if (value === undefined) return undefined;
    if (Array.isArray(value)) return value.map((each) => inside(each, left));
    if (typeof value === 'object' && value !== null) {
      const members = value as BSON.Document;
      if (name === 'map')
        return Object.keys(members)
          .toSorted((a, b) => (a < b ? -1 : 1))
          .map((key) => inside(members[key], left));
      return inside(members[left[0] as string], left.slice(1));
    }
    const target = raw.get(value as string);
    if (target === undefined) return [value, 'gone'];
    return [value, left.length === 0 ? null : joined(raw, target, left)];
  };
  return inside(node[name], rest);
}

/** The same of documents. */
function loaded(document: unknown, [name = '', ...rest]: readonly string[]): unknown {
  const value = (document as BSON.Document)[name] as unknown;
  if (name in BACKS) {
    const list = value as readonly Node[];
    return sorted(list.map((each) => [each._id, rest.length === 0 ? null : loaded(each, rest)]));
  }
  const inside = (at: unknown, left: readonly string[]): unknown => {
    if (at === undefined) return undefined;
    if (Array.isArray(at)) return at.map((each) => inside(each, left));
    if ('$load' in (at as object)) {
      const reference = at as { $id: string; $doc: Node | null };
      if (reference.$doc === null) return [reference.$id, 'gone'];
      if (reference.$doc._id !== reference.$id) throw new Error('another document');
      return [reference.$id, left.length === 0 ? null : loaded(reference.$doc, left)];
    }
    const members = at as BSON.Document;
    if (name === 'map')
      return Object.keys(members)
        .toSorted((a, b) => (a < b ? -1 : 1))
        .map((key) => inside(members[key], left));
    return inside(members[left[0] as string], left.slice(1));
  };
  return inside(value, rest);
}

function sorted(list: readonly (readonly [unknown, unknown])[]): unknown {
  return list.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

describe('with() on any graph', () => {
  useDatabase();

  it('equals joining by hand, and so does $load(); nothing is changed by it', async () => {
    const paths = fc.uniqueArray(fc.constantFrom(...PATHS), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(graph, paths, fc.boolean(), async (nodes, chosen, byQuery) => {
        await Node.deleteMany({});
        await Node.collection.insertMany(nodes as never[], { ignoreUndefined: true });
        const raw: Raw = new Map((await Node.collection.find().toArray()).map((each) => [String(each._id), each]));
        const query = byQuery ? Node.find().with(...(chosen as unknown as ['a'])) : Node.find();
        const documents: readonly Node[] = await query;
        if (!byQuery) await documents[0]?.$load(...(chosen as unknown as ['a']));
        for (const document of documents) {
          for (const path of chosen) {
            const keys = path.split('.');
            expect(loaded(document, keys)).toEqual(joined(raw, raw.get(document._id) as BSON.Document, keys));
          }
          expect(document.isModified()).toBe(false);
          expect(document.$state.toUpdate()).toBeNull();
          expect(document.toObject()).toEqual(raw.get(document._id));
          // It ends, whatever refers to whatever.
          JSON.stringify(document);
        }
      }),
      runs(200),
    );
  });
});

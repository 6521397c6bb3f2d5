import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, ref, RestrictedError, transaction } from '../../src/index.ts';
import { ref as zref } from '../../src/zod.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

const toA = () => A;
const toB = () => B;
/** The documents whose hook was called. */
const called: string[] = [];

class A extends model('rule-a', {
  _id: z.string(),
  goes: ref<B>(toB, { onDelete: 'cascade' }).optional(),
  own: ref<A>(toA, { onDelete: 'cascade' }).array(),
  needs: ref<B>(toB, { onDelete: 'restrict' }).optional(),
  drops: z.array(z.object({ r: zref<B>(toB, { onDelete: 'unset' }).optional() })),
  one: ref<A>(toA, { onDelete: 'unset' }).nullable(),
}) {}
/** One by one, since it has a history and hooks. */
class B extends model(
  'rule-b',
  {
    _id: z.string(),
    goes: ref<A>(toA, { onDelete: 'cascade' }).optional(),
    own: z.record(z.string(), zref<B>(toB, { onDelete: 'cascade' })),
    needs: ref<A>(toA, { onDelete: 'restrict' }).optional(),
    drops: ref<A>(toA, { onDelete: 'unset' }).array(),
    one: ref<B>(toB, { onDelete: 'unset' }).nullable(),
  },
  { history: true },
) {
  beforeDelete(): void {
    called.push(this._id);
  }
}

/** What a document refers to by each rule. */
interface Node {
  readonly _id: string;
  readonly cascade: readonly string[];
  readonly restrict: readonly string[];
  unset: readonly string[];
}

const ids: readonly string[] = ['a0', 'a1', 'a2', 'a3', 'b0', 'b1', 'b2', 'b3'];
const some = (first: string, maxLength: number) =>
  fc.array(fc.constantFrom(...ids.filter((id) => id.startsWith(first))), { maxLength });
const one = (first: string) => some(first, 1).map(([id]) => id);
/** Others than the own one go first. */
const fields = (_id: string): fc.Arbitrary<Raw> => {
  const [own, other] = _id.startsWith('a') ? ['a', 'b'] : ['b', 'a'];
  return fc.record({
    _id: fc.constant(_id),
    goes: one(other),
    own: some(own, 2),
    needs: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one(other) }),
    drops: some(other, 3),
    one: one(own),
  });
};
const graph = fc.tuple(...ids.map(fields));
interface Raw {
  readonly _id: string;
  readonly goes: string | undefined;
  readonly own: readonly string[];
  readonly needs: string | undefined;
  readonly drops: readonly string[];
  readonly one: string | undefined;
}

const present = (...list: (string | null | undefined)[]): string[] =>
  list.filter((id): id is string => typeof id === 'string');

function nodeOf({ _id, goes, own, needs, drops, one: single }: Raw): Node {
  return { _id, cascade: present(goes, ...own), restrict: present(needs), unset: present(...drops, single) };
}

/** What the rules say, by hand; null where the deletion is refused. */
function without(nodes: ReadonlyMap<string, Node>, first: readonly string[]): Map<string, Node> | null {
  const doomed = new Set(first);
  for (const gone of doomed) for (const node of nodes.values()) if (node.cascade.includes(gone)) doomed.add(node._id);
  const left = [...nodes.values()].filter(({ _id }) => !doomed.has(_id));
  if (left.some(({ restrict }) => restrict.some((id) => doomed.has(id)))) return null;
  return new Map(left.map((node) => [node._id, { ...node, unset: node.unset.filter((id) => !doomed.has(id)) }]));
}

const asA = ({ goes, own, needs, drops, one: single, _id }: Raw) =>
  new A({ _id, goes, own: [...own], needs, drops: drops.map((r) => ({ r })), one: single ?? null });
const asB = ({ goes, own, needs, drops, one: single, _id }: Raw) =>
  new B({
    _id,
    goes,
    own: Object.fromEntries(own.map((id, i) => [`k${i}`, id])),
    needs,
    drops: [...drops],
    one: single ?? null,
  });

async function stored(): Promise<Map<string, Node>> {
  const as = (await A.find().lean()).map(({ _id, goes, own, needs, drops, one: single }) => ({
    _id,
    cascade: present(goes as never, ...(own as never[])),
    restrict: present(needs as never),
    unset: present(...drops.map(({ r }) => r as never), single as never),
  }));
  const bs = (await B.find().lean()).map(({ _id, goes, own, needs, drops, one: single }) => ({
    _id,
    cascade: present(goes as never, ...(Object.values(own) as never[])),
    restrict: present(needs as never),
    unset: present(...(drops as never[]), single as never),
  }));
  return new Map([...as, ...bs].map((node) => [node._id, node]));
}

const sorted = (nodes: ReadonlyMap<string, Node>): Node[] =>
  [...nodes.values()].toSorted((a, b) => (a._id < b._id ? -1 : 1));

/** The ways of a deletion of one document, or of several of one model. */
const deletion = fc.record({
  ids: fc.oneof(some('a', 3), some('b', 3)),
  way: fc.constantFrom('document', 'deleteOne', 'findOneAndDelete', 'deleteMany', 'query', 'bulk', 'transaction'),
});

async function remove(way: string, wanted: readonly string[]): Promise<void> {
  const Model = (wanted[0]?.startsWith('a') === true ? A : B) as typeof A;
  const [first = ''] = wanted;
  const rules = 'apply';
  const history = Model === (B as unknown) ? ({ history: false } as const) : {};
  if (way === 'document') await (await Model.findById(first))?.delete();
  else if (way === 'deleteOne') await Model.deleteOne({ _id: first });
  else if (way === 'findOneAndDelete') await Model.findOneAndDelete({ _id: first });
  else if (way === 'deleteMany') await Model.deleteMany({ _id: { $in: wanted } }, { rules, ...history });
  else if (way === 'query') await Model.find({ _id: { $in: wanted } }).delete({ rules, ...history });
  else if (way === 'transaction') await transaction(async () => (await Model.findById(first))?.delete());
  else
    await Model.bulk()
      .deleteMany({ _id: { $in: wanted } })
      .execute({ rules, ...history });
}

const MANY = new Set(['deleteMany', 'query', 'bulk']);

describe('delete rules on any graph', () => {
  useDatabase();

  it('leave nothing that dangles, whatever is deleted in whichever order and way, and end in circles', async () => {
    const property = fc.asyncProperty(graph, fc.array(deletion, { maxLength: 4 }), async (raw, deletions) => {
      await A.deleteMany({}, { rules: 'ignore' });
      await B.deleteMany({}, { rules: 'ignore', history: false });
      await A.insertMany(raw.filter(({ _id }) => _id.startsWith('a')).map(asA));
      await B.insertMany(raw.filter(({ _id }) => _id.startsWith('b')).map(asB));
      let nodes = new Map(raw.map((each) => [each._id, nodeOf(each)]));
      for (const { ids: wanted, way } of deletions) {
        const meant = (MANY.has(way) ? wanted : wanted.slice(0, 1)).filter((id) => nodes.has(id));
        const next = without(nodes, meant);
        called.length = 0;
        const error: unknown = await remove(way, wanted).then(
          () => null,
          (thrown: unknown) => thrown,
        );
        const isRestricted = (each: unknown): boolean =>
          each instanceof RestrictedError ||
          ((each as { results?: { error?: unknown }[] } | null)?.results ?? []).some((result) =>
            isRestricted(result.error),
          );
        expect(isRestricted(error)).toBe(next === null);
        if (next === null) continue;
        expect(error).toBeNull();
        // Those that a filter meets have no document to call a hook with.
        const along = [...nodes.keys()].filter((id) => id.startsWith('b') && !next.has(id) && !meant.includes(id));
        expect(
          called
            .splice(0)
            .filter((id) => !meant.includes(id))
            .toSorted(),
        ).toEqual(along.toSorted());
        nodes = next;
        expect(sorted(await stored())).toEqual(sorted(nodes));
      }
      expect(sorted(await stored())).toEqual(sorted(nodes));
    });
    await fc.assert(property, runs(60));
  });
});

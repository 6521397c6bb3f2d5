import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { ABSENT, encodeDocument, memberOf } from '../../src/bson/encode.ts';
import type { Identities } from '../../src/bson/identity.ts';
import { applyEdits } from '../../src/edits/apply-edits.ts';
import { diff, type Edit, type EditTree } from '../../src/edits/edits.ts';
import { fallbackTree } from '../../src/update/plan.ts';
import { canonical } from '../support/laws-canonical.ts';
import { forAllCases } from '../support/laws-cases.ts';
import type { Members } from '../support/laws-documents.ts';
import { exact, insertAlone, live, readBytes, send, serverNames, settled, useStore } from '../support/laws-store.ts';
import {
  changedBy,
  isGrowth,
  isSet,
  merged,
  oddOne,
  OWN_IDENTITIES,
  sampleOf,
  SCALARS,
} from '../support/values-reference.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(1_500);

const forms = ['auto', 'pipeline'] as const;
const runs = serverNames.flatMap((server) => forms.map((form) => ({ server, form })));

/** Where the list is in a document. */
interface Place {
  readonly hold: (list: unknown) => Members;
  readonly get: (document: Members) => unknown;
}

const at = (value: unknown, ...keys: readonly (string | number)[]): unknown =>
  keys.reduce((inner, key) => (inner as Members)[key], value);
const PLACES: readonly Place[] = [
  { hold: (list) => ({ tags: list }), get: ({ tags }) => tags },
  { hold: (list) => ({ o: { x: 1, tags: list } }), get: ({ o }) => at(o, 'tags') },
  { hold: (list) => ({ o: { 7: { tags: list } } }), get: ({ o }) => at(o, '7', 'tags') },
  { hold: (list) => ({ '': { 'a.b': { $x: list } } }), get: (document) => at(document, '', 'a.b', '$x') },
  {
    hold: (list) => ({
      items: [
        { _id: 'q', tags: ['q'] },
        { _id: 'A', tags: list },
      ],
    }),
    get: ({ items }) => at(items, 1, 'tags'),
  },
];

const UNIQUE: Identities = { key: undefined, isUnique: true, at: () => UNIQUE };

function treeOf(before: Members, after: Members, identities: Identities | undefined): EditTree | null {
  const children = new Map<string, Edit>();
  for (const name of Object.keys(before)) {
    const edit = diff(before[name], after[name], [name], false, identities);
    if (edit !== null) children.set(name, edit);
  }
  return children.size === 0 ? null : { kind: 'object', children };
}

const WRECKAGE: readonly (() => unknown)[] = [() => null, () => 5, () => 'a', () => ({}), () => ({ a: 1 }), () => {}];

describe.each(runs)('arrays of values on the server $server, in the form $form', ({ server, form }) => {
  const store = useStore(server, 'values');

  const read = async (id: number): Promise<Members> => exact(await readBytes(store.collection, id));
  const storedAfter = (tree: EditTree, sent: 'operators' | 'pipeline', before: Members): string => {
    const after = { ...before };
    const laid = applyEdits(sent === 'pipeline' ? fallbackTree(tree) : tree, sent, (name) => memberOf(before, name));
    for (const [name, value] of laid) {
      if (value === ABSENT) delete after[name];
      else after[name] = value;
    }
    return canonical(after);
  };

  it.each([
    ['whose elements are their own identity', false],
    ['that are declared to have no value twice', true],
  ])('merge what two writers did: %s', async (_, isUnique) => {
    await forAllCases(cases, async (id, random) => {
      // SecantusDB takes true for 1.
      const scalars = server === 'embedded' ? SCALARS : SCALARS.filter((value) => value !== true);
      const pool = isUnique ? scalars : OWN_IDENTITIES;
      const base = sampleOf(random, pool, 6);
      const shared = sampleOf(random, pool, 3);
      const mine = changedBy(random, base, 'm', shared);
      const { hold, get } = random.pick(PLACES);
      const original = exact(encodeDocument({ _id: id, ...hold(base) }));
      const memory = live(encodeDocument({ _id: id, ...hold(mine) }));
      const tree = treeOf(original, memory, isUnique ? UNIQUE : undefined);
      if (tree === null || !isSet(mine)) return false;
      const isWrecked = random.chance(0.06);
      const list = random.chance(0.15) ? base : changedBy(random, base, 't', shared);
      const theirs = isWrecked ? random.pick(WRECKAGE)() : random.chance(0.1) ? oddOne(random, list) : list;
      const before = exact(await insertAlone(store.collection, { _id: id, ...hold(theirs) }));
      const outcome = await send(store.collection, id, tree, form);
      const stored = await read(id);
      const context = canonical({ base, mine, theirs, stored: get(stored) });
      expect([context, storedAfter(tree, outcome === 'operators' ? 'operators' : 'pipeline', before)]).toEqual([
        context,
        canonical(stored),
      ]);
      expect([context, treeOf(settled(original, tree), memory, isUnique ? UNIQUE : undefined)]).toEqual([
        context,
        null,
      ]);
      if (isWrecked) {
        if (theirs !== undefined || outcome !== 'operators')
          expect([context, canonical(get(stored))]).toEqual([context, canonical(mine)]);
        return true;
      }
      const expected = canonical(merged(base, mine, theirs as unknown[], isUnique));
      expect([context, canonical(get(stored))]).toEqual([context, expected]);
      // Growth adds again what is sent again, and a value that is there twice is replaced twice.
      if ((isGrowth(base, mine) && !isUnique) || !isSet(theirs as unknown[])) return true;
      await send(store.collection, id, tree, form);
      expect([context, canonical(get(await read(id)))]).toEqual([context, expected]);
      return true;
    });
  });
});

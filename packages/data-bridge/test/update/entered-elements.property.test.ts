import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { encodeDocument, memberOf } from '../../src/bson/encode.ts';
import { applyEdits } from '../../src/edits/apply-edits.ts';
import { rebaseEdits, takeMine } from '../../src/edits/rebase-edits.ts';
import { fallbackTree } from '../../src/update/plan.ts';
import { canonical } from '../support/laws-canonical.ts';
import { forAllCases } from '../support/laws-cases.ts';
import { isMembers, type Members } from '../support/laws-documents.ts';
import type { Random } from '../support/laws-random.ts';
import { editsOf, exact, insertAlone, live, readBytes, send, serverNames, useStore } from '../support/laws-store.ts';

/*
 * Arrays whose elements nothing tells apart: while the length and all other elements are as they were, two writers who changed
 * different members of one element both keep what they did.
 */

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(1_500);

const forms = ['auto', 'pipeline'] as const;
const runs = serverNames.flatMap((server) => forms.map((form) => ({ server, form })));

const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

function randomElement(random: Random): Members {
  return { b: random.below(3), t: random.below(3), n: { x: random.below(3), y: random.below(3) }, 'o.d': 1 };
}

/** Changes some members of an element. */
function edited(random: Random, element: Members, value: () => unknown): Members {
  const result: Members = { ...element };
  for (let n = 1 + random.below(2); n > 0; n -= 1) {
    const key = random.pick(['b', 't', 'n', 'new', 'o.d', 'gone']);
    const { n: inner } = result;
    if (key === 'n' && isMembers(inner)) result['n'] = { ...inner, [random.pick(['x', 'y'])]: value() };
    else if (key === 'gone') delete result[random.pick(['b', 't'])];
    else result[key] = value();
  }
  return result;
}

const OTHERS: readonly ((random: Random, list: readonly Members[]) => unknown[])[] = [
  (random, list) => [...list, randomElement(random)],
  (_, list) => list.slice(1),
  (random, list) => [randomElement(random), ...list],
  (_, list) => list.toReversed(),
  (random, list) => list.with(random.below(list.length), randomElement(random)),
  (random, list) => (list as unknown[]).with(random.below(list.length), random.pick([5, 'x', [1]])),
  (random, list) => list.map((each) => (random.chance(0.3) ? edited(random, each, () => 't') : each)),
];

/** What both writers' members make together. */
function together(base: unknown, mine: unknown, theirs: unknown): unknown {
  if (!isMembers(base) || !isMembers(mine) || !isMembers(theirs)) return mine;
  const result: Members = { ...theirs };
  for (const key of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    if (same(base[key], mine[key]) && key in base === key in mine) continue;
    if (!(key in mine)) delete result[key];
    else result[key] = together(base[key], mine[key], theirs[key]);
  }
  return result;
}

function merged(base: readonly unknown[], mine: readonly unknown[], theirs: unknown): unknown {
  const changed = base.flatMap((each, i) => (same(each, mine[i]) ? [] : [i]));
  if (changed.length === base.length && base.length > 1) return mine;
  if (!Array.isArray(theirs)) return mine;
  const list: readonly unknown[] = theirs;
  const isKept = (i: number): boolean => i < list.length && same(list[i], base[i]);
  const areOthersKept = list.length === base.length && base.every((_, i) => changed.includes(i) || isKept(i));
  if (!changed.every(isKept) && !areOthersKept) return mine;
  return list.map((each, i) => (changed.includes(i) ? together(base[i], mine[i], each) : each));
}

describe.each(runs)('elements at their places on the server $server, in the form $form', ({ server, form }) => {
  const store = useStore(server, 'entered');

  it('keep what two writers did to different members', async () => {
    await forAllCases(cases, async (id, random) => {
      const hold = random.pick<(list: unknown) => Members>([
        (c) => ({ c }),
        (c) => ({ o: { p: { c } } }),
        (c) => ({ o: { '': c } }),
        (c) => ({ rows: [{ _id: 'a', c }] }),
      ]);
      const base = random.list(1 + random.below(3), () => randomElement(random));
      const place = random.below(base.length);
      let mine = base.with(
        place,
        edited(random, base[place] as Members, () => 'm'),
      );
      if (random.chance(0.2)) mine = mine.map((each) => (random.chance(0.5) ? edited(random, each, () => 'm') : each));
      const theirs = random.chance(0.5)
        ? base.with(
            place,
            edited(random, base[place] as Members, () => 't'),
          )
        : random.pick(OTHERS)(random, base);
      const original = exact(encodeDocument({ _id: id, ...hold(base) }));
      const tree = editsOf(original, live(encodeDocument({ _id: id, ...hold(mine) })));
      if (tree === null) return false;
      const before = exact(await insertAlone(store.collection, { _id: id, ...hold(theirs) }));
      const outcome = await send(store.collection, id, tree, form);
      const stored = canonical(exact(await readBytes(store.collection, id)));
      const context = canonical({ base, mine, theirs });
      expect([context, stored]).toEqual([context, canonical({ _id: id, ...hold(merged(base, mine, theirs)) })]);
      const sent = outcome === 'operators' ? 'operators' : 'pipeline';
      const laid = applyEdits(sent === 'pipeline' ? fallbackTree(tree) : tree, sent, (name) => memberOf(before, name));
      expect([context, canonical({ ...before, ...Object.fromEntries(laid) })]).toEqual([context, stored]);
      const rebased = rebaseEdits(tree, (name) => memberOf(before, name), takeMine);
      const values = Array.from(rebased?.children ?? [], ([name, edit]) => [name, 'value' in edit && edit.value]);
      expect([context, canonical({ ...before, ...Object.fromEntries(values) })]).toEqual([context, stored]);
      return true;
    });
  });
});

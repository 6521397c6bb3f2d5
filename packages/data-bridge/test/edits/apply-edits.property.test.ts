import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { setOwn } from '../../src/bson/plain-object.ts';
import { ABSENT, encodeDocument, memberOf } from '../../src/bson/encode.ts';
import type { EditTree } from '../../src/edits/edits.ts';
import { applyEdits } from '../../src/edits/apply-edits.ts';
import { treeWith } from '../../src/tracking/pending-operators.ts';
import { changesBetween, replacedAt } from '../../src/edits/stored-changes.ts';
import { type AtomicOperation, dealAtomics } from '../support/laws-atomics.ts';
import { canonical } from '../support/laws-canonical.ts';
import { examples, forAllCases } from '../support/laws-cases.ts';
import { isMembers, type Members, mutated, randomDocument, randomValue } from '../support/laws-documents.ts';
import { Random } from '../support/laws-random.ts';
import { exact, insertAlone, live, readBytes, reread, send, serversAndForms, useStore } from '../support/laws-store.ts';
import { deal, type Operation, perform, wreck } from '../support/laws-writers.ts';
import { act, anyOtherShape, loadedState } from '../support/laws-state.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(40);

describe.each(serversAndForms)(
  'edits laid on what was stored, on the server $server, in the form $form',
  ({ server, form }) => {
    const store = useStore(server, 'laid');

    it.each(['nobody', 'another writer', 'a wrecker'])('are what the server stores, after %s', async (writer) => {
      await forAllCases(cases, async (id, random) => {
        const bytes = await insertAlone(store.collection, { ...randomDocument(random), _id: id });
        const work = deal(random, live(bytes), writer === 'another writer');
        const atomics = dealAtomics(random, exact(bytes), work);
        const tree = change(bytes, work.mine, atomics.mine);
        if (tree === null) return false;
        const other = live(bytes);
        if (writer === 'another writer') perform(other, work.theirs, reread);
        if (writer === 'a wrecker') {
          wreck(random, other);
          atomics.mine.filter(() => random.chance(0.3)).forEach((each) => replace(random, other, each));
        }
        const before = writer === 'nobody' ? bytes : await insertAlone(store.collection, other);
        const outcome = await send(store.collection, id, tree, form);
        const [old, stored] = [exact(before), exact(await readBytes(store.collection, id))];
        const laid = applyEdits(tree, outcome === 'operators' ? 'operators' : 'pipeline', (name) =>
          memberOf(old, name),
        );
        for (const [name, value] of laid) setOrDelete(old, name, value);
        // case: another server may take a number of another type for the same where a guard compares containers
        const types = server === 'embedded';
        expect(canonical(exact(encodeDocument(old)), types)).toBe(canonical(stored, types));
        return true;
      });
    });
  },
);

describe('changes between stored values', () => {
  it('lead from one to the other, and back', () => {
    const property = fc.property(fc.noShrink(fc.nat()), (seed) => {
      const random = new Random(seed);
      const from = exact(encodeDocument({ value: randomDocument(random) }))['value'];
      const memory = random.chance(0.9) ? mutatedMembers(random, from) : randomValue(random);
      const to = exact(encodeDocument({ value: memory }))['value'];
      const changes = changesBetween(from, to, []);
      const done = changes.reduce((value, { keys, to: end }) => replacedAt(value, keys, end), from);
      const undone = changes.reduceRight((value, { keys, from: end }) => replacedAt(value, keys, end), to);
      expect(canonical(done, true)).toBe(canonical(to, true));
      expect(canonical(undone, true)).toBe(canonical(from, true));
      expect(changesBetween(to, done, [])).toEqual([]);
    });
    fc.assert(property, { numRuns: caseCount(200), examples });
  });
});

function mutatedMembers(random: Random, value: unknown): unknown {
  if (!isMembers(value)) return mutated(random, value);
  const members = {};
  for (const key of Object.keys(value)) {
    const dice = random.next();
    if (dice < 0.1) continue;
    setOwn(members, key, dice < 0.6 ? value[key] : mutatedMembers(random, value[key]));
  }
  return members;
}

/** The edits of what I do to a document, if any. */
function change(bytes: Uint8Array, mine: readonly Operation[], atomics: readonly AtomicOperation[]): EditTree | null {
  const state = loadedState(bytes);
  act(state, mine, atomics);
  return treeWith(state.baseline, state.pending).tree;
}

function replace(random: Random, document: Members, { keys }: AtomicOperation): void {
  const holder = keys.slice(0, -1).reduce<unknown>(memberOf, document);
  if (isMembers(holder)) setOwn(holder, keys.at(-1) ?? '', anyOtherShape(random));
}

function setOrDelete(document: Members, name: string, value: unknown): void {
  if (value === ABSENT) delete document[name];
  else setOwn(document, name, value);
}

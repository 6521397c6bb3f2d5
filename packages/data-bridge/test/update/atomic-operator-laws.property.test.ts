import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { setOwn } from '../../src/bson/plain-object.ts';
import { ABSENT, memberOf } from '../../src/bson/encode.ts';
import type { DocumentState } from '../../src/document/document-state.ts';
import { takeStored } from '../../src/document/atomic-methods.ts';
import { applyAtomic, whyInapplicable } from '../../src/edits/atomic-operators.ts';
import type { EditTree } from '../../src/edits/edits.ts';
import { carriedOut, treeWith } from '../../src/tracking/pending-operators.ts';
import { type AtomicOperation, dealAtomics } from '../support/laws-atomics.ts';
import { canonical } from '../support/laws-canonical.ts';
import { forAllCases } from '../support/laws-cases.ts';
import { type Members, randomDocument } from '../support/laws-documents.ts';
import type { Random } from '../support/laws-random.ts';
import { exact, insertAlone, live, readBytes, reread, send, serversAndForms, useStore } from '../support/laws-store.ts';
import { deal, type Operation, perform, wreck } from '../support/laws-writers.ts';
import { act, anyOtherShape, loadedState } from '../support/laws-state.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(50);

describe.each(serversAndForms)('atomic operators on the server $server, in the form $form', ({ server, form }) => {
  const store = useStore(server, 'atomics');

  it('leave what is in memory, and then nothing to send (laws 1, 3, 4)', async () => {
    await forAll(async ({ id, document, random }) => {
      const bytes = await insertAlone(store.collection, document);
      const work = deal(random, live(bytes), false);
      const state = loadedState(bytes);
      const tree = change(state, work.mine, dealAtomics(random, exact(bytes), work).mine);
      if (tree === null) return false;
      await send(store.collection, id, tree, form);
      const stored = await readBytes(store.collection, id);
      expect(canonical(live(stored))).toBe(canonical(state.tracker.toObject()));
      settle(state, tree, stored);
      expect(state.tracker.isModified()).toBe(false);
      expect(treeWith(state.baseline, state.pending).tree).toBeNull();
      return state.lastSaved !== null;
    });
  });

  it('come on top of what another writer did (laws 2, 3)', async () => {
    await forAll(async ({ id, document, random }) => {
      const bytes = await insertAlone(store.collection, document);
      const other = live(bytes);
      const work = deal(random, live(bytes), true);
      const atomics = dealAtomics(random, exact(bytes), work);
      perform(other, work.theirs, reread);
      atomics.theirs.forEach((each) => apply(other, each));
      await insertAlone(store.collection, other);
      const state = loadedState(bytes);
      const tree = change(state, work.mine, atomics.mine);
      if (tree === null) return false;
      await send(store.collection, id, tree, form);
      const stored = await readBytes(store.collection, id);
      const memory = state.tracker.toObject();
      perform(other, work.mine, reread);
      applyAll(other, atomics.mine, memory);
      expect(canonical(live(stored))).toBe(canonical(other));
      settle(state, tree, stored);
      expect(state.tracker.isModified()).toBe(false);
      for (const { keys } of atomics.mine) {
        expect(canonical(valueIn(state.tracker.toObject(), keys))).toBe(canonical(valueIn(other, keys)));
      }
      return true;
    });
  });

  it('are never refused in the end, whatever shapes another writer left (law 3)', async () => {
    await forAll(async ({ id, document, random }) => {
      const bytes = await insertAlone(store.collection, document);
      const other = live(bytes);
      const work = deal(random, live(bytes), false);
      const atomics = dealAtomics(random, exact(bytes), work);
      wreck(random, other);
      atomics.mine.filter(() => random.chance(0.3)).forEach((each) => replace(random, other, each));
      await insertAlone(store.collection, other);
      const state = loadedState(bytes);
      const tree = change(state, work.mine, atomics.mine);
      if (tree === null) return false;
      await send(store.collection, id, tree, form);
      settle(state, tree, await readBytes(store.collection, id));
      expect(state.tracker.isModified()).toBe(false);
      return true;
    });
  });
});

interface Case {
  readonly id: number;
  readonly document: Members;
  readonly random: Random;
}

async function forAll(law: (each: Case) => Promise<boolean>): Promise<void> {
  await forAllCases(cases, (id, random) => law({ id, document: { ...randomDocument(random), _id: id }, random }));
}

/** What I do to a document; the edits, if any. */
function change(
  state: DocumentState,
  mine: readonly Operation[],
  atomics: readonly AtomicOperation[],
): EditTree | null {
  act(state, mine, atomics);
  const { tree, atomics: sent } = treeWith(state.baseline, state.pending);
  expect(sent).toHaveLength(new Set(atomics.map(({ keys }) => JSON.stringify(keys))).size);
  state.planned(tree, sent);
  return tree;
}

function settle(state: DocumentState, tree: EditTree, stored: Uint8Array): void {
  const values = exact(stored);
  const saved = carriedOut(tree, (name) => memberOf(values, name));
  state.baseline.settle(saved);
  takeStored(state);
  state.settled(saved);
}

/** What an operator makes of a document in JavaScript. */
function apply(document: Members, { keys, operator, operand }: AtomicOperation): void {
  const value = valueIn(document, keys);
  if (whyInapplicable(operator, value, operand) === null)
    put(document, keys, applyAtomic(operator, value, operand, ''));
}

/** Mine: where they do not fit what another writer left, memory is stored. */
function applyAll(document: Members, operations: readonly AtomicOperation[], memory: object): void {
  const fitting = operations.filter(
    (each) => whyInapplicable(each.operator, valueIn(document, each.keys), each.operand) === null,
  );
  for (const { keys } of operations.filter((each) => !fitting.includes(each)))
    put(document, keys, valueIn(memory, keys));
  fitting.forEach((each) => apply(document, each));
}

function replace(random: Random, document: Members, { keys }: AtomicOperation): void {
  if (valueIn(document, keys.slice(0, -1)) !== undefined) put(document, keys, anyOtherShape(random));
}

function valueIn(document: object, keys: readonly string[]): unknown {
  const value = keys.reduce<unknown>(memberOf, document);
  return value === ABSENT ? undefined : value;
}

function put(document: Members, keys: readonly string[], value: unknown): void {
  const holder = valueIn(document, keys.slice(0, -1));
  if (typeof holder === 'object' && holder !== null && value !== undefined) setOwn(holder, keys.at(-1) ?? '', value);
}

import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { encodeDocument } from '../../src/bson/encode.ts';
import { canonical } from '../support/laws-canonical.ts';
import { forAllCases } from '../support/laws-cases.ts';
import { isMembers, type Members, randomDocument } from '../support/laws-documents.ts';
import type { Random } from '../support/laws-random.ts';
import {
  editsOf,
  exact,
  insertAlone,
  live,
  readBytes,
  reread,
  send,
  serversAndForms,
  settled,
  useStore,
} from '../support/laws-store.ts';
import { deal, perform, wreck } from '../support/laws-writers.ts';

/** Cases for each law; `LAW_CASE` names one more. */
const cases = caseCount(100);

describe.each(serversAndForms)('on the server $server, in the form $form', ({ server, form }) => {
  const store = useStore(server, 'documents');
  const read = async (id: number) => exact(await readBytes(store.collection, id));

  it('stores what is in memory, keeps unchanged types, and then has nothing to send (laws 1, 3, 4)', async () => {
    await forAll(async ({ id, original, memory, random }) => {
      await insertAlone(store.collection, original);
      const loaded = await read(id); // not the original: SecantusDB stores symbols as strings
      perform(memory, deal(random, memory, false).mine, reread);
      const tree = editsOf(loaded, memory);
      if (tree === null) return false;
      await send(store.collection, id, tree, form);
      const stored = await read(id);
      expect(canonical(stored)).toBe(canonical(memory));
      expect(drifted(loaded, stored)).toEqual([]);
      expect(editsOf(settled(loaded, tree), memory)).toBeNull();
      expect(editsOf(stored, memory)).toBeNull();
      return true;
    });
  });

  it('keeps what another writer did to other fields and members (laws 2, 3)', async () => {
    await forAll(async ({ id, original, memory, other, random }) => {
      const { mine, theirs } = deal(random, memory, true);
      perform(memory, mine, reread);
      perform(other, theirs, reread);
      const tree = editsOf(original, memory);
      if (tree === null) return false;
      await insertAlone(store.collection, other);
      await send(store.collection, id, tree, form);
      perform(other, mine, reread);
      expect(canonical(await read(id))).toBe(canonical(other));
      return true;
    });
  });

  it('is never refused in the end, whatever shapes another writer left (law 3)', async () => {
    await forAll(async ({ id, original, memory, other, random }) => {
      perform(memory, deal(random, memory, false).mine, reread);
      const wrecked = wreck(random, other);
      const tree = editsOf(original, memory);
      if (tree === null) return false;
      await insertAlone(store.collection, other);
      await send(store.collection, id, tree, form);
      const stored = await read(id);
      const untouched = (name: string) => !tree.children.has(name);
      expect(canonical(only(stored, untouched))).toBe(canonical(only(other, untouched)));
      const changed = (name: string) => tree.children.has(name) && !wrecked.has(name);
      expect(canonical(only(stored, changed))).toBe(canonical(only(memory, changed)));
      return true;
    });
  });
});

/** A document as it was loaded, in my memory, and as another writer will leave it. */
interface Case {
  readonly id: number;
  readonly original: Members;
  readonly memory: Members;
  readonly other: Members;
  readonly random: Random;
}

async function forAll(law: (each: Case) => Promise<boolean>): Promise<void> {
  await forAllCases(cases, (id, random) => {
    const bytes = encodeDocument({ ...randomDocument(random), _id: id });
    return law({ id, original: exact(bytes), memory: live(bytes), other: exact(bytes), random });
  });
}

function only(document: Members, wanted: (name: string) => boolean): Members {
  return Object.fromEntries(Object.entries(document).filter(([name]) => wanted(name)));
}

/** Where an element is now: the one of the same `sku` or `_id`, where there is one, or else the one at its place. */
function counterpart(element: unknown, i: number, before: readonly unknown[], after: readonly unknown[]): unknown {
  const key = isMembers(element) ? ['sku', '_id'].find((each) => element[each] !== undefined) : undefined;
  if (key === undefined) return before.length === after.length ? after[i] : undefined;
  const id = canonical((element as Members)[key]);
  return after.find((each) => isMembers(each) && canonical(each[key]) === id);
}

/** The paths of values that are equal before and after, but not of the same BSON type. */
function drifted(before: unknown, after: unknown, path = ''): string[] {
  if (isMembers(before) && isMembers(after)) {
    const common = Object.keys(before).filter((key) => Object.hasOwn(after, key));
    return common.flatMap((key) => drifted(before[key], after[key], `${path}/${key}`));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    return before.flatMap((element: unknown, i) =>
      drifted(element, counterpart(element, i, before, after), `${path}/${i}`),
    );
  }
  if (after === undefined) return [];
  const isSame = canonical(before) === canonical(after);
  return isSame && canonical(before, true) !== canonical(after, true) ? [path] : [];
}

import { isLinked, type Linked, type Siblings, siblingsKey } from './linked.ts';

/*
 * Documents that came in one result: what is loaded for one of them is loaded for all, in one query.
 */

/** Notes that these documents came together. One alone has no siblings. */
export function gather<D>(documents: readonly D[]): readonly D[] {
  const linked = documents as unknown as readonly Linked[];
  if (linked.length < 2) return documents;
  const siblings: Siblings = { documents: new WeakRef(linked) };
  for (const each of linked) each[siblingsKey] = siblings;
  return documents;
}

/** Arrays of documents, held as long as the program holds what they were loaded for. */
const companions = new WeakMap<object, object[]>();

/**
 * Notes that these documents came together, for others: they are siblings as long as the program holds the array of the others, or
 * the one that came alone.
 */
export function gatherFor(owners: readonly (Linked | null)[], documents: readonly Linked[]): void {
  if (gather(documents).length < 2) return;
  const holders = new Set<object>();
  let last: Siblings | null = null;
  for (const owner of owners) {
    if (owner === null) continue;
    const siblings = owner[siblingsKey];
    // Most owners came with the one before.
    if (siblings !== null && siblings === last) continue;
    last = siblings;
    const holder = siblings === null ? owner : siblings.documents.deref();
    if (holder !== undefined) holders.add(holder);
  }
  for (const holder of holders) {
    const held = companions.get(holder);
    if (held === undefined) companions.set(holder, [documents]);
    else held.push(documents);
  }
}

/** The document, and those that came with it and are still held. */
export function withSiblings(document: Linked): Linked[] {
  const siblings = document[siblingsKey];
  // The program may have put others into its array.
  const others = siblings?.documents.deref()?.filter((each) => isLinked(each) && each[siblingsKey] === siblings) ?? [];
  return [...new Set([document, ...others])];
}

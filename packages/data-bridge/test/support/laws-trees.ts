import { ABSENT, memberOf } from '../../src/bson/encode.ts';
import type { Identities } from '../../src/bson/identity.ts';
import { diff, type Edit, type EditTree } from '../../src/edits/edits.ts';

/** Wherever an array has one of these names, its elements are told apart by their `sku`. */
const named: ReadonlySet<unknown> = new Set(['items', 'lines']);

/** What the tests declare of the arrays in any document. */
export const declared: Identities = {
  key: undefined,
  at: (step) => (named.has(step) ? { ...declared, key: 'sku' } : declared),
};

/** The edits between two documents, by field. */
export function childrenOf(before: object, after: object): Map<string, Edit> {
  const children = new Map<string, Edit>();
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = memberOf(after, name);
    const now = value === ABSENT ? undefined : value;
    const edit = diff(memberOf(before, name), now, [name], false, declared.at(name));
    if (edit !== null) children.set(name, edit);
  }
  return children;
}

/** The edits between two documents, of which there must be some. */
export function treeOf(before: object, after: object): EditTree {
  const children = childrenOf(before, after);
  if (children.size === 0) throw new Error('Expected a difference');
  return { kind: 'object', children };
}

/** A member `value` below that many single members `m`. */
export function nest(levels: number, value: unknown): unknown {
  return levels === 0 ? value : { m: nest(levels - 1, value) };
}

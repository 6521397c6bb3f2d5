import { ABSENT, memberOf } from '../../src/bson/encode.ts';
import { diff, type Edit, type EditTree } from '../../src/state/edits.ts';

/** The edits between two documents, of which there must be some. */
export function treeOf(before: object, after: object): EditTree {
  const children = new Map<string, Edit>();
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = memberOf(after, name);
    const edit = diff(memberOf(before, name), value === ABSENT ? undefined : value, [name]);
    if (edit !== null) children.set(name, edit);
  }
  if (children.size === 0) throw new Error('Expected a difference');
  return { kind: 'object', children };
}

/** A member `value` below that many single members `m`. */
export function nest(levels: number, value: unknown): unknown {
  return levels === 0 ? value : { m: nest(levels - 1, value) };
}

import { Int32 } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { comparedDelta, type Delta, writtenDelta } from '../../src/engine/delta.ts';
import { compileUpdate } from '../../src/engine/update.ts';
import { DateTime, type Document, isArray, isDocument, type Value } from '../../src/engine/value.ts';
import { ServerError } from '../../src/errors.ts';
import { doc, text } from './support.ts';

const key = fc.constantFrom('a', 'b', 'c');

/** Documents without keys that a dotted path could not name. */
const { document } = fc.letrec<{ value: Value; document: Document }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer({ min: 0, max: 2 }).map((n) => new Int32(n)),
    fc.constantFrom('x', 'y'.repeat(40), null),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('document'),
  ),
  document: fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
}));

/** A value without what its changes do not tell: the order of members. */
function canonical(value: Value): string {
  if (isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isDocument(value)) return text(value);
  return `{${Array.from(value, ([name, inner]) => `${name}:${canonical(inner)}`)
    .sort()
    .join()}}`;
}

/** The document that a delta makes of another one. */
function patch(document: Document, { truncated, updated, removed }: Delta): Document {
  const result = structure(document);
  if (!isDocument(result)) throw new Error('A document stays one.');
  for (const [path, size] of truncated) {
    const array = at(result, path.split('.'));
    if (!isArray(array)) throw new Error(`There is no array at ${path}.`);
    array.length = size;
  }
  for (const path of removed) write(result, path, undefined);
  for (const [path, value] of updated) write(result, path, value);
  return result;
}

function write(document: Document, path: string, value: Value | undefined): void {
  const names = path.split('.');
  const name = names.pop() ?? '';
  const parent = at(document, names);
  if (isDocument(parent) && value === undefined) parent.delete(name);
  else if (isDocument(parent) && value !== undefined) parent.set(name, structure(value));
  else if (isArray(parent) && value !== undefined) {
    while (parent.length < Number(name)) parent.push(null);
    parent[Number(name)] = structure(value);
  } else throw new Error(`There is nothing at ${path}.`);
}

function at(document: Document, names: readonly string[]): Value | undefined {
  return names.reduce<Value | undefined>(
    (value, name) => (isDocument(value) ? value.get(name) : isArray(value) ? value[Number(name)] : undefined),
    document,
  );
}

function structure(value: Value): Value {
  if (isArray(value)) return value.map(structure);
  return isDocument(value) ? new Map(Array.from(value, ([name, inner]) => [name, structure(inner)])) : value;
}

describe('a delta', () => {
  it('of two documents makes the one of the other', () => {
    fc.assert(
      fc.property(document, document, (before, after) => {
        // Something large that stays, or the whole document would be shorter.
        const kept = 'z'.repeat(2_000);
        const delta = comparedDelta(new Map(before).set('kept', kept), new Map(after).set('kept', kept));
        expect(delta).toBeDefined();
        if (delta !== undefined) expect(canonical(patch(before, delta))).toBe(canonical(after));
      }),
      { numRuns: caseCount(900) },
    );
  });

  it('of two documents that are the same is empty', () => {
    fc.assert(
      fc.property(document, (before) => {
        const kept = new Map(before).set('kept', 'z'.repeat(100));
        expect(comparedDelta(kept, kept)).toEqual({ truncated: new Map(), updated: new Map(), removed: [] });
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('of operators tells no more than they wrote to, and makes the one document of the other', () => {
    const operator = fc.constantFrom('$set', '$unset', '$inc', '$push', '$addToSet', '$pull', '$pop');
    const path = fc.constantFrom('a', 'b', 'c', 'a.b', 'a.0', 'b.1.a', 'c.a.b', 'a.$[]', 'b.$[].a');
    const argument = fc.constantFrom(doc({ v: 1 }).get('v') ?? null, doc({ v: { a: 1 } }).get('v') ?? null);
    fc.assert(
      fc.property(document, operator, path, argument, (before, name, where, value) => {
        const written: string[] = [];
        let after: Document;
        try {
          const update = compileUpdate(new Map([[name, new Map([[where, value]])]]), { now: new DateTime(0n) });
          after = update.apply(before, undefined, written);
        } catch (error) {
          if (error instanceof ServerError) return;
          throw error;
        }
        const delta = writtenDelta(before, after, written);
        expect(canonical(patch(before, delta))).toBe(canonical(after));
        const paths = [...delta.updated.keys(), ...delta.removed];
        const [root = ''] = where.split('.');
        expect(paths.every((told) => told === root || told.startsWith(`${root}.`))).toBe(true);
      }),
      { numRuns: caseCount(1500) },
    );
  });
});

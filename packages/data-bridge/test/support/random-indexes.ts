import fc from 'fast-check';
import type { ModelOptions } from '../../src/index.ts';

export type Index = NonNullable<ModelOptions['indexes']>[number];

const KEYS: readonly Record<string, 1 | -1>[] = [
  { a: 1 },
  { a: -1 },
  { b: 1 },
  { a: 1, b: 1 },
  { a: 1, b: -1 },
  { c: 1 },
];

export interface RandomIndexOptions {
  /** Whether some are hidden. */
  readonly hidden?: boolean;
}

/** One index over few fields, so that names and identities meet often. */
function anyIndex({ hidden: hides = true }: RandomIndexOptions): fc.Arbitrary<Index> {
  const sometimes = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined, freq: 3 });
  return fc
    .record({
      key: fc.constantFrom(...KEYS),
      unique: fc.boolean(),
      name: sometimes(fc.constantFrom('one', 'two', 'a_1', 'b_1')),
      kind: fc.constantFrom('plain', 'plain', 'sparse', 'partial', 'other partial'),
      expireAfterSeconds: sometimes(fc.constantFrom(1_000_000, 2_000_000)),
      hidden: sometimes(fc.constant(true)),
    })
    .map(({ key, unique, name, kind, expireAfterSeconds, hidden }) => ({
      key,
      ...(unique && { unique }),
      ...(name !== undefined && { name }),
      ...(kind === 'sparse' && { sparse: true }),
      ...(kind.endsWith('partial') && { partialFilterExpression: { a: { $gt: kind === 'partial' ? 0 : 1 } } }),
      ...(Object.keys(key).length === 1 && expireAfterSeconds !== undefined && { expireAfterSeconds }),
      ...(hidden === true && hides && { hidden }),
    }));
}

/** What a collection can have at the same time. */
export function anyIndexes(options: RandomIndexOptions = {}): fc.Arbitrary<Index[]> {
  return fc.array(anyIndex(options), { maxLength: 5 }).map((indexes) => {
    const taken = new Set<string>();
    return indexes.filter((index) => {
      const { name = Object.entries(index.key).flat().join('_'), expireAfterSeconds: _, hidden: __, ...rest } = index;
      const identity = JSON.stringify({ ...rest, name: undefined });
      if (taken.has(name) || taken.has(identity)) return false;
      taken.add(name).add(identity);
      return true;
    });
  });
}

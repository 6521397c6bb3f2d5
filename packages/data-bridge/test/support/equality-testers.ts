import { afterAll, beforeAll } from 'vitest';

/** The equality testers that vitest and jest keep for a whole process, and so for all files in it. */
function testers(): unknown[] {
  const kept = (globalThis as Record<symbol, unknown>)[Symbol.for('$$jest-matchers-object')];
  return (kept as { readonly customEqualityTesters: unknown[] }).customEqualityTesters;
}

/** The tests of the file or suite begin without equality testers, and what they add is gone after them. */
export function useOwnEqualityTesters(): void {
  let others: unknown[] = [];
  beforeAll(() => {
    others = testers().splice(0);
  });
  afterAll(() => {
    testers().splice(0, Infinity, ...others);
  });
}

// Applies updates as a command would.
import { expect } from 'vitest';
import { type MatchDetails, matcher } from '../../src/engine/match/compile.ts';
import { compileUpdate } from '../../src/engine/update/compile.ts';
import { DateTime, type Document } from '../../src/values/value.ts';
import { doc, text } from './engine.ts';

export type Input = Record<string, unknown>;

export const now = new DateTime(1_700_000_000_123n);

export interface Options {
  readonly arrayFilters?: Input[];
  readonly filter?: Input;
}

/** What an update makes of a document; `filter` says which element `$` is. */
export function apply(
  update: Input | Input[],
  document: Input | Map<string, unknown>,
  options: Options = {},
): Document {
  const compiled = compileUpdate(Array.isArray(update) ? update.map(doc) : doc(update), {
    now,
    arrayFilters: options.arrayFilters?.map(doc),
  });
  const stored = doc(document);
  const details: MatchDetails = { index: undefined };
  if (options.filter !== undefined) expect(matcher(doc(options.filter))(stored, details)).toBe(true);
  const before = text(stored);
  try {
    return compiled.apply(stored, details);
  } finally {
    // Whatever comes out, the document that went in is untouched.
    expect(text(stored)).toBe(before);
  }
}

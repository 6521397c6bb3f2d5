import { isDeepStrictEqual } from 'node:util';
import { deserialize } from 'bson';
import { median } from './figures.ts';
import { Country } from './model.ts';

/** How much is measured. */
export interface Effort {
  readonly rounds: number;
  readonly warmUpMs: number;
}

/** So much that the figures of two runs are alike. */
export const STEADY: Effort = { rounds: 15, warmUpMs: 400 };

/** What it costs to know of a change, in µs for one document: the median of all rounds, measured here and now. */
export interface Comparison {
  readonly bridge: number;
  readonly copying: number;
}

/**
 * Both read three fields of every document, change one, and ask whether it is modified. They take turns, so that what
 * slows the machine down slows both.
 *
 * @param documents as BSON bytes.
 */
export function compareWithCopying(documents: readonly Uint8Array[], effort: Effort): Comparison {
  warmUp(documents, effort.warmUpMs);
  const rounds = Array.from({ length: effort.rounds }, () => ({
    bridge: time(documents, withBridge),
    copying: time(documents, withCopies),
  }));
  return {
    bridge: median(rounds.map(({ bridge }) => bridge)),
    copying: median(rounds.map(({ copying }) => copying)),
  };
}

function withBridge(bytes: Uint8Array): boolean {
  const country = Country.hydrate(bytes);
  change(country);
  return country.isModified();
}

function withCopies(bytes: Uint8Array): boolean {
  const country = deserialize(bytes);
  const original = structuredClone(country);
  change(country);
  return !isDeepStrictEqual(original, country);
}

/** Reads three fields and changes one. */
function change(country: { region?: string; area?: number; borders?: string[] }): void {
  if (country.region === '' || country.area === 0) throw new Error('This is no country.');
  country.borders?.push('NEW');
}

function warmUp(documents: readonly Uint8Array[], ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    time(documents, withBridge);
    time(documents, withCopies);
  }
}

/** µs for each document. */
function time(documents: readonly Uint8Array[], isModified: (bytes: Uint8Array) => boolean): number {
  const start = performance.now();
  for (const bytes of documents) {
    if (!isModified(bytes)) throw new Error('A change was not seen.');
  }
  return ((performance.now() - start) * 1000) / documents.length;
}

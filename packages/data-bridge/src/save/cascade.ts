import { loadedTargets } from '../document/references.ts';
import { stateOf, TrackedDocument } from '../document/tracked-document.ts';

/** Documents, each after those that its references have loaded, and these after theirs: each once, so cycles end. */
export function withTargets(documents: readonly TrackedDocument<unknown>[]): TrackedDocument<unknown>[] {
  const all = new Set<TrackedDocument<unknown>>();
  const seen = new Set<TrackedDocument<unknown>>();
  const add = (document: TrackedDocument<unknown>): void => {
    if (seen.has(document)) return;
    seen.add(document);
    for (const target of loadedTargets(stateOf(document))) if (target instanceof TrackedDocument) add(target);
    all.add(document);
  };
  documents.forEach(add);
  return [...all];
}

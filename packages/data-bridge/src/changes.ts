import type { ModelDefinition } from './definition.ts';
import type { Baseline } from './state/baseline.ts';
import { type Change, changesOf, type EditTree } from './state/edits.ts';

/** Edits as the program reads them, under its own names; none for null. */
export function shownChanges(definition: ModelDefinition, baseline: Baseline, tree: EditTree | null): Change[] {
  const changes = tree === null ? [] : changesOf(tree, (exact, keys) => baseline.live(exact, keys));
  return changes.map(({ keys: [name, ...inner], ...change }) => {
    const keys = [definition.shownName(String(name)), ...inner];
    return { ...change, path: keys.join('.'), keys };
  });
}

/** What a new document has: every field. */
export function changesOfNew(definition: ModelDefinition, baseline: Baseline): Change[] {
  const fields = definition.shownFields(baseline.toObject());
  return Object.entries(fields).map(([name, to]) => ({ path: name, keys: [name], from: undefined, to }));
}

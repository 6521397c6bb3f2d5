import type { DocumentState } from '../document/document-state.ts';

/** What happens to a document before each save. */
export function runHooks(state: DocumentState): void {
  state.adoptDefaults();
}

/** Notes the time of the insert in a new document, where the program gave none. */
export function stampNew({ baseline, definition, isNew }: DocumentState): void {
  if (!isNew || definition.timestamps === undefined) return;
  const now = Date.now();
  for (const name of Object.values(definition.timestamps)) {
    if (name !== undefined && !baseline.has(name)) baseline.set(name, new Date(now));
  }
}

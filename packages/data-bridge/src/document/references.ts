import type { ModelDefinition } from '../definition/model-definition.ts';
import type { Linked } from '../references/linked.ts';
import { withReferences } from '../references/read.ts';
import { referencesIn } from '../references/reference.ts';
import type { Baseline } from '../tracking/baseline.ts';

/** What is asked of a document for its references. */
interface Referring {
  readonly definition: ModelDefinition;
  readonly baseline: Baseline;
  readonly owner: object;
}

/** The value of a field with references in the place of ids: the same ones each time, since the document keeps them. */
export function readReferences({ definition, baseline, owner }: Referring, name: string, value: unknown): unknown {
  const field = definition.references?.get(name);
  if (field === undefined) return value;
  const read = withReferences(owner as Linked, field, value);
  // No write: BSON takes them for equal. A default is no value of the document.
  if (read !== value && baseline.current(name) !== undefined) baseline.carry(name, read);
  return read;
}

/** Puts references in the place of documents and ids that the program put into fields since. */
export function adoptReferences(referring: Referring): void {
  const { definition, baseline } = referring;
  if (definition.references === null) return;
  for (const name of definition.references.keys()) {
    const value = baseline.current(name);
    if (typeof value === 'object' && value !== null) readReferences(referring, name, value);
  }
}

/** The documents that the references in a document's fields have loaded. */
export function loadedTargets(referring: Referring): object[] {
  adoptReferences(referring);
  const { definition, baseline } = referring;
  const references = [...(definition.references?.keys() ?? [])].flatMap((name) => referencesIn(baseline.current(name)));
  return references.flatMap((each) => (each.$isLoaded && each.$doc !== null ? [each.$doc] : []));
}

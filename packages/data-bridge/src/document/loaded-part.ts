import { FieldNotLoadedError, UsageError } from '../errors.ts';
import type { DocumentState } from './document-state.ts';
import type { EditTree } from '../edits/edits.ts';
import type { Extent } from '../tracking/selection.ts';

/*
 * Documents of which `select()` or `omit()` left something out. What was not loaded can neither be read nor changed, and
 * no default stands for it; a whole field can be set.
 */

/** @throws FieldNotLoadedError where nothing was loaded at those stored keys. */
export function checkReadable(state: DocumentState, keys: readonly string[]): void {
  if (extentAt(state, keys) === 'nothing') refuseAt(state, keys, 'nothing');
}

/** @throws FieldNotLoadedError where nothing was loaded at those stored keys, UsageError where only a part was. */
export function checkWritable(state: DocumentState, keys: readonly string[]): void {
  const extent = extentAt(state, keys);
  if (extent !== 'whole') refuseAt(state, keys, extent);
}

/**
 * Of a field that was not loaded a whole new value may be set, whatever is stored: unless the document asks that nothing
 * was changed which it did not see, or the field is written once and may have been.
 *
 * @throws as `checkWritable` does.
 */
export function checkAssignable(state: DocumentState, keys: readonly string[], value: unknown): void {
  const { concurrency, writeOnce } = state.definition;
  const [name = ''] = keys;
  const isWhole = keys.length === 1 && name !== '_id' && value !== undefined;
  const isFree = isWhole && concurrency !== 'fields' && !writeOnce.includes(name);
  if (isFree && extentAt(state, keys) === 'nothing') return;
  checkWritable(state, keys);
}

/** How much was loaded at those stored keys. A field that was assigned as a whole is all there. */
export function extentAt({ baseline }: DocumentState, keys: readonly (string | number)[]): Extent {
  const { selection } = baseline;
  if (selection === null) return 'whole';
  const name = String(keys[0]);
  const extent = selection.at(keys, baseline.current(name));
  return extent === 'nothing' && selection.at([name]) === 'nothing' && baseline.has(name) ? 'whole' : extent;
}

/** The edits as they may be sent. @throws as `checkWritable` does, for what was changed in place. */
export function confined(state: DocumentState, tree: EditTree, concurrency = state.definition.concurrency): EditTree {
  const { selection } = state.baseline;
  if (selection === null) return tree;
  return selection.confine(tree, (keys, extent) => refuseAt(state, keys, extent), concurrency !== 'fields');
}

function refuseAt(state: DocumentState, keys: readonly string[], extent: 'part' | 'nothing'): never {
  const path = state.definition.programPath(keys);
  if (extent === 'nothing') throw new FieldNotLoadedError(path, state.context);
  const text = `"${path}" was loaded in part, so it cannot be replaced: set the members that were loaded; an array can only grow, by push().`;
  throw new UsageError(text, state.context);
}

/** A copy of the fields for the model's rule. A rule that reads a field which was not loaded cannot judge: that throws. */
export function fieldsForRule(state: DocumentState): Record<string, unknown> {
  const fields = state.toObject();
  for (const name of state.definition.fields.keys()) {
    if (extentAt(state, [name]) !== 'nothing') continue;
    const get = () => refuseAt(state, [name], 'nothing');
    Object.defineProperty(fields, state.definition.programName(name), { get, configurable: true });
  }
  return fields;
}

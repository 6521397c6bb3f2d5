import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { FieldNotLoadedError, UsageError } from '../errors.ts';
import type { DocumentState } from './document-state.ts';
import type { Place } from '../schema/schema-shape.ts';
import { stepInto } from '../schema/structure.ts';
import { outputInside } from '../schema/take-output.ts';
import { droppable, type SchemaField, type Verdict } from '../schema/schema-field.ts';
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
 * was changed which it did not see.
 *
 * @throws as `checkWritable` does.
 */
export function checkAssignable(state: DocumentState, keys: readonly string[], value: unknown): void {
  const isWhole = keys.length === 1 && keys[0] !== '_id' && value !== undefined;
  if (isWhole && state.definition.concurrency !== 'fields' && extentAt(state, keys) === 'nothing') return;
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

/**
 * Runs a field's validator. The schema of a field loaded in part misses what was not loaded: what it finds wrong there,
 * or with an object as a whole, counts for nothing. What was loaded as a whole inside of it is given to its own schema.
 */
export function validateLoaded(state: DocumentState, field: SchemaField, value: unknown): Verdict | Promise<Verdict> {
  const verdict = field.validate(value);
  if (extentAt(state, [field.name]) === 'whole') return verdict;
  const limit = (settled: Verdict): Verdict => {
    const { issues = [] } = settled;
    const counting = issues.filter(({ keys: [, ...inner] }) => extentAt(state, [field.name, ...inner]) === 'whole');
    if (counting.length > 0) return { issues: counting };
    if (field.tellsStructure) return { value: outputOfLoaded(state, [field.name], value, field.place) };
    if (settled.issues === undefined) return settled;
    const keys = [field.programName];
    const message = 'nobody can tell what the schema makes of a part: load the whole field to change it';
    return { issues: [{ keys, path: field.programName, message }] };
  };
  return verdict instanceof Promise ? droppable(verdict.then(limit)) : limit(verdict);
}

function outputOfLoaded(
  state: DocumentState,
  keys: readonly string[],
  value: unknown,
  place: Place | undefined,
): unknown {
  const extent = extentAt(state, keys);
  if (extent === 'whole') return outputInside(place, value);
  if (extent === 'nothing' || place === undefined) return value;
  if (Array.isArray(value)) {
    return value.map((each, i) => outputOfLoaded(state, [...keys, String(i)], each, stepInto(place, i, value)));
  }
  if (!isPlainObject(value)) return value;
  const output: Record<string, unknown> = {};
  for (const key of Object.keys(value))
    setOwn(output, key, outputOfLoaded(state, [...keys, key], value[key], stepInto(place, key, value)));
  return output;
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

import { FieldNotLoadedError, UsageError } from '../errors.ts';
import type { Life } from './document-state.ts';
import { quiet, type SchemaField, type Verdict } from '../schema/schema-field.ts';
import type { EditTree } from '../edits/edits.ts';
import type { Extent } from '../tracking/selection.ts';

/*
 * Documents of which `select()` or `omit()` left something out. What was not loaded can neither be read nor written, and
 * no default stands for it.
 */

/** @throws FieldNotLoadedError where nothing was loaded at those stored keys. */
export function checkReadable(life: Life, keys: readonly string[]): void {
  if (extentAt(life, keys) === 'nothing') refuseAt(life, keys, 'nothing');
}

/** @throws FieldNotLoadedError where nothing was loaded at those stored keys, UsageError where only a part was. */
export function checkWritable(life: Life, keys: readonly string[]): void {
  const extent = extentAt(life, keys);
  if (extent !== 'whole') refuseAt(life, keys, extent);
}

/** How much was loaded at those stored keys. */
export function extentAt({ baseline }: Life, keys: readonly (string | number)[]): Extent {
  return baseline.selection?.at(keys, baseline.current(String(keys[0]))) ?? 'whole';
}

/** The edits as they may be sent. @throws as `checkWritable` does, for what was changed in place. */
export function confined(life: Life, tree: EditTree): EditTree {
  const { selection } = life.baseline;
  return selection === null ? tree : selection.confine(tree, (keys, extent) => refuseAt(life, keys, extent));
}

function refuseAt(life: Life, keys: readonly string[], extent: 'part' | 'nothing'): never {
  const path = life.definition.programPath(keys);
  if (extent === 'nothing') throw new FieldNotLoadedError(path, life.context);
  const text = `"${path}" was loaded in part, so it cannot be replaced: set the members that were loaded; an array can only grow, by push().`;
  throw new UsageError(text, life.context);
}

/**
 * Runs a field's validator. The schema of a field loaded in part misses what was not loaded: what it finds wrong there,
 * or with an object as a whole, counts for nothing, and neither does its output.
 */
export function validateLoaded(life: Life, field: SchemaField, value: unknown): Verdict | Promise<Verdict> {
  const verdict = field.validate(value);
  if (extentAt(life, [field.name]) === 'whole') return verdict;
  const limit = ({ issues = [] }: Verdict): Verdict => {
    const counting = issues.filter(({ keys: [, ...inner] }) => extentAt(life, [field.name, ...inner]) === 'whole');
    return counting.length > 0 ? { issues: counting } : { value };
  };
  return verdict instanceof Promise ? quiet(verdict.then(limit)) : limit(verdict);
}

/** A copy of the fields for the model's rule. A rule that reads a field which was not loaded cannot judge: that throws. */
export function fieldsForRule(life: Life): Record<string, unknown> {
  const fields = life.toObject();
  for (const name of life.definition.fields.keys()) {
    if (extentAt(life, [name]) !== 'nothing') continue;
    const get = () => refuseAt(life, [name], 'nothing');
    Object.defineProperty(fields, life.definition.programName(name), { get, configurable: true });
  }
  return fields;
}

import { isMutable } from './bson/copy.ts';
import { type ErrorContext, ValidationError, type ValidationIssue } from './errors.ts';
import type { Life } from './life.ts';
import { overlay, type SchemaField, type Verdict } from './schema.ts';

/**
 * Validates the changed fields, every field of a new document. On a field that was assigned as a whole the schema's
 * output is taken over, once; on what was loaded and changed in place only the verdict counts.
 *
 * @throws ValidationError with every issue.
 */
export async function validate(life: Life): Promise<void> {
  const { baseline, definition } = life;
  const names = life.isNew ? new Set([...definition.fields.keys(), ...baseline.names()]) : life.tracker.changedFields();
  const issues: ValidationIssue[] = [];
  const verdicts: [SchemaField, Verdict | Promise<Verdict>][] = [];
  for (const name of names) {
    const field = definition.fields.get(name);
    if (field !== undefined) verdicts.push([field, field.validate(baseline.current(name))]);
    else if (life.isNew && name !== '_id' && definition.unknown === 'error') issues.push(unknownField(name));
  }
  for (const [field, pending] of verdicts) {
    const verdict = pending instanceof Promise ? await pending : pending;
    if (verdict.issues === undefined) takeOutput(life, field.name, verdict.value);
    else issues.push(...verdict.issues);
  }
  if (issues.length > 0) throw validationError(issues, (name) => baseline.current(name), life.context);
}

function unknownField(name: string): ValidationIssue {
  return { keys: [name], path: name, message: 'the schema has no such field' };
}

function takeOutput(life: Life, name: string, output: unknown): void {
  if (!life.assigned.delete(name)) return;
  const value = life.baseline.current(name);
  const taken = overlay(value, output);
  if (taken !== value) life.baseline.set(name, taken);
}

/** The issues with the refused values, which are not enumerable so that logs do not show them. */
function validationError(
  issues: ValidationIssue[],
  current: (name: string) => unknown,
  context: ErrorContext,
): ValidationError {
  const detailed = issues.map((issue) => {
    let value = current(String(issue.keys[0]));
    for (const key of issue.keys.slice(1))
      value = isMutable(value) ? (value as Record<string | number, unknown>)[key] : undefined;
    return Object.defineProperty({ ...issue }, 'value', { value, enumerable: false });
  });
  return new ValidationError(detailed, context);
}

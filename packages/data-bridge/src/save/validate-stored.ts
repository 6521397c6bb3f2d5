import type { DocumentState } from '../document/document-state.ts';
import { fieldsForRule } from '../document/loaded-part.ts';
import { withoutValue } from './validate.ts';

/** What is wrong with a stored document: where, and which rule says so, without the value. */
export interface StoredIssue {
  readonly keys: readonly (string | number)[];
  readonly rule: string;
}

/**
 * Asks the schemas and the model's rule of a document as it is stored. Nothing is taken over: no defaults, and nothing of what the
 * schemas make of the values.
 */
export async function validateStored(state: DocumentState): Promise<StoredIssue[]> {
  const { baseline, definition } = state;
  const found: StoredIssue[] = [];
  for (const field of definition.fieldList) {
    const value = baseline.original(field.name);
    const { issues = [] } = await field.validate(value);
    for (const { keys, message } of issues)
      found.push({ keys, rule: withoutValue(message, valueAt(value, keys.slice(1))) });
  }
  const { check } = definition;
  // A rule may rely on what the schemas say of each field.
  if (check === undefined || found.length > 0) return found;
  for (const { path = '', message } of await check(fieldsForRule(state)))
    found.push({ keys: path === '' ? [] : path.split('.'), rule: message });
  return found;
}

function valueAt(value: unknown, keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>(
    (inside, key) =>
      typeof inside === 'object' && inside !== null ? (inside as Record<string | number, unknown>)[key] : undefined,
    value,
  );
}

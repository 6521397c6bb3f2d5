import { copyValue } from '../bson/copy.ts';
import { ABSENT } from '../bson/encode.ts';
import { ValidationError, type ValidationIssue } from '../errors.ts';
import type { DocumentState } from './document-state.ts';
import { checkAssignable } from './loaded-part.ts';
import { checkInput } from './new-document.ts';

/**
 * Sets fields from an object that may come from outside: copies of its values, under the stored names. What it says of
 * keys that are no fields to assign is decided before anything is set, so that it sets all or nothing.
 *
 * @throws ValidationError for keys that the model does not take, UsageError for what is no object of fields.
 */
export function assign(state: DocumentState, input: unknown, write: (name: string, value: unknown) => void): void {
  const { definition } = state;
  checkInput(definition, input, 'assign() takes an object of fields');
  // As in a new document, undefined is no value.
  const given = Object.entries(input).filter(([, value]) => value !== undefined);
  const named = given.map(([name, value]) => [name, definition.storedPath(name), value] as const);
  const issues = named.flatMap(([name, stored, value]): ValidationIssue[] => {
    const message = whyRefused(state, name, stored);
    const issue = { keys: [name], path: name, message };
    // Logs do not show the value.
    return message === undefined ? [] : [Object.defineProperty(issue as ValidationIssue, 'value', { value })];
  });
  if (issues.length > 0) throw new ValidationError(issues, state.context);
  const taken = named.filter(([name, stored]) => isTaken(state, name, stored));
  for (const [, stored, value] of taken) checkAssignable(state, [stored], value);
  for (const [, stored, value] of taken) write(stored, copyValue(value));
}

/** True for a field of the schema, and for other keys where the model keeps them. */
function isTaken(state: DocumentState, name: string, stored: string): boolean {
  const { definition } = state;
  if (definition.isOwn(stored) || definition.isHidden(name) || isFixed(state, stored)) return false;
  return definition.fields.has(stored) || definition.unknown === 'keep';
}

function whyRefused(state: DocumentState, name: string, stored: string): string | undefined {
  const { definition } = state;
  if (definition.unknown === 'drop' || isTaken(state, name, stored)) return undefined;
  if (definition.isOwn(stored)) return 'it identifies the document or is written by the mapper, and cannot be assigned';
  if (isFixed(state, stored)) return 'it is written once, and cannot be assigned again';
  if (definition.isHidden(name)) return `the field that is stored so is called "${definition.programName(name)}" here`;
  return 'the schema has no such field';
}

/** True for a field that is written once, and was. */
function isFixed({ isNew, definition, baseline }: DocumentState, stored: string): boolean {
  return !isNew && definition.writeOnce.includes(stored) && baseline.exact(stored) !== ABSENT;
}

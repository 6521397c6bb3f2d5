import { isMutable } from '../bson/copy.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { type Identities, pairElements } from '../bson/identity.ts';
import type { DocumentState } from '../document/document-state.ts';
import { pendingOf, replaceOperands } from '../document/atomic-methods.ts';
import { setAt } from '../document/path.ts';
import { equalOrBothUndefined } from '../tracking/pending-operators.ts';
import type { Keys } from '../edits/edits.ts';

/*
 * Of a container that was loaded and changed in place only the schema's verdict counts. But what the program put inside of
 * it is to be stored as the type that the schema gives: the text of an id as an ObjectId, a number as the int64 that it
 * stands for. What was loaded keeps its type.
 */

/** A value inside a field, and the one of another type that its schema gives. */
export interface Retyped {
  readonly keys: Keys;
  readonly value: unknown;
  readonly output: unknown;
}

/** What the schema gives another type, of that which was not loaded. */
export function retypedIn(state: DocumentState, name: string, output: unknown): Retyped[] {
  const found: Retyped[] = [];
  const value = state.baseline.current(name);
  collect(value, output, [name], found);
  if (found.length === 0) return found;
  const original = state.baseline.original(name);
  const identities = state.definition.fields.get(name)?.identities;
  return found.filter(({ keys: [, ...inner] }) => !isLoaded(original, value, inner, identities));
}

function collect(value: unknown, output: unknown, keys: Keys, found: Retyped[]): void {
  if (value === undefined || output === undefined || Object.is(value, output)) return;
  const type = typeOf(value);
  // The field itself was not assigned: it is what was loaded, changed, unless an operator replaced it.
  if (type !== typeOf(output) && (keys.length > 1 || !isMutable(value))) found.push({ keys, value, output });
  else if (type === 'array') collectElements(value as unknown[], output as unknown[], keys, found);
  else if (type === 'object') collectMembers(value as object, output as object, keys, found);
}

function collectElements(value: readonly unknown[], output: readonly unknown[], keys: Keys, found: Retyped[]): void {
  if (value.length === output.length)
    value.forEach((element, i) => collect(element, output[i], [...keys, String(i)], found));
}

function collectMembers(value: object, output: object, keys: Keys, found: Retyped[]): void {
  for (const [key, member] of Object.entries(value))
    if (Object.hasOwn(output, key)) collect(member, output[key as never], [...keys, key], found);
}

function typeOf(value: unknown): unknown {
  if (typeof value !== 'object') return typeof value;
  if (value === null || Array.isArray(value)) return value === null ? null : 'array';
  return isPlainObject(value) ? 'object' : Object.getPrototypeOf(value);
}

/** True where the value at those keys below `current` was there already. Elements of arrays may have moved. */
function isLoaded(
  original: unknown,
  current: unknown,
  keys: readonly string[],
  identities: Identities | undefined,
): boolean {
  if (equalOrBothUndefined(original, current)) return true;
  const [key, ...inner] = keys;
  if (key === undefined || !isMutable(original) || !isMutable(current)) return false;
  const below = current[key as never];
  if (Array.isArray(original) && Array.isArray(current)) {
    const origins = pairElements(current, original, identities)?.origins;
    const at = origins === undefined ? Number(key) : (origins[Number(key)] ?? -1);
    if (origins === undefined && original.some((element) => equalOrBothUndefined(element, below))) return true;
    return at in original && isLoaded(original[at], below, inner, identities?.at(at));
  }
  return Object.hasOwn(original, key) && isLoaded(original[key as never], below, inner, identities?.at(key));
}

/** Puts the schema's values in the place of the program's, in operators that wait, too. */
export function retype(state: DocumentState, name: string, retyped: readonly Retyped[]): void {
  if (retyped.length === 0) return;
  const operators = pendingOf(state, name);
  for (const { keys, output } of retyped) setAt(state.baseline, keys, output);
  replaceOperands(
    state,
    operators,
    (value) => retyped.find((each) => equalOrBothUndefined(each.value, value))?.output ?? value,
  );
}

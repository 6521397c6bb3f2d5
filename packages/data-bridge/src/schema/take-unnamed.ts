import { isMembers, memberAt, type Members } from './members.ts';
import { beginsUntold, leftOut as leftOutOf, type Unnamed, unnamedIn } from './named-keys.ts';
import type { Place } from './schema-shape.ts';
import { fittingShapes } from './structure.ts';
import { removeAt } from './take-whole.ts';
import type { Spot, Taking } from './taking.ts';

/*
 * The model's rule for keys that no schema names, in what documents are given.
 */

/** The keys inside of a new value that no schema names, and that are not in what was made of it. */
export function unnamedBelow(taking: Taking, value: unknown, output: unknown, { place, keys }: Spot): Unnamed[] {
  if (taking.unknown === 'drop') return [];
  const isTold = place !== undefined && !isUntold(place);
  const found = isTold ? unnamedIn([place], value, [], [output]) : leftOutOf(value, [output], []);
  return found.filter((each) => each.mayBeUsed !== true || taking.isUnseen([...keys, ...each.keys]));
}

/**
 * True for a value that stays as it is, since it has keys that are refused: those that the output has no place for, too.
 * Elements may have moved, so they cannot keep any.
 */
export function isLeft(
  taking: Taking,
  value: unknown,
  output: unknown,
  found: readonly Unnamed[],
  { keys }: Spot,
): boolean {
  const refused = found.filter(
    (each) => taking.unknown === 'error' || holderOf(value, output, each.keys) === undefined,
  );
  if (refused.length === 0) return false;
  taking.refused.push(...refused.map((each) => [...keys, ...each.keys]));
  taking.left.push(keys);
  return true;
}

/** The same of a value that is taken as a whole. */
export function mayNotBeTaken(taking: Taking, value: unknown, output: unknown, spot: Spot): boolean {
  if (!isMembers(value) && !Array.isArray(value)) return false;
  return isLeft(taking, value, output, unnamedBelow(taking, value, output, spot), spot);
}

/** A member, to be put back into its container. */
interface Held {
  readonly holder: Members;
  readonly key: string;
  readonly member: unknown;
}

/** What the model keeps of it. */
export function keptOf({ unknown }: Taking, value: unknown, output: unknown, found: readonly Unnamed[]): Held[] {
  return unknown === 'keep' ? found.flatMap(({ keys }) => holderOf(value, output, keys) ?? []) : [];
}

/** Undefined in an array, and where the output has another kind of value in the place of what holds it. */
function holderOf(value: unknown, output: unknown, keys: readonly string[]): Held | undefined {
  const [key = '', ...inner] = keys;
  if (!isMembers(value) || !isMembers(output) || value instanceof Map !== output instanceof Map) return undefined;
  const member = memberAt(value, key);
  return inner.length === 0 ? { holder: value, key, member } : holderOf(member, memberAt(output, key), inner);
}

/** A new member of what is stored that is not in the output. */
export function leftOut(taking: Taking, value: Members, key: string, { place, keys }: Spot, isOpaque: boolean): void {
  if (!isOpaque || isUnnamed(taking, place, key, keys)) unnamed(taking, value, key, keys);
  // Of a library that tells nothing nobody knows whether it was used.
  else if (isUntold(place)) taking.untold.push(keys);
}

function unnamed(taking: Taking, value: Members, key: string, keys: readonly string[]): void {
  if (taking.unknown === 'error') taking.refused.push(keys);
  else if (taking.unknown === 'drop') removeAt(taking, value, key);
}

/** True where the schema that a transform begins with does not name this member, and strips it. */
function isUnnamed(taking: Taking, place: Place | undefined, key: string, keys: readonly string[]): boolean {
  if (place === undefined || beginsUntold(place)) return taking.isUnseen(keys);
  const shapes = fittingShapes(place?.input, undefined);
  return (
    shapes.length > 0 &&
    shapes.every(({ type, keepsOthers, members }) => type === 'object' && keepsOthers === false && !members?.has(key))
  );
}

function isUntold(place: Place | undefined): boolean {
  return place === undefined || (place.shapes.length === 0 && place.input === undefined);
}

import { isMutable } from '../bson/copy.ts';
import { copyInput } from '../bson/copy-input.ts';
import { hasMember, isMembers, keysIn, memberAt, type Members, putMember, removeMember, unfrozen } from './members.ts';
import { isAmong, isSame } from './pair-elements.ts';

/** What changed while outputs were laid over values. */
export interface Changed {
  changed: boolean;
}

/** Lays an output over a new value as a whole: in place, so that references which the program holds stay part of the document. */
function takeWhole(taking: Changed, value: unknown, output: unknown): unknown {
  if (isSame(value, output)) return value;
  if (Array.isArray(value) && Array.isArray(output)) return takeAllElements(taking, unfrozen(value), output);
  if (isMembers(value) && isMembers(output) && value instanceof Map === output instanceof Map) {
    const target = unfrozen(value);
    for (const key of keysIn(target)) if (!hasMember(output, key)) removeAt(taking, target, key);
    for (const key of keysIn(output)) takeMemberWhole(taking, target, key, memberAt(output, key));
    return target;
  }
  taking.changed = true;
  return copyInput(output);
}

export function takeMemberWhole(taking: Changed, value: Members, key: string, output: unknown): void {
  const member = memberAt(value, key);
  const taken = takeWhole(taking, member, output);
  if (taken !== undefined && !Object.is(member, taken)) putAt(taking, value, key, taken);
}

/** An equal element keeps its object; what moved is found by its value. No object stands for two elements. */
export function takeAllElements(taking: Changed, value: unknown[], output: readonly unknown[]): unknown[] {
  const left: unknown[] = [...value];
  const isMoved = (each: unknown) => (element: unknown) => isMutable(element) && isSame(element, each);
  const origins = output.map((each, i) => {
    const found = isSame(left[i], each) ? i : left.findIndex(isMoved(each));
    if (found >= 0) left[found] = undefined;
    return found;
  });
  const next = output.map((each, i) => {
    const origin = origins[i] as number;
    if (origin >= 0) return value[origin];
    const isInPlace = value.length === output.length && left[i] !== undefined && !isAmong(value, each);
    return isInPlace ? takeWhole(taking, value[i], each) : copyInput(each);
  });
  return replaceElements(taking, value, next);
}

export function replaceElements(taking: Changed, value: unknown[], next: readonly unknown[]): unknown[] {
  if (value.length === next.length && value.every((element, i) => Object.is(element, next[i]))) return value;
  taking.changed = true;
  value.length = next.length;
  next.forEach((element, i) => {
    value[i] = element;
  });
  return value;
}

export function putAt(taking: Changed, members: Members, key: string, value: unknown): void {
  taking.changed = true;
  putMember(members, key, value);
}

export function removeAt(taking: Changed, members: Members, key: string): void {
  taking.changed = true;
  removeMember(members, key);
}

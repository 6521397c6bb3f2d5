/** Sets the defaults of what a value lacks. @param isLoaded tells of keys inside whether they were asked for; null where all was. */
export type ShowDefaults = (value: unknown, isLoaded: ((keys: readonly string[]) => boolean) | null) => void;

/**
 * By container the defaults that stand in it for members that are not stored, each with a copy of what it was: such a member
 * is not the document's until it is changed.
 */
const shown = new WeakMap<object, Map<string, unknown>>();
/** Most programs have none. */
let areSome = false;

/** Notes that a member was set to a default. @param original a copy of it. */
export function noteShown(container: object, key: string, original: unknown): void {
  areSome = true;
  const known = shown.get(container);
  if (known === undefined) shown.set(container, new Map([[key, original]]));
  else known.set(key, original);
}

/** The defaults that a container was given; undefined for none. */
export function shownIn(container: object): ReadonlyMap<string, unknown> | undefined {
  return areSome ? shown.get(container) : undefined;
}

/** A copy of a container has the same defaults. */
export function carryShown(from: object, to: object): void {
  const known = shownIn(from);
  if (known !== undefined) shown.set(to, new Map(known));
}

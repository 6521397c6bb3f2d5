/** True for an object whose own keys are its content, not for an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Sets an own property under any key. Assignment would call the setter that `Object.prototype` has for `__proto__`. */
export function setOwn(target: object, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
  else (target as Record<string, unknown>)[key] = value;
}

/** Makes an empty plain object. */
export type NewObject = new () => Record<string, unknown>;

/**
 * A way of its own to make plain objects that get the same members. V8 keeps the shapes of objects by how they were made, up
 * to a number of names: where some objects of a program have ids for keys, all that are made by `{}` get slow, and those of
 * one constructor do not. What it makes is what `{}` makes.
 */
export function newObjects(): NewObject {
  // Debuggers show an object by the name of what made it.
  const made = { Object: function () {} };
  made.Object.prototype = Object.prototype;
  return made.Object as unknown as NewObject;
}

import type { BsonOptions } from '../bson/layout.ts';

/** Stands among touched values for a field that was removed; `undefined` there means that the field was not touched. */
export const REMOVED: unique symbol = Symbol('removed');

/** What the program sees of a touched value. */
export function shown(touched: unknown): unknown {
  return touched === REMOVED ? undefined : touched;
}

/**
 * True for a value that the program reads as it is when it comes back from the server. Other scalars may come back as
 * another type.
 */
export function readsAsSent(value: unknown, { promoteValues }: Required<BsonOptions>): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && promoteValues);
}

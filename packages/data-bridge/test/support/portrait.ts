import { inspect } from 'node:util';

/** A value in words that tell apart what may differ: classes, own keys and their order, 0 and -0, every byte. */
export function portrait(value: unknown): string {
  return inspect(value, { depth: Infinity, customInspect: false, maxArrayLength: null, maxStringLength: null });
}

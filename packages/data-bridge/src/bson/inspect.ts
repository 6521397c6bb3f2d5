import { inspect as nodeInspect } from 'node:util';

/** The symbol under which Node.js looks for an object's own way to be shown by `console.log`. */
export const customInspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** `util.inspect`, as Node.js hands it to such a method. */
export type Inspect = (value: unknown, options: object) => string;

/**
 * How an object is shown: by the name of its class, and what there is to see of it.
 *
 * @param inspect what the caller shows values by. Node.js gives it; chai up to version 5 calls such a method without it.
 */
export function inspectAs(name: string, shown: object, options: object, inspect: Inspect = nodeInspect): string {
  return `${name} ${inspect(shown, options)}`;
}

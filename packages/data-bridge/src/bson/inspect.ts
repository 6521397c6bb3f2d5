/** The symbol under which Node.js looks for an object's own way to be shown by `console.log`. */
export const customInspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** `util.inspect`, as Node.js hands it to such a method. */
export type Inspect = (value: unknown, options: object) => string;

// What the update operators are made of.
import { ServerError } from '../../errors.ts';
import type { Collation } from '../../values/collation.ts';
import { type Document, typeOf, type Value } from '../../values/value.ts';
import { show } from '../../values/text.ts';

/** What one application of an update knows. */
export interface Context {
  /** The document before the update. */
  readonly document: Document;
  /** True where the document is about to be inserted, by an upsert. */
  readonly insert: boolean;
  /** The time of the command. */
  readonly now: Value;
  /** The index of the array element that the filter matched. */
  readonly positional: number | undefined;
}

/** An update operator at one path, compiled. */
export interface Modifier {
  /** True where the operator makes the path where it is missing. If not, it leaves documents without the path alone. */
  readonly creates: boolean | ((context: Context) => boolean);
  /** The new value for the old one, `undefined` for none; the very same value where nothing changes. Changes no value in place. */
  readonly apply: (value: Value | undefined, context: Context, path: string) => Value | undefined;
}

/** Compiles an operator's argument for one path. */
export type ModifierCompiler = (
  argument: Value,
  path: string,
  name: string,
  collation: Collation | undefined,
) => Modifier;

export function createsPath(modifier: Modifier, context: Context): boolean {
  return typeof modifier.creates === 'boolean' ? modifier.creates : modifier.creates(context);
}

/** `{_id: 1}`, by which error texts name a document. */
export function nameOf(document: Document): string {
  return `{_id: ${show(document.get('_id'))}}`;
}

/** The last name on a path. */
export function lastName(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

export function badValue(message: string): ServerError {
  return new ServerError(2, message);
}

/** The error for a target of the wrong type. */
export function notAnArray(path: string, value: Value, context: Context): ServerError {
  return badValue(
    `The field '${path}' must be an array but is of type ${typeOf(value)} in document ${nameOf(context.document)}`,
  );
}

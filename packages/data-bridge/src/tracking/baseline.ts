import type { Identities } from '../bson/identity.ts';
import type { EditTree } from '../edits/edits.ts';
import type { Selection } from './selection.ts';

/**
 * What the last load or save left, and the values touched since. Two kinds: over a document's bytes, and over a plain
 * object.
 */
export interface Baseline {
  /** Which part of the stored document was loaded; null for all of it. */
  readonly selection: Selection | null;
  /** True where stored binaries are read as bare bytes, which do not show their subtype. */
  readonly promotesBuffers: boolean;
  /** What a schema declares of the arrays in the document. */
  readonly identities: Identities | undefined;
  /** The current value, handed out: from now on a change in place is looked for. */
  get(name: string): unknown;
  /** Sets the current value; `undefined` removes the field. */
  set(name: string, value: unknown): void;
  has(name: string): boolean;
  /** Names of the current fields, in document order, new ones last. */
  names(): string[];
  /** True where any current value differs from its original. */
  isModified(): boolean;
  /** True where the current value of this field differs from its original. */
  differs(name: string): boolean;
  /** Calls `visit` for each field that differs from its original, with its current value, `undefined` when removed. */
  eachChange(visit: (name: string, value: unknown) => void): void;
  /** The current value without handing it out, for comparing and encoding only: of a field that was touched, else `undefined`. */
  current(name: string): unknown;
  /** Takes a value that is the same to BSON in the place of the current one: that is no write. */
  carry(name: string, value: unknown): void;
  /** The original as BSON-typed values, private to the caller, or `ABSENT`. */
  exact(name: string): unknown;
  /** A fresh copy of the original as the program would read it. */
  original(name: string): unknown;
  /** A BSON-typed value as the program would read it at those keys, fresh. */
  live(exact: unknown, keys: readonly (string | number)[]): unknown;
  /** A copy of all current values. */
  toObject(): Record<string, unknown>;
  /** Another one in the same state, which changes of this one do not reach: at the cost of what differs from the original. */
  copy(): Baseline;
  /** True where the other one has the same original. That of a document is another one after each save and reload. */
  sharesOriginal(other: Baseline): boolean;
  /** Back to the original: of one field, or of all. Containers handed out before are detached. */
  revert(name?: string): void;
  /** Makes what this tree sent the original. Containers handed out stay; what was changed since differs still. */
  settle(tree: EditTree): void;
}

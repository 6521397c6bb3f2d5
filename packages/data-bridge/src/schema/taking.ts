import type { Identities } from '../bson/identity.ts';
import type { Place } from './schema-shape.ts';
import type { Changed } from './take-whole.ts';

/** One taking over, and what it found. */
export interface Taking extends Changed {
  readonly unknown: 'error' | 'drop' | 'keep';
  /** Tells of a key below the field whether the schema makes the same without it: for libraries that do not tell what they name. */
  readonly isUnseen: (keys: readonly string[]) => boolean;
  /** Takes the keys that no schema names. */
  readonly refused: (readonly string[])[];
  /** Takes the keys of new values with such keys inside: they are left as they are, since they would lose them. */
  readonly left: (readonly string[])[];
  /** Takes the keys of changes of which nobody can tell what the schema makes of them. */
  readonly untold: (readonly string[])[];
}

/** What is known of the value already: it is not transformed again. */
export interface Known {
  /** What is stored, or was taken before, in its place; `ABSENT` where it is new. */
  readonly base: unknown;
  /** Further values: of elements that nothing tells apart, and those from before a failed save. */
  readonly others: readonly unknown[];
}

/** Where the value is. */
export interface Spot {
  readonly place: Place | undefined;
  readonly identities: Identities | undefined;
  readonly keys: readonly string[];
  /** True where it was assigned as a whole: then what it lacks gets its default. */
  readonly isWhole: boolean;
}

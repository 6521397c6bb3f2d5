import type { Conflict } from '../errors.ts';
import type { ElementPaths, ValueIn } from './paths.ts';

/** A conflict in a document whose fields are `S`: its path determines the type of its values. */
export type ConflictIn<S> = unknown extends S
  ? Conflict
  : { [P in ElementPaths<S>]: ConflictAt<P, ValueIn<S, P> | undefined> }[ElementPaths<S>];

interface ConflictAt<P, V> extends Conflict {
  readonly path: P & string;
  readonly original: V;
  readonly mine: V;
  readonly theirs: V;
}

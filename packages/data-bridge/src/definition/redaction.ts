import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import type { StoredKeys } from '../edits/stored-changes.ts';

/** Paths by their keys; null where one ends. */
type Tree = Map<string, Tree | null>;

/** The paths of a model that its history does not hold, by their stored names. They go through arrays. */
export class Redaction {
  readonly #paths: Tree = new Map();

  constructor(paths: readonly string[]) {
    for (const path of paths) add(this.#paths, path.split('.'));
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0;
  }

  /** The value at those keys without what is redacted: `ABSENT` where it is redacted itself. */
  strip(keys: StoredKeys, value: unknown): unknown {
    if (value === ABSENT || this.isEmpty) return value;
    let places: readonly Tree[] = [this.#paths];
    for (const key of keys) {
      const below = placesBelow(places, key);
      if (below === null) return ABSENT;
      places = below;
    }
    return stripBelow(value, places);
  }
}

/** A path that ends above another one says it too. */
function add(tree: Tree, [key = '', ...inner]: readonly string[]): void {
  const below = tree.get(key);
  if (below === null) return;
  if (inner.length === 0) tree.set(key, null);
  else {
    const next: Tree = below ?? new Map<string, Tree | null>();
    tree.set(key, next);
    add(next, inner);
  }
}

/** Null where one of the paths ends. The place of an element may be named by a path, and need not be. */
function placesBelow(places: readonly Tree[], key: string | number): readonly Tree[] | null {
  const below: Tree[] = typeof key === 'number' ? [...places] : [];
  for (const place of places) {
    const next = place.get(String(key));
    if (next === null) return null;
    if (next !== undefined) below.push(next);
  }
  return below;
}

function stripBelow(value: unknown, places: readonly Tree[]): unknown {
  if (places.length === 0) return value;
  // An element that is redacted keeps its place.
  if (Array.isArray(value)) return value.map((element, i) => stripMember(element, places, i, null));
  if (!isPlainObject(value)) return value;
  const members = {};
  for (const [key, member] of Object.entries(value)) {
    const stripped = stripMember(member, places, key, ABSENT);
    if (stripped !== ABSENT) setOwn(members, key, stripped);
  }
  return members;
}

function stripMember(value: unknown, places: readonly Tree[], key: string | number, redacted: unknown): unknown {
  const below = placesBelow(places, key);
  return below === null ? redacted : stripBelow(value, below);
}

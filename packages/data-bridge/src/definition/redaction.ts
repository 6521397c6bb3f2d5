import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import type { StoredKeys } from '../edits/stored-changes.ts';
import { SchemaError, UsageError } from '../errors.ts';
import type { ModelOptions } from './model-options.ts';
import { REVISION, REVISION_ID } from './revision.ts';

/** Paths by their keys; null where one ends. */
type Tree = Map<string, Tree | null>;

/** The paths of a model that its history does not hold, by their stored names. They go through arrays. */
export class Redaction {
  readonly #paths: Tree = new Map();

  constructor(paths: readonly string[]) {
    for (const path of paths) add(this.#paths, path.split('.'));
  }

  /** Leaves out these fields, too. */
  include(names: readonly string[]): void {
    for (const name of names) add(this.#paths, [name]);
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

/** The model whose history is kept. */
interface Recorded {
  readonly collectionName: string;
  readonly names: ReadonlySet<string>;
  storedPath(path: string): string;
}

/**
 * What the history of a model leaves out, as its option `history` says; undefined where none is kept.
 *
 * @param isField tells whether a stored path begins with a field.
 * @throws SchemaError for a field that has a name of the history's; UsageError for a path that begins with no field.
 */
export function redactionOf(
  model: Recorded,
  option: ModelOptions['history'],
  isField: (path: string) => boolean,
): Redaction | undefined {
  if (option === undefined || option === false) return undefined;
  const context = { model: model.collectionName };
  const reserved = [REVISION, REVISION_ID].find((name) => model.names.has(name) || model.storedPath(name) !== name);
  if (reserved !== undefined) {
    const text = `The field "${reserved}" has a name that the history needs for itself: give it another one.`;
    throw new SchemaError(text, context);
  }
  const paths = option === true ? [] : (option.redact ?? []);
  const stored = paths.map((path) => model.storedPath(path));
  const unknown = stored.findIndex((path) => path.split('.').some((key) => key === '') || !isField(path));
  if (unknown >= 0) {
    const text = `The model option "history" redacts "${paths[unknown]}", which begins with no field of the schema.`;
    throw new UsageError(text, context);
  }
  return new Redaction(stored);
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

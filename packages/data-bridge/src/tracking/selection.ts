import { ABSENT, memberOf } from '../bson/encode.ts';
import { type Edit, type EditTree, type ElementsEdit, hasMembers, type ValueEdit } from '../edits/edits.ts';

/** The keys of paths, one below the other; null where a path ends. */
type Tree = Map<string, Tree | null>;

/** How much of a value was loaded. */
export type Extent = 'whole' | 'part' | 'nothing';

/** Called with the stored keys of what may not be written, as it was not loaded, or only in part. Throws. */
export type Refuse = (keys: readonly string[], extent: 'part' | 'nothing') => never;

/** Which parts of documents a query loads: the paths that it names, or all but those. Paths are stored ones. */
export class Selection {
  readonly #only: boolean;
  readonly #paths: Tree;
  readonly #id: boolean;

  private constructor(only: boolean, paths: Tree, id: boolean) {
    this.#only = only;
    this.#paths = paths;
    this.#id = id;
  }

  /** These paths alone, and the `_id`. */
  static of(paths: readonly string[]): Selection {
    return new Selection(true, treeOf(paths.filter((path) => !isId(path))), true);
  }

  /** All but these paths. */
  static without(paths: readonly string[]): Selection {
    return new Selection(false, treeOf(paths.filter((path) => !isId(path))), !paths.some(isId));
  }

  /** True where it names the paths that are loaded, rather than those that are not. */
  get isOnly(): boolean {
    return this.#only;
  }

  /** The paths that it names, without the `_id`. */
  get paths(): string[] {
    return pathsOf(this.#paths);
  }

  /** The same with or without the `_id`. */
  withId(id: boolean): Selection {
    return new Selection(this.#only, this.#paths, id);
  }

  /** True where the `_id` is loaded. */
  get hasId(): boolean {
    return this.#id;
  }

  /** What the server is asked for. */
  get projection(): Record<string, 0 | 1> {
    const named = this.paths.map((path) => [path, this.#only ? 1 : 0] as const);
    if (!this.#id) return Object.fromEntries([...named, ['_id', 0]]);
    // Without a name the server would take it for everything.
    return Object.fromEntries(this.#only ? [['_id', 1], ...named] : named);
  }

  /**
   * How much was loaded of what lies at those keys.
   *
   * @param value of the first key: an array's indexes are no part of paths.
   */
  at([name, ...inner]: readonly (string | number)[], value?: unknown): Extent {
    if (name === '_id') return this.#id ? 'whole' : 'nothing';
    let below = this.#paths.get(String(name));
    let current = value;
    for (const key of inner) {
      if (below === undefined || below === null) break;
      if (!Array.isArray(current)) below = below.get(String(key));
      current = Array.isArray(current) ? current[Number(key)] : memberOf(current, String(key));
    }
    return this.#extent(below);
  }

  #extent(below: Tree | null | undefined): Extent {
    if (below === undefined) return this.#only ? 'nothing' : 'whole';
    if (below === null) return this.#only ? 'whole' : 'nothing';
    return 'part';
  }

  /**
   * The edits as they may be sent: none writes what was not loaded. An object that was loaded in part and was not there
   * may be there with other members, so the new members are set one by one. An array loaded in part can only grow: its
   * elements are not all of what is stored. Edits of an `_id` are refused elsewhere.
   *
   * @param takesWhole whether a field that was not loaded may be set as a whole.
   */
  confine(tree: EditTree, refuse: Refuse, takesWhole = false): EditTree {
    const children = Array.from(tree.children, ([name, edit]): [string, Edit] => {
      const below = this.#paths.get(name);
      const isWhole = this.#extent(below) === 'nothing' && isAllThere(edit, takesWhole);
      return [name, isWhole ? edit : this.#confine(edit, below, [name], refuse)];
    });
    return { kind: 'object', children: new Map(children) };
  }

  #confine(edit: Edit, below: Tree | null | undefined, keys: readonly string[], refuse: Refuse): Edit {
    const extent = this.#extent(below);
    if (extent === 'whole') return edit;
    if (extent === 'nothing') return refuse(keys, extent);
    if (edit.kind === 'push' || (edit.kind === 'atomic' && edit.operator === '$push')) return edit;
    if (edit.kind === 'elements' && edit.removed.length === 0 && !edit.isMoved)
      return this.#confineElements(edit, below, keys, refuse);
    const members = membersIn(edit);
    if (members === null || members.size === 0) return refuse(keys, extent);
    const children = Array.from(members, ([key, member]): [string, Edit] => {
      return [key, this.#confine(member, below?.get(key), [...keys, key], refuse)];
    });
    const { base, value } = edit as { base: unknown; value: object };
    return {
      kind: 'object',
      base: base === ABSENT ? {} : (base as object),
      value,
      children: new Map(children),
      isPart: true,
    };
  }

  /** The elements are known by their identities, and what was loaded of each is what a path names. */
  #confineElements(edit: ElementsEdit, below: Tree | null | undefined, keys: readonly string[], refuse: Refuse): Edit {
    const children = Array.from(edit.children, ([i, child]): [number, ValueEdit] => {
      return [i, this.#confine(child, below, [...keys, String(i)], refuse) as ValueEdit];
    });
    const { kind, base, value, key, removed, added, isMoved } = edit;
    return { kind, base, value, key, children: new Map(children), removed, added, isMoved, isPart: true };
  }
}

/** True for a new value in the place of what was not loaded, and for a change of one that was set before. */
function isAllThere(edit: Edit, takesWhole: boolean): boolean {
  return edit.base !== ABSENT || (takesWhole && edit.kind === 'set');
}

function isId(path: string): boolean {
  return path === '_id' || path.startsWith('_id.');
}

/** The edits of the members of an object that was changed or is new; null where it was not an object before, or is none now. */
function membersIn(edit: Edit): ReadonlyMap<string, Edit> | null {
  if (edit.kind === 'object') return edit.children;
  if (edit.kind !== 'set' || edit.base !== ABSENT || !hasMembers(edit.value)) return null;
  const members: Iterable<[string, unknown]> = edit.value instanceof Map ? edit.value : Object.entries(edit.value);
  return new Map(Array.from(members, ([key, value]) => [key, { kind: 'set', base: ABSENT, value }]));
}

function treeOf(paths: readonly string[]): Tree {
  const tree: Tree = new Map();
  for (const path of paths) add(tree, path.split('.'));
  return tree;
}

/** A path that ends above another one says it too. */
function add(tree: Tree, [key = '', ...inner]: readonly string[]): void {
  const below = tree.get(key);
  if (below === null) return;
  if (inner.length === 0) tree.set(key, null);
  else if (below === undefined) tree.set(key, treeOf([inner.join('.')]));
  else add(below, inner);
}

function pathsOf(tree: Tree): string[] {
  return [...tree].flatMap(([key, below]) => (below === null ? [key] : pathsOf(below).map((path) => `${key}.${path}`)));
}

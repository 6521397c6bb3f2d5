import { UsageError } from '../errors.ts';

/** What a model's options say of its hierarchy. */
interface RootOptions {
  readonly type?: string;
  readonly typeKey?: string;
  readonly unknownType?: 'error' | 'parent';
}

/** What is asked of the stored type. */
type TypeFilter = Readonly<Record<string, unknown>>;

/** The stored name under which documents tell their class where the root names no other. */
const TYPE_KEY = '_type';

/**
 * The place of a model in its hierarchy: above it the model that it extends, below it those that extend it. A model that no
 * other extends, and that extends none, has one too. The same model on other connections shares it.
 *
 * `D` is the model's definition, and `C` its class.
 */
export class Kin<D = unknown, C = unknown> {
  /** The stored name under which a document tells its class. */
  readonly key: string;
  /** What documents of this very class have under it; null for a root that has none. */
  readonly type: string | null;
  readonly parent: Kin<D, C> | null;
  readonly root: Kin<D, C>;
  /** What a document is whose type no class has. */
  readonly unknownType: 'error' | 'parent';
  /** The model's definition, on no connection of its own. */
  readonly definition: D;
  /** True for a model by itself. */
  isAlone: boolean;
  readonly #claim: (() => C) | null;
  readonly #children: Kin<D, C>[] = [];
  /** Of the root: all that have a type. */
  readonly #byType = new Map<string, Kin<D, C>>();

  private constructor(definition: D, parent: Kin<D, C> | null, options: RootOptions, claim: (() => C) | null) {
    this.definition = definition;
    this.parent = parent;
    this.root = parent?.root ?? this;
    this.key = parent?.key ?? options.typeKey ?? TYPE_KEY;
    this.type = options.type ?? null;
    this.unknownType = parent?.unknownType ?? options.unknownType ?? 'error';
    this.isAlone = this.type === null;
    this.#claim = claim;
    if (this.type !== null && parent === null) this.#byType.set(this.type, this);
  }

  /** Of a model that extends none. */
  static root<D, C>(definition: D, options: RootOptions): Kin<D, C> {
    return new Kin(definition, null, options, null);
  }

  /** Of a model that extends this one: it is not known here before it joins. @param claim gives its class. */
  child(definition: D, type: string, claim: () => C): Kin<D, C> {
    return new Kin(definition, this, { type }, claim);
  }

  /** Makes it known to the hierarchy, in the place of the one that the same file made when it was evaluated before. */
  join(): void {
    const { parent, root, type } = this;
    if (parent === null || type === null) return;
    const before = root.#byType.get(type);
    if (before !== undefined && before.parent !== null)
      before.parent.#children.splice(before.parent.#children.indexOf(before), 1);
    root.#byType.set(type, this);
    parent.#children.push(this);
    root.isAlone = false;
  }

  /** True where the class is named by the same words: a file was evaluated again, as development servers do it. */
  isNamedAs(claim: unknown): boolean {
    return this.#claim !== null && String(this.#claim) === String(claim);
  }

  /** The class of that type in the whole hierarchy. */
  find(type: unknown): Kin<D, C> | undefined {
    return typeof type === 'string' ? this.root.#byType.get(type) : undefined;
  }

  /** The class itself, as it was named by a function. @throws UsageError where that gave none. */
  claimed(isClass: (given: unknown, kin: Kin<D, C>) => boolean, model: string): C | null {
    if (this.#claim === null) return null;
    const given = this.#claim();
    if (isClass(given, this)) return given;
    const text = `The class of the type "${this.type}" is named by the option "class" of extend(), a function that gives it: class Car extends Vehicle.extend({ … }, { type: 'car', class: () => Car }). What it gave is another one.`;
    throw new UsageError(text, { model });
  }

  /** This class and all below it. */
  get all(): Kin<D, C>[] {
    return [this, ...this.#children.flatMap((child) => child.all)];
  }

  /** The types of this class and of all below it. */
  get types(): string[] {
    return this.all.flatMap(({ type }) => type ?? []);
  }

  /** True for this class, and for one below it. */
  includes(other: Kin<D, C>): boolean {
    for (let each: Kin<D, C> | null = other; each !== null; each = each.parent) if (each === this) return true;
    return false;
  }

  /** What finds the documents of this class and of those below it; null where all documents of the collection are. */
  get conditions(): TypeFilter | null {
    if (this.parent === null) return null;
    const { types } = this;
    return { [this.key]: types.length === 1 ? this.type : { $in: types } };
  }

  /** What finds the documents of this very class; null where no document of the collection is of another. */
  get exactConditions(): TypeFilter | null {
    const { key, type, parent } = this;
    if (this.isAlone) return null;
    if (parent !== null) return { [key]: type };
    const below = this.types.filter((each) => each !== type);
    if (this.unknownType === 'parent') return below.length === 0 ? null : { [key]: { $nin: below } };
    return { [key]: type === null ? null : { $in: [type, null] } };
  }
}

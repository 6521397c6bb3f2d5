/** Up to here a list is made faster than a set. */
const FEW = 4;

/**
 * The fields of a document that were assigned as a whole and not validated since: their schemas' outputs are still to be
 * taken over. A new document begins with all those that it was made of; most are valid as they are and then inserted, so
 * a set is made only where more is asked.
 */
export class AssignedFields {
  /** What the set begins with. */
  #given: readonly string[] = [];
  #names: Set<string> | null = null;

  /** Begins with these: what a new document was made of. */
  begin(names: readonly string[]): void {
    this.#given = names;
    this.#names = null;
  }

  has(name: string): boolean {
    return this.#names === null ? this.#given.includes(name) : this.#names.has(name);
  }

  add(name: string): void {
    if (this.has(name)) return;
    // Most loaded documents have one or two fields assigned.
    if (this.#names === null && this.#given.length < FEW) this.#given = [...this.#given, name];
    else this.#set.add(name);
  }

  /** @returns false where it was none. */
  delete(name: string): boolean {
    return this.has(name) && this.#set.delete(name);
  }

  clear(): void {
    this.#given = [];
    this.#names = null;
  }

  /** Forgets all but those for which `stays` is true. */
  keep(stays: (name: string) => boolean): void {
    this.#given = this.list().filter(stays);
    this.#names = null;
  }

  list(): readonly string[] {
    return this.#names === null ? this.#given : [...this.#names];
  }

  get #set(): Set<string> {
    return (this.#names ??= new Set(this.#given));
  }
}

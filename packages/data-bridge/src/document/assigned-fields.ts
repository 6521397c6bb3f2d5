/** For more, a set is faster; for fewer, making one costs more than it saves. */
const maxFew = 16;

/**
 * The fields of a document that were assigned as a whole and not validated since: their schemas' outputs are still to be
 * taken over. A new document begins with all those that it was made of; most are valid as they are and then inserted, so
 * a set is made only where more is asked.
 */
export class AssignedFields {
  /** All of them, while there is no set. */
  #few: readonly string[] = [];
  /** The list to add to: the one above, where it was made here. */
  #own: string[] | null = null;
  #many: Set<string> | null = null;

  /** Begins with these: what a new document was made of. */
  begin(names: readonly string[]): void {
    this.#few = names;
    this.#own = null;
    this.#many = null;
  }

  has(name: string): boolean {
    return this.#many === null ? this.#few.includes(name) : this.#many.has(name);
  }

  add(name: string): void {
    if (this.has(name)) return;
    if (this.#many !== null || this.#few.length >= maxFew) this.#set.add(name);
    else (this.#own ??= this.#copy()).push(name);
  }

  /** @returns false where it was none. */
  delete(name: string): boolean {
    return this.has(name) && this.#set.delete(name);
  }

  clear(): void {
    this.begin([]);
  }

  /** Forgets all but those for which `stays` is true. */
  keep(stays: (name: string) => boolean): void {
    this.begin(this.#many === null ? this.#few.filter(stays) : [...this.#many].filter(stays));
  }

  /** What is in it now: adding and deleting does not change this list. */
  list(): readonly string[] {
    return [...(this.#many ?? this.#few)];
  }

  #copy(): string[] {
    const own = [...this.#few];
    this.#few = own;
    return own;
  }

  get #set(): Set<string> {
    return (this.#many ??= new Set(this.#few));
  }
}

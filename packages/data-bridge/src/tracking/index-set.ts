/** For more, a Set is faster; for fewer, making one costs more than it saves. */
const maxFew = 16;

/** A set of small numbers in the order in which they were added, which are usually few. */
export class IndexSet {
  #few: number[] = [];
  #many: Set<number> | null = null;

  has(index: number): boolean {
    return this.#many === null ? this.#few.includes(index) : this.#many.has(index);
  }

  add(index: number): void {
    if (this.has(index)) return;
    if (this.#many === null && this.#few.length < maxFew) this.#few.push(index);
    else (this.#many ??= new Set(this.#few)).add(index);
  }

  delete(index: number): void {
    if (this.#many === null) this.#few = this.#few.filter((each) => each !== index);
    else this.#many.delete(index);
  }

  /** What is in it now: adding and deleting does not change this list. */
  list(): readonly number[] {
    return [...(this.#many ?? this.#few)];
  }
}

/** What undoes a change. */
type Undo = () => void;

/** What a transaction in memory has changed, so that all of it can be undone. Outside of transactions it keeps nothing. */
export class Journal {
  #undos: Undo[] | undefined;
  /** Which transaction it is. */
  number = 0;

  /** Runs `work`. Where that throws, everything is as it was before. */
  run<T>(work: () => T): T {
    const undos: Undo[] = [];
    this.#undos = undos;
    this.number += 1;
    try {
      return work();
    } catch (error) {
      this.#undos = undefined;
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) undo();
      throw error;
    } finally {
      this.#undos = undefined;
    }
  }

  /** Notes how to undo the change that was made last. */
  add(undo: Undo): void {
    this.#undos?.push(undo);
  }
}

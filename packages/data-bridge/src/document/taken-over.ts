/**
 * Fields as they were when their schemas' outputs were taken over: what is in these copies is not transformed again, though
 * it is not stored yet, or never was.
 */
export class TakenOver {
  #values: Map<string, unknown> | null = null;
  /** Those that the write under way sends. */
  #sent: ReadonlyMap<string, unknown> | null = null;

  get(name: string): unknown {
    return this.#values?.get(name);
  }

  /** @param copy `undefined` where nothing is known. */
  set(name: string, copy: unknown): void {
    if (copy !== undefined) (this.#values ??= new Map()).set(name, copy);
  }

  /** Forgets one field, or all. */
  forget(name?: string): void {
    if (name === undefined) this.#values = null;
    else this.#values?.delete(name);
  }

  /** Notes that what is settled now is being sent. */
  planned(): void {
    this.#sent = this.#values === null ? null : new Map(this.#values);
  }

  /** What was sent is stored: it needs no note any more, unless another output was taken over since. */
  confirmed(): void {
    this.#sent?.forEach((copy, name) => {
      if (this.#values?.get(name) === copy) this.#values?.delete(name);
    });
    this.#sent = null;
  }

  /** What is known now, by field. */
  copies(): ReadonlyMap<string, unknown> {
    return new Map(this.#values ?? []);
  }

  /** Keeps what is known now, and gives what takes it back. */
  keep(): () => void {
    const kept = this.#values === null ? null : new Map(this.#values);
    return () => {
      this.#values = kept === null ? null : new Map(kept);
    };
  }
}

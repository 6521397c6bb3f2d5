// Documents by the values of a field, for joins without an index: asking the collection again for each document would
// read all of it as often.
import type { Collation } from '../../values/collation.ts';
import { keyOf } from '../../values/order.ts';
import { splitPath, visit } from '../../values/path.ts';
import type { Document, Value } from '../../values/value.ts';

/** Finds what the filter `{field: {$in: values}}` would find. */
export class JoinTable {
  readonly #documents: readonly Document[];
  readonly #positions = new Map<string, Set<number>>();
  readonly #collation: Collation | undefined;

  constructor(documents: Iterable<Document>, field: string, collation: Collation | undefined) {
    this.#documents = Array.from(documents);
    this.#collation = collation;
    const path = splitPath(field);
    for (const [position, document] of this.#documents.entries()) {
      visit(document, path, true, (value) => {
        this.#add(value ?? null, position);
        return false;
      });
    }
  }

  /** In the order in which they were given. */
  find(values: readonly Value[]): Document[] {
    const all = new Set(values.flatMap((value) => [...this.#at(value)]));
    return [...all].sort((a, b) => a - b).flatMap((position) => this.#documents[position] ?? []);
  }

  #at(value: Value): ReadonlySet<number> {
    return this.#positions.get(keyOf(value, this.#collation?.fold)) ?? new Set();
  }

  #add(value: Value, position: number): void {
    const key = keyOf(value, this.#collation?.fold);
    const found = this.#positions.get(key);
    if (found === undefined) this.#positions.set(key, new Set([position]));
    else found.add(position);
  }
}

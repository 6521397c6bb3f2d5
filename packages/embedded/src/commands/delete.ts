import type { Document, Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { type GivenCollation, scopeFor } from '../dispatch/arguments.ts';
import type { Scope } from '../dispatch/command.ts';
import type { SecondaryIndex } from '../storage/secondary-index.ts';
import { limited, select } from '../planner/run-plan.ts';

/** One removal. */
export interface DeleteStatement {
  readonly filter: Document;
  /** True where all documents that the filter selects are removed; otherwise the first. */
  readonly multi: boolean;
  readonly hint: Value | SecondaryIndex | undefined;
  readonly collation: GivenCollation | undefined;
}

/** Runs one statement. @returns how many documents it removed */
export function runDelete(
  collection: Collection | undefined,
  { filter, multi, hint, collation }: DeleteStatement,
  scope: Scope,
): number {
  const found = select(collection, { filter, hint }, scopeFor(scope, collection, collation), { changing: true });
  let removed = 0;
  for (const { record } of limited(found, 0, multi ? 0 : 1)) {
    collection?.remove(record);
    removed += 1;
  }
  return removed;
}

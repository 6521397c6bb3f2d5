import type { FindOptions } from 'mongodb';
import { ownBytes } from './bson/arena.ts';
import { DocumentNotFoundError, UsageError } from './errors.ts';
import type { Life } from './life.ts';
import { baselineOver } from './state/partial-baseline.ts';
import { moveTo } from './state/tracker.ts';
import { readRaw } from './stored-document.ts';

/** Reads the stored document again, of a part-loaded one the same part, and drops every change. */
export async function reload(life: Life, options?: FindOptions): Promise<void> {
  if (life.isNew && life.unanswered === null)
    throw new UsageError('The document is new: there is nothing to reload.', life.context);
  const stored = await readRaw(life, options);
  if (stored === null) throw new DocumentNotFoundError('The document is not in the collection.', life.context);
  const { selection } = life.baseline;
  moveTo(life.tracker, baselineOver(life.definition.layout(), ownBytes(stored), 0, selection));
  life.forget();
}

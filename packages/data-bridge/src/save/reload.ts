import type { FindOptions } from 'mongodb';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { ownBytes } from '../bson/arena.ts';
import { DocumentNotFoundError, UsageError } from '../errors.ts';
import { checkUnscoped, type ScopeOptions } from '../definition/extension.ts';
import type { DocumentState } from '../document/document-state.ts';
import { baselineOver } from '../tracking/loaded-baseline.ts';
import { moveTo } from '../tracking/state-tracker.ts';
import { readRaw } from '../document/stored-commands.ts';

/** Options of `reload()`: the driver's for reading one document. */
export type ReloadOptions = DriverOptions<FindOptions, 'reload'> & ScopeOptions;

/** Reads the stored document again, or the same part of one that was loaded in part, and drops every change. */
export async function reload(state: DocumentState, given: ReloadOptions = {}): Promise<void> {
  checkTaken('reload', state, given, TAKEN.reload);
  const { unscoped, ...options } = given;
  checkUnscoped(state.definition.extensions, unscoped, state.definition.collectionName);
  state.unscoped = unscoped;
  if (state.isNew && state.unanswered === null)
    throw new UsageError('The document is new: there is nothing to reload.', state.context);
  const stored = await readRaw(state, options);
  if (stored === null) throw new DocumentNotFoundError('The document is not in the collection.', state.context);
  const { selection } = state.baseline;
  moveTo(state.tracker, baselineOver(state.definition.layout(), ownBytes(stored), 0, selection));
  state.reread();
}

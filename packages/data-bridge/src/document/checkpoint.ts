import { copyValue } from '../bson/copy.ts';
import type { DocumentState, KeptFields } from './document-state.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { equalOrBothUndefined } from '../tracking/pending-operators.ts';

/** A moment of a document, to go back to. */
export interface Checkpoint {
  /** Takes the document's fields back to what they were then. It can be called again. */
  rollback(): void;
}

/** Keeps what a document's fields are now: a copy of what differs from what is stored, and no more. */
export function checkpoint(state: DocumentState): Checkpoint {
  const kept = state.keepFields();
  const { isNew, sent } = state;
  const settledThen = state.takenOver.copies();
  return {
    rollback() {
      state.join();
      state.disturbed = true;
      const isStoredAsThen =
        state.isNew === isNew && state.sent === sent && kept.baseline.sharesOriginal(state.baseline);
      if (isStoredAsThen) kept.restore();
      else setFields(state, kept, settledThen, isNew);
    },
  };
}

/** Sets the fields of a document that was saved or read again since: what differs from what is stored now is a change. */
function setFields(
  state: DocumentState,
  { baseline: then, assigned }: KeptFields,
  settledThen: ReadonlyMap<string, unknown>,
  wasNew: boolean,
): void {
  const now = state.baseline;
  for (const name of new Set([...now.names(), ...then.names()])) {
    if (state.definition.isOwn(name)) continue;
    const value = copyValue(then.get(name));
    if (equalOrBothUndefined(presentIn(now, name), value)) continue;
    state.set(name, value);
    // What was stored then, or taken over, is not transformed again.
    state.takenOver.set(name, settledThen.get(name) ?? (wasNew ? undefined : then.original(name)));
    if (assigned.includes(name)) state.assigned.add(name);
  }
}

/** What the field is now, for comparing only: it is not handed out. */
function presentIn(baseline: Baseline, name: string): unknown {
  if (!baseline.has(name)) return undefined;
  const touched = baseline.current(name);
  return touched === undefined ? baseline.original(name) : touched;
}

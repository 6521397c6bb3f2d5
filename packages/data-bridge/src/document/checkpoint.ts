import { copyValue } from '../bson/copy.ts';
import type { KeptFields, Life } from './document-state.ts';
import type { Baseline } from '../tracking/baseline.ts';
import { equalOrBothUndefined } from '../tracking/pending-operators.ts';

/** A moment of a document, to go back to. */
export interface Checkpoint {
  /** Takes the document's fields back to what they were then. It can be called again. */
  rollback(): void;
}

/** Keeps what a document's fields are now: a copy of what differs from what is stored, and no more. */
export function checkpoint(life: Life): Checkpoint {
  const kept = life.keepFields();
  const { isNew, sent } = life;
  return {
    rollback() {
      life.join();
      life.disturbed = true;
      const isStoredAsThen = life.isNew === isNew && life.sent === sent && kept.baseline.sharesOriginal(life.baseline);
      if (isStoredAsThen) kept.restore();
      else setFields(life, kept);
    },
  };
}

/** Sets the fields of a document that was saved or read again since: what differs from what is stored now is a change. */
function setFields(life: Life, { baseline: then, assigned }: KeptFields): void {
  const now = life.baseline;
  for (const name of new Set([...now.names(), ...then.names()])) {
    if (life.definition.isOwn(name)) continue;
    const value = copyValue(then.get(name));
    if (equalOrBothUndefined(presentIn(now, name), value)) continue;
    life.set(name, value);
    if (assigned.includes(name)) life.assigned.add(name);
  }
}

/** What the field is now, for comparing only: it is not handed out. */
function presentIn(baseline: Baseline, name: string): unknown {
  if (!baseline.has(name)) return undefined;
  const touched = baseline.current(name);
  return touched === undefined ? baseline.original(name) : touched;
}

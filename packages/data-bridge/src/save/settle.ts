import { LateBytes } from '../bson/encode.ts';
import { isVerdict } from '../connection/driver-error.ts';
import { type Outcome, outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { putBack, takeStored } from '../document/atomic-methods.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import { extentAt } from '../document/loaded-part.ts';
import { hasAtomic } from '../document/stored-commands.ts';
import { type EditTree, someEdit } from '../edits/edits.ts';
import { OutcomeUnknownError } from '../errors.ts';
import { BsonBaseline } from '../tracking/bson-baseline.ts';
import { carriedOut } from '../tracking/pending-operators.ts';
import { moveTo } from '../tracking/state-tracker.ts';
import { adds } from '../update/plan.ts';
import { recorderOf } from './recorder.ts';
import type { BSON } from 'mongodb';

/**
 * Makes what was sent the baseline.
 *
 * @param stored the fields with operators as they are stored now, where the server told them.
 */
export function settle(state: DocumentState, write: Write, stored: Uint8Array | null = null): void {
  if (write.kind === 'insert') settleInsert(state, write.document);
  else settleUpdate(state, write, stored);
  state.takenOver.confirmed();
}

function settleUpdate(
  state: DocumentState,
  { tree, stamped }: Write & { kind: 'update' },
  stored: Uint8Array | null,
): void {
  const { baseline, definition } = state;
  const after = stored === null ? null : new BsonBaseline(definition.layout(), stored, 0);
  const left = after === null ? null : (name: string) => after.exact(name);
  const settled = someEdit(tree.children, hasAtomic) ? carriedOut(tree, left) : tree;
  // Most models write nothing of their own.
  if (stamped.length === 0 && after === null) {
    baseline.settle(settled);
    takeStored(state);
    state.settled(settled);
    return;
  }
  // A Date that was read before stays as it is: the new time is another one.
  const read = stamped.filter((name) => baseline.current(name) !== undefined && !baseline.differs(name));
  const loaded = withoutUnloaded(state, settled, stamped);
  baseline.settle(after === null ? loaded : recorderOf(definition).settled(state, loaded, after));
  for (const name of read) baseline.revert(name);
  takeStored(state);
  state.settled(settled);
}

/** Of what was not loaded only the time of the update and the version can have been written; they stay unknown. */
function withoutUnloaded(state: DocumentState, tree: EditTree, stamped: readonly string[]): EditTree {
  const unloaded = stamped.filter((name) => extentAt(state, [name]) === 'nothing');
  if (unloaded.length === 0) return tree;
  return { kind: 'object', children: new Map([...tree.children].filter(([name]) => !unloaded.includes(name))) };
}

function settleInsert(state: DocumentState, document: BSON.Document): void {
  const { baseline, definition } = state;
  const sent = new LateBytes(document);
  // Containers that the program holds stay, and so does what it changed since the insert was planned. Neither what was
  // planned nor what stood before can change any more, so both are looked at when somebody asks: often nobody does.
  const carryOver = (settled: BsonBaseline): void => {
    for (const name of new Set([...settled.names(), ...baseline.names()]))
      if (!counts(definition, name)) settled.carry(name, baseline.current(name));
  };
  moveTo(state.tracker, BsonBaseline.late(definition.layout(), sent, carryOver));
  state.settled(sent);
}

/** True for what the mapper counts the writes by. */
function counts(definition: ModelDefinition, name: string): boolean {
  return name === definition.version || definition.isRevision(name);
}

/** Takes back a plan that is not going to be sent: what it holds waits for the next save. */
export function withdraw(state: DocumentState): void {
  putBack(state);
  state.withdrawn();
}

/** Notes what is known of a write that failed, and gives the error to throw. */
export function fail(state: DocumentState, write: Write, error: unknown, outcome: Outcome = outcomeOf(error)): unknown {
  // The error has no exact values: those of operators are taken to be what memory shows.
  if (outcome === 'applied') settle(state, write);
  if (outcome !== 'unknown') {
    // What the server refuses to store, it did not store before.
    const isOpen = state.unanswered !== null && !isVerdict(error);
    if (outcome === 'refused' && !isOpen) putBack(state);
    if (!isOpen) {
      state.withdrawn();
      state.answered();
    }
    return translate(error, state.context, state.definition);
  }
  state.unansweredBy(write);
  const then = isRepeatable(write)
    ? 'Calling save() again is safe.'
    : 'Call reload() to see what is stored, or $rebase({ applied }) where you know.';
  return new OutcomeUnknownError(`The save was sent, and the connection broke before its answer came. ${then}`, {
    ...state.context,
    cause: safely(error),
  });
}

/** True where sending it twice leaves what sending it once does. */
export function isRepeatable(write: Write): boolean {
  return write.kind === 'insert' || (write.entry === undefined && !adds(write.tree));
}

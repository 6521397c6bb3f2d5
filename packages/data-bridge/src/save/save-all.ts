import { currentAttempt } from '../connection/transaction-attempt.ts';
import { limitsOf, type ServerLimits } from '../connection/server-limits.ts';
import { concurrently, CONCURRENCY } from '../connection/concurrently.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { stateOf, TrackedDocument } from '../document/tracked-document.ts';
import { withTargets } from './cascade.ts';
import { BulkSaveError, ConflictError, DocumentNotFoundError, type SaveResult, UsageError } from '../errors.ts';
import { DocumentState, type Write } from '../document/document-state.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { outcomeOf } from '../connection/write-outcome.ts';
import { checkSaveOptions, prepare, type SaveOptions, sendAndSettle } from './save.ts';
import { errorAfter, hookRun, type HookRun } from './run-hooks.ts';
import { announceJobs, finishJobs, partsOf } from './save-recorded.ts';
import { withdraw } from './settle.ts';
import {
  type Command,
  intoCommands,
  type PlannedWrite,
  sendTogether,
  UNTRIED,
  type Written,
  WRITTEN,
} from './save-batch.ts';

/** Options of `saveAll()`: those of `save()`, and whether one failure stops the others. */
export interface SaveAllOptions extends SaveOptions {
  /**
   * Whether the documents are written in the order of the list, and none after one that failed. One that is gone or in
   * conflict stops no other.
   * @default false; true with `cascade`, so that nothing is stored that refers to what could not be
   */
  readonly ordered?: boolean;
}

/** One document on its way. */
interface Job {
  readonly document: TrackedDocument<unknown>;
  readonly state: DocumentState;
  readonly server: ServerLimits;
  /** What is called around it; null where its class has no hooks. */
  readonly run: HookRun | null;
  /** What it writes; null until it is planned, and where nothing changed. */
  write: Write | null;
  /** What became of it; null while that is open, and where nothing changed. */
  written: Written | null;
  hookError?: unknown;
}

type PlannedJob = Job & { readonly write: Write };

/**
 * Saves documents of any models, each as `save()` would, with as few commands as the servers' limits allow.
 *
 * @returns what became of each document, in the order of the list. One that is listed twice is saved once.
 * @throws BulkSaveError when any of them was not saved; it carries the same list.
 */
export async function saveAll(
  listed: readonly TrackedDocument<unknown>[],
  { cascade = false, ordered = cascade, ...options }: SaveAllOptions = {},
): Promise<SaveResult[]> {
  if (!Array.isArray(listed)) throw new UsageError('saveAll() takes a list of documents.');
  listed.forEach(checkDocument);
  const documents = cascade ? withTargets(listed) : [...new Set(listed)];
  documents.forEach(checkOwnFields);
  const states = documents.map(stateOf);
  return DocumentState.queueAll(states, 'saveAll', async () => {
    checkOptions(states, options);
    const jobs = await jobsOf(documents, states, options);
    await planAll(jobs, ordered, options);
    await sendAll(jobs.filter(isPlanned), ordered, options);
    takeBackOthers(jobs);
    // Each wait costs, and most documents have no hooks.
    for (const job of jobs) if (job.run !== null) await callAfter(job, job.run);
    const results = jobs.map(resultOf);
    if (results.some((each) => each.error !== undefined || each.hookError !== undefined || each.outcome === 'failed'))
      throw new BulkSaveError(results);
    return results;
  });
}

function checkDocument(document: unknown): void {
  if (!(document instanceof TrackedDocument))
    throw new UsageError('saveAll() takes documents of models, made or found by them.');
}

/** Once for each model. */
function checkOptions(states: readonly DocumentState[], options: SaveOptions): void {
  const checked = new Set<ModelDefinition>();
  for (const state of states) {
    if (checked.has(state.definition)) continue;
    checkSaveOptions('saveAll', state, options);
    checked.add(state.definition);
  }
}

async function jobsOf(
  documents: readonly TrackedDocument<unknown>[],
  states: readonly DocumentState[],
  options: SaveOptions,
): Promise<Job[]> {
  const servers = await serversOf(states);
  return documents.map((document, place) => {
    const state = states[place] as DocumentState;
    const server = servers.get(state.definition) as ServerLimits;
    state.unscoped = options.unscoped;
    return { document, state, server, run: hookRun(state, options), write: null, written: null };
  });
}

/** Asked once for each model. */
async function serversOf(states: readonly DocumentState[]): Promise<ReadonlyMap<ModelDefinition, ServerLimits>> {
  const servers = new Map<ModelDefinition, ServerLimits>();
  for (const { definition } of states)
    if (!servers.has(definition)) servers.set(definition, await limitsOf(definition.connection()));
  return servers;
}

/** Hooks, validation and plan of each. */
async function planAll(jobs: readonly Job[], ordered: boolean, options: SaveOptions): Promise<void> {
  let isStopped = false;
  const fail = (job: Job, error: unknown): void => {
    job.written = { isWritten: false, error };
    isStopped ||= ordered && isFailure(job.written);
  };
  // Hooks are called for one document after another.
  const atOnce = jobs.some(({ run }) => run !== null) ? 1 : maxConcurrent(ordered, options);
  await concurrently(jobs, atOnce, (job) => {
    if (isStopped) {
      job.written = UNTRIED;
      return undefined;
    }
    try {
      const prepared = prepare(job.state, options, job.run);
      if (prepared instanceof Promise) return planLater(job, prepared, fail);
      job.write = prepared;
      return undefined;
    } catch (error) {
      return fail(job, error);
    }
  });
}

async function planLater(
  job: Job,
  prepared: Promise<Write | null>,
  fail: (job: Job, error: unknown) => void,
): Promise<void> {
  try {
    job.write = await prepared;
  } catch (error) {
    fail(job, error);
  }
}

/** Sends and settles what was planned. */
async function sendAll(jobs: readonly PlannedJob[], ordered: boolean, options: SaveOptions): Promise<void> {
  let isStopped = false;
  const send = async (command: Command<PlannedJob>): Promise<void> => {
    const written = isStopped ? command.writes.map(takeBack) : await sendCommand(command, ordered, options);
    command.writes.forEach((job, place) => (job.written = written[place] ?? UNTRIED));
    isStopped ||= ordered && written.some(isFailure);
  };
  for (const part of partsOf(jobs)) {
    const announced = isStopped ? [] : await announceJobs(part, options);
    isStopped ||= ordered && part.some(({ written }) => isFailure(written));
    const open = part.filter(({ written }) => written === null);
    await concurrently(intoCommands(open, ordered), maxConcurrent(ordered, options), send);
    await finishJobs(announced);
  }
}

function takeBack({ state }: PlannedWrite): Written {
  withdraw(state);
  return UNTRIED;
}

async function sendCommand(
  command: Command<PlannedJob>,
  ordered: boolean,
  options: SaveOptions,
): Promise<readonly Written[]> {
  const [first] = command.writes;
  if (first !== undefined && command.writes.length === 1) return [await sendAlone(first, options)];
  const written = await sendTogether(command, { ...options, ordered });
  if (!written.some(isMissed)) return written;
  const again: Written[] = [];
  for (const [place, each] of written.entries())
    again.push(isMissed(each) ? await sendAlone(command.writes[place] as PlannedJob, options) : each);
  return again;
}

function isMissed({ isMissed: missed }: Written): boolean {
  return missed === true;
}

async function sendAlone({ state, write, run }: PlannedJob, options: SaveOptions): Promise<Written> {
  try {
    const done = await sendAndSettle(state, write, options, run);
    return done === null ? UNNEEDED : WRITTEN;
  } catch (error) {
    return { isWritten: outcomeOf(error) === 'applied', error };
  }
}

/** What ended the transaction is told once, of the document that it befell: the others are taken back with it. */
function takeBackOthers(jobs: readonly Job[]): void {
  const attempt = currentAttempt();
  if (attempt?.isEnded !== true) return;
  const befell = ({ written }: Job): boolean => written?.error !== undefined && !attempt.endedBefore(written.error);
  if (jobs.some(befell)) for (const job of jobs) if (job.written !== null && !befell(job)) job.written = UNTRIED;
}

/** After a conflict nothing was left to write. */
const UNNEEDED: Written = { isWritten: true };

/** What comes after a write is called when all is sent, and only where that was confirmed as asked. */
async function callAfter(job: Job, run: HookRun): Promise<void> {
  const { state, write, written } = job;
  if (write === null || written === null || written === UNNEEDED) return;
  if (!written.isWritten || written.error !== undefined) return;
  job.hookError = await errorAfter(state, run.hooks, write.kind);
}

/** How many commands may be under way together. Those of a session may not. */
function maxConcurrent(ordered: boolean, { session }: SaveOptions): number {
  return ordered || session !== undefined ? 1 : CONCURRENCY;
}

/**
 * True where it stops those behind it. A command with many documents reports only when it is done that one of them is
 * gone, or is another one now.
 */
function isFailure(written: Written | null): boolean {
  if (written === null || written.isWritten) return false;
  return !(written.error instanceof DocumentNotFoundError || written.error instanceof ConflictError);
}

function isPlanned(job: Job): job is PlannedJob {
  return job.write !== null;
}

function resultOf({ document, write, written, hookError }: Job): SaveResult {
  if (written === null) return { document, outcome: 'clean' };
  const { isWritten, error } = written;
  if (error instanceof ConflictError) return { document, outcome: 'conflict', error };
  const outcome = !isWritten ? 'failed' : write?.kind === 'insert' ? 'inserted' : 'updated';
  if (error === undefined && hookError === undefined) return { document, outcome };
  return { document, outcome, ...(error !== undefined && { error }), ...(hookError !== undefined && { hookError }) };
}

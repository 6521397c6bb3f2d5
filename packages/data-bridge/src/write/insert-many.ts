import { readField, stateOf } from '../document/tracked-document.ts';
import type { Abortable, BulkWriteOptions } from 'mongodb';
import { Arena } from '../bson/arena.ts';
import type { EncodedDocument } from '../bson/encoded-document.ts';
import { checkUnscoped, type ScopeOptions, type Unscoped } from '../definition/extension.ts';
import { type ClassHooks, hasHooks } from '../definition/hooks.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import type { Document, DocumentClass } from '../save/document.ts';
import { BulkSaveError, type SaveResult, UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import { DocumentState, type InsertWrite } from '../document/document-state.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import { translate } from '../connection/write-outcome.ts';
import { letOut } from '../save/door.ts';
import { planInsert } from '../save/plan-write.ts';
import { recorderOf, type WriteBatch } from '../save/recorder.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { checkWriteConcern } from '../save/check-write-concern.ts';
import { checkHooks, errorAfter, type HookChoice, hooksFor, type HookOptions } from '../save/run-hooks.ts';
import { partsOf } from '../save/save-recorded.ts';
import { fail, settle } from '../save/settle.ts';
import { type Door, documentFor, fieldsIn, plainInputs, type Sent } from './plain-inputs.ts';
import { type InsertFate, type InsertFates, sendInserts, withoutTakenBack } from './send-inserts.ts';

/** Options of `insertMany`: the driver's, whether to validate, and what to give back. */
export interface InsertManyOptions extends DriverOptions<BulkWriteOptions, 'insertMany'>, HookOptions, ScopeOptions {
  /**
   * Whether all documents are validated before anything is sent.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
  /**
   * Whether the times of the model's `timestamps` are written. With false, documents may be given their own, as imports do.
   * @default true
   */
  readonly timestamps?: boolean;
  /**
   * The documents, or their `_id`s alone. With `{ validate: false, return: 'ids' }` no documents are made of plain inputs;
   * a client that shows its commands, and drivers before 7.6, are given the inputs themselves, so these must not be changed
   * before the call is over.
   * @default 'documents'
   */
  readonly return?: 'documents' | 'ids';
}

/**
 * Inserts new documents in one call of the driver. Nothing is sent unless all of them are valid.
 *
 * @param inputs plain objects of fields, and documents made by `new`.
 * @returns the documents, or their `_id`s, in the order of the inputs.
 * @throws ValidationError with the issues of all; nothing was sent.
 * @throws BulkSaveError where the server refused some of them: its `results` tell of each.
 */
export async function insertMany(
  model: DocumentClass,
  inputs: readonly object[],
  options: InsertManyOptions = {},
): Promise<unknown[]> {
  const definition = model.prototype[definitionKey];
  checkTaken('insertMany', definition, options, [...TAKEN.insertMany, 'validate', 'timestamps', 'return', 'hooks']);
  const {
    validate: validated = definition.validate,
    timestamps: hasTimes = true,
    return: kind = 'documents',
    hooks: isHooked,
    unscoped,
    ...driverOptions
  } = options;
  if (!Array.isArray(inputs)) throw new UsageError('insertMany() takes a list of documents.', definition.context);
  if (kind !== 'documents' && kind !== 'ids')
    throw new UsageError('insertMany() takes "documents" or "ids" as "return".', definition.context);
  checkHooks('insertMany', definition.context, isHooked);
  checkUnscoped(definition.extensions, unscoped, definition.collectionName);
  if (inputs.length === 0) return [];
  const door = { validated, hasTimes };
  const isCalled = isHooked !== false && hasHooks(model.prototype);
  const plain = isCalled ? null : plainInputs(model, inputs, door, kind);
  if (plain !== null) return insertPlain(model, { inputs, sent: plain, door, kind }, driverOptions);
  const documents = inputs.map((input) => (input instanceof model ? input : new model(input)));
  checkDocuments(definition, documents);
  const states = documents.map(stateOf);
  const { session } = driverOptions;
  const hooks = hooksOfEach(states, { ...(isHooked === false && { hooks: false }), session });
  // What was made here of plain inputs and is not given back needs no care any more.
  const held = (place: number): boolean => kind === 'documents' || hooks !== null || inputs[place] === documents[place];
  const told = await DocumentState.queueAll(states, 'insertMany', async () => {
    const hookedDoor = { ...door, hooks, unscoped };
    const sent = await insertStates(definition, states, held, hookedDoor, driverOptions);
    return hooks === null ? sent : callAfter(states, sent, hooks);
  });
  throwFailures(definition, documents, told);
  return kind === 'ids' ? documents.map((document) => readField(document, '_id')) : documents;
}

interface PlainInsert {
  readonly inputs: readonly object[];
  /** What is sent of each. */
  readonly sent: readonly Sent[];
  readonly door: Door;
  readonly kind: 'documents' | 'ids';
}

async function insertPlain(
  model: DocumentClass,
  { inputs, sent, door, kind }: PlainInsert,
  options: SendOptions,
): Promise<unknown[]> {
  const definition = model.prototype[definitionKey];
  checkSending(definition, options);
  const hasDocuments = kind === 'documents' || door.validated;
  const told = await sendInserts(definition, [...sent], options, hasDocuments ? SAVE_AGAIN : READ_FIRST);
  const given = (): object[] =>
    hasDocuments
      ? told.fates.map((fate, at) => documentFor(model, sent[at] as EncodedDocument, inputs[at] as object, fate, door))
      : sent.map((each) => fieldsIn(model, each));
  throwFailures(definition, isFailed(told) ? given() : sent, told);
  return kind === 'ids' ? sent.map(({ _id }) => _id as unknown) : given();
}

const SAVE_AGAIN = 'Calling save() of each is safe.';
const READ_FIRST = 'Read what is stored before you send them again.';

type SendOptions = BulkWriteOptions & Partial<Abortable>;

function checkSending(definition: ModelDefinition, options: SendOptions): void {
  options.signal?.throwIfAborted();
  checkWriteConcern('insertMany', { definition, context: definition.context }, options);
}

function isFailed({ fates }: InsertFates): boolean {
  return fates.some((each) => each.outcome !== 'inserted' || each.error !== undefined || each.hookError !== undefined);
}

/** @throws BulkSaveError where the server refused documents or never answered; what befell all of them as it is. */
function throwFailures(
  definition: ModelDefinition,
  documents: readonly object[],
  { fates, failure }: InsertFates,
): void {
  if (failure !== undefined) throw failure as Error;
  if (!isFailed({ fates })) return;
  const results = fates.map(({ outcome, error, hookError }, place): SaveResult => {
    const document = documents[place] as object;
    const told = outcome === 'inserted' ? 'inserted' : 'failed';
    return {
      document,
      outcome: told,
      ...(error !== undefined && { error }),
      ...(hookError !== undefined && { hookError }),
    };
  });
  throw new BulkSaveError(results, definition.context);
}

function checkDocuments(definition: ModelDefinition, documents: readonly Document<unknown>[]): void {
  documents.forEach(checkOwnFields);
  if (new Set(documents).size < documents.length)
    throw new UsageError('insertMany() was given one document twice.', definition.context);
}

interface HookedDoor extends Door {
  readonly hooks: HooksOfEach | null;
  readonly unscoped: Unscoped | undefined;
}

/** By the place of a document the hooks of its class; null for none. */
type HooksOfEach = readonly (ClassHooks | null)[];

/** The hooks of documents that may be of different classes; null where none has any. */
function hooksOfEach(states: readonly DocumentState[], choice: HookChoice): HooksOfEach | null {
  const all = states.map((state) => hooksFor(state, choice));
  return all.every((each) => each === null) ? null : all;
}

/** What comes after an insert is called when all are sent, and only of those that were confirmed as asked. */
async function callAfter(
  states: readonly DocumentState[],
  told: InsertFates,
  hooksOf: HooksOfEach,
): Promise<InsertFates> {
  const fates: InsertFate[] = [];
  for (const [place, fate] of told.fates.entries()) {
    const isDone = fate.outcome === 'inserted' && fate.error === undefined;
    const state = states[place];
    const hooks = hooksOf[place] ?? null;
    const hookError =
      isDone && state !== undefined && hooks !== null ? await errorAfter(state, hooks, 'insert') : undefined;
    fates.push(hookError === undefined ? fate : { ...fate, hookError });
  }
  return { ...told, fates };
}

async function insertStates(
  definition: ModelDefinition,
  states: readonly DocumentState[],
  isHeld: (place: number) => boolean,
  door: HookedDoor,
  options: SendOptions,
): Promise<InsertFates> {
  const stored = states.find((state) => !state.isNew);
  if (stored !== undefined)
    throw new UsageError('insertMany() takes new documents only: one of these is stored already.', stored.context);
  const writes = await planAll(states, door);
  checkSending(definition, options);
  const planned = writes.map((write, place) => ({ state: states[place] as DocumentState, write }));
  const told = await (recorderOf(definition).needsDocuments
    ? sendRecorded(definition, planned, options)
    : sendInserts(
        definition,
        writes.map(({ document }) => document),
        options,
        SAVE_AGAIN,
      ));
  // An error gives the program all of them.
  const isTold = isFailed(told);
  for (const [place, { outcome, error }] of told.fates.entries()) {
    const { state, write } = planned[place] as PlannedInsert;
    if (!isTold && !isHeld(place)) continue;
    if (outcome === 'inserted') settle(state, write);
    else if (outcome === 'unknown') fail(state, write, error, 'unknown');
  }
  return told;
}

interface PlannedInsert {
  readonly state: DocumentState;
  readonly write: InsertWrite;
}

/** Documents whose writes are recorded: some at a time, with their entries. */
async function sendRecorded(
  definition: ModelDefinition,
  planned: readonly PlannedInsert[],
  options: SendOptions,
): Promise<InsertFates> {
  const fates: InsertFate[] = [];
  for (const part of partsOf(planned)) {
    const told = await sendPart(definition, part, options);
    fates.push(...told.fates);
    if (told.failure !== undefined && part.length === planned.length) return told;
    const isStopped =
      ((options.ordered ?? true) || isInTransaction(options)) &&
      told.fates.some(({ outcome }) => outcome !== 'inserted');
    if (isStopped || told.failure !== undefined) break;
  }
  while (fates.length < planned.length) fates.push({ outcome: 'untried' });
  return withoutTakenBack({ fates }, options);
}

async function sendPart(
  definition: ModelDefinition,
  part: readonly PlannedInsert[],
  options: SendOptions,
): Promise<InsertFates> {
  let batch: WriteBatch | null;
  try {
    batch = await recorderOf(definition).announce(definition, part, options);
  } catch (error) {
    const failure = translate(error, definition.context, definition);
    return { fates: part.map(() => ({ outcome: 'refused', error: failure })), failure };
  }
  const told = await sendInserts(
    definition,
    part.map(({ write }) => write.document),
    options,
    SAVE_AGAIN,
  );
  if (batch === null) return told;
  told.fates.forEach(({ outcome }, place) => {
    const { write } = part[place] as PlannedInsert;
    if (outcome === 'inserted') batch.inserted(write);
    else if (outcome !== 'unknown') batch.dropped(write);
  });
  const failures = await batch.finish();
  if (failures.size === 0) return told;
  const fates = told.fates.map((fate, place): InsertFate => {
    const error = failures.get((part[place] as PlannedInsert).write);
    return error === undefined ? fate : { outcome: 'inserted', error };
  });
  return withoutTakenBack({ fates }, options);
}

// ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** Lets all of them out, and plans each as it was when it was found valid. @throws ValidationError with the issues of all. */
async function planAll(
  states: readonly DocumentState[],
  { validated, hasTimes, hooks, unscoped }: HookedDoor,
): Promise<InsertWrite[]> {
  const arena = Arena.for(states.length);
  const writes: InsertWrite[] = [];
  const issues: ValidationIssue[] = [];
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as DocumentState;
    try {
      const before = hooks?.[index]?.insert.before;
      const planned = letOut(state, validated, () => planInsert(state, arena), hasTimes, before, unscoped);
      // Each wait costs, and for most documents there is nothing to wait for.
      writes.push(planned instanceof Promise ? await planned : planned);
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      issues.push(...error.issues.map((issue) => issueWithin(issue, index)));
    }
  }
  if (issues.length > 0) throw new ValidationError(issues, { model: states[0]?.definition.collectionName });
  return writes;
}

/** The issue of one document of a list: its keys begin with the document's place. */
export function issueWithin(issue: ValidationIssue, index: number): ValidationIssue {
  const placed = { ...issue, keys: [index, ...issue.keys], path: `${index}.${issue.path}` };
  return Object.defineProperty(placed, 'value', { value: issue.value, enumerable: false });
}

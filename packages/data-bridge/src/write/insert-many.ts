import { type Abortable, type BSON, type BulkWriteOptions, MongoBulkWriteError, ObjectId } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { isStorable } from '../bson/storable.ts';
import { CONCURRENCY, concurrently } from '../connection/concurrently.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { Document, lifeOf, readField } from '../save/document.ts';
import { OutcomeUnknownError, UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import { isRecorded } from '../history/record.ts';
import { DocumentState, type Write } from '../document/document-state.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { outcomeOf, safely, translate } from '../connection/write-outcome.ts';
import { runHooks, stampNew } from '../save/hooks.ts';
import { planWrite } from '../save/plan-write.ts';
import { checkWriteConcern, sendAndSettle } from '../save/save.ts';
import { fail, settle, withdraw } from '../save/settle.ts';
import { validate } from '../save/validate.ts';

/** Options of `insertMany`: the driver's, whether to validate, and what to give back. */
export interface InsertManyOptions extends BulkWriteOptions, Partial<Abortable> {
  /**
   * Whether all documents are validated before anything is sent.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
  /**
   * The documents, or their `_id`s alone. With `{ validate: false, return: 'ids' }` no documents are made of plain inputs:
   * they are handed to the driver, so they must not be changed before the call is over.
   * @default 'documents'
   */
  readonly return?: 'documents' | 'ids';
}

type DocumentClass = (new (input: object) => Document<unknown>) & { readonly prototype: Document<unknown> };

/**
 * Inserts new documents in one call of the driver. Nothing is sent unless all of them are valid.
 *
 * @param inputs plain objects of fields, and documents made by `new`.
 * @returns the documents, or their `_id`s, in the order of the inputs.
 */
export async function insertMany(
  model: DocumentClass,
  inputs: readonly object[],
  options: InsertManyOptions = {},
): Promise<unknown[]> {
  const definition = model.prototype[definitionKey];
  const { validate: validated = definition.validate, return: kind = 'documents', ...driverOptions } = options;
  if (!Array.isArray(inputs)) throw new UsageError('insertMany() takes a list of documents.', contextOf(definition));
  if (kind !== 'documents' && kind !== 'ids')
    throw new UsageError('insertMany() takes "documents" or "ids" as "return".', contextOf(definition));
  if (inputs.length === 0) return [];
  const needsDocuments = validated || kind !== 'ids' || isRecorded(definition) || hasConstructor(model);
  const asTheyAre = needsDocuments ? null : sendable(definition, inputs);
  if (asTheyAre !== null) {
    await send(definition, asTheyAre, driverOptions, () => {});
    return asTheyAre.map(({ _id }) => _id);
  }
  const documents = inputs.map((input) => (input instanceof model ? input : new model(input)));
  checkDocuments(definition, documents);
  const states = documents.map(lifeOf);
  // What was made here of plain inputs and is not given back needs no care any more.
  const held = (place: number): boolean => kind === 'documents' || inputs[place] === documents[place];
  await DocumentState.queueAll(states, 'insertMany', () =>
    insertLives(definition, states, held, validated, driverOptions),
  );
  return kind === 'ids' ? documents.map((document) => readField(document, '_id')) : documents;
}

function checkDocuments(definition: ModelDefinition, documents: readonly Document<unknown>[]): void {
  documents.forEach(checkOwnFields);
  if (new Set(documents).size < documents.length)
    throw new UsageError('insertMany() was given one document twice.', contextOf(definition));
}

async function insertLives(
  definition: ModelDefinition,
  states: readonly DocumentState[],
  isHeld: (place: number) => boolean,
  validated: boolean,
  options: BulkWriteOptions & Partial<Abortable>,
): Promise<void> {
  const stored = states.find((state) => !state.isNew);
  if (stored !== undefined)
    throw new UsageError('insertMany() takes new documents only: one of these is stored already.', stored.context);
  states.forEach(runHooks);
  states.forEach(stampNew);
  const writes = validated ? await planValid(states) : states.map(planInserted);
  if (isRecorded(definition)) return insertSingly(definition, states, writes, options);
  const documents = writes.map(({ document }) => document);
  const held = states.flatMap((state, place) =>
    isHeld(place) ? [{ state, write: writes[place] as Write, place }] : [],
  );
  await send(definition, documents, options, (error) => failHeld(held, error));
  for (const { state, write } of held) settle(state, write);
}

/** Documents whose history is kept, one by one or a few at once: each with its entry. */
async function insertSingly(
  definition: ModelDefinition,
  states: readonly DocumentState[],
  writes: readonly Write[],
  { ordered = true, ...options }: BulkWriteOptions & Partial<Abortable>,
): Promise<void> {
  checkWriteConcern('insertMany', { definition, context: contextOf(definition) }, options);
  const failures: unknown[] = [];
  const atOnce = ordered || options.session !== undefined ? 1 : CONCURRENCY;
  await concurrently([...states.entries()], atOnce, async ([place, state]) => {
    const write = writes[place] as Write;
    if (ordered && failures.length > 0) return withdraw(state);
    try {
      await sendAndSettle(state, write, options);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
}

/** @param note is told of an error before it is thrown. */
async function send(
  definition: ModelDefinition,
  documents: BSON.Document[],
  options: BulkWriteOptions & Partial<Abortable>,
  note: (error: unknown) => void,
): Promise<void> {
  options.signal?.throwIfAborted();
  checkWriteConcern('insertMany', { definition, context: contextOf(definition) }, options);
  try {
    await definition.collection().insertMany(documents, options);
  } catch (error) {
    note(error);
    if (outcomeOf(error) !== 'unknown') throw translate(error, contextOf(definition), definition);
    const text =
      'The documents were sent, and the connection broke before the answer came: any of them may be stored. Calling save() of each is safe.';
    throw new OutcomeUnknownError(text, { ...contextOf(definition), cause: safely(error) });
  }
}

function contextOf(definition: ModelDefinition): { readonly model: string } {
  return { model: definition.collectionName };
}

// ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────

type Insertion = Write & { kind: 'insert' };

function planInserted(state: DocumentState): Insertion {
  return planWrite(state) as Insertion;
}

/** Validates all of them, and plans each as it was when it was found valid. */
async function planValid(states: readonly DocumentState[]): Promise<Insertion[]> {
  const writes: Insertion[] = [];
  const issues: ValidationIssue[] = [];
  for (let index = 0; index < states.length; index++) {
    const state = states[index] as DocumentState;
    try {
      const planned = validate(state, () => planInserted(state));
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

interface Held {
  readonly state: DocumentState;
  readonly write: Write;
  readonly place: number;
}

/** Notes which documents were stored before the error, and of which it is not known. */
function failHeld(held: readonly Held[], error: unknown): void {
  const result = error instanceof MongoBulkWriteError ? error.result : undefined;
  const refused = new Set(result?.getWriteErrors().map(({ index }) => index));
  // Batches go one after another: all up to here were answered.
  const answered = (result?.insertedCount ?? 0) + refused.size;
  const isUnknown = outcomeOf(error) === 'unknown';
  for (const { state, write, place } of held) {
    if (place >= answered && isUnknown) fail(state, write, error);
    else if (place < answered && !refused.has(place)) settle(state, write);
  }
}

// ── plain inputs ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The inputs as they can be stored without making documents of them; null where one of them needs more. */
function sendable(definition: ModelDefinition, inputs: readonly object[]): BSON.Document[] | null {
  const defaults = [...definition.fields.values()].filter(({ hasDefault }) => hasDefault);
  const times = Object.values(definition.timestamps ?? {});
  const now = Date.now();
  const documents: BSON.Document[] = [];
  for (const input of inputs) {
    if (!isPlainObject(input) || definition.programFields(input) !== input || !isStorable(input)) return null;
    if (definition.unknown === 'drop' && !Object.keys(input).every((name) => definition.names.has(name))) return null;
    // Its place is at the beginning, whether the input has one or not.
    const document: BSON.Document = { _id: undefined, ...input };
    if (!definition.fields.has('_id')) document['_id'] ??= new ObjectId();
    if (!(document['_id'] instanceof ObjectId)) return null;
    for (const field of defaults) if (document[field.name] === undefined) document[field.name] = field.defaultValue();
    if (definition.version !== undefined) {
      if (document[definition.version] !== undefined) return null;
      document[definition.version] = 1;
    }
    for (const time of times) if (document[time] === undefined) document[time] = new Date(now);
    documents.push(document);
  }
  return documents;
}

const withConstructor = new WeakMap<object, boolean>();

/** True where a constructor of the program's own, in the class or one above it, may do something to new documents. */
function hasConstructor(model: DocumentClass): boolean {
  let known = withConstructor.get(model);
  if (known === undefined) {
    known = false;
    for (let each: object = model; each !== Document && !known; each = Object.getPrototypeOf(each) as object)
      // A class without one has no trace of it at run time but its source.
      known = /\bconstructor\s*\(/.test(Function.prototype.toString.call(each));
    withConstructor.set(model, known);
  }
  return known;
}

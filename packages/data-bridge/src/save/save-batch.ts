import type {
  AnyBulkWriteOperation,
  AnyClientBulkWriteModel,
  BSON,
  ClientSession,
  ClientUpdateOneModel,
  Filter,
  UpdateOneModel,
} from 'mongodb';
import { isInTransaction } from '../connection/transaction-attempt.ts';
import { slicesOf } from '../bson/batch.ts';
import { encodeDocument } from '../bson/encode.ts';
import { sizeOf } from '../bson/size.ts';
import type { ServerLimits } from '../connection/server-limits.ts';
import { type BulkFailure, readFailure } from '../connection/bulk-failure.ts';
import { bulkWrite } from '../connection/collection.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { areStoredTogether } from '../definition/stored-class.ts';
import type { DocumentNotFoundError } from '../errors.ts';
import { guardedFilter } from '../document/document-filter.ts';
import type { DocumentState, Write } from '../document/document-state.ts';
import type { Outcome } from '../connection/write-outcome.ts';
import { driverOptions, type SaveOptions } from './save.ts';
import { fail, settle, withdraw } from './settle.ts';
import { takeAll } from '../connection/raw-batch.ts';
import { operators } from '../update/operators.ts';
import { fallback, needsPipelineInBatch, type UpdatePlan } from '../update/plan.ts';
import { notFound } from '../document/stored-commands.ts';

/** A planned write of one document. */
export interface PlannedWrite {
  readonly state: DocumentState;
  readonly write: Write;
  readonly server: ServerLimits;
}

/** What became of a write. */
export interface Written {
  readonly isWritten: boolean;
  /**
   * True where the stored document was not as its conditions ask: then the newer one is to be read, and the write is to
   * be tried alone.
   */
  readonly isMissed?: true;
  /** Also where it was written and not confirmed as widely as asked. None where it was not tried, since another failed. */
  readonly error?: unknown;
}

export interface BatchOptions extends SaveOptions {
  readonly ordered: boolean;
}

// ── which writes go together ────────────────────────────────────────────────────────────────────────────────────────

/** Writes that go in one command, and how the driver's bulk write takes them. */
export interface Command<P extends PlannedWrite = PlannedWrite> {
  readonly writes: P[];
  readonly models: Model[];
  bytes: number;
}

type Update = Write & { readonly kind: 'update' };

type Model = AnyClientBulkWriteModel<BSON.Document> | AnyBulkWriteOperation;

/**
 * Sorts writes into commands, as few as the servers' limits allow. A write may need a command of its own: it
 * holds operators whose results the server must give, or is too large to stand beside another.
 *
 * @param ordered whether the order of the writes stays.
 */
export function intoCommands<P extends PlannedWrite>(planned: readonly P[], ordered: boolean): Command<P>[] {
  const commands: Command<P>[] = [];
  let open: Command<P>[] = [];
  const modelOf = modelMaker();
  for (const each of planned) {
    const model = modelOf(each);
    const bytes = sizeOf(model);
    const isAlone = needsAnswer(each) || bytes > each.server.bytesOfOne;
    const command = isAlone ? undefined : openFor(each, open);
    if (command !== undefined && hasRoom(command, bytes, each.server)) {
      command.writes.push(each);
      command.models.push(model);
      command.bytes += bytes;
      continue;
    }
    const begun = { writes: [each], models: [model], bytes };
    commands.push(begun);
    const others = ordered ? [] : open.filter((other) => other !== command);
    open = isAlone ? others : [...others, begun];
  }
  return commands;
}

/** Looked for by a loop: a function made for each write would cost as much as looking. */
function openFor<P extends PlannedWrite>(each: P, open: readonly Command<P>[]): Command<P> | undefined {
  for (const command of open) if (goTogether(each, command.writes[0])) return command;
  return undefined;
}

/**
 * True where the server must answer for this write alone: with what operators left, what a recorded update found, or
 * whether conditions were met. Before MongoDB 8.0 it gives totals of many writes only.
 */
function needsAnswer({ write, server }: PlannedWrite): boolean {
  if (write.kind === 'insert') return false;
  return write.reads || write.entry !== undefined || (write.conditions !== null && !server.hasBulkWrite);
}

/** True where there are conditions that may not be met. */
function isGuarded({ write }: PlannedWrite): boolean {
  return write.kind === 'update' && write.conditions !== null;
}

/**
 * True where one command can hold both. Below MongoDB 8.0 it has a single collection and kind. Results of each write
 * cost the client more than the writes, so those that need them have commands of their own.
 */
function goTogether(a: PlannedWrite, b: PlannedWrite | undefined): boolean {
  if (b?.server !== a.server || isGuarded(a) !== isGuarded(b)) return false;
  return (
    a.server.hasBulkWrite ||
    (a.write.kind === b.write.kind && areStoredTogether(a.state.definition, b.state.definition))
  );
}

function hasRoom({ writes, bytes }: Command, more: number, limits: ServerLimits): boolean {
  return writes.length < limits.writes && bytes + more <= limits.bytes;
}

function modelMaker(): (planned: PlannedWrite) => Model {
  // The driver puts the text together each time it is asked.
  const namespaces = new Map<ModelDefinition, string>();
  const namespaceOf = (definition: ModelDefinition): string => {
    let known = namespaces.get(definition);
    if (known === undefined) {
      known = definition.collection().namespace;
      namespaces.set(definition, known);
    }
    return known;
  };
  return ({ state, write, server }) =>
    server.hasBulkWrite ? clientModel(namespaceOf(state.definition), state, write) : collectionModel(state, write);
}

function clientModel(namespace: string, state: DocumentState, write: Write): AnyClientBulkWriteModel<BSON.Document> {
  if (write.kind === 'insert') return { namespace, name: 'insertOne', document: write.document };
  const form = formOf(write);
  const model: ClientUpdateOneModel<BSON.Document> = {
    namespace,
    name: 'updateOne',
    filter: filterOf(state, write),
    update: form.update,
  };
  addRest(model, form, write);
  return model;
}

function collectionModel(state: DocumentState, write: Write): AnyBulkWriteOperation {
  if (write.kind === 'insert') return { insertOne: { document: write.document } };
  const form = formOf(write);
  const model: UpdateOneModel = { filter: filterOf(state, write), update: form.update };
  addRest(model, form, write);
  return { updateOne: model };
}

function filterOf(state: DocumentState, { filter, conditions }: Update): Filter<BSON.Document> {
  return conditions === null ? (filter as Filter<BSON.Document>) : guardedFilter(state, filter, conditions.filter);
}

/**
 * Nothing waits for the answer to one write here, so a form that could miss the stored shape is not tried first: what is
 * sent carries no guard, and matches the document unless it is gone.
 */
function formOf({ tree }: Update): UpdatePlan {
  return (needsPipelineInBatch(tree) ? null : operators(tree)) ?? fallback(tree);
}

/** What few updates have. Member by member: copies of the form would cost more than all else here. */
function addRest(
  model: Pick<UpdateOneModel, 'arrayFilters' | 'collation'>,
  { arrayFilters, collation: own }: UpdatePlan,
  { conditions }: Update,
): void {
  const collation = conditions?.collation ?? own;
  if (arrayFilters !== undefined) model.arrayFilters = arrayFilters;
  if (collation !== undefined) model.collation = collation;
}

// ── send ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Sends writes in one command, and settles them. Gives what became of each. */
export async function sendTogether(command: Command, options: BatchOptions): Promise<Written[]> {
  const isAborted = options.signal?.aborted === true;
  const answer: BulkFailure = isAborted
    ? { refused: new Map(), failure: { error: options.signal?.reason, outcome: 'refused' }, done: 0 }
    : await send(command, options).then((told) => ({ refused: new Map(), ...told }), readFailure);
  return settleAll(command.writes, answer, options);
}

/**
 * The driver's own results for each write would cost the client more than the writes. So it asks for the errors alone,
 * where the total shows whether all the others were done: where no write has conditions.
 */
async function send(
  { writes: [first], models }: Command,
  { ordered, ...options }: BatchOptions,
): Promise<Pick<BulkFailure, 'done' | 'partial'>> {
  if (first === undefined) return { done: 0 };
  const { server, state } = first;
  const verboseResults = isGuarded(first);
  // However the client decodes documents, the driver's bulk write compares with plain numbers.
  const plain = { ...driverOptions(options), ordered, promoteValues: true, promoteLongs: true, useBigInt64: false };
  if (!server.hasBulkWrite) {
    const result = await state.definition.collection().bulkWrite(models as AnyBulkWriteOperation[], plain);
    return { done: result.insertedCount + result.matchedCount };
  }
  const clientModels = models as AnyClientBulkWriteModel<BSON.Document>[];
  const partial = await bulkWrite(server.connection.client, clientModels, { ...plain, verboseResults });
  return { done: partial.insertedCount + partial.matchedCount, partial };
}

// ── settle ──────────────────────────────────────────────────────────────────────────────────────────────────────────

async function settleAll(
  writes: readonly PlannedWrite[],
  answer: BulkFailure,
  options: BatchOptions,
): Promise<Written[]> {
  const fateOf = await fatesOf(writes, answer, options);
  return writes.map(({ state, write }, place): Written => {
    const fate = fateOf(place);
    if (fate === 'written') {
      settle(state, write);
      return WRITTEN;
    }
    if (fate === 'missed') return { isWritten: false, isMissed: true };
    if (fate === 'untried') {
      withdraw(state);
      return UNTRIED;
    }
    const error = fail(state, write, fate.error, fate.outcome);
    return fate.isOfAnother === true ? UNTRIED : { isWritten: fate.outcome === 'applied', error };
  });
}

export const WRITTEN: Written = { isWritten: true };
export const UNTRIED: Written = { isWritten: false };

type Fate = 'written' | 'missed' | 'untried' | Failed;

interface Failed {
  readonly error: unknown;
  readonly outcome: Outcome;
  /** True where it was taken back since another write was refused, which tells the error. */
  readonly isOfAnother?: boolean;
}

async function fatesOf(
  writes: readonly PlannedWrite[],
  answer: BulkFailure,
  { ordered, session }: BatchOptions,
): Promise<(place: number) => Fate> {
  const { refused, failure } = answer;
  const [firstError] = refused.values();
  const cause = failure ?? { error: firstError, outcome: 'refused' };
  // An error ends a transaction, which takes back what was written in it before.
  if (isInTransaction({ session }) && cause.error !== undefined)
    return (place) => {
      const own = refused.get(place);
      return { ...cause, error: own ?? cause.error, isOfAnother: own === undefined && failure === undefined };
    };
  const tried = ordered && refused.size > 0 ? Math.max(...refused.keys()) + 1 : writes.length;
  const missed = missedIn(writes, answer);
  const known = missed.size > 0 ? answer : await lookUpMissing(writes.slice(0, tried), answer, session);
  return (place) => {
    const error = known.refused.get(place);
    if (error !== undefined) return { error, outcome: 'refused' };
    if (missed.has(place)) return 'missed';
    return place < tried ? (known.failure ?? 'written') : 'untried';
  };
}

/** The places of the updates of which the server says that they met no document that is as their conditions ask. */
function missedIn(writes: readonly PlannedWrite[], { partial }: BulkFailure): Set<number> {
  const missed = new Set<number>();
  const results = partial?.updateResults;
  if (results === undefined) return missed;
  for (const [place, each] of writes.entries())
    if (isGuarded(each) && results.get(place)?.matchedCount === 0) missed.add(place);
  return missed;
}

/** Where the total falls short, the documents that are gone are looked up: their updates met nothing. */
async function lookUpMissing(
  writes: readonly PlannedWrite[],
  answer: BulkFailure,
  session: ClientSession | undefined,
): Promise<BulkFailure> {
  const { refused, failure, done } = answer;
  if (done === writes.length - refused.size) return answer;
  const unknown = (error: unknown): BulkFailure => ({ ...answer, failure: { error, outcome: 'unknown' } });
  // Beside a write concern error the driver does not report the others.
  if (failure !== undefined) return failure.outcome === 'applied' ? unknown(failure.error) : answer;
  try {
    return { ...answer, refused: new Map([...(await missingAmong(writes, session)), ...refused]) };
  } catch (error) {
    return unknown(error);
  }
}

/** The updates whose documents are not in their collections, by their places. */
async function missingAmong(
  writes: readonly PlannedWrite[],
  session: ClientSession | undefined,
): Promise<Map<number, DocumentNotFoundError>> {
  const updates = writes.flatMap(({ state, write }, place) =>
    write.kind === 'update' ? [{ place, state, filter: write.filter }] : [],
  );
  const gone = new Map<number, DocumentNotFoundError>();
  for (const definition of new Set(updates.map(({ state }) => state.definition))) {
    const asked = updates.filter(({ state }) => state.definition === definition);
    const stored = await storedIds(
      definition,
      asked.map(({ filter }) => filter),
      session,
    );
    for (const { place, state, filter } of asked) if (!stored.has(idKey(filter))) gone.set(place, notFound(state));
  }
  return gone;
}

async function storedIds(
  definition: ModelDefinition,
  filters: readonly DocumentState['filter'][],
  session: ClientSession | undefined,
): Promise<Set<string>> {
  const isWider = definition.shardKey.length > 0 || definition.extensions.length > 0;
  const filter = isWider ? { $or: filters } : { _id: { $in: filters.map(({ _id }) => _id) } };
  const options = {
    projection: { _id: 1 },
    raw: true,
    readPreference: 'primary',
    ...(session && { session }),
  } as const;
  const found = await takeAll(definition.collection().find(filter as BSON.Document, options));
  return new Set(found.flatMap((batch) => slicesOf(batch)).map((bytes) => keyOf(bytes)));
}

/** An `_id` as a text that no other `_id` has, whatever its type. */
function idKey({ _id }: DocumentState['filter']): string {
  return keyOf(encodeDocument({ _id }));
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

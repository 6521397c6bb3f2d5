import { setTimeout } from 'node:timers/promises';
import {
  type BSON,
  type ChangeStreamOptions,
  type ChangeStream as DriverStream,
  MongoNetworkError,
  MongoServerError,
  type ResumeToken,
} from 'mongodb';
import { refuseInTransaction } from '../connection/transaction-attempt.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { batchOf } from '../bson/batch.ts';
import { decodeStored } from '../bson/decode.ts';
import type { Reader } from '../bson/level.ts';
import { readerAt } from '../schema/deep-readers.ts';
import { encodeDocument } from '../bson/encode.ts';
import { Layout } from '../bson/layout.ts';
import { typeName } from '../schema/bson-types.ts';
import { castFilter } from '../filter/cast-filter.ts';
import type { ScopeOptions, Unscoped } from '../definition/extension.ts';
import { scopesOf } from '../filter/scopes.ts';
import { definitionOfType } from '../definition/stored-class.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { checkTaken, type DriverOptions, TAKEN } from '../connection/taken-options.ts';
import { UsageError } from '../errors.ts';
import { trusted, wasTrusted } from '../filter/literal.ts';
import { translate } from '../connection/write-outcome.ts';
import type { ReadAll } from '../query/query-spec.ts';
import { safeFilter } from '../filter/check-filter.ts';
import type { Lookups } from '../types/change-event.ts';

/** What `watch` takes: the driver's options but those that would change what events hold. */
export type WatchOptions = Omit<DriverOptions<ChangeStreamOptions, 'watch'>, keyof Lookups> & Lookups & ScopeOptions;

/** Which events a stream gives. Conditions are about the event: `operationType`, `fullDocument.age`, `updateDescription.updatedFields.age`. */
export interface WatchStage {
  readonly $match: Readonly<Record<string, unknown>>;
}

/** The parts of an event in which the collection's fields are, and how paths into them begin. */
const FIELDS = /^(documentKey|fullDocument|fullDocumentBeforeChange|updateDescription\.updatedFields)\.(.+)$/s;
const JOINING: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);

/** BSON's own types, so that documents are read from what is stored. */
const EXACT = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

/**
 * The changes of a model's collection, as the server reports them: from the moment it is made, or from a stored place on.
 * After a broken connection it goes on by itself behind the last event, however often that happens. It ends when it is
 * closed, when its loop is left, after the event `invalidate`, and with a NotConnectedError when no server is found any more.
 *
 * ```ts
 * for await (const change of User.watch()) {
 *   if (change.operationType === 'insert') console.log(change.fullDocument.name);
 *   await store(change._id); // another stream goes on from here: User.watch([], { resumeAfter })
 * }
 * ```
 *
 * `E` is the type of the events.
 */
export class ChangeStream<E> implements AsyncIterable<E>, AsyncDisposable {
  readonly #definition: ModelDefinition;
  readonly #read: ReadAll<unknown>;
  /** Another one in the place of one that a broken connection has ended. */
  #stream: DriverStream;
  readonly #open: (place?: ResumeToken) => DriverStream;
  readonly #closing = new AbortController();
  /** Settled when it is closed: with null, or with the reason of the signal that was aborted. */
  readonly #closed: Promise<null>;
  readonly #opened: Promise<unknown>;
  /** The event that was asked for when it was made: so it watches from then on. */
  #first: Promise<BSON.Document | null> | null;

  /** @internal Made by a model's `watch`. */
  constructor(
    definition: ModelDefinition,
    read: ReadAll<unknown>,
    pipeline: readonly WatchStage[] = [],
    options: WatchOptions = {},
  ) {
    refuseInTransaction('watch()', 'call it outside of the callback', definition.collectionName);
    checkTaken('watch', definition, options, TAKEN.watch);
    const { signal, unscoped, ...rest } = options;
    this.#definition = definition;
    this.#read = read;
    const stages = [...scopeStages(definition, rest, unscoped), ...stagesOf(definition, pipeline)];
    this.#open = (place) =>
      definition.driverCollection().watch(stages, { ...(place === undefined ? rest : resumed(rest, place)), ...EXACT });
    this.#stream = this.#open();
    this.#closed = closedBy(this.#closing.signal, signal);
    this.#closed.catch(() => this.close()).catch(ignore);
    // The server gives the place where it begins as soon as it watches.
    const begun = new Promise((resolve) => this.#stream.once('resumeTokenChanged', resolve));
    this.#first = this.#ask();
    this.#opened = Promise.race([begun, this.#first]);
    this.#opened.catch(ignore);
  }

  /** Waits until the server watches: every change from then on is an event. */
  async opened(): Promise<this> {
    await this.#opened;
    return this;
  }

  /** The place of the last event, or a later one before which there was no other: for `resumeAfter`. */
  get resumeToken(): ResumeToken {
    return this.#stream.resumeToken;
  }

  /** Ends it: a loop that waits for an event is left. Calling it again is no error. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#stream.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    try {
      for (let event = await this.#next(); event !== null; event = await this.#next()) {
        yield eventOf(this.#definition, this.#read, event) as E;
        if (event['operationType'] === 'invalidate') return;
      }
    } finally {
      await this.close();
    }
  }

  #next(): Promise<BSON.Document | null> {
    const first = this.#first;
    this.#first = null;
    return first ?? this.#ask();
  }

  /** Null when it was closed. */
  async #ask(): Promise<BSON.Document | null> {
    if (this.#closing.signal.aborted) return this.#closed;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const event = this.#stream.next();
      event.catch(ignore);
      try {
        return await Promise.race([this.#closed, event]);
      } catch (error) {
        const place = this.#stream.resumeToken;
        if (!wasBroken(error) || place === undefined || this.#closing.signal.aborted)
          throw translate(error, this.#definition.context, this.#definition);
        // The driver goes on after a break, and gives up when the next one comes before it has.
        if (!(await this.#wait(pause))) return this.#closed;
        this.#stream = this.#open(place);
      }
    }
  }

  /** False when it was closed meanwhile. */
  async #wait(milliseconds: number): Promise<boolean> {
    await Promise.race([setTimeout(milliseconds, undefined, { ref: false }), this.#closed]);
    return !this.#closing.signal.aborted;
  }
}

/** Milliseconds between a break and the next attempt, twice as many after each. */
const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 1_000;

/** True where an error is that of a connection, and not of the search for a server. */
function wasBroken(error: unknown): boolean {
  return error instanceof MongoNetworkError || (error instanceof MongoServerError && error.hasErrorLabel(RESUMABLE));
}

const RESUMABLE = 'ResumableChangeStreamError';

/** The options of a stream that goes on behind a place. It may be that of an `invalidate`, so `startAfter`. */
function resumed(
  { resumeAfter: _after, startAtOperationTime: _time, ...options }: Omit<WatchOptions, 'signal'>,
  place: ResumeToken,
): Omit<WatchOptions, 'signal'> {
  return { ...options, startAfter: place };
}

async function closedBy(closing: AbortSignal, signal: AbortSignal | undefined): Promise<null> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve) => {
    const end = (): void => {
      signal?.removeEventListener('abort', end);
      resolve();
    };
    closing.addEventListener('abort', end, { once: true });
    signal?.addEventListener('abort', end, { once: true });
  });
  if (!closing.aborted) signal?.throwIfAborted();
  return null;
}

// ── which events ────────────────────────────────────────────────────────────────────────────────────────────────────

/** The stages as they are sent. Others than `$match` would make something else of the events. */
function stagesOf(definition: ModelDefinition, pipeline: readonly WatchStage[]): BSON.Document[] {
  const refuse = (text: string): never => {
    throw new UsageError(text, definition.context);
  };
  if (!Array.isArray(pipeline)) refuse(`watch() takes a list of $match stages, got ${typeName(pipeline)}.`);
  return pipeline.map((stage: WatchStage) => {
    const [name, ...others] = isPlainObject(stage) ? Object.keys(stage) : [];
    if (name !== '$match' || others.length > 0)
      refuse(
        'watch() takes $match stages alone, since others change what an event is: use the driver’s collection.watch().',
      );
    return { $match: conditionsOf(definition, stage.$match) };
  });
}

/**
 * Of events with a document those of documents that are the model's own, and in the scopes that hold now. A scope that a deletion
 * changes is not asked: whoever watches wants to know of it. Of a deletion nobody can tell, unless the event has the document as
 * it was before.
 */
function scopeStages(
  definition: ModelDefinition,
  { fullDocument }: Pick<WatchOptions, 'fullDocument'>,
  unscoped: Unscoped | undefined,
): BSON.Document[] {
  const own = definition.conditions === null ? [] : [definition.conditions];
  const scopes = [...own, ...scopesOf(definition, unscoped, 'borders')];
  if (scopes.length === 0) return [];
  if (fullDocument === undefined || fullDocument === 'default') {
    const [what, other] =
      own.length > 0
        ? ['of a document of this class', "watch the root's class"]
        : ["in the model's scopes", 'the option "unscoped"'];
    const text = `Of an update nobody can tell whether it is ${what}: pass { fullDocument: 'updateLookup' }, or ${other}.`;
    throw new UsageError(text, definition.context);
  }
  const inScope = (part: string): BSON.Document => ({ $and: scopes.map((each) => prefixed(definition, part, each)) });
  const deleted = { $or: [{ fullDocumentBeforeChange: null }, inScope('fullDocumentBeforeChange')] };
  const others = { operationType: { $nin: ['insert', 'update', 'replace', 'delete'] } };
  return [{ $match: { $or: [inScope('fullDocument'), { operationType: 'delete', ...deleted }, others] } }];
}

function prefixed(
  definition: ModelDefinition,
  part: string,
  conditions: Readonly<Record<string, unknown>>,
): BSON.Document {
  const named = Object.entries(conditions).map(([path, condition]): [string, unknown] => {
    if (JOINING.has(path) && Array.isArray(condition))
      return [path, condition.map((each: Record<string, unknown>) => prefixed(definition, part, each))];
    if (!path.startsWith('$')) return [`${part}.${path}`, condition];
    const text = `watch() cannot ask for the scope's condition "${path}" of an event: pass the option "unscoped".`;
    throw new UsageError(text, definition.context);
  });
  return Object.fromEntries(named);
}

/** Conditions on fields of the collection are cast as those of a filter. */
function conditionsOf(definition: ModelDefinition, filter: unknown, isInTrusted = false): Record<string, unknown> {
  if (!isPlainObject(filter)) return safeFilter(definition, filter);
  const isTrusted = isInTrusted || wasTrusted(filter);
  const conditions = Object.entries(filter).flatMap(([key, condition]): [string, unknown][] => {
    if (JOINING.has(key) && Array.isArray(condition))
      return [[key, condition.map((each) => conditionsOf(definition, each, isTrusted))]];
    const [, part, path] = FIELDS.exec(key) ?? [];
    const single = { [path ?? key]: condition };
    const given = isTrusted ? trusted(single) : single;
    if (part === undefined) return Object.entries(safeFilter(definition, given));
    return Object.entries(castFilter(definition, given)).map(([stored, value]) => [`${part}.${stored}`, value]);
  });
  return Object.fromEntries(conditions);
}

// ── what they tell ──────────────────────────────────────────────────────────────────────────────────────────────────

const DOCUMENTS = ['fullDocument', 'fullDocumentBeforeChange'] as const;

/** The driver's event with documents of the model, its values as documents have them, and the program's names. */
function eventOf(asking: ModelDefinition, read: ReadAll<unknown>, event: BSON.Document): BSON.Document {
  const { _id, fullDocument, fullDocumentBeforeChange, documentKey, updateDescription, ...told } = event;
  const known = (fullDocument ?? fullDocumentBeforeChange ?? null) as BSON.Document | null;
  const definition = known === null ? asking : definitionOfType(asking, known[asking.kin.key]);
  const { options } = definition.layout();
  const plain = (values: BSON.Document, readers?: ReturnType<ModelDefinition['readers']>): BSON.Document =>
    decodeStored(new Layout(options, [], readers), encodeDocument(values), 0);
  const named: BSON.Document = { _id, ...plain(told) };
  const readers = definition.readers();
  // Keys may be dotted paths.
  const readersOf = (values: BSON.Document): Map<string, Reader> => {
    const found = Object.keys(values).map((path) => [path, readerAt(readers, path)] as const);
    return new Map(found.filter((each): each is [string, Reader] => each[1] !== undefined));
  };
  const fields = (values: BSON.Document): BSON.Document => plain(values, readersOf(values));
  if (documentKey !== undefined) named['documentKey'] = definition.programFields(fields(documentKey as BSON.Document));
  for (const name of DOCUMENTS) {
    const document = { fullDocument, fullDocumentBeforeChange }[name] as BSON.Document | null | undefined;
    if (document !== undefined) named[name] = document === null ? null : read(batchOf([encodeDocument(document)]))[0];
  }
  if (updateDescription !== undefined)
    named['updateDescription'] = descriptionOf(definition, updateDescription as BSON.Document, fields, plain);
  return named;
}

function descriptionOf(
  definition: ModelDefinition,
  { updatedFields = {}, removedFields = [], truncatedArrays = [], ...others }: BSON.Document,
  fields: (values: BSON.Document) => BSON.Document,
  plain: (values: BSON.Document) => BSON.Document,
): BSON.Document {
  const shown = (path: string): string => definition.programPath(path.split('.'));
  const classes = definition.kin.all.map((each) => each.definition);
  const isHidden = (path: string): boolean =>
    classes.some(({ fields: own }) => own.get(path.split('.', 1)[0] ?? '')?.isHidden === true);
  const updated = Object.entries(fields(updatedFields as BSON.Document))
    .filter(([path]) => !isHidden(path))
    .map(([path, value]) => [shown(path), value]);
  const truncated = plain({ truncatedArrays })['truncatedArrays'] as { readonly field: string }[];
  return {
    ...plain(others),
    updatedFields: Object.fromEntries(updated) as BSON.Document,
    removedFields: (removedFields as string[]).map(shown),
    truncatedArrays: truncated.map(({ field, ...size }) => ({ field: shown(field), ...size })),
  };
}

function ignore(): void {
  // Whoever waits for it sees the error.
}

/** What every error of this package carries beside its message. */
export interface ErrorContext {
  /** The collection of the model that the failing call belongs to. */
  readonly model?: string | undefined;
  /** The `_id` of the document, where there is one. */
  readonly id?: unknown;
  /** The driver's error, without the values that it quotes, or whatever else led to this one. */
  readonly cause?: unknown;
}

/**
 * The base of every error that this package throws. `code` is stable across versions; the text is not. A message names
 * paths and types, never values, so that logs hold no secrets.
 */
export abstract class DataBridgeError extends Error {
  abstract readonly code: `DATA_BRIDGE_${string}`;
  declare readonly model: string | undefined;
  declare readonly id: unknown;

  constructor(message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    // Logs show what is known.
    if (context.model !== undefined) this.model = context.model;
    if (context.id !== undefined) this.id = context.id;
  }
}

/** Bytes that are no valid BSON document. `offset` counts from the first byte of the document. */
export class CorruptBsonError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_CORRUPT_BSON';
  readonly offset: number;

  constructor(problem: string, offset: number) {
    super(`The document is not valid BSON: ${problem} at byte ${offset}.`);
    this.offset = offset;
  }
}

/** A value that BSON cannot hold. Thrown before anything is sent; the document stays as it was. */
export class EncodeError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_ENCODE';
  /** The keys from the document to the value. */
  readonly keys: readonly (string | number)[];
  /** The same, dotted, for people. */
  readonly path: string;

  constructor(keys: readonly (string | number)[], problem: string, context?: ErrorContext) {
    const path = keys.join('.');
    super(`${path === '' ? 'The document' : `"${path}"`} cannot be stored: ${problem}.`, context);
    this.keys = keys;
    this.path = path;
  }
}

/** A call that can never work: a wrong argument, a refused option, a method called at the wrong time. */
export class UsageError extends DataBridgeError {
  readonly code: 'DATA_BRIDGE_USAGE' | 'DATA_BRIDGE_INVALID_ID' | 'DATA_BRIDGE_INVALID_PAGE_TOKEN' =
    'DATA_BRIDGE_USAGE';
}

/**
 * A string of another form than that of an ObjectId, where one belongs: no document can have it. A server that takes ids from
 * its URLs answers with 404.
 *
 * ```ts
 * if (error instanceof InvalidIdError && error.path === '_id') response.status(404).end();
 * ```
 */
export class InvalidIdError extends UsageError {
  override readonly code = 'DATA_BRIDGE_INVALID_ID';
  /** The field, `_id` in `findById()`. */
  readonly path: string;

  constructor(path: string, context?: ErrorContext) {
    const text = `"${path}" is an ObjectId: expected an ObjectId or a string of 24 hexadecimal digits, got a string of another form.`;
    super(text, context);
    this.path = path;
  }
}

/**
 * A token that `page()` did not give: it is damaged, or belongs to another query or another `pageSecret`. A server that takes
 * tokens from its clients answers with 400.
 *
 * ```ts
 * if (error instanceof InvalidPageTokenError) response.status(400).end();
 * ```
 */
export class InvalidPageTokenError extends UsageError {
  override readonly code = 'DATA_BRIDGE_INVALID_PAGE_TOKEN';

  constructor(context?: ErrorContext) {
    const text =
      'page() got a token that is damaged, or belongs to another query (model, filter, sort or collation) or another pageSecret.';
    super(text, context);
  }
}

/** No connection is open where one is needed, or it broke before a read was answered. */
export class NotConnectedError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_NOT_CONNECTED';
}

/** The database is not any more as it was when a plan was made. Nothing was done: make a new plan. */
export class OutdatedPlanError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_OUTDATED_PLAN';
}

/** A database is not as the models declare, and `connect()` was told to refuse that. Nothing was changed. */
export class DriftError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_DRIFT';
  /** What would have to be done, as `plan()` gives it (not enumerable: logs would be long). */
  readonly plan: unknown;

  constructor(message: string, { plan, ...context }: ErrorContext & { readonly plan?: unknown } = {}) {
    super(message, context);
    this.plan = plan;
    hide(this, 'plan');
  }
}

/** A field's schema breaks a rule of the mapper, such as not accepting its own output. */
export class SchemaError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_SCHEMA';
}

/** The document is not in the collection, or not any more. */
export class DocumentNotFoundError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_DOCUMENT_NOT_FOUND';
}

/** A path that another writer changed meanwhile, although it had to stay as it was read. */
export interface Conflict {
  /** The dotted path. */
  readonly path: string;
  /** The keys from the document to the value. */
  readonly keys: readonly (string | number)[];
  /** The value as it was read, `undefined` if there was none. */
  readonly original: unknown;
  /** The value in memory: the original where the save does not write it. */
  readonly mine: unknown;
  /** The value that is stored now. */
  readonly theirs: unknown;
}

/** What a conflict is made of. */
export interface ConflictContext extends ErrorContext {
  readonly conflicts?: readonly Conflict[];
  readonly current?: unknown;
}

/** Another writer changed meanwhile what had to stay as it was read. Nothing was written; the document keeps its changes. */
export class ConflictError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_CONFLICT';
  /** One for each path (not enumerable: logs would show the values). */
  readonly conflicts: readonly Conflict[];
  /** The document as it is stored now: another one, of the same class (not enumerable). */
  readonly current: unknown;

  constructor(message: string, { conflicts = [], current, ...context }: ConflictContext = {}) {
    super(message, context);
    this.conflicts = conflicts;
    this.current = current;
    hide(this, 'conflicts');
    hide(this, 'current');
  }
}

/** What is known of a violated unique index. */
export interface DuplicateKey {
  /** The fields of the index, dotted where they are nested; empty where the server did not name them. */
  readonly fields?: readonly string[];
  /** The values that were refused, by field, where the server gave them. */
  readonly values?: Readonly<Record<string, unknown>> | undefined;
}

/** Another document has the same value under a unique index. */
export class DuplicateKeyError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_DUPLICATE_KEY';
  /** The fields of the index, dotted where they are nested; empty where the server did not name them. */
  readonly fields: readonly string[];
  /** The refused values by field, where the server gave them (not enumerable). */
  readonly values: Readonly<Record<string, unknown>> | undefined;

  constructor(message: string, { fields = [], values, ...context }: ErrorContext & DuplicateKey = {}) {
    super(message, context);
    this.fields = fields;
    this.values = values;
    hide(this, 'values');
  }
}

/**
 * The connection broke after a write was sent and before its answer came, so nobody knows whether it was done. The message
 * says whether it may be sent again.
 */
export class OutcomeUnknownError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_OUTCOME_UNKNOWN';
}

/** One thing that validation found wrong. The value is there for programs, but is not enumerable, so that logs do not show it. */
export interface ValidationIssue {
  /** The keys from the document to the value. */
  readonly keys: readonly (string | number)[];
  /** The same, dotted, for people. */
  readonly path: string;
  /** The sentence of the schema library, with types where it quotes refused values; or what the server's validator asks for. */
  readonly message: string;
  /** The refused value (not enumerable). */
  readonly value?: unknown;
}

/** Values that their schemas refuse, all of them at once, or that the collection's own validator refused. Nothing was stored. */
export class ValidationError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_VALIDATION';
  readonly issues: readonly ValidationIssue[];

  constructor(issues: readonly ValidationIssue[], context?: ErrorContext) {
    const lines = issues.map((issue) => `${issue.path === '' ? 'the document' : `"${issue.path}"`}: ${issue.message}`);
    super(`Validation failed for ${lines.join('; ')}.`, context);
    this.issues = issues;
  }
}

/** A document was not deleted, since others refer to it by references whose rule is `restrict`. */
export class RestrictedError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_RESTRICTED';
  /** The model of the documents that refer to it. */
  readonly referrer: string;
  /** The dotted path of their references. */
  readonly path: string;
  /** How many there are. */
  readonly count: number;

  constructor(
    { referrer, path, count }: { readonly referrer: string; readonly path: string; readonly count: number },
    context?: ErrorContext,
  ) {
    const who = count === 1 ? `1 document of "${referrer}" refers` : `${count} documents of "${referrer}" refer`;
    super(`${who} to what is to be deleted, by "${path}", which restricts it: delete or change them first.`, context);
    this.referrer = referrer;
    this.path = path;
    this.count = count;
  }
}

/** The document that a reference refers to, or documents that refer back, were asked for before they were loaded. */
export class RefNotLoadedError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_REF_NOT_LOADED';
}

/** A field that `select()` or `omit()` left out was read or written: it is not known what is stored there. */
export class FieldNotLoadedError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_FIELD_NOT_LOADED';
  /** The dotted path that was not loaded. */
  readonly path: string;

  constructor(path: string, context?: ErrorContext) {
    super(`"${path}" was not loaded: name it in select(), or do not leave it out by omit().`, context);
    this.path = path;
  }
}

/**
 * Why a history could not do what was asked:
 *
 * - `gap`: a write left no entry, since it was made with `{ history: false }`, or past the mapper.
 * - `pruned`: the entries were deleted by `pruneHistory()`, or are older than the history itself.
 * - `too-large`: of a value over 1 MiB only a hash was kept.
 * - `redacted`: what is to be replaced holds values that the history leaves out.
 * - `unfinished`: a write was not followed by its entry, which `repairHistory()` will write.
 * - `unannounced`: a write was not sent, since it could not be announced first, as widely as asked.
 * - `contended`: other writers came first each time.
 */
export type HistoryProblem = 'gap' | 'pruned' | 'too-large' | 'redacted' | 'unfinished' | 'unannounced' | 'contended';

/** The history of a document does not have what was asked for, or could not be written. */
export class HistoryError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_HISTORY';
  readonly problem: HistoryProblem;

  constructor(message: string, { problem, ...context }: ErrorContext & { readonly problem: HistoryProblem }) {
    super(message, context);
    this.problem = problem;
  }
}

/**
 * A write was done, and what a hook did after it failed. The document is clean: saving it again would not call the hook again.
 * All other hooks were called.
 */
export class AfterHookError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_AFTER_HOOK';
  /** What the hooks threw, in their order; the first is the `cause` (not enumerable). */
  readonly errors: readonly unknown[];

  constructor(
    message: string,
    { errors = [], ...context }: ErrorContext & { readonly errors?: readonly unknown[] } = {},
  ) {
    super(message, errors.length === 0 ? context : { cause: errors[0], ...context });
    this.errors = errors;
    hide(this, 'errors');
  }
}

/** What became of one document of `saveAll()` or `insertMany()`. */
export interface SaveResult {
  /** The document; where `insertMany()` made none, the plain object that it sent. */
  readonly document: object;
  /** `clean`: there was nothing to write. After `conflict` and `failed` its changes still wait for a save. */
  readonly outcome: 'inserted' | 'updated' | 'clean' | 'conflict' | 'failed';
  /** Why it was not saved. */
  readonly error?: unknown;
  /** What befell a hook after it was saved: an `AfterHookError`. */
  readonly hookError?: unknown;
}

/**
 * Some documents of `saveAll()` or `insertMany()` were not saved, as `results` tells; the others were. Where there is one error
 * alone, that is the `cause`.
 */
export class BulkSaveError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_BULK_SAVE';
  /** One for each document, in their order (not enumerable: logs would show the documents). */
  readonly results: readonly SaveResult[];

  constructor(results: readonly SaveResult[], context?: ErrorContext) {
    const missed = results.filter(({ outcome }) => outcome === 'conflict' || outcome === 'failed');
    const told = results.map(({ error, hookError }) => ({ error: error ?? hookError }));
    const failed =
      missed.length > 0
        ? `${missed.length} of ${results.length} documents were not saved`
        : results.some(({ error }) => error !== undefined)
          ? 'The documents were written, and not confirmed as asked'
          : 'The documents were saved, and what hooks did after that failed';
    const text = `${failed}${reasonsOf(told)}. "results" tells of each.`;
    const errors = told.flatMap(({ error }) => (error === undefined ? [] : [error]));
    super(text, errors.length === 1 ? { cause: errors[0], ...context } : context);
    this.results = results;
    hide(this, 'results');
  }
}

/** The names of the errors, in brackets. */
function reasonsOf(results: readonly { readonly error?: unknown }[]): string {
  const errors = results.flatMap(({ error }) => (error === undefined ? [] : [error]));
  const names = new Set(errors.map((error) => (error instanceof Error ? error.name : 'unknown')));
  return names.size === 0 ? '' : ` (${[...names].join(', ')})`;
}

/** What became of one operation of `bulk().execute()`. */
export interface BulkResult {
  readonly operation: 'insertOne' | 'updateOne' | 'updateMany' | 'replaceOne' | 'deleteOne' | 'deleteMany';
  readonly insertedId?: unknown;
  readonly matchedCount?: number;
  readonly modifiedCount?: number;
  /** The `_id` of the document that an upsert inserted. */
  readonly upsertedId?: unknown;
  readonly deletedCount?: number;
  /** What befell a hook after the insert: an `AfterHookError`. */
  readonly hookError?: unknown;
  /** Why it failed. Operations behind the first failure of an ordered bulk write were not tried: they have nothing. */
  readonly error?: unknown;
}

/** Some operations of a bulk write failed. */
export class BulkWriteError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_BULK_WRITE';
  /** One for each operation, in their order (not enumerable: logs would show the documents' ids). */
  readonly results: readonly BulkResult[];

  constructor(results: readonly BulkResult[], context?: ErrorContext) {
    const told = results.map(({ error, hookError }) => ({ error: error ?? hookError }));
    const failed = results.filter(({ error }) => error !== undefined);
    const what =
      failed.length > 0 || results.length === 0
        ? `${failed.length} of ${results.length} operations failed`
        : 'The operations were done, and what hooks did after that failed';
    const text = `${what}${reasonsOf(told)}. "results" tells of each.`;
    const errors = told.flatMap(({ error }) => (error === undefined ? [] : [error]));
    super(text, errors.length === 1 ? { cause: errors[0], ...context } : context);
    this.results = results;
    hide(this, 'results');
  }
}

/** Keeps a member out of what logs show: it may hold values. */
function hide<T extends object>(error: T, name: keyof T): void {
  Object.defineProperty(error, name, { enumerable: false });
}

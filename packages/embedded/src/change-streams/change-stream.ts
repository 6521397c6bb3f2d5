// Change streams: the pipelines that begin with `$changeStream`.
// https://www.mongodb.com/docs/manual/changeStreams/
import { isStageName, pipeline } from '../engine/aggregate/compile.ts';
import type { Stage } from '../engine/aggregate/stage.ts';
import { encode } from '../values/bson.ts';
import { equals } from '../values/order.ts';
import { type Document, isDocument, type Value } from '../values/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { LoggedChange } from '../catalog/change.ts';
import { ServerError } from '../errors.ts';
import { startOf } from '../storage/log-position.ts';
import type { LogPosition } from '../storage/storage.ts';
import type { Request, Scope } from '../dispatch/command.ts';
import {
  eventOf,
  type EventOptions,
  type FullDocument,
  type FullDocumentBeforeChange,
  invalidateEvent,
} from './change-events.ts';
import { MAX_BATCH_BYTES, type Stream } from '../cursors/cursors.ts';
import { Fields } from '../messages/fields.ts';
import { checkSize, MAX_DOCUMENT_SIZE } from '../messages/limits.ts';
import { readToken, writeToken } from './resume-token.ts';

/** What a stream is about. */
interface Subject {
  /** What its cursor says it reads. */
  readonly namespace: string;
  includes(namespace: string): boolean;
  /** True where a change ends the stream: what it is about is no longer there. */
  endsWith(change: LoggedChange): boolean;
}

/** Where a stream begins. */
interface Beginning {
  readonly position: LogPosition;
  /** The change at the position, if it is one that ends the stream and that was not told yet. */
  readonly end: LoggedChange | undefined;
}

/** True where a pipeline is that of a change stream. */
export function isChangeStream([first]: readonly Document[]): boolean {
  return first?.size === 1 && first.has('$changeStream');
}

const OPTIONS = new Set([
  'fullDocument',
  'fullDocumentBeforeChange',
  'resumeAfter',
  'startAfter',
  'startAtOperationTime',
  'allChangesForCluster',
]);
const UNSUPPORTED = ['showExpandedEvents', 'showSystemEvents', 'showMigrationEvents', 'allowToRunOnConfigDB'];

/** Opens a stream, and the namespace that its cursor has. */
export function openChangeStream(
  catalog: Catalog,
  request: Request,
  [first, ...rest]: readonly Document[],
  scope: Scope,
): { readonly namespace: string; readonly stream: Stream } {
  if (request.part?.kind === 'transaction') {
    throw new ServerError(263, 'Stage not supported inside of a multi-document transaction: $changeStream');
  }
  const argument = first?.get('$changeStream');
  if (!isDocument(argument)) throw new ServerError(50808, '$changeStream stage expects a document as argument');
  const fields = new Fields('$changeStream', argument);
  fields.refuse(UNSUPPORTED);
  fields.check(OPTIONS);
  const subject = subjectOf(request, fields);
  const options = {
    fullDocument: oneOf<FullDocument>(fields, 'fullDocument', ['default', 'updateLookup', 'whenAvailable', 'required']),
    fullDocumentBeforeChange: oneOf<FullDocumentBeforeChange>(fields, 'fullDocumentBeforeChange', [
      'off',
      'whenAvailable',
      'required',
    ]),
  };
  const stages = pipeline(rest.map(checkedStage), { variables: scope.variables, collation: scope.collation });
  const beginning = beginningOf(fields, subject, catalog);
  return { namespace: subject.namespace, stream: new ChangeStream(catalog, subject, options, stages, beginning) };
}

/** A change stream as a cursor reads it. */
class ChangeStream implements Stream {
  readonly #catalog: Catalog;
  readonly #subject: Subject;
  readonly #options: EventOptions;
  readonly #stages: Stage;
  /** All changes up to here have been told, or do not concern this stream. */
  #position: LogPosition;
  /** The change that ends the stream, before that is told. */
  #end: LoggedChange | undefined;
  #token: Document;
  done = false;

  constructor(catalog: Catalog, subject: Subject, options: EventOptions, stages: Stage, { position, end }: Beginning) {
    this.#catalog = catalog;
    this.#subject = subject;
    this.#options = options;
    this.#stages = stages;
    this.#position = position;
    this.#end = end;
    this.#token = writeToken({ position, kind: 'mark' });
  }

  get token(): Document {
    return this.#token;
  }

  subscribe(listener: () => void): () => void {
    return this.#catalog.log.subscribe(listener);
  }

  close(): void {}

  take(batchSize: number): Uint8Array[] {
    const { log } = this.#catalog;
    checkThere(this.#position, log.start);
    const batch: Uint8Array[] = [];
    let bytes = 0;
    const isFull = (): boolean => batch.length >= batchSize || bytes >= MAX_BATCH_BYTES;
    const tell = (event: Document): void => {
      const told = this.#result(event);
      this.#token = tokenOf(event);
      if (told === undefined) return;
      bytes += told.length;
      batch.push(told);
    };
    if (this.#end === undefined && !isFull()) {
      for (const change of log.after(this.#position, this.#subject.includes)) {
        this.#position = change.position;
        tell(eventOf(change, this.#options, this.#catalog));
        if (this.#subject.endsWith(change)) this.#end = change;
        if (this.#end !== undefined || isFull()) break;
      }
    }
    if (isFull()) return batch;
    if (this.#end !== undefined) {
      tell(invalidateEvent(this.#end.position, this.#end.head.get('wallTime') ?? null));
      this.done = true;
      return batch;
    }
    if (log.end > this.#position) this.#position = log.end;
    this.#token = writeToken({ position: this.#position, kind: 'mark' });
    return batch;
  }

  /** What the stages make of an event; undefined where they leave it out. Throws 280 where they change its `_id`. */
  #result(event: Document): Uint8Array | undefined {
    const [result] = this.#stages([event]);
    if (result === undefined) return undefined;
    if (!equals(result.get('_id'), event.get('_id'))) {
      throw new ServerError(
        280,
        'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. ' +
          'Only transformations that retain the unmodified _id field are allowed.',
      );
    }
    const bytes = encode(result);
    checkSize(
      bytes,
      10334,
      `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_SIZE}`,
    );
    return bytes;
  }
}

function tokenOf(event: Document): Document {
  const token = event.get('_id');
  return isDocument(token) ? token : new Map();
}

const COLLECTION_ENDS: ReadonlySet<Value | undefined> = new Set(['drop', 'rename']);

function subjectOf({ name, database, fields: command }: Request, fields: Fields): Subject {
  const collection = command.value(name);
  if (fields.boolean('allChangesForCluster')) {
    if (database !== 'admin' || typeof collection === 'string') {
      throw new ServerError(
        72,
        "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database",
      );
    }
    return { namespace: `${database}.$cmd.aggregate`, includes: isOfUsers, endsWith: () => false };
  }
  if (INTERNAL_DATABASES.has(database)) {
    throw new ServerError(73, `$changeStream may not be opened on the internal ${database} database`);
  }
  if (typeof collection === 'string') {
    const namespace = `${database}.${collection}`;
    if (collection.startsWith('system.')) {
      throw new ServerError(73, `$changeStream may not be opened on the internal ${namespace} collection`);
    }
    return {
      namespace,
      includes: (other) => other === namespace,
      endsWith: ({ head }) => COLLECTION_ENDS.has(head.get('operationType')),
    };
  }
  return {
    namespace: `${database}.$cmd.aggregate`,
    includes: (other) => (other === database || other.startsWith(`${database}.`)) && isOfUsers(other),
    endsWith: ({ head }) => head.get('operationType') === 'dropDatabase',
  };
}

const INTERNAL_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local']);

function isOfUsers(namespace: string): boolean {
  const [database = '', collection] = namespace.split('.', 2);
  return !INTERNAL_DATABASES.has(database) && collection !== 'system';
}

function beginningOf(fields: Fields, subject: Subject, { log }: Catalog): Beginning {
  const resumeAfter = fields.document('resumeAfter');
  const startAfter = fields.document('startAfter');
  const time = fields.timestamp('startAtOperationTime');
  if (resumeAfter !== undefined && startAfter !== undefined) {
    throw new ServerError(50865, "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage");
  }
  const token = resumeAfter ?? startAfter;
  if (token !== undefined && time !== undefined) {
    throw new ServerError(40674, 'Only one type of resume option is allowed, but multiple were found.');
  }
  if (token !== undefined) return afterToken(token, resumeAfter !== undefined, subject, log);
  if (time === undefined) return { position: log.end, end: undefined };
  const position = startOf(time);
  checkThere(position, log.start);
  return { position, end: undefined };
}

function afterToken(document: Document, resumes: boolean, subject: Subject, log: Catalog['log']): Beginning {
  const { position, kind } = readToken(document);
  if (kind === 'invalidate' && resumes) {
    throw new ServerError(
      260,
      "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification",
    );
  }
  checkThere(position, log.start);
  if (kind !== 'event') return { position, end: undefined };
  const change = log.at(position, subject.includes);
  if (change === undefined) {
    throw new ServerError(280, 'cannot resume stream; the resume token was not found.');
  }
  return { position, end: subject.endsWith(change) ? change : undefined };
}

/** Throws 286 where changes behind a position may have been forgotten. */
function checkThere(position: LogPosition, start: LogPosition): void {
  if (position >= start) return;
  throw new ServerError(
    286,
    'Resume of change stream was not possible, as the resume point may no longer be in the oplog.',
  );
}

const STAGES: ReadonlySet<string> = new Set([
  '$match',
  '$project',
  '$addFields',
  '$set',
  '$unset',
  '$replaceRoot',
  '$replaceWith',
  '$redact',
]);

/** Throws 20 for a stage that no change stream may have. */
function checkedStage(stage: Document): Document {
  const [name = ''] = stage.keys();
  // The pipeline itself says what it does not know, or does not support.
  if (STAGES.has(name) || name === '$changeStreamSplitLargeEvent' || !isStageName(name)) return stage;
  throw new ServerError(20, `${name} is not permitted in a $changeStream pipeline`);
}

/** The first of the values where the option is not given. */
function oneOf<T extends string>(fields: Fields, name: string, values: readonly [T, ...T[]]): T {
  const value = fields.string(name);
  if (value === undefined) return values[0];
  const found = values.find((one) => one === value);
  if (found !== undefined) return found;
  throw new ServerError(2, `Enumeration value '${value}' for field '$changeStream.${name}' is not a valid value.`);
}

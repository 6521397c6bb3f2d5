import { Long } from 'bson';
import { encode } from '../values/bson.ts';
import { integer } from '../values/number.ts';
import { keyOf } from '../values/order.ts';
import { splitPath, visit } from '../values/path.ts';
import { projector } from '../engine/project/compile.ts';
import { type Document, isArray, typeOf, type Value } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { collectionName, scopeOf } from '../dispatch/arguments.ts';
import { type Command, command, type Context, Postponed, type Request, type Scope } from '../dispatch/command.ts';
import { DEFAULT_BATCH_SIZE } from '../messages/limits.ts';
import { type Found, limited, select } from '../planner/run-plan.ts';
import { type CursorReply, documentOf } from '../messages/reply.ts';

const EVERYTHING: Document = new Map();

function find({ catalog, cursors }: Context, request: Request): CursorReply {
  const { fields, database, session } = request;
  const name = collectionName(request);
  const collection = catalog.collection(database, name);
  const scope = scopeOf(request, collection);
  const filter = fields.document('filter') ?? EVERYTHING;
  const found = select(collection, { filter, sort: fields.document('sort'), hint: fields.value('hint') }, scope);
  const wanted = limited(found, fields.count('skip') ?? 0, fields.count('limit') ?? 0);
  return cursors.open(`${database}.${name}`, projected(wanted, fields.document('projection'), scope), {
    batchSize: fields.count('batchSize') ?? DEFAULT_BATCH_SIZE,
    singleBatch: fields.boolean('singleBatch'),
    noTimeout: fields.boolean('noCursorTimeout'),
    session,
  });
}

/** The bytes to send. Without a projection they are the stored ones. */
function projected(found: Iterable<Found>, projection: Document | undefined, scope: Scope): Iterable<Uint8Array> {
  if (projection === undefined || projection.size === 0) return mapped(found, bytesOf);
  const project = projector(projection, scope);
  return mapped(found, (one) => encode(project(one.document, one.match)));
}

function bytesOf({ record }: Found): Uint8Array {
  return record.bytes;
}

function* mapped<T, U>(items: Iterable<T>, change: (item: T) => U): Generator<U> {
  for (const item of items) yield change(item);
}

function count({ catalog }: Context, request: Request): Document {
  const { fields } = request;
  const collection = catalog.collection(request.database, collectionName(request));
  const scope = scopeOf(request, collection);
  const hint = fields.value('hint');
  const skip = fields.count('skip') ?? 0;
  // A negative limit means the same as a positive one, as in the protocol's earliest versions.
  const limit = Math.abs(fields.integer('limit') ?? 0);
  const filter = fields.document('query') ?? EVERYTHING;
  if (filter.size === 0 && hint === undefined) {
    const all = Math.max(0, (collection?.records.count ?? 0) - skip);
    return documentOf({ n: integer(limit === 0 ? all : Math.min(all, limit)) });
  }
  let n = 0;
  for (const _ of limited(select(collection, { filter, hint }, scope), skip, limit)) n += 1;
  return documentOf({ n: integer(n) });
}

function distinct({ catalog }: Context, request: Request): Document {
  const { fields } = request;
  const path = fields.string('key');
  if (path === undefined) throw fields.missing('key');
  if (path === '' || path.includes('\0')) throw new ServerError(2, `'${path}' is no field path.`);
  const collection = catalog.collection(request.database, collectionName(request));
  const scope = scopeOf(request, collection);
  const names = splitPath(path);
  const values = new Map<string, Value>();
  const add = (value: Value): void => {
    const key = keyOf(value, scope.collation?.fold);
    if (!values.has(key)) values.set(key, value);
  };
  const query = { filter: fields.document('query') ?? EVERYTHING, hint: fields.value('hint') };
  for (const { document } of select(collection, query, scope)) {
    visit(document, names, false, (value) => {
      if (isArray(value)) value.forEach(add);
      else if (value !== undefined) add(value);
      return false;
    });
  }
  return documentOf({ values: [...values.values()] });
}

/** How long a `getMore` waits for something that may come, in milliseconds, unless it says otherwise. */
const AWAIT_MS = 1_000;

function getMore({ cursors }: Context, request: Request): CursorReply | Postponed {
  const { fields, database, client } = request;
  const id = cursorId(fields.value(request.name), 'getMore.getMore');
  const awaits = cursors.awaits(id);
  const limit = fields.milliseconds('maxTimeMS');
  if (limit !== undefined && awaits === false) {
    throw new ServerError(2, 'cannot set maxTimeMS on getMore command for a non-awaitData cursor');
  }
  const collection = fields.string('collection');
  if (collection === undefined) throw fields.missing('collection');
  const namespace = `${database}.${collection}`;
  const batchSize = fields.count('batchSize') || Number.POSITIVE_INFINITY;
  const end = performance.now() + (limit ?? AWAIT_MS);
  const ask = (): CursorReply | Postponed => {
    const reply = cursors.more(id, namespace, batchSize);
    const left = end - performance.now();
    if (awaits !== true || reply.documents.length > 0 || reply.id === 0n || left <= 0) return reply;
    return new Postponed(cursors.news(id, left, client.gone), ask);
  };
  return ask();
}

function killCursors({ cursors }: Context, request: Request): Document {
  const { fields, database } = request;
  const namespace = `${database}.${collectionName(request)}`;
  const ids = fields.array('cursors');
  if (ids === undefined) throw fields.missing('cursors');
  const killed: Value[] = [];
  const unknown: Value[] = [];
  for (const id of ids) (cursors.kill(cursorId(id, 'killCursors.cursors'), namespace) ? killed : unknown).push(id);
  return documentOf({ cursorsKilled: killed, cursorsNotFound: unknown, cursorsAlive: [], cursorsUnknown: [] });
}

function cursorId(value: Value | undefined, field: string): bigint {
  if (value instanceof Long) return value.toBigInt();
  const type = value === undefined ? 'missing' : typeOf(value);
  throw new ServerError(14, `BSON field '${field}' is the wrong type '${type}', expected type 'long'`);
}

const UNSUPPORTED_IN_FIND = ['min', 'max', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'readOnce'];

export const readCommands: Readonly<Record<string, Command>> = {
  find: command(
    find,
    [
      'filter',
      'sort',
      'projection',
      'skip',
      'limit',
      'batchSize',
      'singleBatch',
      'hint',
      'collation',
      'let',
      // Cursors end after ten idle minutes unless this is set.
      'noCursorTimeout',
      // Sorting has no limit here; results are never partial without shards; nothing is read from an oplog.
      'allowDiskUse',
      'allowPartialResults',
      'oplogReplay',
    ],
    { unsupported: UNSUPPORTED_IN_FIND, inTransactions: true },
  ),
  count: command(count, ['query', 'limit', 'skip', 'hint', 'collation']),
  distinct: command(distinct, ['key', 'query', 'hint', 'collation'], { inTransactions: true }),
  getMore: command(getMore, ['collection', 'batchSize'], { inTransactions: true }),
  killCursors: command(killCursors, ['cursors'], { inTransactions: true }),
};

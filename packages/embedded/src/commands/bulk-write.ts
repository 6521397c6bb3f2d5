// Writes to several collections in one command.
// https://www.mongodb.com/docs/manual/reference/command/bulkWrite/
import { Double, Int32 } from 'bson';
import { encode } from '../values/bson.ts';
import type { Document, Value } from '../values/value.ts';
import { checkDatabaseName, type Namespace, splitNamespace } from '../catalog/namespace.ts';
import { ServerError } from '../errors.ts';
import { givenCollation, scopeOf } from '../dispatch/arguments.ts';
import { isOrdered, refuseMulti, runBatch } from '../dispatch/batch.ts';
import { type Command, command, type Context, type Request, type Scope } from '../dispatch/command.ts';
import { type DeleteStatement, runDelete } from './delete.ts';
import { Fields } from '../messages/fields.ts';
import { type CursorReply, documentOf, errorFields } from '../messages/reply.ts';
import { parseUpdate, runUpdate, UPDATE_OPTIONS, type UpdateStatement } from './update.ts';
import { insertDocument } from './insert.ts';

type Operation = { readonly namespace: Namespace } & (
  | { readonly kind: 'insert'; readonly document: Document }
  | { readonly kind: 'update'; readonly statement: UpdateStatement }
  | { readonly kind: 'delete'; readonly statement: DeleteStatement }
);

/** What all operations of one command have in common. */
interface Surroundings {
  readonly context: Context;
  readonly scope: Scope;
  readonly checked: boolean;
}

/** The sums that the reply ends with. */
interface Totals {
  nErrors: number;
  nInserted: number;
  nMatched: number;
  nModified: number;
  nUpserted: number;
  nDeleted: number;
}

const OK = new Double(1);
const FAILED = new Double(0);

function bulkWrite(context: Context, request: Request): CursorReply {
  const { fields, session } = request;
  const namespaces = Array.from(request.statements('nsInfo'), ({ document }) => parseNamespace(document));
  const operations = Array.from(request.statements('ops'), ({ document }, index) =>
    parseOperation(document, index, namespaces),
  );
  const statements = operations.flatMap((operation) => ('statement' in operation ? [operation.statement] : []));
  refuseMulti(request, statements, 'multi=true');
  const surroundings = { context, scope: scopeOf(request), checked: !fields.boolean('bypassDocumentValidation') };
  const errorsOnly = fields.boolean('errorsOnly');
  const totals: Totals = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const results: Uint8Array[] = [];
  runBatch(
    operations,
    isOrdered(request),
    (operation, index) => {
      const result = runOperation(operation, surroundings, totals);
      if (!errorsOnly) results.push(encode(documentOf({ ok: OK, idx: new Int32(index), ...result })));
    },
    (error, index, { kind }) => {
      totals.nErrors += 1;
      results.push(encode(failure(error, index, kind)));
    },
  );
  const batchSize = resultBatchSize(fields);
  const reply = context.cursors.open(`${request.database}.$cmd.bulkWrite`, results, { batchSize, session });
  return reply.with(new Map(Object.entries(totals).map(([name, count]) => [name, new Int32(count)])));
}

/** All results at once, unless the client asks for fewer. */
function resultBatchSize(fields: Fields): number {
  const cursor = new Fields('bulkWrite.cursor', fields.document('cursor') ?? new Map());
  cursor.check(CURSOR_FIELDS);
  return cursor.count('batchSize') ?? Number.POSITIVE_INFINITY;
}

function runOperation(operation: Operation, { context, scope, checked }: Surroundings, totals: Totals) {
  const { catalog } = context;
  const { database, name } = operation.namespace;
  switch (operation.kind) {
    case 'insert': {
      insertDocument(catalog.ensure(database, name), operation, checked);
      totals.nInserted += 1;
      return { n: new Int32(1) };
    }
    case 'update': {
      const { matched, modified, upsertedId } = runUpdate(operation.statement, {
        collection: catalog.collection(database, name),
        create: () => catalog.ensure(database, name),
        scope,
        checked,
      });
      totals.nMatched += matched;
      totals.nModified += modified;
      if (upsertedId === undefined) return { n: new Int32(matched), nModified: new Int32(modified) };
      totals.nUpserted += 1;
      return { n: new Int32(1), nModified: new Int32(0), upserted: documentOf({ _id: upsertedId }) };
    }
    case 'delete': {
      const removed = runDelete(catalog.collection(database, name), operation.statement, scope);
      totals.nDeleted += removed;
      return { n: new Int32(removed) };
    }
  }
}

function failure(error: ServerError, index: number, kind: Operation['kind']): Document {
  const result = new Map<string, Value>([['ok', FAILED], ['idx', new Int32(index)], ...errorFields(error)]);
  result.set('n', new Int32(0));
  return kind === 'update' ? result.set('nModified', new Int32(0)) : result;
}

const CURSOR_FIELDS = new Set(['batchSize']);
const NAMESPACE_FIELDS = new Set(['ns']);
const INSERT_FIELDS = new Set(['insert', 'document']);
const UPDATE_FIELDS = new Set(['update', 'filter', 'updateMods', ...UPDATE_OPTIONS]);
const DELETE_FIELDS = new Set(['delete', 'filter', 'multi', 'hint', 'collation']);

/** Throws 73 for what is no `<database>.<collection>`. */
function parseNamespace(document: Document): Namespace {
  const fields = new Fields('bulkWrite.nsInfo', document);
  fields.refuse(['collectionUUID', 'encryptionInformation']);
  fields.check(NAMESPACE_FIELDS);
  const namespace = fields.string('ns');
  if (namespace === undefined) throw fields.missing('ns');
  const parts = splitNamespace(namespace);
  checkDatabaseName(parts.database);
  return parts;
}

/** The first field says what an operation is, and in which of the namespaces. */
function parseOperation(document: Document, position: number, namespaces: readonly Namespace[]): Operation {
  const [kind] = document.keys();
  const fields = new Fields('bulkWrite.ops', document);
  const namespace = (): Namespace => {
    const index = fields.integer(kind ?? '');
    const found = index === undefined ? undefined : namespaces[index];
    if (found !== undefined) return found;
    throw new ServerError(2, `BulkWrite ops entry ${position} has an invalid nsInfo index.`);
  };
  switch (kind) {
    case 'insert':
      fields.check(INSERT_FIELDS);
      return { kind, namespace: namespace(), document: required(fields, 'document') };
    case 'update':
      fields.check(UPDATE_FIELDS);
      return { kind, namespace: namespace(), statement: parseUpdate(fields, 'filter', 'updateMods') };
    case 'delete':
      fields.check(DELETE_FIELDS);
      return { kind, namespace: namespace(), statement: parseDelete(fields) };
    default:
      throw new ServerError(9, `BulkWrite ops entry ${position} must start with insert, update or delete.`);
  }
}

function parseDelete(fields: Fields): DeleteStatement {
  return {
    filter: required(fields, 'filter'),
    multi: fields.boolean('multi'),
    hint: fields.value('hint'),
    collation: givenCollation(fields),
  };
}

function required(fields: Fields, name: string): Document {
  const document = fields.document(name);
  if (document === undefined) throw fields.missing(name);
  return document;
}

const FIELDS = ['ordered', 'errorsOnly', 'bypassDocumentValidation', 'let', 'cursor'];

export const bulkWriteCommands: Readonly<Record<string, Command>> = {
  bulkWrite: command(bulkWrite, FIELDS, { sequences: ['ops', 'nsInfo'], adminOnly: true, retryable: true }),
};

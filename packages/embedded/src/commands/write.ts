import { Int32 } from 'bson';
import { integer } from '../values/number.ts';
import type { Document, Value } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { isOrdered, refuseMulti, runBatch } from '../dispatch/batch.ts';
import { collectionName, givenCollation, scopeOf } from '../dispatch/arguments.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { Fields } from '../messages/fields.ts';
import { type DeleteStatement, runDelete } from './delete.ts';
import { documentOf, errorFields } from '../messages/reply.ts';
import { parseUpdate, runUpdate, UPDATE_OPTIONS, type UpdateStatement } from './update.ts';
import { insertDocument } from './insert.ts';

function insert({ catalog }: Context, request: Request): Document {
  const statements = request.statements('documents');
  const collection = catalog.ensure(request.database, collectionName(request));
  const checked = !request.fields.boolean('bypassDocumentValidation');
  let n = 0;
  const writeErrors = writeErrorsOf(request, statements, (statement) => {
    insertDocument(collection, statement, checked);
    n += 1;
  });
  return documentOf({ n: integer(n), writeErrors });
}

function update({ catalog }: Context, request: Request): Document {
  const name = collectionName(request);
  const statements = Array.from(request.statements('updates'), ({ document }) => parseUpdateStatement(document));
  refuseMulti(request, statements, 'multi=true');
  const scope = scopeOf(request);
  const checked = !request.fields.boolean('bypassDocumentValidation');
  let n = 0;
  let nModified = 0;
  const upserted: Value[] = [];
  const writeErrors = writeErrorsOf(request, statements, (statement, index) => {
    const result = runUpdate(statement, {
      collection: catalog.collection(request.database, name),
      create: () => catalog.ensure(request.database, name),
      scope,
      checked,
    });
    n += result.matched;
    nModified += result.modified;
    if (result.upsertedId === undefined) return;
    n += 1;
    upserted.push(documentOf({ index: new Int32(index), _id: result.upsertedId }));
  });
  return documentOf({
    n: integer(n),
    upserted: upserted.length > 0 ? upserted : undefined,
    nModified: integer(nModified),
    writeErrors,
  });
}

const UPDATE_FIELDS = new Set(['q', 'u', ...UPDATE_OPTIONS]);

/** Reads a statement of the command `update`. */
export function parseUpdateStatement(document: Document): UpdateStatement {
  const fields = new Fields('update.updates', document);
  fields.check(UPDATE_FIELDS);
  return parseUpdate(fields, 'q', 'u');
}

const DELETE_FIELDS = new Set(['q', 'limit', 'hint', 'collation']);

/** Reads a statement of the command `delete`. */
export function parseDelete(document: Document): DeleteStatement {
  const fields = new Fields('delete.deletes', document);
  fields.check(DELETE_FIELDS);
  const filter = fields.document('q');
  if (filter === undefined) throw fields.missing('q');
  const limit = fields.integer('limit');
  if (limit === undefined) throw fields.missing('limit');
  if (limit !== 0 && limit !== 1) {
    throw new ServerError(9, `The limit field in delete objects must be 0 or 1. Got ${limit}`);
  }
  return { filter, multi: limit === 0, hint: fields.value('hint'), collation: givenCollation(fields) };
}

function deleteCommand({ catalog }: Context, request: Request): Document {
  const collection = catalog.collection(request.database, collectionName(request));
  const statements = Array.from(request.statements('deletes'), ({ document }) => parseDelete(document));
  refuseMulti(request, statements, 'limit=0');
  const scope = scopeOf(request);
  let n = 0;
  const writeErrors = writeErrorsOf(request, statements, (statement) => {
    n += runDelete(collection, statement, scope);
  });
  return documentOf({ n: integer(n), writeErrors });
}

/** Runs a batch. @returns the errors as a reply has them; undefined if there were none */
function writeErrorsOf<T>(
  request: Request,
  statements: Iterable<T>,
  run: (statement: T, index: number) => void,
): Document[] | undefined {
  const errors: Document[] = [];
  runBatch(statements, isOrdered(request), run, (error, index) => {
    errors.push(new Map<string, Value>([['index', new Int32(index)], ...errorFields(error)]));
  });
  return errors.length > 0 ? errors : undefined;
}

const BATCH_FIELDS = ['ordered', 'bypassDocumentValidation'];

export const writeCommands: Readonly<Record<string, Command>> = {
  insert: command(insert, BATCH_FIELDS, { sequences: ['documents'], retryable: true }),
  update: command(update, [...BATCH_FIELDS, 'let'], { sequences: ['updates'], retryable: true }),
  delete: command(deleteCommand, ['ordered', 'let'], { sequences: ['deletes'], retryable: true }),
};

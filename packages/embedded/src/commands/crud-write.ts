import { Int32 } from 'bson';
import { integer } from '../engine/number.ts';
import type { Document, Value } from '../engine/value.ts';
import { ServerError } from '../errors.ts';
import { checkCollation, collectionName, hintsBackwards, scopeOf } from './arguments.ts';
import { type Command, command, type Context, type Request } from './command.ts';
import { Fields } from './fields.ts';
import { limited, select } from './records.ts';
import { documentOf, errorFields } from './reply.ts';
import { parseUpdate, runUpdate } from './update.ts';
import { insertDocument } from './writes.ts';

function insert({ catalog }: Context, request: Request): Document {
  const statements = request.statements('documents');
  const collection = catalog.ensure(request.database, collectionName(request));
  const checked = !request.fields.boolean('bypassDocumentValidation');
  let n = 0;
  const writeErrors = runBatch(request, statements, (statement) => {
    insertDocument(collection, statement, checked);
    n += 1;
  });
  return documentOf({ n: integer(n), writeErrors });
}

function update({ catalog }: Context, request: Request): Document {
  const name = collectionName(request);
  const statements = Array.from(request.statements('updates'), ({ document }) =>
    parseUpdate(new Fields('update.updates', document)),
  );
  const scope = scopeOf(request);
  const checked = !request.fields.boolean('bypassDocumentValidation');
  let n = 0;
  let nModified = 0;
  const upserted: Value[] = [];
  const writeErrors = runBatch(request, statements, (statement, index) => {
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

const DELETE_FIELDS = new Set(['q', 'limit', 'hint', 'collation']);

interface DeleteStatement {
  readonly filter: Document;
  readonly limit: 0 | 1;
  readonly hint: Value | undefined;
}

function parseDelete(document: Document): DeleteStatement {
  const fields = new Fields('delete.deletes', document);
  fields.check(DELETE_FIELDS);
  checkCollation(fields);
  const filter = fields.document('q');
  if (filter === undefined) throw fields.missing('q');
  const limit = fields.integer('limit');
  if (limit === undefined) throw fields.missing('limit');
  if (limit !== 0 && limit !== 1) {
    throw new ServerError(9, `The limit field in delete objects must be 0 or 1. Got ${limit}`);
  }
  return { filter, limit, hint: fields.value('hint') };
}

function deleteCommand({ catalog }: Context, request: Request): Document {
  const collection = catalog.collection(request.database, collectionName(request));
  const statements = Array.from(request.statements('deletes'), ({ document }) => parseDelete(document));
  const scope = scopeOf(request);
  let n = 0;
  const writeErrors = runBatch(request, statements, ({ filter, limit, hint }) => {
    hintsBackwards(collection, hint);
    const found = select(collection, filter, scope);
    for (const { record } of limited(found, 0, limit)) {
      collection?.remove(record);
      n += 1;
    }
  });
  return documentOf({ n: integer(n), writeErrors });
}

/**
 * Runs the statements of a batch in order. An ordered batch ends at the first error, an unordered one goes on.
 * @returns the errors as a reply has them; undefined if there were none
 */
function runBatch<T>(
  { fields }: Request,
  statements: Iterable<T>,
  run: (statement: T, index: number) => void,
): Document[] | undefined {
  const ordered = fields.value('ordered') === undefined || fields.boolean('ordered');
  const errors: Document[] = [];
  let index = 0;
  for (const statement of statements) {
    try {
      run(statement, index);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      errors.push(new Map<string, Value>([['index', new Int32(index)], ...errorFields(error)]));
      if (ordered) break;
    }
    index += 1;
  }
  return errors.length > 0 ? errors : undefined;
}

const BATCH_FIELDS = ['ordered', 'bypassDocumentValidation'];

export const writeCommands: Readonly<Record<string, Command>> = {
  insert: command(insert, BATCH_FIELDS, { sequence: 'documents' }),
  update: command(update, [...BATCH_FIELDS, 'let'], { sequence: 'updates' }),
  delete: command(deleteCommand, ['ordered', 'let'], { sequence: 'deletes' }),
};

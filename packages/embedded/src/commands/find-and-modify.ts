import { integer } from '../values/number.ts';
import { projector } from '../engine/project/compile.ts';
import { compileUpdate, upsertDocument } from '../engine/update/compile.ts';
import type { Document, Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { collectionName, scopeOf } from '../dispatch/arguments.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { type Found, select } from '../planner/run-plan.ts';
import { documentOf } from '../messages/reply.ts';
import { applyUpdate, storeUpdate, updateOf, upsertInto } from './update.ts';
import { prepared } from './insert.ts';

/** What the command did to at most one document. */
interface Outcome {
  /** The document to give back, null where there is none. */
  readonly value: Document | null;
  readonly matched: boolean;
  readonly upsertedId?: Value | undefined;
}

function findAndModify(context: Context, request: Request): Document {
  const { fields } = request;
  checkCombination(request);
  const remove = fields.boolean('remove');
  const { value, matched, upsertedId } = remove ? removeOne(context, request) : updateOne(context, request);
  return documentOf({
    lastErrorObject: documentOf({
      n: integer(matched || upsertedId !== undefined ? 1 : 0),
      updatedExisting: remove ? undefined : matched,
      upserted: upsertedId,
    }),
    value,
  });
}

function checkCombination({ fields }: Request): void {
  const remove = fields.boolean('remove');
  const hasUpdate = fields.value('update') !== undefined;
  if (!remove && !hasUpdate) {
    throw new ServerError(9, 'Either an update or remove=true must be specified');
  }
  if (!remove) return;
  if (hasUpdate) throw new ServerError(9, 'Cannot specify both an update and remove=true');
  if (fields.boolean('upsert')) throw new ServerError(9, 'Cannot specify both upsert=true and remove=true');
  if (fields.boolean('new')) {
    throw new ServerError(
      9,
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    );
  }
}

function removeOne({ catalog }: Context, request: Request): Outcome {
  const collection = catalog.collection(request.database, collectionName(request));
  const project = projection(request, collection);
  const found = first(collection, request);
  if (found === undefined || collection === undefined) return { value: null, matched: false };
  const value = project(found.document, found);
  collection.remove(found.record);
  return { value, matched: true };
}

function updateOne({ catalog }: Context, request: Request): Outcome {
  const { fields, database } = request;
  const name = collectionName(request);
  const collection = catalog.collection(database, name);
  const arrayFilters = fields.documents('arrayFilters');
  const update = compileUpdate(updateOf(fields, 'update'), { ...scopeOf(request, collection), arrayFilters });
  const checked = !fields.boolean('bypassDocumentValidation');
  const wantsNew = fields.boolean('new');
  const project = projection(request, collection);
  const found = first(collection, request);
  // What is given back is worked out before anything is stored: what fails there leaves everything as it was.
  if (found !== undefined && collection !== undefined) {
    const updated = applyUpdate(found, update);
    const value = project(wantsNew ? updated.after : updated.before, found);
    storeUpdate(collection, found, updated, update, checked);
    return { value, matched: true };
  }
  if (!fields.boolean('upsert')) return { value: null, matched: false };
  const document = prepared(upsertDocument(filterOf(request), update));
  const value = wantsNew ? project(document) : null;
  const inserted = upsertInto(catalog.ensure(database, name), document, checked);
  return { value, matched: false, upsertedId: inserted.get('_id') };
}

/** The first document that the query selects, by the sort. */
function first(collection: Collection | undefined, request: Request): Found | undefined {
  const { fields } = request;
  const query = { filter: filterOf(request), sort: fields.document('sort'), hint: fields.value('hint') };
  for (const found of select(collection, query, scopeOf(request, collection))) return found;
  return undefined;
}

function filterOf({ fields }: Request): Document {
  return fields.document('query') ?? new Map();
}

/** Compiled before anything is written, so that a wrong projection leaves everything as it was. */
function projection(
  request: Request,
  collection: Collection | undefined,
): (document: Document, found?: Found) => Document {
  const specification = request.fields.document('fields');
  if (specification === undefined || specification.size === 0) return (document) => document;
  const project = projector(specification, scopeOf(request, collection));
  return (document, found) => project(document, found?.match);
}

const FIELDS = [
  'query',
  'sort',
  'remove',
  'update',
  'new',
  'fields',
  'upsert',
  'arrayFilters',
  'bypassDocumentValidation',
  'hint',
  'collation',
  'let',
];
const entry = command(findAndModify, FIELDS, { retryable: true });

export const findAndModifyCommands: Readonly<Record<string, Command>> = {
  findAndModify: entry,
  findandmodify: entry,
};

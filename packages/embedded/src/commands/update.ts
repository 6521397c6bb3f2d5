import { encode } from '../values/bson.ts';
import { type CompiledUpdate, compileUpdate, upsertDocument } from '../engine/update/compile.ts';
import { type Document, isArray, isDocument, typeOf, type Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { type GivenCollation, givenCollation, scopeFor } from '../dispatch/arguments.ts';
import type { Scope } from '../dispatch/command.ts';
import type { Fields } from '../messages/fields.ts';
import { checkSize, MAX_DOCUMENT_SIZE } from '../messages/limits.ts';
import { type Found, limited, select } from '../planner/run-plan.ts';
import { insertDocument, withIdFirst } from './insert.ts';

/** The options that an update has in every command. */
export const UPDATE_OPTIONS = ['multi', 'upsert', 'sort', 'arrayFilters', 'hint', 'collation'];

/** One update. */
export interface UpdateStatement {
  readonly filter: Document;
  readonly update: Document | Document[];
  readonly arrayFilters: Document[] | undefined;
  readonly multi: boolean;
  readonly upsert: boolean;
  /** Which of the documents is updated where one is. */
  readonly sort: Document | undefined;
  readonly hint: Value | undefined;
  readonly collation: GivenCollation | undefined;
}

/** Where an update takes place. */
export interface UpdateTarget {
  readonly collection: Collection | undefined;
  /** The collection, made if it is not there: for an upsert. */
  create(): Collection;
  readonly scope: Scope;
  /** True where documents must keep the collection's rule. */
  readonly checked: boolean;
}

export interface UpdateResult {
  readonly matched: number;
  /** Those of the matched whose bytes changed. */
  readonly modified: number;
  readonly upsertedId: Value | undefined;
}

/** Reads an update whose filter and change have these names. */
export function parseUpdate(fields: Fields, filterName: string, updateName: string): UpdateStatement {
  const filter = fields.document(filterName);
  if (filter === undefined) throw fields.missing(filterName);
  const multi = fields.boolean('multi');
  const sort = fields.document('sort');
  if (multi && sort !== undefined) throw new ServerError(9, 'Cannot specify sort with multi=true');
  return {
    filter,
    update: updateOf(fields, updateName),
    arrayFilters: fields.documents('arrayFilters'),
    multi,
    upsert: fields.boolean('upsert'),
    sort,
    hint: fields.value('hint'),
    collation: givenCollation(fields),
  };
}

/** A document of operators, a replacement, or a pipeline. */
export function updateOf(fields: Fields, name: string): Document | Document[] {
  const update = fields.value(name);
  if (update === undefined) throw fields.missing(name);
  if (isDocument(update)) return update;
  if (isArray(update)) return fields.documents(name) ?? [];
  throw new ServerError(9, `Update argument must be either an object or an array, not ${typeOf(update)}`);
}

/** Runs one statement. What it changed before it failed stays changed, as in MongoDB. */
export function runUpdate(statement: UpdateStatement, target: UpdateTarget): UpdateResult {
  const { filter, multi, upsert, sort, hint } = statement;
  const { collection } = target;
  const scope = scopeFor(target.scope, collection, statement.collation);
  const update = compileUpdate(statement.update, { ...scope, arrayFilters: statement.arrayFilters });
  if (multi && update.kind === 'replacement') {
    throw new ServerError(9, 'multi update is not supported for replacement-style update');
  }
  let matched = 0;
  let modified = 0;
  const found = select(collection, { filter, sort, hint }, scope, { changing: multi });
  for (const one of limited(found, 0, multi ? 0 : 1)) {
    matched += 1;
    if (collection !== undefined && updateFound(collection, one, update, target.checked).modified) modified += 1;
  }
  if (matched > 0 || !upsert) return { matched, modified, upsertedId: undefined };
  const document = upsertDocument(filter, update);
  const inserted = upsertInto(target.create(), document, target.checked);
  return { matched, modified, upsertedId: inserted.get('_id') };
}

/** What an update makes of one document. */
export interface Updated {
  readonly before: Document;
  readonly after: Document;
  readonly bytes: Uint8Array;
  readonly modified: boolean;
  /** Where operators wrote. Only they say it: what a pipeline changed has to be looked for. */
  readonly written: readonly string[] | undefined;
}

/** Applies an update to a document and stores it if a byte of it changed. All or nothing. */
export function updateFound(collection: Collection, found: Found, update: CompiledUpdate, checked: boolean): Updated {
  const updated = applyUpdate(found, update);
  storeUpdate(collection, found, updated, update, checked);
  return updated;
}

/** Applies an update to a document, and stores nothing. */
export function applyUpdate(found: Found, update: CompiledUpdate): Updated {
  const before = found.document;
  const written: string[] = [];
  const after = withIdFirst(update.apply(before, found.match, written));
  const bytes = encode(after);
  const modified = Buffer.compare(bytes, found.record.bytes) !== 0;
  if (modified) {
    checkSize(bytes, 17419, `Resulting document after update is larger than ${MAX_DOCUMENT_SIZE}`);
  }
  return { before, after, bytes, modified, written: update.kind === 'operators' ? written : undefined };
}

/** Stores what an update made of a document. */
export function storeUpdate(
  collection: Collection,
  { record }: Found,
  { before, after, bytes, modified, written }: Updated,
  { kind }: CompiledUpdate,
  checked: boolean,
): void {
  if (!modified) return;
  collection.replace(record, before, after, bytes, {
    checked,
    kind: kind === 'replacement' ? 'replace' : 'update',
    written,
  });
}

/** Inserts the document that the equalities of a filter and an update make together: `upsertDocument`. */
export function upsertInto(collection: Collection, document: Document, checked: boolean): Document {
  const bytes = encode(document);
  checkSize(bytes, 17420, `Document to upsert is larger than ${MAX_DOCUMENT_SIZE}`);
  return insertDocument(collection, { document, bytes }, checked);
}

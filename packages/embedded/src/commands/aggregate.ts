import { checkFirstStages, pipeline } from '../engine/aggregate/compile.ts';
import { splitLeadingMatch } from '../engine/aggregate/inner.ts';
import type { OtherCollection } from '../engine/aggregate/stage.ts';
import { encode } from '../values/bson.ts';
import { type Document, isDocument } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { outputOf } from './aggregate-output.ts';
import { collectionName, cursorBatchSize, scopeOf } from '../dispatch/arguments.ts';
import { isChangeStream, openChangeStream } from '../change-streams/change-stream.ts';
import { type Command, command, type Context, type Request, type Scope } from '../dispatch/command.ts';
import type { Fields } from '../messages/fields.ts';
import { checkSize, MAX_DOCUMENT_SIZE } from '../messages/limits.ts';
import { planQuery } from '../planner/planner.ts';
import { type Found, type Query, select } from '../planner/run-plan.ts';
import type { CursorReply } from '../messages/reply.ts';

function aggregate(context: Context, request: Request): CursorReply {
  const { fields, database, session } = request;
  const stages = fields.documents('pipeline');
  if (stages === undefined) throw fields.missing('pipeline');
  if (fields.document('cursor') === undefined) {
    throw new ServerError(9, "The 'cursor' option is required, except for aggregate with the explain argument");
  }
  checkFirstStages(stages);
  const batchSize = cursorBatchSize(fields);
  if (isChangeStream(stages)) {
    const { namespace, stream } = openChangeStream(context.catalog, request, stages, scopeOf(request));
    return context.cursors.open(namespace, stream, { batchSize, session });
  }
  const namespace = `${database}.${checkedName(request, stages)}`;
  const scope = scopeOf(request, collectionOf(context, request));
  const output = outputOf(stages.at(-1), context, request, scope);
  if (output === undefined)
    return context.cursors.open(namespace, results(context, request, stages, scope), { batchSize, session });
  output(documents(context, request, stages.slice(0, -1), scope));
  return context.cursors.open(namespace, [], { batchSize, session });
}

/** The collection's name; what MongoDB uses in its place where a pipeline brings its own documents. */
function checkedName(request: Request, [first]: readonly Document[]): string {
  const isFree = typeof request.fields.value(request.name) !== 'string';
  const [stage = 'an empty pipeline'] = first?.keys() ?? [];
  if (isFree && stage !== '$documents') {
    throw new ServerError(73, `{aggregate: 1} is not valid for '${stage}'; a collection is required.`);
  }
  if (!isFree && stage === '$documents') {
    throw new ServerError(73, `'${stage}' can only be run with {aggregate: 1}`);
  }
  return isFree ? '$cmd.aggregate' : collectionName(request);
}

/** The answer as BSON. What is not changed by any stage goes as it is stored. */
function results(context: Context, request: Request, stages: readonly Document[], scope: Scope): Iterable<Uint8Array> {
  const { query, rest } = leadingQuery(stages);
  if (rest.length === 0) return mapped(found(context, request, query, scope), ({ record }) => record.bytes);
  return mapped(documents(context, request, stages, scope), encoded);
}

/** The documents that a pipeline makes of a collection, as they are asked for. */
function documents(context: Context, request: Request, stages: readonly Document[], scope: Scope): Iterable<Document> {
  const { query, rest } = leadingQuery(stages);
  const run = pipeline(rest, {
    variables: scope.variables,
    collation: scope.collation,
    open: (name) => otherCollection(context.catalog.collection(request.database, name), scope),
    check: scope.check,
  });
  return run(mapped(found(context, request, query, scope), documentOfFound));
}

/** What the first stages ask for that a collection can answer by its indexes, and the stages after them. */
export function leadingQuery(stages: readonly Document[]): { query: Query; rest: readonly Document[] } {
  const { filter, rest } = splitLeadingMatch(stages);
  const sort = rest[0]?.size === 1 ? rest[0].get('$sort') : undefined;
  if (!isDocument(sort) || sort.size === 0 || sort.has('$natural')) return { query: { filter }, rest };
  return { query: { filter, sort }, rest: rest.slice(1) };
}

function found(context: Context, request: Request, query: Query, scope: Scope): Iterable<Found> {
  const hint = request.fields.value('hint');
  return select(collectionOf(context, request), { ...query, hint }, scope);
}

/** Undefined too where a pipeline brings its own documents. */
function collectionOf({ catalog }: Context, request: Request): Collection | undefined {
  const isNamed = typeof request.fields.value(request.name) === 'string';
  return isNamed ? catalog.collection(request.database, collectionName(request)) : undefined;
}

function documentOfFound({ document }: Found): Document {
  return document;
}

/** How `$lookup` and `$unionWith` see another collection of the database. */
function otherCollection(collection: Collection | undefined, scope: Scope): OtherCollection {
  return {
    find: (filter, variables) => {
      scope.deadline?.check();
      return mapped(select(collection, { filter }, { ...scope, variables }), documentOfFound);
    },
    hasIndexOn: (field) => collection === undefined || isIndexed(collection, field, scope),
  };
}

/** True where the planner takes an index for any value of a field: null stands for missing ones, which some indexes lack. */
function isIndexed(collection: Collection, field: string, { collation }: Scope): boolean {
  const filter: Document = new Map([[field, null]]);
  return planQuery(collection, { filter, collation }).kind !== 'collection';
}

function encoded(document: Document): Uint8Array {
  const bytes = encode(document);
  checkSize(
    bytes,
    10334,
    `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT_SIZE}(16MB)`,
  );
  return bytes;
}

function* mapped<T, U>(items: Iterable<T>, change: (item: T) => U): Generator<U> {
  for (const item of items) yield change(item);
}

function hasOutput(fields: Fields): boolean {
  const last = fields.array('pipeline')?.at(-1);
  return isDocument(last) && (last.has('$out') || last.has('$merge'));
}

export const aggregateCommands: Readonly<Record<string, Command>> = {
  aggregate: command(
    aggregate,
    // Stages have no limit of memory here, so there is nothing to put on a disk.
    ['pipeline', 'cursor', 'hint', 'collation', 'let', 'allowDiskUse', 'bypassDocumentValidation'],
    { unsupported: ['explain'], inTransactions: true, writesIn: hasOutput },
  ),
};

// What way a command would take to its documents. It changes nothing.
// https://www.mongodb.com/docs/manual/reference/command/explain/
import { hostname } from 'node:os';
import { pipeline } from '../engine/aggregate/compile.ts';
import { integer } from '../values/number.ts';
import { projector } from '../engine/project/compile.ts';
import type { Document, Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { aggregateCommands, leadingQuery } from './aggregate.ts';
import { collectionName, scopeFor, scopeOf } from '../dispatch/arguments.ts';
import {
  type Command,
  command,
  type Context,
  GENERIC_FIELDS,
  type Request,
  type Scope,
  statementsIn,
} from '../dispatch/command.ts';
import { readCommands } from './find.ts';
import { parseDelete, parseUpdateStatement, writeCommands } from './write.ts';
import { shownPlan, stage } from '../planner/explain.ts';
import { Fields } from '../messages/fields.ts';
import { findAndModifyCommands } from './find-and-modify.ts';
import { MONGODB_VERSION } from '../messages/limits.ts';
import { limited, prepare, type PreparedQuery, type Query, select, type Statistics } from '../planner/run-plan.ts';
import { documentOf } from '../messages/reply.ts';

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];
const EVERYTHING: Document = new Map();

/** What a command wants of a collection. */
interface Wanted extends Query {
  readonly scope: Scope;
  readonly skip?: number;
  /** 0 for all. */
  readonly limit?: number;
  /** Names the stages that come after the documents are found, the innermost first. */
  readonly outer?: readonly OuterStage[];
  /** The stages of a pipeline that work on what is found. */
  readonly rest?: readonly Document[];
}

interface OuterStage {
  readonly name: string;
  readonly fields?: Record<string, Value>;
  /** True where the documents are its own affair, and none comes out of it. */
  readonly silent?: boolean;
}

/** Reads a command as far as it says which documents it is about. */
type Reader = (request: Request, collection: Collection | undefined) => Wanted;

const readFind: Reader = (request, collection) => {
  const { fields } = request;
  const projection = fields.document('projection');
  const scope = scopeOf(request, collection);
  if (projection !== undefined) projector(projection, scope);
  return {
    filter: fields.document('filter') ?? EVERYTHING,
    sort: fields.document('sort'),
    hint: fields.value('hint'),
    skip: fields.count('skip') ?? 0,
    limit: fields.count('limit') ?? 0,
    scope,
    outer: projection === undefined ? [] : [{ name: 'PROJECTION_DEFAULT', fields: { transformBy: projection } }],
  };
};

const readCount: Reader = (request, collection) => {
  const { fields } = request;
  const filter = fields.document('query') ?? EVERYTHING;
  return {
    filter,
    hint: fields.value('hint'),
    skip: fields.count('skip') ?? 0,
    limit: Math.abs(fields.integer('limit') ?? 0),
    scope: scopeOf(request, collection),
    outer: [{ name: filter.size === 0 ? 'RECORD_STORE_FAST_COUNT' : 'COUNT', silent: true }],
  };
};

const readDistinct: Reader = (request, collection) => {
  const { fields } = request;
  if (fields.string('key') === undefined) throw fields.missing('key');
  return {
    filter: fields.document('query') ?? EVERYTHING,
    hint: fields.value('hint'),
    scope: scopeOf(request, collection),
  };
};

const readAggregate: Reader = (request, collection) => {
  const { fields } = request;
  const stages = fields.documents('pipeline');
  if (stages === undefined) throw fields.missing('pipeline');
  const scope = scopeOf(request, collection);
  const { query, rest } = leadingQuery(stages);
  return { ...query, hint: fields.value('hint'), scope, rest };
};

const readUpdate: Reader = (request, collection) => {
  const { filter, sort, hint, multi, upsert, collation } = parseUpdateStatement(onlyStatement(request, 'updates'));
  const scope = scopeFor(scopeOf(request, collection), collection, collation);
  const outer = [{ name: 'UPDATE', fields: { isUpsert: upsert }, silent: true }];
  return { filter, sort, hint, limit: multi ? 0 : 1, scope, outer };
};

const readDelete: Reader = (request, collection) => {
  const { filter, hint, multi, collation } = parseDelete(onlyStatement(request, 'deletes'));
  const scope = scopeFor(scopeOf(request, collection), collection, collation);
  return { filter, hint, limit: multi ? 0 : 1, scope, outer: [{ name: 'DELETE', silent: true }] };
};

const readFindAndModify: Reader = (request, collection) => {
  const { fields } = request;
  return {
    filter: fields.document('query') ?? EVERYTHING,
    sort: fields.document('sort'),
    hint: fields.value('hint'),
    limit: 1,
    scope: scopeOf(request, collection),
    outer: [{ name: fields.boolean('remove') ? 'DELETE' : 'UPDATE' }],
  };
};

function onlyStatement(request: Request, name: string): Document {
  const [first, ...others] = request.statements(name);
  if (first !== undefined && others.length === 0) return first.document;
  throw new ServerError(72, 'Only a single batch item can be explained.');
}

/** The commands that can be explained, by name. */
const EXPLAINED: ReadonlyMap<string, { readonly command: Command | undefined; readonly read: Reader }> = new Map([
  ['find', { command: readCommands['find'], read: readFind }],
  ['count', { command: readCommands['count'], read: readCount }],
  ['distinct', { command: readCommands['distinct'], read: readDistinct }],
  ['aggregate', { command: aggregateCommands['aggregate'], read: readAggregate }],
  ['update', { command: writeCommands['update'], read: readUpdate }],
  ['delete', { command: writeCommands['delete'], read: readDelete }],
  ['findAndModify', { command: findAndModifyCommands['findAndModify'], read: readFindAndModify }],
  ['findandmodify', { command: findAndModifyCommands['findAndModify'], read: readFindAndModify }],
]);

function explain(context: Context, outer: Request): Document {
  const inner = outer.fields.document('explain') ?? EVERYTHING;
  const verbosity = outer.fields.string('verbosity') ?? 'allPlansExecution';
  if (!VERBOSITIES.includes(verbosity)) {
    throw new ServerError(2, `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`);
  }
  const request = innerRequest(outer, inner);
  const { read } = explained(request.name);
  const collection = context.catalog.collection(request.database, collectionName(request));
  const wanted = read(request, collection);
  const found = explainQuery(request, collection, wanted, verbosity);
  return documentOf({
    explainVersion: '1',
    ...(wanted.rest === undefined || wanted.rest.length === 0
      ? found
      : { stages: [documentOf({ $cursor: documentOf(found) }), ...wanted.rest] }),
    command: inner,
    serverInfo: documentOf({ host: hostname(), version: MONGODB_VERSION }),
  });
}

/** Throws 59 for a name that is no command that could be explained. */
function explained(name: string) {
  const found = EXPLAINED.get(name);
  if (found !== undefined) return found;
  throw new ServerError(59, `Explain failed due to unknown command: ${name}`);
}

/** The command as it would be run. */
function innerRequest(outer: Request, inner: Document): Request {
  const [name = ''] = inner.keys();
  const fields = new Fields(name, inner);
  const known = explained(name).command;
  if (known?.fields !== undefined) fields.check(known.fields, GENERIC_FIELDS);
  fields.refuse(known?.unsupported ?? []);
  return { ...outer, name, fields, statements: (field) => statementsIn(fields, field) };
}

function explainQuery(
  { database, name, fields }: Request,
  collection: Collection | undefined,
  wanted: Wanted,
  verbosity: string,
): Record<string, Value | undefined> {
  if (wanted.rest !== undefined) pipeline(wanted.rest, wanted.scope);
  // Where there is no collection, a wrong filter is refused all the same.
  if (collection === undefined) select(undefined, wanted, wanted.scope);
  const prepared = collection && prepare(collection, wanted, wanted.scope);
  const winningPlan = finished(collection, prepared, wanted);
  const stats = verbosity === 'queryPlanner' ? undefined : statistics(prepared, wanted, winningPlan);
  return {
    queryPlanner: documentOf({
      namespace: `${database}.${collectionName({ name, fields })}`,
      indexFilterSet: false,
      parsedQuery: wanted.filter,
      winningPlan,
      rejectedPlans: [],
    }),
    executionStats: verbosity === 'allPlansExecution' ? stats?.set('allPlansExecution', []) : stats,
  };
}

/** The plan with what is done to the documents that it finds. */
function finished(collection: Collection | undefined, prepared: PreparedQuery | undefined, wanted: Wanted): Document {
  const { sort, skip = 0, limit = 0, outer = [] } = wanted;
  if (collection === undefined || prepared === undefined) return stage('EOF', {});
  const fast = outer.find(({ name }) => name === 'RECORD_STORE_FAST_COUNT');
  if (fast !== undefined && wanted.hint === undefined) return stage(fast.name, {});
  let plan = shownPlan(prepared.plan, collection.ids);
  if (sort !== undefined && sort.size > 0 && !prepared.plan.sorted) plan = stage('SORT', { sortPattern: sort }, plan);
  if (skip > 0) plan = stage('SKIP', { skipAmount: integer(skip) }, plan);
  if (limit > 0) plan = stage('LIMIT', { limitAmount: integer(limit) }, plan);
  return outer.reduce((inner, { name, fields = {} }) => stage(name, fields, inner), plan);
}

function statistics(prepared: PreparedQuery | undefined, wanted: Wanted, winningPlan: Document): Document {
  const looked: Statistics = { keys: 0, documents: 0 };
  const start = performance.now();
  let found = 0;
  if (prepared !== undefined && winningPlan.get('stage') !== 'RECORD_STORE_FAST_COUNT') {
    const results = prepared.run({ statistics: looked });
    for (const _ of limited(results, wanted.skip ?? 0, wanted.limit ?? 0)) found += 1;
  }
  const isSilent = wanted.outer?.some(({ silent }) => silent === true) === true;
  const nReturned = integer(isSilent ? 0 : found);
  return documentOf({
    executionSuccess: true,
    nReturned,
    executionTimeMillis: integer(Math.round(performance.now() - start)),
    totalKeysExamined: integer(looked.keys),
    totalDocsExamined: integer(looked.documents),
    executionStages: new Map([...winningPlan, ['nReturned', nReturned]]),
  });
}

export const explainCommands: Readonly<Record<string, Command>> = {
  explain: command(explain, ['verbosity']),
};

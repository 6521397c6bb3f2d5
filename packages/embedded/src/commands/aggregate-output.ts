// The stages that end a pipeline by writing: `$out` and `$merge`.
import { compileExpression } from '../engine/expression/compile.ts';
import { compileUpdate } from '../engine/update/compile.ts';
import {
  type Document,
  documentOf,
  isArray,
  isDocument,
  isNullish,
  typeOrMissing,
  type Value,
} from '../values/value.ts';
import { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { MemoryStorage } from '../storage/memory.ts';
import type { Context, Request, Scope } from '../dispatch/command.ts';
import { limited, select } from '../planner/run-plan.ts';
import { updateFound } from './update.ts';
import { insertDocument } from './insert.ts';

/** Stores what a pipeline made. */
type Output = (documents: Iterable<Document>) => void;

/** Where an output goes. */
interface Target {
  readonly database: string;
  readonly name: string;
}

/** Whatever an output needs of the server and the command. */
interface Site {
  readonly context: Context;
  readonly request: Request;
  readonly scope: Scope;
  readonly checked: boolean;
}

/** The output that a pipeline ends with, `undefined` where its last stage is none. */
export function outputOf(
  last: Document | undefined,
  context: Context,
  request: Request,
  scope: Scope,
): Output | undefined {
  if (last?.size !== 1) return undefined;
  const site = { context, request, scope, checked: !request.fields.boolean('bypassDocumentValidation') };
  const out = last.get('$out');
  if (out !== undefined) return replaceCollection(targetOf(out, '$out', site), site);
  const merge = last.get('$merge');
  return merge === undefined ? undefined : mergeInto(merge, site);
}

function targetOf(value: Value | undefined, stage: string, { request }: Site): Target {
  if (typeof value === 'string') return { database: request.database, name: value };
  if (!isDocument(value)) {
    throw new ServerError(
      16990,
      `${stage} only supports a string or object argument, but found ${typeOrMissing(value)}`,
    );
  }
  for (const key of value.keys()) {
    if (key !== 'db' && key !== 'coll')
      throw new ServerError(40415, `BSON field '${stage}.${key}' is an unknown field.`);
  }
  const database = value.get('db') ?? request.database;
  const name = value.get('coll');
  if (typeof database === 'string' && typeof name === 'string') return { database, name };
  throw new ServerError(16994, `If an object is passed to ${stage} it must have exactly 2 fields: 'db' and 'coll'`);
}

/**
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/out/
 * A collection in memory with the same rule and the same indexes takes the documents first: if it cannot, nothing has
 * happened to the real one.
 */
function replaceCollection({ database, name }: Target, { context: { catalog }, checked }: Site): Output {
  return (documents) => {
    const before = catalog.collection(database, name);
    const trial = new Collection(database, name, new MemoryStorage().createCollection());
    if (before !== undefined) trial.setOptions(before.options);
    for (const { definition } of before?.indexes ?? []) trial.addIndex(definition);
    const stored = Array.from(documents, (document) => insertDocument(trial, { document }, checked));
    const collection = catalog.ensure(database, name);
    for (const record of collection.records.records()) collection.remove(record);
    for (const document of stored) insertDocument(collection, { document }, false);
  };
}

type WhenMatched = 'replace' | 'keepExisting' | 'merge' | 'fail';
type WhenNotMatched = 'insert' | 'discard' | 'fail';
const WHEN_MATCHED: readonly WhenMatched[] = ['replace', 'keepExisting', 'merge', 'fail'];
const WHEN_NOT_MATCHED: readonly WhenNotMatched[] = ['insert', 'discard', 'fail'];
const MERGE_OPTIONS: ReadonlySet<string> = new Set(['into', 'on', 'let', 'whenMatched', 'whenNotMatched']);

interface Merge {
  readonly target: Target;
  /** The paths whose values, together, say which document belongs to which. */
  readonly on: readonly string[];
  readonly whenMatched: WhenMatched | readonly Document[];
  readonly whenNotMatched: WhenNotMatched;
  /** The variables of a pipeline, computed from the new document. */
  readonly variables: Document;
}

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/ */
function mergeInto(argument: Value, site: Site): Output {
  const merge = parseMerge(argument, site);
  const { database, name } = merge.target;
  const { catalog } = site.context;
  checkUnique(catalog.collection(database, name), merge.on);
  return (documents) => {
    // All of them first: the pipeline may read the very collection that it changes.
    for (const document of Array.from(documents)) mergeOne(catalog.ensure(database, name), document, merge, site);
  };
}

function mergeOne(collection: Collection, document: Document, merge: Merge, { scope, checked }: Site): void {
  const filter = documentOf(...merge.on.map((path) => [path, documentOf(['$eq', joinValue(document, path)])] as const));
  const [found] = limited(select(collection, { filter }, scope), 0, 1);
  if (found === undefined) return mergeNew(collection, document, merge, checked);
  if (merge.whenMatched === 'keepExisting') return;
  if (merge.whenMatched === 'fail') return void insertDocument(collection, { document }, checked);
  const { stages, variables } = mergeStages(document, merge, scope);
  updateFound(collection, found, compileUpdate(stages, { ...scope, variables }), checked);
}

function mergeNew(collection: Collection, document: Document, { whenNotMatched }: Merge, checked: boolean): void {
  if (whenNotMatched === 'insert') insertDocument(collection, { document }, checked);
  if (whenNotMatched !== 'fail') return;
  throw new ServerError(
    13113,
    '$merge could not find a matching document in the target collection for at least one document in the source collection',
  );
}

/** The update of a document that is there, as a pipeline: what `merge` and `replace` do can be said in one, too. */
function mergeStages(
  document: Document,
  { whenMatched, variables }: Merge,
  scope: Scope,
): { stages: readonly Document[]; variables: Scope['variables'] } {
  const literal = documentOf(['$literal', document]);
  if (whenMatched === 'replace') return { stages: [documentOf(['$replaceWith', literal])], variables: scope.variables };
  if (typeof whenMatched === 'string') {
    const merged = documentOf(['$mergeObjects', ['$$ROOT', literal]]);
    return { stages: [documentOf(['$replaceWith', merged])], variables: scope.variables };
  }
  const values = Array.from(variables, ([name, expression]) => {
    return [name, compileExpression(expression, scope)(document)] as const;
  });
  return { stages: whenMatched, variables: new Map([...scope.variables, ...values]) };
}

/** The value at a path that says which document is meant. */
function joinValue(document: Document, path: string): Value {
  const value = compileExpression(`$${path}`)(document);
  if (isNullish(value)) {
    throw new ServerError(51132, `$merge write error: 'on' field '${path}' cannot be missing, null or undefined`);
  }
  if (isArray(value)) throw new ServerError(51185, `$merge write error: 'on' field '${path}' cannot be an array`);
  return value;
}

/** Throws 51183 where two documents could be meant by the same values. */
function checkUnique(collection: Collection | undefined, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  for (const { definition } of collection?.indexes ?? []) {
    const paths = [...definition.pattern.keys()];
    const same = paths.length === on.length && paths.every((path) => on.includes(path));
    if (same && definition.unique && definition.covers === undefined) return;
  }
  throw new ServerError(51183, `Cannot find index to verify that join fields will be unique: ${on.join(', ')}`);
}

function parseMerge(argument: Value, site: Site): Merge {
  const spec = typeof argument === 'string' ? documentOf(['into', argument]) : argument;
  if (!isDocument(spec)) {
    throw new ServerError(51182, `$merge requires a string or object argument, but found ${typeOrMissing(argument)}`);
  }
  for (const key of spec.keys()) {
    if (!MERGE_OPTIONS.has(key)) throw new ServerError(40415, `BSON field '$merge.${key}' is an unknown field.`);
  }
  if (!spec.has('into')) throw new ServerError(40414, "BSON field '$merge.into' is missing but a required field");
  const whenMatched = spec.get('whenMatched') ?? 'merge';
  const variables = spec.get('let') ?? documentOf(['new', '$$ROOT']);
  if (!isDocument(variables)) {
    throw new ServerError(
      14,
      `BSON field '$merge.let' is the wrong type '${typeOrMissing(variables)}', expected type 'object'`,
    );
  }
  if (spec.has('let') && !isArray(whenMatched)) {
    throw new ServerError(51199, "Cannot use 'let' variables with a 'whenMatched' that is no pipeline");
  }
  return {
    target: targetOf(spec.get('into'), '$merge', site),
    on: joinFields(spec.get('on') ?? '_id'),
    whenMatched: isArray(whenMatched) ? whenMatched.map(checkedStage) : oneOf(whenMatched, WHEN_MATCHED, 'whenMatched'),
    whenNotMatched: oneOf(spec.get('whenNotMatched') ?? 'insert', WHEN_NOT_MATCHED, 'whenNotMatched'),
    variables,
  };
}

function joinFields(on: Value): readonly string[] {
  const paths = isArray(on) ? on : [on];
  const fields = paths.filter((path) => typeof path === 'string');
  if (fields.length < paths.length)
    throw new ServerError(51134, "$merge 'on' field must be a string or an array of strings");
  if (fields.length === 0)
    throw new ServerError(51187, "If explicitly specifying $merge 'on', must include at least one field");
  if (new Set(fields).size < fields.length) throw new ServerError(31465, "Found a duplicate field in $merge 'on'");
  return fields;
}

function checkedStage(stage: Value): Document {
  if (isDocument(stage)) return stage;
  throw new ServerError(14, "Each element of the 'pipeline' array must be an object");
}

function oneOf<T extends string>(value: Value, values: readonly T[], field: string): T {
  const found = values.find((one) => one === value);
  if (found !== undefined) return found;
  throw new ServerError(
    2,
    `Enumeration value '${typeof value === 'string' ? value : typeOrMissing(value)}' for field '$merge.${field}' is not a valid value.`,
  );
}

// Aggregation pipelines over documents that are at hand.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation-pipeline/
import { Int32, Long } from 'bson';
import { ServerError } from '../errors.ts';
import { compileExpression, type Variables } from './expression.ts';
import { group } from './group.ts';
import { matcher } from './match.ts';
import { toSafeInteger } from './number.ts';
import { compareBy } from './order.ts';
import { fieldRemover, fieldSetter, projector } from './project.ts';
import { show } from './text.ts';
import { type Document, isArray, isDocument, isNullish, isNumeric, typeOrMissing, type Value } from './value.ts';

export interface PipelineOptions {
  /** The variables of the command. */
  readonly variables?: Variables;
}

type Stage = (documents: Iterable<Document>) => Iterable<Document>;
type StageCompiler = (argument: Value, variables: Variables, name: string) => Stage;

/**
 * Compiles a pipeline.
 * @throws ServerError 40324 for a stage that MongoDB has not, 238 for one that only this server has not …
 */
export function pipeline(
  stages: readonly Document[],
  options: PipelineOptions = {},
): (documents: Iterable<Document>) => Document[] {
  const compiled = stages.map((stage) => compileStage(stage, options.variables ?? new Map()));
  return (documents) => Array.from(compiled.reduce((input: Iterable<Document>, stage) => stage(input), documents));
}

function compileStage(stage: Document, variables: Variables): Stage {
  const [[name = '', argument = null] = []] = stage;
  if (stage.size !== 1)
    throw new ServerError(40323, 'A pipeline stage specification object must contain exactly one field.');
  const compile = STAGES.get(name);
  if (compile !== undefined) return compile(argument, variables, name);
  if (UNSUPPORTED.has(name)) throw new ServerError(238, `The pipeline stage ${name} is not supported`);
  throw new ServerError(40324, `Unrecognized pipeline stage name: '${name}'`);
}

const setFields: StageCompiler = (argument, variables, name) => {
  if (!isDocument(argument)) {
    throw new ServerError(40272, `${name} specification stage must be an object, got ${typeOrMissing(argument)}`);
  }
  return each(fieldSetter(argument, name, variables));
};

const replaceWith: StageCompiler = (argument, variables, name) => {
  const expression = compileExpression(replacement(argument, name), variables);
  return each((document) => {
    const value = expression(document);
    if (isDocument(value)) return value;
    throw new ServerError(
      40228,
      `PlanExecutor error during aggregation :: caused by :: 'newRoot' expression must evaluate to an object, but resulting value was: ${show(value)}. Type of resulting value: '${typeOrMissing(value)}'.`,
    );
  });
};

function replacement(argument: Value, name: string): Value {
  if (name === '$replaceWith') return argument;
  const newRoot = isDocument(argument) ? argument.get('newRoot') : undefined;
  if (newRoot === undefined)
    throw new ServerError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
  return newRoot;
}

/** The supported stages, by name. */
const STAGES: ReadonlyMap<string, StageCompiler> = new Map<string, StageCompiler>([
  ['$match', (argument, variables) => filterBy(argument, variables)],
  [
    '$project',
    (argument, variables) =>
      each(projector(object(argument, 15969, '$project specification must be an object'), { variables, stage: true })),
  ],
  ['$set', setFields],
  ['$addFields', setFields],
  ['$unset', (argument) => each(fieldRemover(argument))],
  ['$replaceRoot', replaceWith],
  ['$replaceWith', replaceWith],
  ['$sort', (argument) => sort(argument)],
  ['$skip', (argument) => skip(countArgument(argument, '$skip', 15972))],
  ['$limit', (argument) => limit(limitArgument(argument))],
  ['$group', (argument, variables) => group(argument, variables)],
  ['$count', (argument) => count(argument)],
  ['$unwind', (argument) => unwind(argument)],
  ['$documents', (argument, variables) => fixed(argument, variables)],
]);

const UNSUPPORTED: ReadonlySet<string> = new Set(
  (
    '$bucket $bucketAuto $changeStream $changeStreamSplitLargeEvent $collStats $currentOp $densify $facet $fill ' +
    '$geoNear $graphLookup $indexStats $listLocalSessions $listSampledQueries $listSearchIndexes $listSessions ' +
    '$lookup $merge $out $planCacheStats $redact $sample $search $searchMeta $setWindowFields $shardedDataDistribution ' +
    '$sortByCount $unionWith $vectorSearch'
  ).split(' '),
);

/** A stage that makes one document of each. */
function each(change: (document: Document) => Document): Stage {
  return function* (documents) {
    for (const document of documents) yield change(document);
  };
}

function filterBy(argument: Value, variables: Variables): Stage {
  const matches = matcher(object(argument, 15959, 'the match filter must be an expression in an object'), {
    variables,
  });
  return function* (documents) {
    for (const document of documents) if (matches(document)) yield document;
  };
}

function sort(argument: Value): Stage {
  const spec = object(argument, 15973, 'the $sort key specification must be an object');
  if (spec.size === 0) throw new ServerError(15976, '$sort stage must have at least one sort key');
  const order = compareBy(spec);
  return (documents) => Array.from(documents).sort(order);
}

function skip(first: number): Stage {
  return function* (documents) {
    let position = 0;
    for (const document of documents) if (position++ >= first) yield document;
  };
}

function limit(most: number): Stage {
  return function* (documents) {
    let remaining = most;
    for (const document of documents) {
      yield document;
      if (--remaining === 0) return;
    }
  };
}

function countArgument(argument: Value, name: string, code: number): number {
  const value = toSafeInteger(argument);
  if (value === undefined || value < 0) {
    const wanted = isNumeric(argument) ? 'a non-negative number' : 'a number';
    throw new ServerError(
      isNumeric(argument) ? 5107200 : code,
      `invalid argument to ${name} stage: Expected ${wanted} in: ${name}: ${show(argument)}`,
    );
  }
  return value;
}

function limitArgument(argument: Value): number {
  const value = countArgument(argument, '$limit', 5107201);
  if (value === 0) throw new ServerError(15958, 'the limit must be positive');
  return value;
}

function count(argument: Value): Stage {
  if (typeof argument !== 'string' || argument === '')
    throw new ServerError(40156, 'the count field must be a non-empty string');
  if (argument.startsWith('$')) throw new ServerError(40158, 'the count field cannot be a $-prefixed path');
  if (argument.includes('.')) throw new ServerError(40160, "the count field cannot contain '.'");
  return function* (documents) {
    let total = 0;
    for (const _ of documents) total++;
    // MongoDB gives nothing at all for no documents.
    if (total > 0) yield new Map([[argument, new Int32(total)]]);
  };
}

interface Unwinding {
  readonly path: readonly string[];
  readonly index: readonly string[] | undefined;
  readonly keepEmpty: boolean;
}

function unwind(argument: Value): Stage {
  const { path, index, keepEmpty } = unwinding(argument);
  return function* (documents) {
    for (const document of documents) {
      const value = valueAt(document, path);
      const elements = isArray(value) ? value : isNullish(value) ? [] : undefined;
      if (elements === undefined) yield withIndex(document, index, null);
      else if (elements.length > 0) {
        for (const [position, element] of elements.entries()) {
          yield withIndex(withValue(document, path, element), index, Long.fromNumber(position));
        }
      } else if (keepEmpty)
        yield withIndex(isArray(value) ? withValue(document, path, undefined) : document, index, null);
    }
  };
}

function unwinding(argument: Value): Unwinding {
  const options = isDocument(argument) ? argument : new Map([['path', argument]]);
  const path = options.get('path');
  const index = options.get('includeArrayIndex');
  const keepEmpty = options.get('preserveNullAndEmptyArrays') ?? false;
  for (const key of options.keys()) {
    if (!['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(key)) {
      throw new ServerError(28811, `unrecognized option to $unwind stage: ${key}`);
    }
  }
  if (path === undefined) throw new ServerError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string')
    throw new ServerError(28808, `expected a string as the path for $unwind stage, got ${typeOrMissing(path)}`);
  if (!path.startsWith('$'))
    throw new ServerError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (index !== undefined && (typeof index !== 'string' || index === '')) {
    throw new ServerError(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage');
  }
  if (typeof keepEmpty !== 'boolean') {
    throw new ServerError(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
  }
  return { path: path.slice(1).split('.'), index: index?.split('.'), keepEmpty };
}

function valueAt(document: Document, path: readonly string[]): Value | undefined {
  return path.reduce<Value | undefined>((value, name) => (isDocument(value) ? value.get(name) : undefined), document);
}

/** A copy with another value at a path through documents. */
function withValue(document: Document, [name = '', ...rest]: readonly string[], value: Value | undefined): Document {
  const copy: Document = new Map(document);
  const inner = document.get(name);
  const replaced = rest.length === 0 ? value : withValue(isDocument(inner) ? inner : new Map(), rest, value);
  if (replaced === undefined) copy.delete(name);
  else copy.set(name, replaced);
  return copy;
}

function withIndex(document: Document, path: readonly string[] | undefined, index: Long | null): Document {
  return path === undefined ? document : withValue(document, path, index);
}

function fixed(argument: Value, variables: Variables): Stage {
  const documents = compileExpression(argument, variables)(new Map());
  if (!isArray(documents) || !documents.every(isDocument)) {
    throw new ServerError(5858203, "an array is expected, each element of which must be an object, for '$documents'");
  }
  return () => documents;
}

function object(argument: Value, code: number, message: string): Document {
  if (isDocument(argument)) return argument;
  throw new ServerError(code, message);
}

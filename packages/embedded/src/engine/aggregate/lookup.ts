// The stage `$lookup`: the documents of another collection that belong to each.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/lookup/
import { ServerError } from '../../errors.ts';
import { compileExpression, fieldPath } from '../expression/compile.ts';
import { visit } from '../../values/path.ts';
import {
  type Document,
  documentOf,
  isArray,
  isDocument,
  isNullish,
  isRegExp,
  typeOrMissing,
  type Value,
} from '../../values/value.ts';
import { withField } from './field.ts';
import { InnerPipeline, stageList } from './inner.ts';
import { documentArgument, type StageCompiler, type StageContext, type StageTable } from './stage.ts';

const OPTIONS: ReadonlySet<string> = new Set(['from', 'as', 'localField', 'foreignField', 'let', 'pipeline']);

const lookup: StageCompiler = (argument, context, name) => {
  const spec = documentArgument(argument, 9, `the ${name} stage specification must be an object`);
  for (const key of spec.keys()) if (!OPTIONS.has(key)) throw failedToParse(`unknown argument to ${name}: ${key}`);
  const as = text(spec, 'as');
  if (as === undefined) throw failedToParse(`must specify 'as' field for a ${name}`);
  const path = fieldPath(as);
  const variables = new Map(context.variables);
  const bind = binding(spec, context, variables);
  const stages = stageList(spec.get('pipeline') ?? [], name);
  const inner = new InnerPipeline(text(spec, 'from'), stages, { ...context, variables, within: name });
  const join = joining(spec, inner);
  return function* (documents) {
    let related: Related | undefined;
    for (const document of documents) {
      bind(document);
      // Not before there is one: this may read the whole of the other collection.
      related ??= join();
      yield withField(document, path, Array.from(related(document)));
    }
  };
};

/** Finds what belongs to a document. */
type Related = (document: Document) => Iterable<Document>;

/** Gives the variables of `let` their values for a document. */
function binding(
  spec: Document,
  context: StageContext,
  variables: Map<string, Value | undefined>,
): (document: Document) => void {
  const given = spec.get('let') ?? new Map();
  if (!isDocument(given))
    throw failedToParse(`$lookup argument 'let' must be an object, is type ${typeOrMissing(given)}`);
  if (given.size > 0 && !spec.has('pipeline')) {
    throw failedToParse("$lookup with a 'let' argument must also specify 'pipeline'");
  }
  const expressions = Array.from(given, ([name, expression]) => {
    return [checkedVariable(name), compileExpression(expression, context)] as const;
  });
  for (const [name] of expressions) variables.set(name, undefined);
  return (document) => {
    // Those of an outer stage have other values for each of its documents.
    for (const [name, value] of context.variables) variables.set(name, value);
    for (const [name, expression] of expressions) variables.set(name, expression(document));
  };
}

function checkedVariable(name: string): string {
  if (/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) return name;
  throw new ServerError(16867, `'${name}' starts with an invalid character for a user variable name`);
}

/** By `localField` and `foreignField` if there are any, else everything that the pipeline lets through. */
function joining(spec: Document, inner: InnerPipeline): () => Related {
  const local = text(spec, 'localField');
  const foreign = text(spec, 'foreignField');
  if (local === undefined && foreign === undefined) {
    if (spec.has('pipeline')) return () => () => inner.run(new Map());
    throw failedToParse("$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified");
  }
  if (local === undefined || foreign === undefined) {
    throw failedToParse("$lookup requires both or neither of 'localField' and 'foreignField' to be specified");
  }
  fieldPath(foreign);
  const path = fieldPath(local);
  return () => {
    const table = inner.tableBy(foreign);
    if (table === undefined) return (document) => inner.run(equalTo(foreign, valuesAt(document, path)));
    return (document) => inner.runOver(table.find(valuesAt(document, path)));
  };
}

/** The values at a path, arrays taken apart. Nothing counts as null. */
function valuesAt(document: Document, path: readonly string[]): Value[] {
  const values: Value[] = [];
  visit(document, path, false, (value) => {
    for (const one of isArray(value) ? value : [value]) values.push(isNullish(one) ? null : one);
    return false;
  });
  return values;
}

/** The filter for a field that equals one of some values. A regular expression among them is itself, not a pattern. */
function equalTo(field: string, values: readonly Value[]): Document {
  if (!values.some(isRegExp)) return documentOf([field, documentOf(['$in', [...values]])]);
  return documentOf(['$or', values.map((value) => documentOf([field, documentOf(['$eq', value])]))]);
}

function text(spec: Document, name: string): string | undefined {
  const value = spec.get(name);
  if (value === undefined || typeof value === 'string') return value;
  if (name === 'from' && isDocument(value)) {
    throw new ServerError(115, "The embedded server does not support a $lookup 'from' another database.");
  }
  throw failedToParse(`$lookup argument '${name}' must be a string, is type ${typeOrMissing(value)}`);
}

function failedToParse(message: string): ServerError {
  return new ServerError(9, message);
}

export const LOOKUP: StageTable = { $lookup: lookup };

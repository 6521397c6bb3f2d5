// The stages that make another document of each.
import { ServerError } from '../../errors.ts';
import { compileExpression } from '../expression/compile.ts';
import { fieldRemover, fieldSetter, projector } from '../project/compile.ts';
import { show } from '../../values/text.ts';
import { type Document, isArray, isDocument, typeOrMissing, type Value } from '../../values/value.ts';
import { documentArgument, each, type StageCompiler, type StageTable } from './stage.ts';

const project: StageCompiler = (argument, context) => {
  const spec = documentArgument(argument, 15969, '$project specification must be an object');
  return each(projector(spec, { ...context, stage: true }));
};

const setFields: StageCompiler = (argument, context, name) => {
  const message = `${name} specification stage must be an object, got ${typeOrMissing(argument)}`;
  return each(fieldSetter(documentArgument(argument, 40272, message), name, context));
};

const replaceWith: StageCompiler = (argument, context, name) => {
  const expression = compileExpression(replacement(argument, name), context);
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
  const spec = documentArgument(argument, 40229, 'expected an object as specification for $replaceRoot stage');
  for (const key of spec.keys()) {
    if (key !== 'newRoot') throw new ServerError(40415, `BSON field '$replaceRoot.${key}' is an unknown field.`);
  }
  const newRoot = spec.get('newRoot');
  if (newRoot !== undefined) return newRoot;
  throw new ServerError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
}

/** What the system variables of `$redact` are bound to. */
const REDACT = { DESCEND: 'descend', PRUNE: 'prune', KEEP: 'keep' } as const;

const redact: StageCompiler = (argument, { variables, collation, check }) => {
  const bound = new Map<string, Value | undefined>([...variables, ...Object.entries(REDACT)]);
  const decide = compileExpression(argument, { variables: bound.set('ROOT', undefined), collation, check });
  const redacted = (document: Document): Document | undefined => {
    const decision = decide(document);
    if (decision === REDACT.KEEP) return document;
    if (decision === REDACT.PRUNE) return undefined;
    if (decision === REDACT.DESCEND) return descend(document);
    throw new ServerError(
      17053,
      `$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned ${show(decision)}`,
    );
  };
  const descend = (document: Document): Document => {
    const result: Document = new Map();
    for (const [name, value] of document) {
      const kept = inner(value);
      if (kept !== undefined) result.set(name, kept);
    }
    return result;
  };
  const inner = (value: Value): Value | undefined => {
    if (isDocument(value)) return redacted(value);
    if (!isArray(value)) return value;
    return value.map(inner).filter((element) => element !== undefined);
  };
  return function* (documents) {
    for (const document of documents) {
      for (const [name, value] of variables) bound.set(name, value);
      bound.set('ROOT', document);
      const kept = redacted(document);
      if (kept !== undefined) yield kept;
    }
  };
};

export const RESHAPE: StageTable = {
  $project: project,
  $set: setFields,
  $addFields: setFields,
  $unset: (argument) => each(fieldRemover(argument)),
  $replaceRoot: replaceWith,
  $replaceWith: replaceWith,
  $redact: redact,
};

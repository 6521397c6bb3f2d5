// Validators of collections.
// https://www.mongodb.com/docs/manual/core/schema-validation/
import { Int32 } from 'bson';
import { compileSchema } from './json-schema.ts';
import { matcher } from './compile.ts';
import { splitPath, visit } from '../../values/path.ts';

import { type Document, documentOf, isArray, isDocument, typeOf, type Value } from '../../values/value.ts';

/** Says what is wrong with a document: the `details` of MongoDB's `errInfo`, or null if it is valid. */
export type Validator = (document: Document) => Document | null;

/**
 * Compiles a collection's validator, a filter that may hold `$jsonSchema`.
 * @throws ServerError for a filter that is wrong
 */
export function validator(spec: Document): Validator {
  const clauses = Array.from(spec, ([key, value]) => compileClause(key, value));
  return (document) => {
    const failures = clauses.flatMap((clause, index) => {
      const details = clause(document);
      return details === null ? [] : [{ index, details }];
    });
    const [first] = failures;
    if (first === undefined) return null;
    if (clauses.length === 1) return first.details;
    return documentOf(['operatorName', '$and'], ['clausesNotSatisfied', failures.map(clauseOf)]);
  };
}

function clauseOf({ index, details }: { readonly index: number; readonly details: Document }): Document {
  return documentOf(['index', new Int32(index)], ['details', details]);
}

function compileClause(key: string, value: Value): Validator {
  if (key === '$jsonSchema' && isDocument(value)) return schemaValidator(value);
  const lists =
    isArray(value) && (key === '$and' || key === '$or') ? value.filter(isDocument).map(validator) : undefined;
  const matches = matcher(new Map([[key, value]]));
  if (lists !== undefined) return (document) => (matches(document) ? null : listDetails(key, lists, document));
  return (document) => (matches(document) ? null : clauseDetails(key, value, document));
}

function schemaValidator(schema: Document): Validator {
  const check = compileSchema(schema);
  const texts = [...schema].filter(([name]) => name === 'title' || name === 'description');
  return (document) => {
    const failures = check(document);
    if (failures.length === 0) return null;
    return documentOf(['operatorName', '$jsonSchema'], ...texts, ['schemaRulesNotSatisfied', failures]);
  };
}

function listDetails(key: string, clauses: readonly Validator[], document: Document): Document {
  const failed = clauses.flatMap((clause, index) => {
    const details = clause(document);
    return details === null ? [] : [clauseOf({ index, details })];
  });
  return documentOf(['operatorName', key], ['clausesNotSatisfied', failed]);
}

const REASONS: Readonly<Record<string, string>> = {
  $exists: 'path does not exist',
  $type: 'type did not match',
  $in: 'no matching value found in array',
  $nin: 'matching value found in array',
  $regex: 'regular expression did not match',
  $expr: 'expression did not match',
  $size: 'array length was not equal to given size',
  $elemMatch: 'array did not satisfy the child predicate',
  $mod: '$mod did not evaluate to expected remainder',
  $not: 'child expression matched',
  $nor: 'child expression matched',
};

/** What is known of one failing clause: its operator, how it was written, why it failed, and the value it saw. */
function clauseDetails(key: string, value: Value, document: Document): Document {
  const operator = key.startsWith('$') ? key : firstOperator(value);
  const details = documentOf(
    ['operatorName', operator],
    ['specifiedAs', new Map([[key, value]])],
    ['reason', REASONS[operator] ?? 'comparison failed'],
  );
  if (key.startsWith('$')) return details;
  const seen: Value[] = [];
  visit(document, splitPath(key), false, (found) => {
    if (found !== undefined) seen.push(found);
    return false;
  });
  const [only] = seen;
  if (only === undefined) {
    if (operator !== '$exists') details.set('reason', 'field was missing');
  } else if (seen.length > 1) details.set('consideredValues', seen);
  else details.set('consideredValue', only).set('consideredType', typeOf(only));
  return details;
}

function firstOperator(value: Value): string {
  const [first] = isDocument(value) ? value.keys() : [];
  return first?.startsWith('$') ? first : '$eq';
}

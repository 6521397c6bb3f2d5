// What an upsert's filter says of the document that is not there.
import { ServerError } from '../../errors.ts';
import { hasOperators } from '../match/compile.ts';
import { compareText } from '../../values/order.ts';
import { type Document, isArray, isDocument, isRegExp, type Value } from '../../values/value.ts';
import { Application } from './apply.ts';
import { branch, plant, type UpdateBranch } from './tree.ts';

/**
 * The document of a filter's equalities: those that every matching document must have.
 * @param onlyId whether only that of `_id` counts, as for a replacement
 * @throws ServerError 54 (NotSingleValueField) where two are about one path, or one is below another
 */
export function equalityDocument(filter: Document, onlyId: boolean): Document {
  const found = new Map<string, Value>();
  collect(filter, found);
  const root = branch();
  const paths = [...found.keys()].sort(compareText);
  const below = onlyId ? paths.find((path) => path.startsWith('_id.')) : undefined;
  if (below !== undefined) {
    throw new ServerError(111, `field at '_id' must be exactly specified, field at sub-path '${below}'found`);
  }
  for (const path of paths.filter((path) => !onlyId || path === '_id')) plantValue(root, path, found.get(path) ?? null);
  const context = { document: new Map(), insert: true, now: null, positional: undefined };
  return new Application(context, new Map()).run(root);
}

function plantValue(root: UpdateBranch, path: string, value: Value): void {
  try {
    plant(root, path.split('.'), { creates: true, apply: () => value });
  } catch {
    throw new ServerError(
      54,
      `cannot infer query fields to set, both paths '${path}' and one above or below it are matched`,
    );
  }
}

function collect(filter: Document, found: Map<string, Value>): void {
  for (const [key, value] of filter) {
    if (!key.startsWith('$')) collectField(key, value, found);
    else if ((key === '$and' || (key === '$or' && isArray(value) && value.length === 1)) && isArray(value)) {
      for (const clause of value) if (isDocument(clause)) collect(clause, found);
    }
  }
}

function collectField(path: string, value: Value, found: Map<string, Value>): void {
  if (isRegExp(value)) return;
  if (!isDocument(value) || !hasOperators(value)) return add(path, value, found);
  for (const [operator, argument] of value) {
    if (operator === '$eq') add(path, argument, found);
    // Each of `$all` is an equality of its own: two are one too many. A list of one means that one.
    else if (isArray(argument) && (operator === '$all' || (operator === '$in' && argument.length === 1))) {
      for (const one of argument) if (!isRegExp(one) && !(isDocument(one) && hasOperators(one))) add(path, one, found);
    }
  }
}

function add(path: string, value: Value, found: Map<string, Value>): void {
  if (found.has(path)) {
    throw new ServerError(54, `cannot infer query fields to set, path '${path}' is matched twice`);
  }
  found.set(path, value);
}

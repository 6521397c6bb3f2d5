// Updates: by operators, by a replacement, or by a pipeline.
// https://www.mongodb.com/docs/manual/reference/operator/update/
import { ObjectId } from 'bson';
import { ServerError } from '../../errors.ts';
import { isStageName, pipeline } from '../aggregate/compile.ts';
import { encode } from '../../values/bson.ts';
import type { Collation } from '../../values/collation.ts';
import type { Environment } from '../expression/operator.ts';
import type { MatchDetails } from '../match/compile.ts';
import { isReference } from '../match/value-test.ts';
import { equals } from '../../values/order.ts';
import { show, showElement } from '../../values/text.ts';
import { Application, type ElementFilters } from './apply.ts';
import { ARRAY_OPERATORS } from './array-operators.ts';
import { elementFilters } from './array-filters.ts';
import { equalityDocument } from './equalities.ts';
import { FIELD_OPERATORS, REMOVE } from './field-operators.ts';
import type { ModifierCompiler } from './modifier.ts';
import { renameTo } from './rename.ts';
import { branch, identifiersIn, plant, sortTree, type UpdateBranch, updatePath } from './tree.ts';
import { type Document, isDocument, typeOf, type Value } from '../../values/value.ts';

export interface UpdateOptions extends Environment {
  /** The filters that `$[identifier]` refers to. */
  readonly arrayFilters?: readonly Document[] | undefined;
  /** The time that `$currentDate` and `$$NOW` give. */
  readonly now: Value;
}

/** An update, compiled for many documents. */
export interface CompiledUpdate {
  readonly kind: 'operators' | 'replacement' | 'pipeline';
  /**
   * The document after the update; the one that is given stays as it is. Fails as a whole or not at all.
   * @param match what the filter's match said of the positional operator
   * @param written takes the paths that operators wrote to
   * @throws ServerError 66 where `_id` would change, 28, 2, 14 and others where an operator cannot be applied
   */
  apply(document: Document, match?: MatchDetails, written?: string[]): Document;
  /** The same for a document that an upsert is about to insert: `$setOnInsert` counts, and a missing `_id` may be set. */
  insert(document: Document): Document;
}

/**
 * Compiles an update.
 * @throws ServerError 9 for an unknown operator, 40 for paths in each other's way, and others for wrong arguments
 */
export function compileUpdate(update: Document | readonly Document[], options: UpdateOptions): CompiledUpdate {
  if (!(update instanceof Map)) return compilePipeline(update, options);
  const [first] = update.keys();
  return first?.startsWith('$') ? compileOperators(update, options) : compileReplacement(update, options);
}

/**
 * The document that an upsert inserts: the equalities of the filter, then the update. It has its `_id` in front, made if need be.
 * @throws ServerError 54 where the filter says two values for one path, 53 for an `_id` that cannot be one
 */
export function upsertDocument(filter: Document, update: CompiledUpdate): Document {
  const inserted = update.insert(equalityDocument(filter, update.kind === 'replacement'));
  const id = inserted.get('_id') ?? new ObjectId();
  checkNewId(id);
  return new Map([['_id', id], ...inserted]).set('_id', id);
}

/**
 * Checks that a value can be the `_id` of a stored document.
 * @throws ServerError 53 (InvalidIdField) for an array, a regular expression or undefined, 52 for a name with `$` in it
 */
export function checkNewId(id: Value): void {
  const type = typeOf(id);
  if (type === 'array' || type === 'regex' || type === 'undefined') {
    throw new ServerError(53, `The '_id' value cannot be of type ${type}`);
  }
  const name = isDocument(id) && !isReference(id) ? [...id.keys()].find((key) => key.startsWith('$')) : undefined;
  if (name !== undefined) {
    throw new ServerError(
      52,
      `_id fields may not contain '$'-prefixed fields: The dollar ($) prefixed field '${name}' in '_id' is not valid for storage.`,
    );
  }
}

function compileReplacement(replacement: Document, options: UpdateOptions): CompiledUpdate {
  for (const key of replacement.keys()) {
    if (key.startsWith('$')) {
      throw new ServerError(
        52,
        `The dollar ($) prefixed field '${key}' in '${key}' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.`,
      );
    }
  }
  if (options.arrayFilters !== undefined && options.arrayFilters.length > 0) {
    throw new ServerError(9, 'Cannot specify arrayFilters with a replacement document');
  }
  const apply = (document: Document): Document => keepId(document, replacement);
  return { kind: 'replacement', apply, insert: apply };
}

/** The stages that an update may have. */
export const UPDATE_STAGES: ReadonlySet<string> = new Set([
  '$addFields',
  '$set',
  '$project',
  '$unset',
  '$replaceRoot',
  '$replaceWith',
]);

function compilePipeline(stages: readonly Document[], options: UpdateOptions): CompiledUpdate {
  if (options.arrayFilters !== undefined) {
    throw new ServerError(9, 'arrayFilters may not be specified for pipeline-syle updates');
  }
  for (const stage of stages) {
    const [name = ''] = stage.keys();
    if (stage.size === 1 && isStageName(name) && !UPDATE_STAGES.has(name)) {
      throw new ServerError(72, `${name} is not allowed to be used within an update`);
    }
  }
  const variables = new Map(options.variables).set('NOW', options.now);
  const run = pipeline(stages, { variables, collation: options.collation, check: options.check });
  const apply = (document: Document): Document => {
    const [result = document] = run([document]);
    return keepId(document, result);
  };
  return { kind: 'pipeline', apply, insert: apply };
}

/** A whole new document keeps the `_id` of the old one, which stays in front. */
function keepId(document: Document, result: Document): Document {
  const id = document.get('_id');
  if (id === undefined) return result;
  const kept: Document = result.has('_id') ? result : new Map([['_id', id], ...result]);
  const newId = kept.get('_id');
  if (equals(id, newId)) return kept;
  throw new ServerError(
    66,
    `After applying the update, the (immutable) field '_id' was found to have been altered to _id: ${show(newId)}`,
  );
}

/** Operators may not even change the type of an `_id`, or the order of its members. */
function checkId(before: Document, after: Document): void {
  const id = before.get('_id');
  const newId = after.get('_id');
  if (id === undefined || id === newId) return;
  if (newId !== undefined && encode(new Map([['_id', id]])).equals(encode(new Map([['_id', newId]])))) return;
  throw new ServerError(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}

function compileOperators(update: Document, options: UpdateOptions): CompiledUpdate {
  const filters = elementFilters(options.arrayFilters ?? [], options.collation);
  const tree = operatorTree(update, filters, options.collation);
  const run = (document: Document, insert: boolean, positional?: number, written?: string[]): Document => {
    const context = { document, insert, now: options.now, positional };
    const updated = new Application(context, filters, written).run(tree);
    checkId(document, updated);
    return updated;
  };
  return {
    kind: 'operators',
    apply: (document, match, written) => run(document, false, match?.index, written),
    insert: (document) => run(document, true),
  };
}

const OPERATORS: ReadonlyMap<string, ModifierCompiler> = new Map(
  Object.entries({ ...FIELD_OPERATORS, ...ARRAY_OPERATORS }),
);

/** The names of all operators: `$rename` is two at once. */
export const UPDATE_OPERATORS: readonly string[] = [...OPERATORS.keys(), '$rename'];

function operatorTree(update: Document, filters: ElementFilters, collation: Collation | undefined): UpdateBranch {
  const root = branch();
  const identifiers = new Set(filters.keys());
  const used = new Set<string>();
  for (const [name, fields] of update) {
    for (const [path, argument] of operatorFields(name, fields)) {
      const names = updatePath(path, identifiers);
      for (const identifier of identifiersIn(names)) used.add(identifier);
      plantOperator(root, name, names, argument, identifiers, collation);
    }
  }
  for (const identifier of identifiers) {
    if (!used.has(identifier)) {
      throw new ServerError(
        9,
        `The array filter for identifier '${identifier}' was not used in the update ${show(update)}`,
      );
    }
  }
  const sorted = sortTree(root);
  return sorted.kind === 'leaf' ? root : sorted;
}

function operatorFields(name: string, fields: Value): Document {
  if (name !== '$rename' && !OPERATORS.has(name)) {
    throw new ServerError(
      9,
      `Unknown modifier: ${name}. Expected a valid update modifier or pipeline-style update specified as an array`,
    );
  }
  if (isDocument(fields)) return fields;
  throw new ServerError(
    9,
    `Modifiers operate on fields but we found type ${typeOf(fields)} instead. For example: {$mod: {<field>: ...}} not {${showElement(name, fields)}}`,
  );
}

function plantOperator(
  root: UpdateBranch,
  name: string,
  names: readonly string[],
  argument: Value,
  identifiers: ReadonlySet<string>,
  collation: Collation | undefined,
): void {
  const path = names.join('.');
  const compile = OPERATORS.get(name);
  if (compile !== undefined) return plant(root, names, compile(argument, path, name, collation));
  const target = renameTo(path, argument);
  plant(root, names, REMOVE);
  plant(root, updatePath(target.path, identifiers), target.modifier);
}

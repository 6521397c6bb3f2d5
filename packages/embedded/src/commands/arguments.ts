import { compileExpression } from '../engine/expression.ts';
import { toSafeInteger } from '../engine/number.ts';
import { equals } from '../engine/order.ts';
import { show } from '../engine/text.ts';
import { DateTime, type Document, isDocument, typeOf, type Value } from '../engine/value.ts';
import { type Collection, ID_INDEX } from '../catalog.ts';
import { ServerError } from '../errors.ts';
import type { Request, Scope } from './command.ts';
import { Fields } from './fields.ts';
import { DEFAULT_BATCH_SIZE } from './limits.ts';

const CURSOR_FIELDS = new Set(['batchSize']);

/** The collection that a command is about: the value of the field that bears the command's name. */
export function collectionName({ name, fields }: Pick<Request, 'name' | 'fields'>): string {
  const value = fields.value(name);
  if (typeof value === 'string') return value;
  throw new ServerError(73, `collection name has invalid type ${value === undefined ? 'missing' : typeOf(value)}`);
}

/** Strings are compared by their bytes: any other collation is refused. */
export function checkCollation(fields: Fields): void {
  const collation = fields.document('collation');
  if (collation === undefined || collation.get('locale') === 'simple') return;
  throw new ServerError(238, "The embedded server supports no collation but {locale: 'simple'}.");
}

/**
 * What holds for a whole command: its time limit, and the variables that its expressions may use. Those of `let` are
 * expressions themselves, which may use the ones before them but no fields.
 */
export function scopeOf({ fields, deadline }: Request): Scope {
  const now = DateTime.now();
  const variables = new Map<string, Value>([['NOW', now]]);
  for (const [name, expression] of fields.document('let') ?? []) {
    if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
      throw new ServerError(9, `'${name}' is not a valid name for a variable: it must start with a lower-case letter`);
    }
    variables.set(name, compileExpression(expression, variables)(new Map()) ?? null);
  }
  return { now, variables, deadline };
}

/** The documents of the first batch, from the option `cursor: {batchSize}` of a command. */
export function cursorBatchSize(fields: Fields): number {
  const cursor = new Fields('cursor', fields.document('cursor') ?? new Map());
  cursor.check(CURSOR_FIELDS);
  return cursor.count('batchSize') ?? DEFAULT_BATCH_SIZE;
}

/**
 * Checks that a hinted index exists; the server chooses by itself. Answers whether the hint asks for natural order
 * backwards. Throws 2 for an unknown index, 238 for one that leaves documents out: MongoDB would leave them out too.
 */
export function hintsBackwards(collection: Collection | undefined, hint: Value | undefined): boolean {
  if (hint === undefined || (isDocument(hint) && hint.size === 0)) return false;
  if (isDocument(hint) && hint.has('$natural')) return isBackwards(hint);
  if (collection === undefined || isHint(hint, '_id_', ID_INDEX.get('key'))) return false;
  for (const { definition } of collection.indexes) {
    if (definition.hidden || !isHint(hint, definition.name, definition.pattern)) continue;
    if (!definition.sparse && definition.covers === undefined) return false;
    throw new ServerError(
      238,
      `The embedded server does not support the sparse or partial index ${show(hint)} as a hint.`,
    );
  }
  throw new ServerError(
    2,
    `error processing query: ns=${collection.namespace} planner returned error :: caused by :: ` +
      'hint provided does not correspond to an existing index',
  );
}

/** Whether a `{$natural: n}` asks for the last document first. */
export function isBackwards(natural: Document): boolean {
  const direction = toSafeInteger(natural.get('$natural'));
  if ((direction === 1 || direction === -1) && natural.size === 1) return direction === -1;
  throw new ServerError(2, `$natural must be 1 or -1 and stand alone, not ${show(natural)}`);
}

function isHint(hint: Value, name: string, pattern: Value | undefined): boolean {
  if (typeof hint === 'string') return hint === name;
  // Key order is part of an index, and `equals` minds it.
  return isDocument(hint) && equals(hint, pattern);
}

import { type Collation, collationOf } from '../values/collation.ts';
import { compileExpression } from '../engine/expression/compile.ts';
import { DateTime, typeOf, type Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import type { Request, Scope } from './command.ts';
import { Fields } from '../messages/fields.ts';
import { DEFAULT_BATCH_SIZE } from '../messages/limits.ts';

const CURSOR_FIELDS = new Set(['batchSize']);

/** The collection that a command is about: the value of the field that bears the command's name. */
export function collectionName({ name, fields }: Pick<Request, 'name' | 'fields'>): string {
  const value = fields.value(name);
  if (typeof value === 'string') return value;
  throw new ServerError(73, `collection name has invalid type ${value === undefined ? 'missing' : typeOf(value)}`);
}

/** What a command or a statement says of the comparison of texts. */
export interface GivenCollation {
  /** Undefined for the simple collation: by bytes, whatever the collection's own rules are. */
  readonly rules: Collation | undefined;
}

/** The option `collation`; undefined where it is left out, so that the collection decides. */
export function givenCollation(fields: Fields): GivenCollation | undefined {
  const specification = fields.document('collation');
  return specification && { rules: collationOf(specification) };
}

/** A scope in which texts are compared as a statement says, or else as the collection does. */
export function scopeFor(scope: Scope, collection: Collection | undefined, given: GivenCollation | undefined): Scope {
  return { ...scope, collation: given === undefined ? collection?.collation : given.rules };
}

/**
 * What holds for a whole command: its time limit, and the variables that its expressions may use. Those of `let` are
 * expressions themselves, which may use the ones before them but no fields. Texts are compared as the command says, or
 * else as the collection does.
 */
export function scopeOf({ fields, deadline }: Request, collection?: Collection): Scope {
  const now = DateTime.now();
  const check = deadline && ((): void => deadline.check());
  const variables = new Map<string, Value>([['NOW', now]]);
  for (const [name, expression] of fields.document('let') ?? []) {
    if (!/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
      throw new ServerError(9, `'${name}' is not a valid name for a variable: it must start with a lower-case letter`);
    }
    variables.set(name, compileExpression(expression, { variables, check })(new Map()) ?? null);
  }
  return scopeFor({ now, variables, deadline, check, collation: undefined }, collection, givenCollation(fields));
}

/** The documents of the first batch, from the option `cursor: {batchSize}` of a command. */
export function cursorBatchSize(fields: Fields): number {
  const cursor = new Fields('cursor', fields.document('cursor') ?? new Map());
  cursor.check(CURSOR_FIELDS);
  return cursor.count('batchSize') ?? DEFAULT_BATCH_SIZE;
}

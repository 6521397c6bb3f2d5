import type { Reader } from '../bson/level.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { readerAt } from '../schema/deep-readers.ts';

/**
 * By field, what makes of a decoded value what the program reads: `long()` and `binary()` fix the JavaScript type of their
 * field, and an aggregation that passes such a field on passes that on too.
 */
export type Readers = ReadonlyMap<string, Reader>;

type Stage = Readonly<Record<string, unknown>>;

const NONE: Readers = new Map();

/** Accumulators that give a value as it is, and those that give a list of such. */
const PASSING = new Set(['$first', '$last', '$min', '$max']);
const COLLECTING = new Set(['$push', '$addToSet']);

/** What the fields read as that a stage gives, of what the fields read as that it gets. */
export function readersAfter(readers: Readers, stage: Stage): Readers {
  if (readers.size === 0) return NONE;
  const [[operator, operand] = []] = Object.entries(stage);
  switch (operator) {
    case '$match':
    case '$sort':
    case '$limit':
    case '$skip':
      return readers;
    case '$unwind':
      return unwound(readers, operand);
    case '$project':
      return projected(readers, operand as Stage);
    case '$addFields':
      return new Map([...without(readers, Object.keys(operand as Stage)), ...computed(readers, operand as Stage)]);
    case '$unset':
      return without(readers, operand as readonly string[]);
    case '$lookup':
      return without(readers, [(operand as { readonly as: string }).as]);
    case '$group':
      return computed(readers, operand as Stage);
    default:
      return NONE;
  }
}

/** What was the field's array is one of its elements then. */
function unwound(readers: Readers, operand: unknown): Readers {
  const path: unknown = isPlainObject(operand) ? operand['path'] : operand;
  const name = typeof path === 'string' ? path.slice(1) : '';
  const reader = readers.get(name);
  if (reader === undefined) return readers;
  const inner = reader.at?.(0);
  return inner === undefined || inner === null ? without(readers, [name]) : new Map([...readers, [name, inner]]);
}

function projected(readers: Readers, fields: Stage): Readers {
  const isOut = ([, value]: readonly [string, unknown]): boolean => value === 0 || value === false;
  const entries = Object.entries(fields);
  if (entries.every(isOut)) return without(readers, Object.keys(fields));
  const kept = entries.map(([name, value]) => [name, value === 1 || value === true ? `$${name}` : value] as const);
  return computed(readers, { ...('_id' in fields ? {} : { _id: '$_id' }), ...Object.fromEntries(kept) });
}

function without(readers: Readers, names: readonly string[]): Readers {
  const gone = new Set(names);
  return new Map([...readers].filter(([name]) => !gone.has(name)));
}

/** Of computed fields those that take over another field, alone or in a list. */
function computed(readers: Readers, fields: Stage): Readers {
  return new Map(
    Object.entries(fields).flatMap(([name, expression]) => {
      const reader = readerOf(readers, expression);
      return reader === undefined ? [] : [[name, reader] as const];
    }),
  );
}

function readerOf(readers: Readers, expression: unknown): Reader | undefined {
  if (typeof expression === 'string')
    return expression.startsWith('$') ? readerAt(readers, expression.slice(1)) : undefined;
  if (!isPlainObject(expression)) return undefined;
  const [[operator, operand] = []] = Object.entries(expression);
  const inner = readerOf(readers, operand);
  if (inner === undefined || operator === undefined) return undefined;
  if (PASSING.has(operator)) return inner;
  return COLLECTING.has(operator) ? (values) => (Array.isArray(values) ? values.map(inner) : values) : undefined;
}

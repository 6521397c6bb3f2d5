import { equalValues } from '../bson/equal-values.ts';
import { ABSENT } from '../bson/encode.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { checkUnscoped, type Extension, isLeftOut, type Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { isOfClass } from '../definition/stored-class.ts';
import { UsageError } from '../errors.ts';
import { castFilter } from './cast-filter.ts';
import { givenValue } from './filter-equality.ts';
import { trusted } from './literal.ts';

/*
 * The scopes of a model's extensions: conditions of the documents that are meant, asked for whenever something is sent.
 */

type Conditions = Readonly<Record<string, unknown>>;

/** The scopes that are asked: all, or those that no deletion changes. A document that was deleted softly is still its tenant's. */
type Asked = 'all' | 'borders';

/** A filter as it is sent, joined with the scopes that hold now. @throws what a scope throws. */
export function scopedFilter<F extends Conditions>(
  definition: ModelDefinition,
  filter: F,
  unscoped: Unscoped | undefined,
  asked: Asked = 'all',
): F | Record<string, unknown> {
  if (definition.extensions.length === 0) return filter;
  return scopesOf(definition, unscoped, asked).reduce<Record<string, unknown>>(joinConditions, filter);
}

/** The conditions of the scopes, one for each, with stored names. */
export function scopesOf(
  definition: ModelDefinition,
  unscoped: Unscoped | undefined,
  asked: Asked = 'all',
): Record<string, unknown>[] {
  checkUnscoped(definition.extensions, unscoped, definition.collectionName);
  return definition.extensions
    .filter((each) => !isLeftOut(each, unscoped) && (asked === 'all' || each.remove === undefined))
    .flatMap((each) => conditionsOf(definition, each));
}

function conditionsOf(definition: ModelDefinition, { name, scope }: Extension): Record<string, unknown>[] {
  if (scope === undefined) return [];
  const conditions: unknown = scope();
  if (conditions === null) return [];
  if (!isPlainObject(conditions) || Object.values(conditions).includes(undefined)) {
    const text = `The scope of "${name}" gave no filter. It gives one, or null where it means all documents; where it cannot say, it must throw.`;
    throw new UsageError(text, definition.context);
  }
  return [castFilter(definition, trusted(conditions))];
}

/** Both conditions. What the filter says itself is not said twice: an upsert could not tell what to insert. */
export function joinConditions(filter: Conditions, conditions: Conditions): Record<string, unknown> {
  const others = Object.entries(conditions).filter(([name, value]) => !equalValues(givenValue(filter, name), value));
  const joined = Object.fromEntries(others);
  const isApart = others.every(([name]) => !Object.hasOwn(filter, name));
  return isApart ? { ...joined, ...filter } : { $and: [joined, filter] };
}

/**
 * True where fields of a document are those of one of the model's class, and in the scopes that hold now.
 *
 * @param fields by their stored names, BSON-typed.
 * @throws UsageError for a scope that only the server can tell of.
 */
export function isInScope(
  definition: ModelDefinition,
  fields: Conditions,
  unscoped: Unscoped | undefined,
  asked: Asked,
): boolean {
  if (!isOfClass(definition, fields)) return false;
  return scopesOf(definition, unscoped, asked).every((conditions) =>
    Object.entries(conditions).every(([name, condition]) => {
      const wanted = name.startsWith('$') || name.includes('.') ? ABSENT : givenValue({ [name]: condition }, name);
      if (wanted === ABSENT) {
        const text =
          'Only the server can tell which documents a scope of the model means: pass the option "unscoped", and look yourself.';
        throw new UsageError(text, definition.context);
      }
      return equalValues(fields[name] ?? null, wanted);
    }),
  );
}

import type { BSON } from 'mongodb';
import { setOwn } from '../bson/plain-object.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import { givenValues, isGiven } from '../filter/filter-equality.ts';
import { checkUpsertFilter } from '../filter/named-only.ts';
import { extensionStamps } from '../save/door.ts';
import type { SentFilter } from '../save/recorder.ts';
import { siblingDefaults } from '../schema/nested-defaults.ts';

/*
 * The document that an update with `upsert` may insert: it has what the filter and the update say, and the rest from here.
 */

/** A value that the mapper writes itself. */
interface Stamp {
  readonly name: string;
  readonly value: unknown;
}

/**
 * Adds to an update what its new document begins with: what the mapper writes, and the defaults of what neither the filter nor the
 * update says.
 *
 * @param add adds to an operator, unless the update writes that field already.
 */
export function addInserted(
  definition: ModelDefinition,
  update: BSON.Document,
  filter: SentFilter,
  stamps: readonly Stamp[],
  add: (operator: string, name: string, value: unknown) => void,
): void {
  refuseUnnamed(definition, filter, update);
  for (const { name, value } of stamps) add('$setOnInsert', name, value);
  const given = givenValues(filter).map(([path]) => path);
  const updated = Object.values(update).flatMap((operand) => Object.keys(operand as object));
  const inside = [...updated, ...given].filter((path) => path.includes('.'));
  for (const field of definition.fields.values()) {
    for (const [path, value] of siblingDefaults(field.place, field.name, inside))
      if (!isGiven(filter, path)) setOwn((update['$setOnInsert'] ??= {}) as object, path, value);
    if (isGiven(filter, field.name)) continue;
    const value = field.defaultValue();
    if (value !== undefined) add('$setOnInsert', field.name, value);
  }
}

/** What an upsert's filter says is stored, so it must be what the schema names. */
export function refuseUnnamed(definition: ModelDefinition, filter: SentFilter, update: BSON.Document): void {
  const issues: ValidationIssue[] = [];
  checkUpsertFilter(definition, filter, update, issues);
  if (issues.length > 0) throw new ValidationError(issues, definition.context);
}

/** A pipeline cannot tell an insert from an update: what extensions write with an insert alone must stand in the filter. */
export function checkInsertedStamps(
  definition: ModelDefinition,
  filter: SentFilter,
  own: ReadonlyMap<string, unknown>,
  unscoped: Unscoped | undefined,
): void {
  for (const name of extensionStamps(definition, 'insert', unscoped).keys()) {
    if (own.has(name) || isGiven(filter, name)) continue;
    const text = `A pipeline cannot tell an insert from an update, so "${definition.programName(name)}" would be missing: use operators such as $set.`;
    throw new UsageError(text, definition.context);
  }
}

/**
 * The server makes an ObjectId where an upsert has no `_id`, which a model with an `_id` schema of its own may not want.
 *
 * @param known true where it is known beside what the filter says.
 */
export function checkUpsertedId(definition: ModelDefinition, filter: SentFilter, known: boolean): void {
  if (known || !definition.fields.has('_id') || isGiven(filter, '_id')) return;
  const text =
    'The model has an _id schema of its own, so an upsert must say the _id of the document that it may insert.';
  throw new UsageError(text, definition.context);
}

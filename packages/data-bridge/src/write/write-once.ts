import type { BSON } from 'mongodb';
import { ABSENT } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { givenValue } from '../filter/filter-equality.ts';
import { extensionStamps } from '../save/door.ts';
import type { SentFilter } from '../save/recorder.ts';

/*
 * Fields that are written once, in writes of documents that are not in memory: what could change one is refused.
 */

/** @param update operators, with stored names. @throws UsageError */
export function checkOperatorsOnce(definition: ModelDefinition, update: BSON.Document): void {
  if (!isFixed(definition)) return;
  for (const [operator, operand] of Object.entries(update) as [string, BSON.Document][]) {
    if (operator === '$setOnInsert') {
      for (const path of Object.keys(operand)) checkType(definition, path, operator);
      continue;
    }
    const targets = operator === '$rename' ? Object.values(operand).map(String) : [];
    for (const path of [...Object.keys(operand), ...targets]) checkPath(definition, path, operator);
  }
}

/** @param stages with stored names. @throws UsageError */
export function checkStagesOnce(definition: ModelDefinition, stages: readonly BSON.Document[]): void {
  if (!isFixed(definition)) return;
  for (const stage of stages) {
    for (const [name, operand] of Object.entries(stage)) {
      if (name === '$set' || name === '$addFields')
        for (const path of Object.keys(operand as object)) checkPath(definition, path, name);
      else if (name === '$unset') for (const path of [operand].flat().map(String)) checkPath(definition, path, name);
      else {
        const what =
          definition.writeOnce.length > 0
            ? 'fields that are written once'
            : `"${definition.typeKey}", which says of which class a document is`;
        const text = `The stage ${name} makes another document, and the model has ${what}: use $set and $unset.`;
        throw new UsageError(text, definition.context);
      }
    }
  }
}

/**
 * A replacement must have what the filter says that the stored document has. What extensions write into it is not the program's.
 *
 * @throws UsageError
 */
export function checkReplacementOnce(
  definition: ModelDefinition,
  filter: SentFilter,
  replacement: BSON.Document,
  unscoped: Unscoped | undefined,
): void {
  if (definition.writeOnce.length === 0) return;
  const stamps = extensionStamps(definition, 'insert', unscoped);
  for (const name of definition.writeOnce) {
    if (stamps.has(name)) continue;
    const value: unknown = replacement[name] ?? ABSENT;
    const known = givenValue(filter, name);
    if (known !== ABSENT && equalValues(known, value)) continue;
    const text = `A replacement could change "${definition.programName(name)}", which is written once: update by operators, or name its value in the filter.`;
    throw new UsageError(text, definition.context);
  }
}

/** True where a model has fields that no update changes. */
function isFixed({ writeOnce, typeKey }: ModelDefinition): boolean {
  return writeOnce.length > 0 || typeKey !== null;
}

function checkType({ typeKey, context }: ModelDefinition, path: string, operator: string): void {
  if (typeKey === null || path.split('.', 1)[0] !== typeKey) return;
  const text = `${operator} of "${path}" would change of which class a document is, which an update cannot.`;
  throw new UsageError(text, context);
}

function checkPath(definition: ModelDefinition, path: string, operator: string): void {
  checkType(definition, path, operator);
  const [name = ''] = path.split('.', 1);
  if (!definition.writeOnce.includes(name)) return;
  const text = `${operator} of "${definition.programPath(path.split('.'))}" could change a field that is written once: an upsert gives it by $setOnInsert.`;
  throw new UsageError(text, definition.context);
}

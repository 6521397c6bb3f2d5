import type { HookCall } from '../definition/hooks.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { DocumentState } from '../document/document-state.ts';
import { adoptReferences } from '../document/references.ts';
import type { EditTree } from '../edits/edits.ts';
import { recorderOf } from './recorder.ts';
import { ABSENT, toExact } from '../bson/encode.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import {
  checkUnscoped,
  type Extension,
  type HardOptions,
  isLeftOut,
  type ScopeOptions,
  type Unscoped,
} from '../definition/extension.ts';
import { UsageError } from '../errors.ts';
import type { BSON } from 'mongodb';
import { hasChanges, runBefore } from './run-hooks.ts';
import { validate } from './validate.ts';

/*
 * The door: whatever the mapper writes passes here on its way to the server, by whichever call it began. Documents come
 * one by one (`save`, `saveAll`, `create`, `insertMany`, replacements, `bulk`), updates of documents that are not in memory as
 * operators (static updates, queries, `bulk`).
 */

/** What the mapper itself writes into a new document, where the program gave no value. */
export interface InsertStamp {
  readonly name: string;
  readonly value: unknown;
}

/** What the mapper itself writes with an update, where the program does not write there. */
export interface UpdateStamp {
  readonly name: string;
  readonly operator: '$max' | '$inc';
  readonly operand: unknown;
}

/** The times of a new document. */
export function insertStamps({ timestamps }: ModelDefinition, now = Date.now()): readonly InsertStamp[] {
  if (timestamps === undefined) return [];
  const names = Object.values(timestamps).filter((name) => name !== undefined);
  return names.map((name) => ({ name, value: new Date(now) }));
}

/** The time of an update, and the count of the document's writes. */
export function updateStamps({ timestamps, version }: ModelDefinition, now = Date.now()): readonly UpdateStamp[] {
  const stamps: UpdateStamp[] = [];
  const updatedAt = timestamps?.updatedAt;
  // A greater time, of a writer whose clock is ahead, stays.
  if (updatedAt !== undefined) stamps.push({ name: updatedAt, operator: '$max', operand: new Date(now) });
  if (version !== undefined) stamps.push({ name: version, operator: '$inc', operand: 1 });
  return stamps;
}

/**
 * What the extensions write as well, by stored names, in the place of what the program gave.
 *
 * @throws what an extension throws, and UsageError for a field that is not its own.
 */
export function extensionStamps(
  definition: ModelDefinition,
  kind: 'insert' | 'update',
  unscoped: Unscoped | undefined,
): ReadonlyMap<string, unknown> {
  if (definition.extensions.length === 0) return NO_STAMPS;
  checkUnscoped(definition.extensions, unscoped, definition.collectionName);
  const stamps = definition.extensions
    .filter((each) => !isLeftOut(each, unscoped))
    .flatMap((each) => valuesOf(definition, each, each.stamp?.(kind)));
  return new Map(stamps);
}

const NO_STAMPS: ReadonlyMap<string, unknown> = new Map();

/** What is written instead of a deletion, as operators; null where a deletion is one. */
export function removalUpdate(
  definition: ModelDefinition,
  { hard, unscoped }: HardOptions & ScopeOptions,
): BSON.Document | null {
  if (hard !== undefined && typeof hard !== 'boolean')
    throw new UsageError('The option "hard" takes true or false.', definition.context);
  if (hard === true || definition.extensions.every(({ remove }) => remove === undefined)) return null;
  const values = definition.extensions.flatMap((each) => valuesOf(definition, each, each.remove?.()));
  const $set = new Map([...extensionStamps(definition, 'update', unscoped), ...values]);
  const update: BSON.Document = {
    $set: Object.fromEntries([...$set].map(([name, value]) => [name, toExact(value, ABSENT, [name])])),
  };
  for (const { name, operator, operand } of updateStamps(definition))
    if (!$set.has(name)) update[operator] = { ...(update[operator] as object | undefined), [name]: operand };
  return update;
}

/** The values that an extension gave of its fields. */
function valuesOf(definition: ModelDefinition, { name, fields }: Extension, values: unknown): [string, unknown][] {
  if (values === undefined) return [];
  if (!isPlainObject(values) || Object.keys(values).some((field) => !Object.hasOwn(fields, field))) {
    const text = `The extension "${name}" gave something else than values of its fields.`;
    throw new UsageError(text, definition.context);
  }
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => [definition.storedPath(field), value]);
}

/** True where new documents must be made as such before they are stored, since more than plain fields is asked of them. */
export function needsDocuments(definition: ModelDefinition): boolean {
  return definition.extensions.length > 0 || recorderOf(definition).needsDocuments;
}

/**
 * Lets a document out: what the program changed unseen is noted, its hooks are called where there is anything to write, a new
 * one gets its stamps, and what changed is validated.
 *
 * @param plan makes of it what is sent, with its edits where those are known already. The update of a stored document
 *   gets its stamps there: one that did not change gets none.
 * @param hasTimes whether the model's times are written; else a new document may bring its own.
 * @param hooks what is called before the write.
 * @returns what `plan` gives; a promise only where there is something to wait for.
 * @throws ValidationError
 */
export function letOut<W>(
  state: DocumentState,
  isValidated: boolean,
  plan: (edits?: () => EditTree | null) => W,
  hasTimes = true,
  hooks: readonly HookCall[] = NONE,
  unscoped?: Unscoped,
): W | Promise<W> {
  state.adoptDefaults();
  if (hooks.length > 0 && hasChanges(state))
    return runBefore(state, hooks).then(() => letOut(state, isValidated, plan, hasTimes, NONE, unscoped));
  adoptReferences(state);
  if (state.isNew) stampNew(state, hasTimes, unscoped);
  return isValidated ? validate(state, plan) : plan();
}

const NONE: readonly HookCall[] = [];

function stampNew(state: DocumentState, hasTimes: boolean, unscoped: Unscoped | undefined): void {
  const { assigned, baseline, definition } = state;
  for (const { name, value } of insertStamps(definition)) {
    // Of a new document those are assigned that its input had: validation refuses them.
    const isDropped = hasTimes && definition.unknown === 'drop' && assigned.has(name);
    if (isDropped || !hasTimes) assigned.delete(name);
    if (isDropped || (hasTimes && !baseline.has(name))) baseline.set(name, value);
  }
  stampOwn(state, unscoped);
}

/** What the extensions write into a new document. */
export function stampOwn({ assigned, baseline, definition, isRestored }: DocumentState, unscoped?: Unscoped): void {
  for (const [name, value] of extensionStamps(definition, isRestored ? 'update' : 'insert', unscoped)) {
    baseline.set(name, value);
    assigned.add(name);
  }
}

import type { BSON } from 'mongodb';
import { ABSENT, toExact } from '../bson/encode.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import type { Unscoped } from '../definition/extension.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { castUpdate } from '../filter/cast-filter.ts';
import { refuseServerJavaScript } from '../filter/check-filter.ts';
import { operatorIn } from '../filter/operator-in.ts';
import { renameInStages } from '../filter/rename-in-expression.ts';
import { extensionStamps, insertStamps, updateStamps } from '../save/door.ts';
import type { SentFilter } from '../save/recorder.ts';
import { typeName } from '../schema/bson-types.ts';
import { addInserted, checkInsertedStamps, checkUpsertedId, refuseUnnamed } from './upsert.ts';
import { countedStages } from './version-counter.ts';
import { checkOperatorsOnce, checkStagesOnce } from './write-once.ts';

/*
 * The door for updates that the program gives as operators or stages, of documents that are not in memory.
 */

interface Stamping {
  readonly upsert: boolean;
  readonly timestamps: boolean | undefined;
  /** As it is sent. */
  readonly filter: SentFilter;
  readonly unscoped: Unscoped | undefined;
}

/**
 * The update as it is sent: ids cast, with what the mapper itself writes where the program wrote nothing, and of an upsert
 * what its new document begins with.
 *
 * @throws UsageError for what is no update, and for an upsert that cannot know what it would insert.
 */
export function stampUpdate(definition: ModelDefinition, update: object, stamping: Stamping): BSON.Document {
  if (Array.isArray(update)) return stampPipeline(definition, update as BSON.Document[], stamping);
  checkOperators(definition, update);
  const stamped = castUpdate(definition, update);
  checkOperatorsOnce(definition, stamped);
  const written = writtenFields(stamped);
  const add = (operator: string, name: string, value: unknown): void => {
    if (written.has(name)) return;
    setOwn((stamped[operator] ??= {}), name, value);
    written.add(name);
  };
  const now = Date.now();
  const hasTimes = stamping.timestamps !== false;
  const isAdded = ({ name }: { readonly name: string }): boolean => hasTimes || name === definition.version;
  for (const { operator, name, operand } of updateStamps(definition, now).filter(isAdded)) add(operator, name, operand);
  putOwn(definition, stamped, stamping);
  for (const name of writtenFields(stamped)) written.add(name);
  if (!stamping.upsert) return stamped;
  const inserted = insertStamps(definition, now).filter(isAdded);
  addInserted(definition, stamped, stamping.filter, inserted, add);
  checkUpsertedId(definition, stamping.filter, written.has('_id'));
  return stamped;
}

/** What extensions write, in the place of what the program gave. */
function putOwn(definition: ModelDefinition, update: BSON.Document, { upsert, unscoped }: Stamping): void {
  const updated = extensionStamps(definition, 'update', unscoped);
  const inserted = upsert ? extensionStamps(definition, 'insert', unscoped) : updated;
  const put = (operator: string, name: string, value: unknown): void => {
    for (const [each, operand] of Object.entries(update) as [string, BSON.Document][]) {
      const replaced = Object.keys(operand).filter(
        (path) => path.split('.', 1)[0] === name || (each === '$rename' && operand[path] === name),
      );
      for (const path of replaced) delete operand[path];
      if (replaced.length > 0 && Object.keys(operand).length === 0) delete update[each];
    }
    setOwn((update[operator] ??= {}) as object, name, toExact(value, ABSENT, [operator, name]));
  };
  for (const [name, value] of updated) put('$set', name, value);
  for (const [name, value] of inserted) if (!updated.has(name)) put('$setOnInsert', name, value);
}

function stampPipeline(
  definition: ModelDefinition,
  stages: BSON.Document[],
  { upsert, timestamps, filter, unscoped }: Stamping,
): BSON.Document[] {
  const copy = toExact(stages, ABSENT, []) as unknown[];
  const wrong = copy.find((stage) => operatorIn(stage) === undefined);
  if (wrong !== undefined)
    throw new UsageError(
      `An update as a list takes stages such as { $set: … }, got ${typeName(wrong)}.`,
      definition.context,
    );
  refuseServerJavaScript(definition, copy, []);
  const stored = renameInStages(definition, copy) as BSON.Document[];
  checkStagesOnce(definition, stored);
  const counted = definition.version === undefined ? stored : countedStages(definition.version, stored);
  const own = extensionStamps(definition, 'update', unscoped);
  const literals = [...own].map(([name, value]) => [name, { $literal: toExact(value, ABSENT, [name]) }]);
  const sent = own.size === 0 ? counted : [...counted, { $set: Object.fromEntries(literals) as BSON.Document }];
  if (upsert) checkInsertedStamps(definition, filter, own, unscoped);
  const { updatedAt, createdAt } = definition.timestamps ?? {};
  if (upsert) {
    refuseUnnamed(definition, filter, {});
    checkUpsertedId(definition, filter, false);
  }
  if (timestamps === false) return sent;
  if (upsert && createdAt !== undefined) {
    const text = `A pipeline cannot tell an insert from an update, so "${createdAt}" would be missing: use operators such as $set, or pass { timestamps: false }.`;
    throw new UsageError(text, definition.context);
  }
  if (updatedAt === undefined) return sent;
  return [...sent, { $set: { [updatedAt]: { $max: [`$${updatedAt}`, new Date()] } } }];
}

/** The server would take an update without operators for a replacement of the whole document. */
function checkOperators(definition: ModelDefinition, update: object): void {
  const refuse = (text: string): never => {
    throw new UsageError(text, definition.context);
  };
  if (!isPlainObject(update)) return refuse(`An update takes operators such as $set, got ${typeName(update)}.`);
  const keys = Object.keys(update);
  if (keys.length === 0) return refuse('An update takes operators such as $set, got none.');
  const plain = keys.find((key) => !key.startsWith('$'));
  if (plain !== undefined)
    refuse(`An update has operators such as $set at its top, not "${plain}": use replaceOne() to replace a document.`);
}

/** The fields that an update's operators name: a second operator on one of them is a conflict. */
function writtenFields(update: Readonly<Record<string, Readonly<Record<string, unknown>>>>): Set<string> {
  const paths = Object.values(update).flatMap((operand) => Object.keys(operand));
  const renamed = Object.values(update['$rename'] ?? {}).map(String);
  return new Set([...paths, ...renamed].map((path) => path.split('.', 1)[0] as string));
}

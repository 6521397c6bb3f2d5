import { ObjectId } from 'mongodb';
import { copyValue } from '../bson/copy.ts';
import { copyInput } from '../bson/copy-input.ts';
import { setOwn } from '../bson/plain-object.ts';
import { isObject } from '../bson/bson-classes.ts';
import { typeName } from '../schema/bson-types.ts';
import { castId } from '../filter/cast-filter.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import type { DocumentState } from './document-state.ts';

/** The members of a document that are checked when it was just made. */
interface Made {
  readonly [definitionKey]: ModelDefinition;
  readonly $isNew: boolean;
}

/**
 * What `new` makes of its input: a copy under the stored names, with an `_id` and the defaults. Nothing is validated yet.
 *
 * @throws UsageError for what is no object of fields, and for a stored name where the program has another one.
 */
export function newData(definition: ModelDefinition, input: unknown): Record<string, unknown> {
  if (input instanceof TakenFields) return input.fields;
  checkInput(definition, input);
  definition.checkTypes();
  const data: Record<string, unknown> = {};
  const { names, version } = definition;
  if (version !== undefined && (input as Record<string, unknown>)[version] !== undefined) refuseVersion(definition);
  for (const name of Object.keys(input)) {
    const stored = storedName(definition, name);
    const value: unknown = input[name as never];
    if (value !== undefined && (definition.unknown !== 'drop' || names.has(stored)))
      setOwn(data, stored, copyInput(value));
  }
  if (!definition.kin.isAlone) checkType(definition, data);
  if (!definition.fields.has('_id'))
    data['_id'] = data['_id'] === undefined ? new ObjectId() : castId(definition, data['_id']);
  return withDefaults(definition, data);
}

/** The class says the type, and no input another one. */
function checkType({ kin: { key, type }, context }: ModelDefinition, data: Readonly<Record<string, unknown>>): void {
  if (data[key] === undefined || data[key] === type) return;
  const text = `"${key}" says of which class a document is: leave it out, and make the document by its class.`;
  throw new UsageError(text, context);
}

function refuseVersion({ version, context }: ModelDefinition): never {
  const text = `"${version}" counts the writes of a document: it begins with 1, and cannot be given.`;
  throw new UsageError(text, context);
}

function withDefaults(definition: ModelDefinition, data: Record<string, unknown>): Record<string, unknown> {
  for (const field of definition.fieldList) {
    if (Object.hasOwn(data, field.name)) continue;
    const value = field.defaultValue();
    if (value !== undefined) setOwn(data, field.name, value);
  }
  return data;
}

/** What a document is made of that takes over fields of another one, by their stored names. */
export class TakenFields {
  readonly fields: Record<string, unknown>;
  /** By field, what is as its schema made it: what is equal to that is not transformed again. */
  readonly known: ReadonlyMap<string, unknown>;
  /** Fields that were assigned as a whole and not validated since. */
  readonly assigned: readonly string[];

  /** @param known all fields, where they were stored as they are. */
  constructor(
    fields: Record<string, unknown>,
    known: ReadonlyMap<string, unknown> = new Map(Object.entries(fields)),
    assigned: readonly string[] = [],
  ) {
    this.fields = fields;
    this.known = known;
    this.assigned = assigned;
  }
}

/** Notes what is as the schemas made it, and that those of its keys which no schema names are no mistakes. */
export function keepTaken(state: DocumentState, { known, assigned }: TakenFields): void {
  state.kept = new Set(known.keys());
  for (const [name, value] of known) state.takenOver.set(name, copyValue(value));
  state.assigned.begin(assigned);
}

/** What a clone is made of. What was not validated yet is still to be: passwords are not hashed before. */
export function clonedFields(state: DocumentState): TakenFields {
  const { assigned, baseline, definition } = state;
  const { _id, ...all } = baseline.toObject();
  const others = Object.fromEntries(Object.entries(all).filter(([name]) => !definition.isOwn(name)));
  const field = definition.fields.get('_id');
  const isObjectId = field === undefined || field.kind === 'objectId';
  const fields = withDefaults(definition, isObjectId ? { _id: new ObjectId(), ...others } : { ...others });
  const known = new Map<string, unknown>();
  for (const [name, value] of Object.entries(fields)) {
    const made = Object.hasOwn(others, name) ? knownOf(state, name, value) : value;
    if (made !== undefined) known.set(name, made);
  }
  const names = assigned.list().filter((name) => Object.hasOwn(others, name));
  return new TakenFields(fields, known, names);
}

/** A field as its schema made it, or as it is stored; undefined where it is new and was not validated. */
function knownOf({ baseline, isNew, takenOver }: DocumentState, name: string, value: unknown): unknown {
  if (!isNew && !baseline.differs(name)) return value;
  return takenOver.get(name) ?? (isNew ? undefined : baseline.original(name));
}

function storedName(definition: ModelDefinition, name: string): string {
  if (definition.isRevision(name)) {
    const text = `"${name}" numbers the writes of a document: leave it out of a new one.`;
    throw new UsageError(text, definition.context);
  }
  if (definition.isHidden(name)) {
    const text = `The field that is stored as "${name}" is called "${definition.programName(name)}" here.`;
    throw new UsageError(text, definition.context);
  }
  return definition.storedPath(name);
}

/** @param expected what belongs there, as an error begins. */
export function checkInput(
  definition: ModelDefinition,
  input: unknown,
  expected = 'A document is made of an object of its fields',
): asserts input is object {
  const refuse = (text: string): never => {
    throw new UsageError(text, definition.context);
  };
  if (isObject(input) && definitionKey in input)
    refuse(`${expected}, not a document, whose fields are no members: pass what its toObject() gives.`);
  // case: a promise that was not awaited, a Map: what they hold are no members
  if (!isObject(input) || Object.prototype.toString.call(input) !== '[object Object]')
    refuse(`${expected}, got ${typeName(input)}${Array.isArray(input) ? ': insertMany() stores a list' : ''}.`);
}

const checked = new WeakSet<object>();

/**
 * A class field of a subclass hides the accessor of the schema's field of that name, so that nothing would be tracked.
 * It is there only after the constructor returned, so the first document of each class is looked at.
 *
 * @throws UsageError
 */
export function checkOwnFields(document: Made): void {
  const { constructor } = document;
  if (checked.has(constructor)) return;
  for (const { programName } of document[definitionKey].fields.values()) {
    if (!Object.hasOwn(document, programName)) continue;
    const text = `The class field "${programName}" of ${constructor.name} hides the schema's field of that name: remove it, or write "declare ${programName}: …".`;
    throw new UsageError(text, document[definitionKey].context);
  }
  checked.add(constructor);
}

/** True where a document of this class was looked at before, and was found well. */
export function isLookedAt(documentClass: object): boolean {
  return checked.has(documentClass);
}

/**
 * Looks at a document that was read.
 *
 * @throws UsageError also where a subclass's constructor made a new document of what was read.
 */
export function checkRead(document: Made): void {
  checkOwnFields(document);
  if (!document.$isNew) return;
  const text = `The constructor of ${document.constructor.name} must hand its first argument to super() as it is: documents that are read come through it too.`;
  throw new UsageError(text, document[definitionKey].context);
}

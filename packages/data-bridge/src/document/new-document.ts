import { ObjectId } from 'mongodb';
import { setOwn } from '../bson/plain-object.ts';
import { isObject } from '../bson/bson-classes.ts';
import { typeName } from '../schema/bson-types.ts';
import { castId } from '../filter/cast-filter.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';

/** What is looked at in a document that was just made. */
interface Made {
  readonly [definitionKey]: ModelDefinition;
  readonly $isNew: boolean;
}

/**
 * What `new` makes of its input: a top-level copy under the stored names, with an `_id` and the defaults. Nothing is validated yet.
 *
 * @throws UsageError for what is no object of fields, and for a stored name where the program has another one.
 */
export function newData(definition: ModelDefinition, input: unknown): Record<string, unknown> {
  if (input instanceof TakenFields) return input.fields;
  checkInput(definition, input);
  const data: Record<string, unknown> = {};
  const { names, version } = definition;
  if (version !== undefined && (input as Record<string, unknown>)[version] !== undefined) refuseVersion(definition);
  for (const name of Object.keys(input)) {
    const stored = storedName(definition, name);
    const value: unknown = input[name as never];
    if (value !== undefined && (definition.unknown !== 'drop' || names.has(stored))) setOwn(data, stored, value);
  }
  if (!definition.fields.has('_id'))
    data['_id'] = data['_id'] === undefined ? new ObjectId() : castId(definition, data['_id']);
  return withDefaults(definition, data);
}

function refuseVersion({ version, collectionName }: ModelDefinition): never {
  const text = `"${version}" counts the writes of a document: it begins with 1, and cannot be given.`;
  throw new UsageError(text, { model: collectionName });
}

function withDefaults(definition: ModelDefinition, data: Record<string, unknown>): Record<string, unknown> {
  for (const field of definition.fieldList) {
    if (Object.hasOwn(data, field.name)) continue;
    const value = field.defaultValue();
    if (value !== undefined) setOwn(data, field.name, value);
  }
  return data;
}

/** What a document is made of that takes over fields of another one: already as its schemas made them, by their stored names. */
export class TakenFields {
  readonly fields: Record<string, unknown>;

  constructor(fields: Record<string, unknown>) {
    this.fields = fields;
  }
}

/** What a clone is made of. @param fields copies of the other one's. */
export function clonedFields(definition: ModelDefinition, fields: Record<string, unknown>): TakenFields {
  const { _id, ...all } = fields;
  const others = Object.fromEntries(Object.entries(all).filter(([name]) => !definition.isOwn(name)));
  const field = definition.fields.get('_id');
  const isObjectId = field === undefined || field.kind === 'objectId';
  return new TakenFields(withDefaults(definition, isObjectId ? { _id: new ObjectId(), ...others } : others));
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

function checkInput(definition: ModelDefinition, input: unknown): asserts input is object {
  const refuse = (text: string): never => {
    throw new UsageError(text, definition.context);
  };
  // case: a promise that was not awaited, a Map: what they hold are no members
  if (!isObject(input) || Object.prototype.toString.call(input) !== '[object Object]')
    refuse(`A document is made of an object of its fields, got ${typeName(input)}.`);
  else if (definitionKey in input)
    refuse('A document cannot be made of another one, whose fields are no members: pass what its toObject() gives.');
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
    throw new UsageError(text, { model: document[definitionKey].collectionName });
  }
  checked.add(constructor);
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
  throw new UsageError(text, { model: document[definitionKey].collectionName });
}

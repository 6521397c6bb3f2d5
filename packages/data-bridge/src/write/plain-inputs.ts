import { ObjectId } from 'mongodb';
import { Arena } from '../bson/arena.ts';
import { decodeDocument } from '../bson/decode.ts';
import { EncodedDocument } from '../bson/encoded-document.ts';
import { LateBytes } from '../bson/encode.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { isStorable } from '../bson/storable.ts';
import { writeDocument } from '../bson/write-document.ts';
import { currentAttempt } from '../connection/transaction-attempt.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { isLookedAt } from '../document/new-document.ts';
import { stateOf } from '../document/tracked-document.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import { isAsGiven } from '../schema/take-output.ts';
import { Document, type DocumentClass } from '../save/document.ts';
import { insertStamps, needsDocuments } from '../save/door.ts';
import { canEncode } from '../save/plan-write.ts';
import { fail } from '../save/settle.ts';
import { baselineOver } from '../tracking/loaded-baseline.ts';
import type { InsertFate } from './send-inserts.ts';
import type { BSON } from 'mongodb';

/*
 * Plain inputs of `insertMany()` that need not become documents before they are stored: those that are stored as they are, of
 * models whose schemas only look at values. Where all of them are sent as bytes, the documents are made over these bytes
 * afterwards, as those that are found: no input is copied, and nothing waits beside its bytes for the answer.
 */

/** What is asked of the inputs, and of what becomes of them. */
export interface Door {
  readonly validated: boolean;
  readonly hasTimes: boolean;
}

/** An input as it is sent: as an object where the driver does not take bytes. */
export type Sent = BSON.Document | EncodedDocument;

/** The inputs as they are sent; null where one of them needs a document: also where it is refused, which tells why. */
export function plainInputs(
  model: DocumentClass,
  inputs: readonly object[],
  door: Door,
  kind: 'documents' | 'ids',
): Sent[] | null {
  const definition = model.prototype[definitionKey];
  if (needsDocuments(definition) || hasConstructor(model) || (door.validated && !onlyLooks(definition))) return null;
  const encodes = canEncode(definition);
  // Whoever asks for validated documents is given them in errors, too. They cannot be made of objects that were not copied.
  if ((kind === 'documents' || door.validated) && !(encodes && canMakeLater(model, definition, door))) return null;
  const arena = Arena.for(inputs.length);
  const defaults = definition.fieldList.filter(({ hasDefault }) => hasDefault);
  const all: Sent[] = [];
  for (const input of inputs) {
    if (!isPlainObject(input) || definition.programFields(input) !== input) return null;
    const fields = fieldsOf(definition, input, defaults, door);
    if (fields === null) return null;
    if (door.validated && !isValid(definition, fields)) return null;
    const sent = encodes ? encode(fields, arena) : isStorable(fields) ? fields : null;
    if (sent === null) return null;
    all.push(sent);
  }
  return all;
}

/** What is sent of an input, in the order of a document; null where a document has more to say to it. */
function fieldsOf(
  definition: ModelDefinition,
  input: object,
  defaults: readonly SchemaField[],
  { validated, hasTimes }: Door,
): BSON.Document | null {
  const { kin, names, unknown, version } = definition;
  if (unknown === 'drop' || (validated && unknown === 'error')) {
    for (const name in input) if (!names.has(name)) return null;
  }
  const fields: BSON.Document = { _id: undefined, ...input };
  if (!definition.fields.has('_id')) fields['_id'] ??= new ObjectId();
  if (!(fields['_id'] instanceof ObjectId)) return null;
  if (version !== undefined && fields[version] !== undefined) return null;
  if (!kin.isAlone && fields[kin.key] !== undefined && fields[kin.key] !== kin.type) return null;
  for (const field of defaults) if (fields[field.name] === undefined) fields[field.name] = field.defaultValue();
  for (const { name, value } of hasTimes ? insertStamps(definition) : []) {
    if (validated && fields[name] !== undefined) return null;
    if (unknown === 'drop' || fields[name] === undefined) fields[name] = value;
  }
  if (version !== undefined) fields[version] = 1;
  return fields;
}

/** True where no code of the program's runs when a document of the model is validated. */
function onlyLooks({ check, fieldList }: ModelDefinition): boolean {
  return check === undefined && fieldList.every((field) => field.onlyLooks);
}

/** True where every field is valid, and its schema makes nothing else of it. */
function isValid({ fieldList }: ModelDefinition, fields: BSON.Document): boolean {
  for (const field of fieldList) {
    const value: unknown = fields[field.name];
    const verdict = field.validate(value);
    if (verdict instanceof Promise || verdict.issues !== undefined) return false;
    if (value !== undefined && !isAsGiven(value, verdict.value)) return false;
  }
  return true;
}

function encode(fields: BSON.Document, arena: Arena | null): EncodedDocument | null {
  const bytes = writeDocument(fields, arena);
  return bytes === null ? null : new EncodedDocument(fields['_id'], bytes);
}

// ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** True where a document made over the bytes is what one made of the input would be by then. */
function canMakeLater(model: DocumentClass, definition: ModelDefinition, { hasTimes }: Door): boolean {
  // Inside of a transaction documents go back to what they were before it.
  if (currentAttempt() !== undefined || !isLookedAt(model)) return false;
  return (hasTimes || definition.timestamps === undefined) && definition.layout().options.promoteValues;
}

/** The fields that were sent. */
export function fieldsIn(model: DocumentClass, sent: Sent): BSON.Document {
  if (!(sent instanceof EncodedDocument)) return sent;
  return decodeDocument<BSON.Document>(model.prototype[definitionKey].layout(), sent.bytes, 0);
}

/** The document of an input that was sent, as its fate left it. */
export function documentFor(
  model: DocumentClass,
  sent: EncodedDocument,
  input: object,
  fate: InsertFate,
  door: Door,
): Document<unknown> {
  return fate.outcome === 'inserted' ? storedDocument(model, sent, input, door) : newDocument(model, sent, fate);
}

function storedDocument(model: DocumentClass, sent: EncodedDocument, input: object, door: Door): Document<unknown> {
  const definition = model.prototype[definitionKey];
  const document = new model(baselineOver(definition.layout(), sent.bytes, 0, null));
  const state = stateOf(document);
  state.settled(new LateBytes(sent));
  if (!door.validated) state.assigned.begin(definition.storedNames(Object.keys(input)));
  return document;
}

function newDocument(model: DocumentClass, sent: EncodedDocument, { outcome, error }: InsertFate): Document<unknown> {
  const { timestamps, version } = model.prototype[definitionKey];
  const fields = fieldsIn(model, sent);
  // What the mapper writes itself is no input.
  const times = Object.values(timestamps ?? {}).map((name): [string, unknown] => [name, fields[name]]);
  for (const name of [version, ...times.map(([time]) => time)]) if (name !== undefined) delete fields[name];
  const document = new model(fields);
  for (const [name, time] of times) stateOf(document).baseline.set(name, time);
  if (outcome === 'unknown')
    fail(stateOf(document), { kind: 'insert', document: sent, entry: undefined }, error, outcome);
  return document;
}

const withConstructor = new WeakMap<object, boolean>();

/** True where a constructor of the program's own, in the class or one above it, may do something to new documents. */
function hasConstructor(model: DocumentClass): boolean {
  let known = withConstructor.get(model);
  if (known === undefined) {
    known = false;
    for (let each: object = model; each !== Document && !known; each = Object.getPrototypeOf(each) as object)
      // A class without one has no trace of it at run time but its source.
      known = /\bconstructor\s*\(/.test(Function.prototype.toString.call(each));
    withConstructor.set(model, known);
  }
  return known;
}

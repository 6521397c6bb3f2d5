import type { BSON } from 'mongodb';
import { saveChannel } from '../connection/tracing.ts';
import { hasHooks } from '../definition/hooks.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { stateOf } from '../document/tracked-document.ts';
import type { EncodedDocument } from '../bson/encoded-document.ts';
import type { Document, DocumentClass } from '../save/document.ts';
import { fail } from '../save/settle.ts';
import type { SaveOptions } from '../save/save.ts';
import { documentFor, plainInputs } from './plain-inputs.ts';

/** Makes a document of its fields, and stores it. */
export async function create(model: DocumentClass, input: object, options?: SaveOptions): Promise<Document<unknown>> {
  return createPlain(model, input, options) ?? new model(input).save(options);
}

/** The same for an input that is stored as it is; null where its document is to be made first. */
function createPlain(
  model: DocumentClass,
  input: object,
  options: SaveOptions = {},
): Promise<Document<unknown>> | null {
  for (const name in options) if (name !== 'validate') return null;
  const definition = model.prototype[definitionKey];
  const { validate: validated = definition.validate } = options;
  // Who traces saves is told by those of documents.
  if (hasHooks(model.prototype) || saveChannel.hasSubscribers) return null;
  const sent = plainInputs(model, [input], { validated, hasTimes: true }, 'documents', {});
  if (sent === null || definition.driverCollection().writeConcern?.w === 0) return null;
  return insertOne(model, sent[0] as EncodedDocument, input, validated);
}

async function insertOne(
  model: DocumentClass,
  sent: EncodedDocument,
  input: object,
  validated: boolean,
): Promise<Document<unknown>> {
  const door = { validated, hasTimes: true };
  // What was not validated waits for it, and so its fields' names are as they were given.
  const given = validated ? input : { ...input };
  try {
    await model.prototype[definitionKey].collection().insertOne(sent as BSON.Document);
  } catch (error) {
    const document = documentFor(model, sent, given, { outcome: 'untried' }, door);
    throw fail(stateOf(document), { kind: 'insert', document: sent, entry: undefined }, error);
  }
  return documentFor(model, sent, given, { outcome: 'inserted' }, door);
}

import type { BSON } from 'mongodb';
import { countedReplacement, countedStages } from '../write/version-counter.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { UsageError } from '../errors.ts';
import type { BulkOperation } from '../save/recorder.ts';
import { nextRevision, recordedModel, type SendOptions } from './record.ts';

/*
 * Writes of many documents at once, past their history. Each document is numbered all the same, so that the gap shows.
 */

/** @throws UsageError where many documents would be written past their history, and nobody said that they shall. */
export function checkUnrecorded(definition: ModelDefinition, method: string, history: unknown): void {
  const context = definition.context;
  if (history !== undefined && history !== false)
    throw new UsageError(`${method}() takes { history: false } alone: it writes no entries.`, context);
  if (history === false) return;
  const text = `${method}() writes no entries in the history: write the documents one by one, or pass { history: false }, which leaves a gap.`;
  throw new UsageError(text, context);
}

/** An update of documents that get no entries. */
export function unrecordedUpdate(update: BSON.Document): BSON.Document {
  if (Array.isArray(update)) return [...countedStages(REVISION, update as BSON.Document[]), { $unset: [REVISION_ID] }];
  const { $inc, $unset, ...others } = update;
  return { ...others, $inc: { ...$inc, [REVISION]: 1 }, $unset: { ...$unset, [REVISION_ID]: '' } };
}

/** An operation of a bulk write as it is sent. */
export async function unrecordedOperation<N extends string>(
  definition: ModelDefinition,
  { sentAs, parts }: BulkOperation<N>,
  options: SendOptions,
): Promise<BulkOperation<N | 'updateOne'>> {
  if (sentAs.startsWith('delete')) return { sentAs, parts };
  const { replacement, document, update, ...others } = parts;
  if (sentAs === 'replaceOne') {
    const counted = countedReplacement(REVISION, replacement as BSON.Document);
    return { sentAs: 'updateOne', parts: { ...others, update: counted } };
  }
  if (sentAs !== 'insertOne')
    return { sentAs, parts: { ...others, update: unrecordedUpdate(update as BSON.Document) } };
  const { _id, ...fields } = document as BSON.Document;
  const revision = await nextRevision(recordedModel(definition), _id, options);
  return { sentAs, parts: { document: { _id, ...fields, [REVISION]: revision } } };
}

import type { BSON } from 'mongodb';
import { countedReplacement, countedStages } from '../counted.ts';
import { type ModelDefinition, REVISION, REVISION_ID } from '../definition.ts';
import { UsageError } from '../errors.ts';
import { isRecorded, nextRevision, type SendOptions } from './record.ts';

/*
 * Writes of many documents at once, past their history. Each document is numbered all the same, so that the gap shows.
 */

/** What methods that write many documents take besides the driver's options. */
export interface ManyOptions {
  /**
   * Where the model keeps a history: `false` writes without entries, which leaves a gap in the history of each document.
   * Without it the call is refused.
   */
  readonly history?: false;
}

/** @throws UsageError where many documents would be written past their history, and nobody said that they shall. */
export function checkUnrecorded(definition: ModelDefinition, method: string, history: unknown): void {
  const context = definition.context;
  if (history !== undefined && history !== false)
    throw new UsageError(`${method}() takes { history: false } alone: it writes no entries.`, context);
  if (!isRecorded(definition) || history === false) return;
  const text = `${method}() writes no entries in the history: write the documents one by one, or pass { history: false }, which leaves a gap.`;
  throw new UsageError(text, context);
}

/** An update of documents that get no entries. */
export function unrecordedUpdate(definition: ModelDefinition, update: BSON.Document): BSON.Document {
  if (!isRecorded(definition)) return update;
  if (Array.isArray(update)) return [...countedStages(REVISION, update as BSON.Document[]), { $unset: [REVISION_ID] }];
  const { $inc, $unset, ...others } = update;
  return { ...others, $inc: { ...$inc, [REVISION]: 1 }, $unset: { ...$unset, [REVISION_ID]: '' } };
}

/** An operation of a bulk write as it is sent. */
export async function unrecordedOperation<N extends string>(
  definition: ModelDefinition,
  sentAs: N,
  parts: BSON.Document,
  options: SendOptions,
): Promise<{ readonly sentAs: N | 'updateOne'; readonly parts: BSON.Document }> {
  if (!isRecorded(definition) || sentAs.startsWith('delete')) return { sentAs, parts };
  const { replacement, document, update, ...others } = parts;
  if (sentAs === 'replaceOne') {
    const counted = countedReplacement(REVISION, replacement as BSON.Document);
    return { sentAs: 'updateOne', parts: { ...others, update: counted } };
  }
  if (sentAs !== 'insertOne')
    return { sentAs, parts: { ...others, update: unrecordedUpdate(definition, update as BSON.Document) } };
  const { _id, ...fields } = document as BSON.Document;
  const revision = await nextRevision(definition, _id, options);
  return { sentAs, parts: { document: { _id, ...fields, [REVISION]: revision } } };
}

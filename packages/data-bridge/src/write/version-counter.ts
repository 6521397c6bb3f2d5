import type { BSON } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';

/*
 * Updates of models that count the writes of a document, where no operator can do it.
 */

/** The stages of an update pipeline, and one that counts: those that make a new document take the count along. */
export function countedStages(version: string, stages: readonly BSON.Document[]): BSON.Document[] {
  return [...stages.map((stage) => keeping(version, stage)), { $set: { [version]: next(version) } }];
}

/** A replacement as an update, since the server counts nothing in a document that it is given as a whole. */
export function countedReplacement(version: string, replacement: BSON.Document): BSON.Document[] {
  const { [version]: _, ...fields } = replacement;
  const own = Object.hasOwn(fields, '_id') ? {} : { _id: '$_id' };
  return [{ $replaceWith: { $mergeObjects: [{ ...own, [version]: next(version) }, { $literal: fields }] } }];
}

function next(version: string): BSON.Document {
  return { $add: [{ $ifNull: [`$${version}`, 0] }, 1] };
}

function keeping(version: string, stage: BSON.Document): BSON.Document {
  const { $replaceWith, $replaceRoot, $project } = stage;
  const merged = (made: unknown): BSON.Document => ({ $mergeObjects: [{ [version]: `$${version}` }, made] });
  if ($replaceWith !== undefined) return { $replaceWith: merged($replaceWith) };
  if (isPlainObject($replaceRoot))
    return { $replaceRoot: { ...$replaceRoot, newRoot: merged($replaceRoot['newRoot']) } };
  const isPicking = isPlainObject($project) && Object.entries($project).some(isPicked);
  return isPicking ? { $project: { [version]: 1, ...$project } } : stage;
}

/** A projection either names what stays or what goes; of the `_id` it may say either. */
function isPicked([name, value]: [string, unknown]): boolean {
  return name !== '_id' && value !== 0 && value !== false;
}

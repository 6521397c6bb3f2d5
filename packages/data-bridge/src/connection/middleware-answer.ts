import { BSON } from 'mongodb';
import { encodeDocument } from '../bson/encode.ts';
import { UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';

/*
 * What middleware gives for a read: what the driver gave, or an answer of its own of the same kind.
 */

interface Kind {
  readonly text: string;
  isOne(answer: unknown): boolean;
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
const DOCUMENTS: Kind = {
  text: 'a list of documents',
  isOne: (answer) => Array.isArray(answer) && answer.every(isObject),
};
const NUMBER: Kind = { text: 'a number', isOne: (answer) => typeof answer === 'number' };

/** The commands that may be answered, and what each gives. */
const READS: ReadonlyMap<string, Kind> = new Map([
  ['find', DOCUMENTS],
  ['aggregate', DOCUMENTS],
  ['findOne', { text: 'a document or null', isOne: (answer) => answer === null || isObject(answer) }],
  ['countDocuments', NUMBER],
  ['estimatedDocumentCount', NUMBER],
  ['distinct', { text: 'a list of values', isOne: (answer) => Array.isArray(answer) }],
]);

export function isRead(operation: string): boolean {
  return READS.has(operation);
}

/** @throws UsageError for what no such command gives: most often a middleware did not return what `next()` gave. */
export function checkAnswer(operation: string, answer: unknown): void {
  const kind = READS.get(operation);
  if (kind === undefined || kind.isOne(answer)) return;
  const text = `A middleware gave ${typeName(answer)} for ${operation}, which gives ${kind.text}: return what next() gives, or an answer of that kind.`;
  throw new UsageError(text);
}

/** Documents, or their BSON, as BSON. */
export function asBson(answer: unknown): Uint8Array[] {
  return (answer as object[]).map((each) => (each instanceof Uint8Array ? each : encodeDocument(each)));
}

/** The same as plain objects. */
export function asObjects(answer: unknown): BSON.Document[] {
  return (answer as object[]).map((each) => (each instanceof Uint8Array ? BSON.deserialize(each) : each));
}

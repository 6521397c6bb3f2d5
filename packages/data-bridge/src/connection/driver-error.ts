import { BSON, MongoBulkWriteError, MongoServerError, MongoWriteConcernError, type WriteError } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import type { DuplicateKey } from '../errors.ts';

/**
 * The server refuses the call itself with these. Of an update: an operator that is none, has an operand of a wrong type,
 * meets another on its path or does not fit what is stored; a `$` or an empty name in a path; another `_id`. Of an index or
 * a collection: an option that is none, one that differs from what is there, a name that cannot be. What this server cannot
 * do at all.
 */
const MISUSE: ReadonlySet<number | undefined> = new Set([
  2, 9, 14, 28, 40, 52, 54, 55, 56, 57, 66, 67, 72, 73, 85, 86, 115, 168, 197, 238, 260, 263, 40324, 40414, 40415,
  40573,
]);
export const DUPLICATE_KEY = 11000;
export const INVALID_DOCUMENT = 121;
/** Others whose sentences quote names: a collection or an index is not there, or there already. */
const NAMING: ReadonlySet<number | undefined> = new Set([26, 27, 48]);

/** The server's error code, if it is the server's. */
export function serverCode(error: unknown): number | undefined {
  // Where the driver's option `promoteValues` is off, the code is an Int32.
  return error instanceof MongoServerError && error.code !== undefined ? Number(error.code) : undefined;
}

/** True for the caller's mistake. */
export function isMisuse(error: MongoServerError): boolean {
  return MISUSE.has(serverCode(error));
}

/**
 * True where the server takes no transactions, since it stands alone. The driver says it of the first write in words of
 * its own.
 */
export function isWithoutTransactions(error: MongoServerError): boolean {
  const { message, code } = (error['originalError'] ?? error) as MongoServerError;
  return Number(code) === 20 && /transaction/i.test(message);
}

/** True where the server refuses what is to be stored, and not for reasons of its own, such as an election. */
export function isVerdict(error: unknown): boolean {
  const code = serverCode(error);
  return code === DUPLICATE_KEY || code === INVALID_DOCUMENT || MISUSE.has(code);
}

/**
 * What ended a write. Of a bulk write it is the first thing that the server refused, or else what it could not confirm: the
 * driver wraps whatever ends one, a broken connection too, as a refusal.
 */
export function reasonOf(thrown: unknown): unknown {
  if (!(thrown instanceof MongoBulkWriteError)) return thrown;
  if (thrown.errorResponse instanceof Error) return thrown.errorResponse;
  const [refused] = refusedWrites(thrown);
  if (refused !== undefined) return refusalOf(refused);
  const unconfirmed = thrown.result.getWriteConcernError();
  if (unconfirmed === undefined) return thrown;
  const { code = 0, errmsg = '' } = unconfirmed;
  return new MongoWriteConcernError({ writeConcernError: { code, errmsg }, ok: 1 });
}

/** One refused write of a bulk write, as an error of its own. */
export function refusalOf({
  code,
  errmsg = '',
  errInfo,
}: Pick<WriteError, 'code' | 'errmsg' | 'errInfo'>): MongoServerError {
  return new MongoServerError({ message: errmsg, code, ...(errInfo !== undefined && { errInfo }) });
}

/** What the server refused of a bulk write. Beside a write concern error, or a broken connection, the error itself has none. */
export function refusedWrites({ result }: MongoBulkWriteError): readonly WriteError[] {
  return result.getWriteErrors();
}

/**
 * The server's error without the values that it quotes, so that it can go into a log: of the same class, with the same code
 * and labels.
 */
export function withoutValues(error: MongoServerError): MongoServerError {
  const { code, codeName } = error;
  const shown = { code, ...(codeName !== undefined && { codeName }), errorLabels: error.errorLabels };
  const message = sentenceOf(error);
  if (!(error instanceof MongoWriteConcernError)) return new MongoServerError({ message, ...shown });
  const { errorLabels, ...reason } = shown;
  return new MongoWriteConcernError({ writeConcernError: { errmsg: message, ...reason }, errorLabels, ok: 1 } as never);
}

/**
 * The server's sentence with dots from the first value that it quotes to the last: what a value holds could look like the
 * end of it. Values stand in braces and double quotes, and where MongoDB shows a whole query; names in single quotes, where
 * other errors have values, too: a text that is no number, say.
 */
export function sentenceOf(error: MongoServerError): string {
  const text = error.message;
  const isNaming = isMisuse(error) || NAMING.has(serverCode(error));
  const start = text.search(isNaming ? /[{"]|Tree: / : /[{"]|(?<!\w)'|Tree: /);
  if (start < 0) return text;
  return `${text.slice(0, start)}…${text.slice(endOfQuote(text, start, isNaming ? ['}', '"'] : ['}', '"', "'"]))}`;
}

function endOfQuote(text: string, start: number, marks: readonly string[]): number {
  const isQuery = text.startsWith('Tree: ', start);
  const ends = isQuery ? [text.lastIndexOf(' planner returned')] : marks.map((mark) => text.lastIndexOf(mark) + 1);
  const end = Math.max(...ends);
  return end > start + 1 ? end : text.length;
}

/**
 * What the server reports of a violated unique index. Of a bulk write the driver keeps the server's sentence alone.
 *
 * @param shown what the program calls a stored path.
 */
export function duplicateKeyOf(error: MongoServerError, shown: (path: string) => string): DuplicateKey {
  const refused = documentIn(error['keyValue']);
  const pattern = documentIn(error['keyPattern']) ?? refused;
  const paths = pattern === undefined ? indexedFields(error.message) : Object.keys(pattern);
  const values = refused && Object.fromEntries(Object.entries(refused).map(([path, value]) => [shown(path), value]));
  return { fields: paths.map(shown), values };
}

/** The name of the violated index, which the server's sentence holds. */
export function indexNameOf({ message }: MongoServerError): string | undefined {
  return /index: (.+?) dup key: /.exec(message)?.[1];
}

/** `"email" (a string), "age" (a number)`: the types where the values are known. */
export function describeFields({ fields = [], values }: DuplicateKey): string {
  const described = fields.map((field) => {
    const isKnown = values !== undefined && Object.hasOwn(values, field);
    return isKnown ? `"${field}" (${typeName(values[field])})` : `"${field}"`;
  });
  return described.join(', ');
}

/** An index that was given no name is called after its fields, as `email_1_age_-1`, and the server's sentence has each as `age:`. */
function indexedFields(message: string): string[] {
  const [, name, shown = ''] = /index: (.+?) dup key: (.*)$/s.exec(message) ?? [];
  if (name === undefined) return [];
  if (name === '_id_') return ['_id'];
  const fields = [...name.matchAll(/(.+?)_(?:-?1|text|hashed|2d|2dsphere)(?:_|$)/g)].map(([, field]) => String(field));
  return fields.every((field) => shown.includes(`${field}: `)) ? fields : [];
}

/** A part of the server's answer, which the driver leaves as bytes where documents are asked for as bytes. */
export function documentIn(part: unknown): Record<string, unknown> | undefined {
  if (part instanceof Uint8Array) return BSON.deserialize(part);
  return isPlainObject(part) ? part : undefined;
}

import { Binary, Int32, Long } from 'bson';
import type { Document } from '../engine/value.ts';
import { ServerError } from '../errors.ts';
import { Fields } from './fields.ts';

/** A write that a client sends again when it got no answer: it is done once. */
export interface RetryableWrite {
  readonly session: string;
  readonly number: bigint;
  /** The numbers of its statements: one transaction number may have several commands. */
  readonly statements: readonly number[];
}

const SESSION_FIELDS = new Set(['id', 'uid']);

/** The text of a session's id, which is `{id: <UUID>}`. */
export function sessionId(document: Document): string {
  const fields = new Fields('lsid', document);
  fields.check(SESSION_FIELDS);
  const id = fields.value('id');
  if (id === undefined) throw fields.missing('id');
  if (id instanceof Binary && id.sub_type === Binary.SUBTYPE_UUID && id.position === 16) return id.toString('hex');
  throw new ServerError(14, "BSON field 'lsid.id' is the wrong type, expected type 'UUID'");
}

/** Reads what makes a command retryable; undefined where nothing does. `count` is the number of its statements. */
export function retryableWrite(
  fields: Fields,
  session: string | undefined,
  count: number | undefined,
): RetryableWrite | undefined {
  const number = transactionNumber(fields);
  for (const name of ['autocommit', 'startTransaction']) {
    if (fields.value(name) !== undefined) throw new ServerError(20, 'The embedded server has no transactions.');
  }
  if (number === undefined) return undefined;
  if (session === undefined) {
    throw new ServerError(72, 'Transaction number requires a session ID to also be specified');
  }
  if (count === undefined) {
    throw new ServerError(
      50768,
      'txnNumber may only be provided for multi-document transactions and retryable write commands. ' +
        'autocommit:false was not provided, and this command is not a retryable write.',
    );
  }
  return { session, number, statements: statementNumbers(fields, count) };
}

function transactionNumber(fields: Fields): bigint | undefined {
  const number = fields.value('txnNumber');
  if (number === undefined) return undefined;
  if (!(number instanceof Long))
    throw new ServerError(14, "BSON field 'txnNumber' is the wrong type, expected type 'long'");
  if (number.isNegative()) throw new ServerError(72, 'Transaction number cannot be negative');
  return number.toBigInt();
}

/** From 0 on, unless the command says otherwise: `stmtId` is the first, `stmtIds` are all. */
function statementNumbers(fields: Fields, count: number): number[] {
  const all = fields.array('stmtIds')?.map((number) => (number instanceof Int32 ? number.value : -1));
  const first = fields.integer('stmtId') ?? 0;
  const numbers = all ?? Array.from({ length: count }, (_, position) => first + position);
  if (numbers.length === count && numbers.every((number) => Number.isSafeInteger(number) && number >= 0))
    return numbers;
  throw new ServerError(72, "'stmtIds' must name each statement by a number");
}

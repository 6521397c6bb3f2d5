// What makes a command part of a session, retryable, or part of a transaction.
import { Binary, Int32, Long } from 'bson';
import { encode } from '../values/bson.ts';
import { type Document, typeOf } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { Fields } from './fields.ts';

/** A session, as a client names it. */
export interface SessionName {
  /** Its UUID, as hexadecimal digits. */
  readonly id: string;
  /** As BSON, `{id: <UUID>}`. */
  readonly bytes: Uint8Array;
}

/** A write that a client sends again when it got no answer: it is done once. */
export interface RetryableWrite {
  readonly kind: 'retryable';
  readonly session: SessionName;
  readonly number: bigint;
  /** The numbers of its statements: one transaction number may have several commands. */
  readonly statements: readonly number[];
}

/** A command of a transaction. */
export interface InTransaction {
  readonly kind: 'transaction';
  readonly session: SessionName;
  readonly number: bigint;
  /** True where it is the first one. */
  readonly starts: boolean;
}

const SESSION_FIELDS = new Set(['id', 'uid']);

/** Reads the session of a command, and of those that end sessions. */
export function sessionName(document: Document): SessionName {
  const fields = new Fields('lsid', document);
  fields.check(SESSION_FIELDS);
  const id = fields.value('id');
  if (id === undefined) throw fields.missing('id');
  if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID || id.position !== 16) {
    throw new ServerError(14, `BSON field 'lsid.id' is the wrong type '${typeOf(id)}', expected a UUID`);
  }
  return { id: id.toString('hex'), bytes: encode(document) };
}

/**
 * Reads the transaction number of a command and what goes with it; undefined where it has none. `count` is the number of
 * its statements, undefined where it may not be sent again.
 */
export function transactionFields(
  fields: Fields,
  session: SessionName | undefined,
  count: number | undefined,
): RetryableWrite | InTransaction | undefined {
  const number = transactionNumber(fields);
  const isPart = fields.value('autocommit') !== undefined;
  if (number === undefined) {
    if (!isPart && fields.value('startTransaction') === undefined) return undefined;
    throw invalid("'autocommit' and 'startTransaction' need a transaction number, 'txnNumber'");
  }
  if (session === undefined) throw invalid('Transaction number requires a session ID to also be specified');
  if (isPart) return inTransaction(fields, session, number);
  if (fields.value('startTransaction') !== undefined) {
    throw invalid("'startTransaction' needs 'autocommit' to be false");
  }
  if (count === undefined) {
    throw new ServerError(
      50768,
      'txnNumber may only be provided for multi-document transactions and retryable write commands. ' +
        'autocommit:false was not provided, and this command is not a retryable write.',
    );
  }
  return { kind: 'retryable', session, number, statements: statementNumbers(fields, count) };
}

function inTransaction(fields: Fields, session: SessionName, number: bigint): InTransaction {
  if (fields.boolean('autocommit')) throw invalid('Specifying autocommit=true is not allowed.');
  const starts = fields.boolean('startTransaction');
  if (!starts && fields.value('startTransaction') !== undefined) {
    throw invalid('Specifying startTransaction=false is not allowed.');
  }
  return { kind: 'transaction', session, number, starts };
}

function transactionNumber(fields: Fields): bigint | undefined {
  const number = fields.value('txnNumber');
  if (number === undefined) return undefined;
  if (!(number instanceof Long)) {
    throw new ServerError(14, `BSON field 'txnNumber' is the wrong type '${typeOf(number)}', expected type 'long'`);
  }
  if (number.isNegative()) throw invalid('Transaction number cannot be negative');
  return number.toBigInt();
}

/** From 0 on, unless the command says otherwise: `stmtId` is the first, `stmtIds` are all. */
function statementNumbers(fields: Fields, count: number): number[] {
  const all = fields.array('stmtIds')?.map((number) => (number instanceof Int32 ? number.value : -1));
  const first = fields.integer('stmtId') ?? 0;
  const numbers = all ?? Array.from({ length: count }, (_, position) => first + position);
  if (numbers.length === count && numbers.every((number) => Number.isSafeInteger(number) && number >= 0))
    return numbers;
  throw invalid("'stmtIds' must name each statement by a number");
}

function invalid(message: string): ServerError {
  return new ServerError(72, message);
}

import { Timestamp } from 'bson';
import type { Clock } from '../catalog/clock.ts';
import { toNumber } from '../values/number.ts';
import { isNumeric } from '../values/value.ts';
import { ServerError } from '../errors.ts';
import { Fields } from '../messages/fields.ts';
import type { InTransaction } from '../messages/transaction-fields.ts';

const READ_CONCERN_FIELDS = new Set(['level', 'provenance', 'afterClusterTime']);
const LEVELS = new Set(['local', 'majority', 'available', 'linearizable']);
const WRITE_CONCERN_FIELDS = new Set(['w', 'j', 'fsync', 'wtimeout', 'provenance']);

/** The stable API of MongoDB, version 1, is a subset of the commands; only its strict reading is refused. */
export function checkApiVersion(fields: Fields): void {
  const version = fields.string('apiVersion');
  if (version !== undefined && version !== '1') {
    throw new ServerError(322, `API version must be "1", not "${version}"`);
  }
  fields.refuse(['apiStrict']);
}

/**
 * Takes note of the times that the client knows. What it has seen elsewhere is earlier than what comes after, and what
 * it wants to read at the earliest is read: every command sees all that there is.
 */
export function witnessTimes(command: Fields, clock: Clock): void {
  const told = command.document('$clusterTime')?.get('clusterTime');
  if (told instanceof Timestamp) clock.witness(told);
  const after = command.document('readConcern')?.get('afterClusterTime');
  if (after === undefined || (after instanceof Timestamp && after.lessThanOrEqual(clock.clusterTime))) return;
  throw new ServerError(
    72,
    'readConcern afterClusterTime value must be a timestamp and not greater than the current clusterTime',
  );
}

/**
 * One process that runs one command after another reads the same at every level. A snapshot for several commands is only
 * to be had in a transaction.
 */
export function checkReadConcern(command: Fields): void {
  const concern = command.document('readConcern');
  if (concern === undefined) return;
  const fields = new Fields('readConcern', concern);
  fields.check(READ_CONCERN_FIELDS);
  const level = fields.string('level') ?? 'local';
  if (LEVELS.has(level)) return;
  if (level === 'snapshot') {
    if (command.value('autocommit') !== undefined) return;
    throw new ServerError(238, "The embedded server supports the read concern 'snapshot' in transactions only.");
  }
  throw new ServerError(2, `Enumeration value '${level}' for field 'readConcern.level' is not a valid value.`);
}

/**
 * In a transaction the first command says what it reads, at a level that all commands have in common, and the last one
 * how its writes are confirmed. Throws 72 for anything else.
 */
export function checkConcernsOfPart(fields: Fields, { starts }: InTransaction, endsTransaction: boolean): void {
  const read = fields.document('readConcern');
  if (read !== undefined && !starts) {
    throw new ServerError(72, 'Only the first command in a transaction may specify a readConcern');
  }
  const level = read?.get('level') ?? 'local';
  if (level !== 'local' && level !== 'majority' && level !== 'snapshot') {
    throw new ServerError(
      72,
      "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
    );
  }
  if (fields.value('writeConcern') !== undefined && !endsTransaction) {
    throw new ServerError(72, 'writeConcern is not allowed within a multi-statement transaction');
  }
}

/** A write is done when the command has answered, so every concern that a single server can satisfy is satisfied. */
export function checkWriteConcern(command: Fields): void {
  const concern = command.document('writeConcern');
  if (concern === undefined) return;
  const fields = new Fields('writeConcern', concern);
  fields.check(WRITE_CONCERN_FIELDS);
  const w = fields.value('w') ?? 'majority';
  if (w === 'majority') return;
  if (!isNumeric(w)) {
    throw new ServerError(79, 'No write concern mode of that name found in replica set configuration');
  }
  if (toNumber(w) < 0) throw new ServerError(9, 'w has to be a non-negative number');
  if (toNumber(w) > 1) throw new ServerError(100, 'Not enough data-bearing nodes');
}

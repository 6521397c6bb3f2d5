import {
  type BSON,
  type ClientBulkWriteResult,
  MongoBulkWriteError,
  MongoClientBulkWriteError,
  MongoWriteConcernError,
} from 'mongodb';
import { refusalOf, refusedWrites } from './driver-error.ts';
import { type Outcome, outcomeOf } from './write-outcome.ts';

/** What is known of a bulk write that ended in an error. */
export interface BulkFailure {
  /** The server's errors, by the places of the writes that it refused. */
  readonly refused: ReadonlyMap<number, Error>;
  /** What happened to the command as a whole. */
  readonly failure?: { readonly error: unknown; readonly outcome: Outcome };
  /** How many documents were inserted, matched or deleted all the same. */
  readonly done: number;
  /** What is known of the single writes, where the command asked for it. */
  readonly partial?: ClientBulkWriteResult | undefined;
}

/** Reads what either bulk write of the driver throws. */
export function readFailure(error: unknown): BulkFailure {
  if (error instanceof MongoClientBulkWriteError) return readClientFailure(error);
  if (error instanceof MongoBulkWriteError) return readCollectionFailure(error);
  return { refused: new Map(), failure: { error, outcome: outcomeOf(error) }, done: 0 };
}

function readClientFailure(error: MongoClientBulkWriteError): BulkFailure {
  const { writeErrors, writeConcernErrors, partialResult: partial, cause } = error;
  // The driver wraps what ends the command as a whole.
  if (cause !== undefined) return { ...readFailure(cause), partial };
  const refused = new Map(
    Array.from(writeErrors, ([place, { code, message }]) => [
      place,
      refusalOf({ code, errmsg: message, errInfo: undefined }),
    ]),
  );
  const done = partial === undefined ? 0 : partial.insertedCount + partial.matchedCount + partial.deletedCount;
  return { refused, ...failureOf(error, refused, writeConcernErrors[0]), done, partial };
}

function readCollectionFailure(error: MongoBulkWriteError): BulkFailure {
  const { result } = error;
  const refused = new Map(refusedWrites(error).map((each) => [each.index, refusalOf(each)]));
  const done = result.insertedCount + result.matchedCount + result.deletedCount;
  // The driver wraps whatever ends a bulk write, a broken connection too. What was sent in commands before was answered.
  if ((error.errorResponse as unknown) instanceof Error) return { ...readFailure(error.errorResponse), refused, done };
  return { refused, ...failureOf(error, refused, result.getWriteConcernError()?.toJSON()), done };
}

/** What happened to the command beside the writes that were refused: it was not confirmed, or refused as a whole. */
function failureOf(
  thrown: Error,
  refused: ReadonlyMap<number, Error>,
  unconfirmed: BSON.Document | undefined,
): Pick<BulkFailure, 'failure'> {
  if (unconfirmed === undefined)
    return refused.size > 0 ? {} : { failure: { error: thrown, outcome: outcomeOf(thrown) } };
  const { code, message, errmsg = message } = unconfirmed;
  const error = new MongoWriteConcernError({ writeConcernError: { code, errmsg }, ok: 1 });
  return { failure: { error, outcome: 'applied' } };
}

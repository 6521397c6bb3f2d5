/** MongoDB's names of the error numbers that this server uses. A number without a name is shown as `Location<number>`. */
const CODE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'InternalError'],
  [2, 'BadValue'],
  [4, 'NoSuchKey'],
  [5, 'GraphContainsCycle'],
  [6, 'HostUnreachable'],
  [9, 'FailedToParse'],
  [10, 'CannotMutateObject'],
  [11, 'UserNotFound'],
  [13, 'Unauthorized'],
  [14, 'TypeMismatch'],
  [15, 'Overflow'],
  [16, 'InvalidLength'],
  [17, 'ProtocolError'],
  [18, 'AuthenticationFailed'],
  [20, 'IllegalOperation'],
  [21, 'EmptyArrayOperation'],
  [22, 'InvalidBSON'],
  [24, 'LockTimeout'],
  [26, 'NamespaceNotFound'],
  [27, 'IndexNotFound'],
  [28, 'PathNotViable'],
  [40, 'ConflictingUpdateOperators'],
  [43, 'CursorNotFound'],
  [47, 'NoMatchingDocument'],
  [48, 'NamespaceExists'],
  [50, 'MaxTimeMSExpired'],
  [51, 'ManualInterventionRequired'],
  [52, 'DollarPrefixedFieldName'],
  [53, 'InvalidIdField'],
  [54, 'NotSingleValueField'],
  [55, 'InvalidDBRef'],
  [56, 'EmptyFieldName'],
  [57, 'DottedFieldName'],
  [59, 'CommandNotFound'],
  [61, 'ShardKeyNotFound'],
  [64, 'WriteConcernTimeout'],
  [65, 'MultipleErrorsOccurred'],
  [66, 'ImmutableField'],
  [67, 'CannotCreateIndex'],
  [68, 'IndexAlreadyExists'],
  [72, 'InvalidOptions'],
  [73, 'InvalidNamespace'],
  [79, 'UnknownReplWriteConcern'],
  [85, 'IndexOptionsConflict'],
  [86, 'IndexKeySpecsConflict'],
  [96, 'OperationFailed'],
  [100, 'UnsatisfiableWriteConcern'],
  [111, 'NotExactValueField'],
  [112, 'WriteConflict'],
  [115, 'CommandNotSupported'],
  [117, 'ConflictingOperationInProgress'],
  [121, 'DocumentValidationFailure'],
  [123, 'NotAReplicaSet'],
  [125, 'CommandFailed'],
  [146, 'ExceededMemoryLimit'],
  [155, 'CannotBackfillArray'],
  [166, 'CommandNotSupportedOnView'],
  [167, 'OptionNotSupportedOnView'],
  [168, 'InvalidPipelineOperator'],
  [171, 'CannotIndexParallelArrays'],
  [175, 'QueryPlanKilled'],
  [181, 'AmbiguousIndexKeyPattern'],
  [197, 'InvalidIndexSpecificationOption'],
  [206, 'NoSuchSession'],
  [217, 'IncompleteTransactionHistory'],
  [223, 'DurationOverflow'],
  [225, 'TransactionTooOld'],
  [237, 'CursorKilled'],
  [238, 'NotImplemented'],
  [241, 'ConversionFailure'],
  [244, 'TransactionAborted'],
  [246, 'SnapshotUnavailable'],
  [251, 'NoSuchTransaction'],
  [256, 'TransactionCommitted'],
  [257, 'TransactionTooLarge'],
  [260, 'InvalidResumeToken'],
  [261, 'TooManyLogicalSessions'],
  [263, 'OperationNotSupportedInTransaction'],
  [279, 'ClientDisconnect'],
  [280, 'ChangeStreamFatalError'],
  [286, 'ChangeStreamHistoryLost'],
  [322, 'APIVersionError'],
  [334, 'UnsupportedFormat'],
  [352, 'UnsupportedOpQueryCommand'],
  [359, 'CannotConvertIndexToUnique'],
  [10334, 'BSONObjectTooLarge'],
  [11000, 'DuplicateKey'],
  [11600, 'InterruptedAtShutdown'],
  [11601, 'Interrupted'],
  [12051, 'CursorInUse'],
  [13297, 'DatabaseDifferCase'],
  [14031, 'OutOfDiskSpace'],
  [40414, 'IDLFailedToParse'],
  [40415, 'IDLUnknownField'],
]);

/** MongoDB's name of an error number. */
function codeNameOf(code: number): string {
  return CODE_NAMES.get(code) ?? `Location${code}`;
}

/** Fields that an error reply carries beside code and message, such as `keyPattern` or `errInfo`: BSON values by name. */
export type ErrorFields = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

/** An error that is answered to the client, with MongoDB's number. */
export class ServerError extends Error {
  readonly code: number;
  readonly codeName: string;
  readonly extra: ReadonlyMap<string, unknown>;

  constructor(code: number, message: string, extra: ErrorFields = new Map()) {
    super(message);
    this.name = 'ServerError';
    this.code = code;
    this.codeName = codeNameOf(code);
    this.extra = extra instanceof Map ? extra : new Map(Object.entries(extra));
  }

  /** This error with a label, by which drivers know what to do. */
  labelled(label: string): ServerError {
    return new ServerError(this.code, this.message, new Map([...this.extra, ['errorLabels', [label]]]));
  }

  /** This error with a prefix, as MongoDB shows where it arose: `Invalid $set :: caused by :: …`. */
  within(prefix: string): ServerError {
    return new ServerError(this.code, `${prefix} :: caused by :: ${this.message}`, this.extra);
  }
}

/**
 * A change that failed when part of it had been made: no refusal, of whatever class its cause is, so that nothing of the
 * command is kept.
 */
export class UnfinishedError extends Error {
  override readonly name = 'UnfinishedError';

  constructor(cause: unknown) {
    super(`a change could not be finished: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

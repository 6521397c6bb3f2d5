import type { Abortable } from 'mongodb';
import { type ErrorContext, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { insteadOf } from './driver-options.ts';

/*
 * The options of the driver that each kind of call takes, and those about scopes, which nearly all take. The driver passes
 * over what it does not know, and what an operation has no use for: so whatever is not named here is refused, by the types
 * and at run time. Options of the package's own that a few calls take are named where these are.
 */

const ALL = ['session', 'signal', 'timeoutMS', 'maxTimeMS', 'comment', 'unscoped'] as const;
const READING = [...ALL, 'readPreference', 'readConcern'] as const;
const CHOOSING = ['collation', 'hint', 'let'] as const;
const WRITING = [...ALL, 'writeConcern'] as const;
const STORING = [...WRITING, 'bypassDocumentValidation'] as const;
const UPDATING = [...STORING, ...CHOOSING, 'upsert', 'arrayFilters'] as const;

/** What an extension makes of a deletion may be put off, and so may the rules of references. */
const DELETING = [...WRITING, 'hard', 'rules'] as const;

const FIND_ONE = [...READING, ...CHOOSING, 'sort', 'skip', 'allowDiskUse', 'allowPartialResults'] as const;
const EXISTS = [...READING, ...CHOOSING, 'skip', 'allowDiskUse'] as const;

export const TAKEN = {
  estimatedCount: READING,
  distinct: [...READING, 'collation', 'hint'],
  exists: EXISTS,
  count: [...EXISTS, 'limit'],
  findOne: FIND_ONE,
  findById: FIND_ONE,
  find: [...FIND_ONE, 'limit', 'batchSize', 'noCursorTimeout', 'singleBatch'],
  aggregate: [
    ...READING,
    ...CHOOSING,
    'allowDiskUse',
    'batchSize',
    // For what a last stage stores.
    'bypassDocumentValidation',
    'writeConcern',
  ],
  watch: [
    ...READING,
    'collation',
    'batchSize',
    'fullDocument',
    'fullDocumentBeforeChange',
    'maxAwaitTimeMS',
    'resumeAfter',
    'startAfter',
    'startAtOperationTime',
    'showExpandedEvents',
  ],
  reload: READING,
  insert: STORING,
  insertMany: [...STORING, 'ordered'],
  updateMany: UPDATING,
  updateOne: [...UPDATING, 'sort'],
  replaceOne: [...STORING, ...CHOOSING, 'upsert', 'sort'],
  remove: DELETING,
  delete: [...DELETING, ...CHOOSING],
  findOneAndUpdate: [...UPDATING, 'sort', 'returnDocument'],
  upsert: [...STORING, ...CHOOSING, 'arrayFilters', 'sort'],
  findOneAndReplace: [...STORING, ...CHOOSING, 'upsert', 'sort', 'returnDocument'],
  findOneAndDelete: [...DELETING, ...CHOOSING, 'sort'],
} as const;

/** Of the driver's options those that a kind of call takes. */
export type DriverOptions<O, K extends keyof typeof TAKEN> = Pick<O, Extract<keyof O, (typeof TAKEN)[K][number]>> &
  Partial<Abortable>;

/** @throws UsageError for options that are no object, and for one that the call has no use for. */
export function checkTaken(
  method: string,
  { context }: { readonly context: ErrorContext },
  options: object,
  names: readonly string[],
): void {
  // case: find(filter, 'name email'), as other libraries have it
  if (!isPlainObject(options))
    throw new UsageError(
      `${method}() takes its options as an object, got ${typeName(options)}${insteadOf('projection')}`,
      context,
    );
  for (const name in options) {
    if (names.includes(name) || options[name] === undefined) continue;
    throw new UsageError(`${method}() does not take the option "${name}"${insteadOf(name)}`, context);
  }
}

import type { Abortable } from 'mongodb';
import type { SessionCollection } from '../connection/session-collection.ts';
import type { ModelDefinition } from './model-definition.ts';
import { DECODING, givenOf, insteadOf } from '../connection/driver-options.ts';
import { UsageError } from '../errors.ts';
import { translate } from '../connection/write-outcome.ts';

/** Options of the driver that would make it give something else than what a method promises, or another type of it. */
const REFUSED = ['explain', 'projection', 'includeResultMetadata', 'raw', ...DECODING] as const;

/** The driver's options of an operation but those that would change what comes back. */
export type DriverOptions<O> = Omit<O, (typeof REFUSED)[number]> & Partial<Abortable>;

/**
 * Runs an operation of the driver, and throws its errors as this package's.
 *
 * @throws UsageError for an option that would change what comes back, and what a signal that is aborted gives.
 */
export async function run<R>(
  definition: ModelDefinition,
  options: object & Partial<Abortable>,
  operation: (collection: SessionCollection) => Promise<R>,
  inWords = translate,
): Promise<R> {
  refuseAny(definition, options);
  // Not every operation of the driver looks at the signal.
  options.signal?.throwIfAborted();
  try {
    return await operation(definition.collection());
  } catch (error) {
    throw inWords(error, definition.context, definition);
  }
}

/** @throws UsageError for an option that is there although the types leave it out. */
function refuseAny(definition: ModelDefinition, options: object): void {
  const found = givenOf(options, REFUSED);
  if (found === undefined) return;
  throw new UsageError(
    `The option "${found}" is not taken here, since it would change what the method gives${insteadOf(found)}`,
    definition.context,
  );
}

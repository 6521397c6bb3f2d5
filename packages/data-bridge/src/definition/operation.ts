import type { Abortable } from 'mongodb';
import type { SessionCollection } from '../connection/session-collection.ts';
import type { ModelDefinition } from './model-definition.ts';
import { translate } from '../connection/write-outcome.ts';

/**
 * Runs an operation of the driver, and throws its errors as this package's.
 *
 * @throws what a signal that is aborted gives.
 */
export async function run<R>(
  definition: ModelDefinition,
  options: object & Partial<Abortable>,
  operation: (collection: SessionCollection) => Promise<R>,
  inWords = translate,
): Promise<R> {
  // Not every operation of the driver looks at the signal.
  options.signal?.throwIfAborted();
  try {
    return await operation(definition.collection());
  } catch (error) {
    throw inWords(error, definition.context, definition);
  }
}

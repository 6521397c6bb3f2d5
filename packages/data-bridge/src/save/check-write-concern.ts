import type { UpdateOptions } from 'mongodb';
import type { DocumentState } from '../document/document-state.ts';
import { UsageError } from '../errors.ts';

/** @throws UsageError for write concern 0, under which the server does not answer: nobody would know what is stored. */
export function checkWriteConcern(
  method: string,
  state: Pick<DocumentState, 'definition' | 'context'>,
  options: UpdateOptions,
): void {
  const { w } = options.writeConcern ?? state.definition.collection().writeConcern ?? {};
  if (w === 0)
    throw new UsageError(`${method}() needs an answer from the server: write concern 0 gives none.`, state.context);
}

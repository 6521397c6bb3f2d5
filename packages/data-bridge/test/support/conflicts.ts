import { ConflictError } from '../../src/index.ts';

/** The ConflictError that a promise must end with. */
export async function conflictOf(promise: Promise<unknown>): Promise<ConflictError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConflictError)) throw new Error('Expected a ConflictError', { cause: error });
  return error;
}

/** Several copies of one document. */
export async function copiesOf<D>(count: number, load: () => Promise<D | null>): Promise<D[]> {
  const copies: D[] = [];
  for (let i = 0; i < count; i += 1) {
    const copy = await load();
    if (copy === null) throw new Error('Expected a document');
    copies.push(copy);
  }
  return copies;
}

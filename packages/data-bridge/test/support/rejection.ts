/** The error of this class that a promise must be rejected with. */
export async function rejectionOf<E>(
  type: abstract new (...args: never[]) => E,
  promise: Promise<unknown>,
): Promise<E> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof type)) throw new Error(`Expected a ${type.name}`, { cause: error });
  return error;
}

const errors = new WeakSet<object>();

/** Notes that a command was not sent because of an error. Gives that error; what is none becomes the cause of one. */
export function neverSent(thrown: unknown): Error {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
  errors.add(error);
  return error;
}

/** True where the command that ended with this error was not sent. */
export function wasNeverSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && errors.has(error);
}

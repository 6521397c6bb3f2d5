import { type ErrorContext, UsageError } from './errors.ts';

/** Options of the driver that say how bytes are read: the mapper reads them itself, as the connection says. */
export const DECODING = [
  'fieldsAsRaw',
  'promoteValues',
  'promoteLongs',
  'promoteBuffers',
  'useBigInt64',
  'bsonRegExp',
  'enableUtf8Validation',
] as const;

/** The first of these options that is there although the types leave it out. */
export function givenOf(options: object, names: readonly string[]): string | undefined {
  return names.find((name) => (options as Record<string, unknown>)[name] !== undefined);
}

/** @throws UsageError for an option of another method, which would be ignored. */
export function refuseNamed(
  method: string,
  { context }: { readonly context: ErrorContext },
  options: object,
  names: readonly string[],
): void {
  const refused = givenOf(options, names);
  if (refused !== undefined) throw new UsageError(`${method}() does not take the option "${refused}".`, context);
}

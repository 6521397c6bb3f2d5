import { isPlainObject } from '../bson/plain-object.ts';
import { type ErrorContext, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';

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

/** What is called instead of giving an option. */
const INSTEAD: Readonly<Record<string, string>> = {
  projection: `find(…).select('name') and omit('name') say what is loaded`,
  explain: 'find(…).explain() asks the server',
  raw: 'find(…).lean() gives plain objects',
};

/** How an error about a refused option ends: with what to do instead. */
export function insteadOf(option: string): string {
  return Object.hasOwn(INSTEAD, option) ? `: ${INSTEAD[option]}.` : '.';
}

/** @throws UsageError for options that are none, and for an option of another method, which would be ignored. */
export function refuseNamed(
  method: string,
  owner: { readonly context: ErrorContext },
  options: object,
  names: readonly string[],
): void {
  // case: find(filter, 'name email'), as other libraries have it
  if (!isPlainObject(options))
    throw new UsageError(
      `${method}() takes its options as an object, got ${typeName(options)}${insteadOf('projection')}`,
      owner.context,
    );
  const refused = givenOf(options, names);
  if (refused !== undefined)
    throw new UsageError(`${method}() does not take the option "${refused}"${insteadOf(refused)}`, owner.context);
}

/**
 * The options that the driver does not know, of those that were given to it, as they were written: it tells of them in
 * small letters.
 */
export function unknownOptions(message: string, given: readonly string[]): string[] {
  const [, list = ''] = /^options? (.+) (?:is|are) not supported$/.exec(message) ?? [];
  const unknown = list.split(', ');
  return given.filter((name) => unknown.includes(name.toLowerCase()));
}

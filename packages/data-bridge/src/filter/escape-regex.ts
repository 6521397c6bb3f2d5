import { UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';

/**
 * A text as a regular expression that matches just it: a backslash before each of `. ^ $ * + ? { } \ | [ ] ( )`.
 *
 * ```ts
 * await User.find({ name: new RegExp(`^${escapeRegex(input)}`) });
 * ```
 *
 * @throws UsageError for what is no string.
 */
export function escapeRegex(text: string): string {
  if (typeof text !== 'string') throw new UsageError(`escapeRegex() takes a string, got ${typeName(text)}.`);
  return text.replace(/[.^$*+?{}\\|[\]()]/g, String.raw`\$&`);
}

import { ServerError } from '../../errors.ts';
import { isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { namedArguments, type Operator, type OperatorTable, required } from './operator.ts';

const TRIM_CODES = { notObject: 50696, unknown: 50694, missing: { input: 50695 } };

/** What counts as white space: U+0000, and Unicode's spaces as MongoDB lists them. */
const WHITE_SPACE: ReadonlySet<string> = new Set(
  '\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
);

/** Removes white space, or the characters of `chars`, from the ends of a string. */
const trim =
  (start: boolean, end: boolean): Operator =>
  (name, argument, scope, compile) => {
    const args = namedArguments(name, argument, ['chars'], TRIM_CODES);
    const input = compile(required(args, 'input'), scope);
    const chars = args.get('chars');
    const removed = chars === undefined ? undefined : compile(chars, scope);
    return (slots) => {
      const text = input(slots);
      const characters = removed === undefined ? WHITE_SPACE : characterSet(removed(slots), name);
      if (isNullish(text) || characters === undefined) return null;
      if (typeof text === 'string') return trimmed(text, characters, start, end);
      throw new ServerError(
        50699,
        `${name} requires its input to be a string, got (of type ${typeOrMissing(text)}) instead.`,
      );
    };
  };

function characterSet(chars: Value | undefined, name: string): ReadonlySet<string> | undefined {
  if (isNullish(chars)) return undefined;
  if (typeof chars === 'string') return new Set(chars);
  throw new ServerError(
    50700,
    `${name} requires 'chars' to be a string, got (of type ${typeOrMissing(chars)}) instead.`,
  );
}

function trimmed(text: string, characters: ReadonlySet<string>, start: boolean, end: boolean): string {
  const points = [...text];
  const stays = (point: string): boolean => !characters.has(point);
  const from = start ? points.findIndex(stays) : 0;
  const to = end ? points.findLastIndex(stays) + 1 : points.length;
  return from < 0 ? '' : points.slice(from, to).join('');
}

const REPLACE_CODES = {
  notObject: 51751,
  unknown: 51750,
  missing: { input: 51749, find: 51748, replacement: 51747 },
};
const REPLACE_TYPE_CODES = { input: 51746, find: 51745, replacement: 51744 };

const replace =
  (run: (input: string, find: string, replacement: string) => string): Operator =>
  (name, argument, scope, compile) => {
    const args = namedArguments(name, argument, [], REPLACE_CODES);
    const input = compile(required(args, 'input'), scope);
    const find = compile(required(args, 'find'), scope);
    const replacement = compile(required(args, 'replacement'), scope);
    return (slots) => {
      const text = textOrNull(input(slots), name, 'input');
      const sought = textOrNull(find(slots), name, 'find');
      const instead = textOrNull(replacement(slots), name, 'replacement');
      return text === null || sought === null || instead === null ? null : run(text, sought, instead);
    };
  };

function textOrNull(value: Value | undefined, name: string, what: keyof typeof REPLACE_TYPE_CODES): string | null {
  if (isNullish(value)) return null;
  if (typeof value === 'string') return value;
  throw new ServerError(
    REPLACE_TYPE_CODES[what],
    `${name} requires that '${what}' be a string, found: ${typeOrMissing(value)}`,
  );
}

/** Operators that remove or replace parts of strings. A replacement is taken as it is: `$&` means nothing in it. */
export const REPLACE: OperatorTable = {
  $trim: trim(true, true),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
  $replaceOne: replace((input, find, replacement) => input.replace(find, () => replacement)),
  $replaceAll: replace((input, find, replacement) => input.replaceAll(find, () => replacement)),
};

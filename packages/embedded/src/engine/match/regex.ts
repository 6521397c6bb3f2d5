// MongoDB's regular expressions are PCRE; JavaScript's are close enough for what filters hold.
import { type BSONRegExp, BSONSymbol } from 'bson';
import { ServerError } from '../../errors.ts';
import { isRegExp, type Value } from '../../values/value.ts';

/** A test for strings that an expression finds something in, and for the very same stored expression. */
export function regexTest(regex: BSONRegExp): (value: Value | undefined) => boolean {
  const compiled = compileRegex(regex.pattern, regex.options);
  return (value) => {
    const text = textOf(value);
    if (text !== undefined) return compiled.test(text);
    return isRegExp(value) && value.pattern === regex.pattern && value.options === regex.options;
  };
}

function textOf(value: Value | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof BSONSymbol ? value.value : undefined;
}

/**
 * A JavaScript expression for a pattern with MongoDB's options.
 * @throws ServerError 51108 for an unknown option, 51091 for an invalid pattern or one that JavaScript cannot express
 */
export function compileRegex(pattern: string, options: string): RegExp {
  for (const option of options) {
    if (!'imsxu'.includes(option)) throw new ServerError(51108, `invalid flag in regex options: ${option}`);
  }
  const inline = /^\(\?([imsx]+)\)/.exec(pattern);
  const all = new Set(options + (inline?.[1] ?? ''));
  const source = translate(pattern.slice(inline?.[0].length ?? 0), all.has('x'));
  const flags = [...'ims'].filter((flag) => all.has(flag)).join('');
  try {
    // By code points, if the pattern has none of the needless escapes that JavaScript refuses then.
    return new RegExp(source, `${flags}u`);
  } catch {
    return compileLoosely(source, flags);
  }
}

function compileLoosely(source: string, flags: string): RegExp {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    throw new ServerError(51091, `Regular expression is invalid: ${reasonOf(error)}`);
  }
}

/** JavaScript says `Invalid regular expression: /pattern/: reason`. The pattern is a value of a filter: it is not told. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return message
    .slice(message.lastIndexOf(': ') + 1)
    .trim()
    .toLowerCase();
}

const ANCHORS: Readonly<Record<string, string>> = {
  '\\A': '(?<![^])',
  '\\z': '(?![^])',
  '\\Z': '(?=\\n?(?![^]))',
};

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  '[:alpha:]': 'a-zA-Z',
  '[:digit:]': '0-9',
  '[:alnum:]': 'a-zA-Z0-9',
  '[:upper:]': 'A-Z',
  '[:lower:]': 'a-z',
  '[:space:]': '\\s',
  '[:xdigit:]': '0-9a-fA-F',
  '[:word:]': '\\w',
};

/** An escape, a whole character class, white space, a comment, or any other character. */
const TOKEN = /\\[^]|\[\^?\]?(?:\[:[a-z]+:\]|\\[^]|[^\]\\])*\]|\s+|#.*\n?|[^]/g;
const TOKEN_WITHOUT_COMMENTS = /\\[^]|\[\^?\]?(?:\[:[a-z]+:\]|\\[^]|[^\]\\])*\]|[^]/g;

/** Writes a pattern in JavaScript's way; with `extended`, the option `x`, white space and comments are left out. */
function translate(pattern: string, extended: boolean): string {
  return pattern.replaceAll(extended ? TOKEN : TOKEN_WITHOUT_COMMENTS, (token) => {
    if (token.startsWith('[')) return token.replaceAll(/\[:[a-z]+:\]/g, (name) => POSIX_CLASSES[name] ?? name);
    return extended && /^[\s#]/.test(token) ? '' : (ANCHORS[token] ?? token);
  });
}

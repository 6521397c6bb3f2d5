// MongoDB's regular expressions are PCRE; JavaScript's are close enough for what filters hold.
import { type BSONRegExp, BSONSymbol } from 'bson';
import { ServerError } from '../../errors.ts';
import { isRegExp, type Value } from '../value.ts';

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
    throw new ServerError(51091, `Regular expression is invalid: ${error instanceof Error ? error.message : source}`);
  }
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

/** Escapes, POSIX classes, the brackets of a class, and what the option `x` leaves out, one token at a time. */
const TOKEN = /\\[^]|\[:[a-z]+:\]|[[\]]|\s+|#.*\n?|[^]/g;

function translate(pattern: string, extended: boolean): string {
  let inClass = false;
  return pattern.replaceAll(TOKEN, (token) => {
    if (inClass) {
      if (token === ']') inClass = false;
      return POSIX_CLASSES[token] ?? token;
    }
    if (token === '[') inClass = true;
    if (extended && /^[\s#]/.test(token)) return '';
    // A comment counts as one only with the option x.
    return token.startsWith('#') && token.length > 1
      ? `#${translate(token.slice(1), false)}`
      : (ANCHORS[token] ?? token);
  });
}

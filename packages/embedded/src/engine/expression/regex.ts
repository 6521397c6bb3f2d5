import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { compileRegex } from '../match/regex.ts';
import { documentOf, isNullish, isRegExp, typeOrMissing, type Value } from '../../values/value.ts';
import { namedArguments, type Operator, type OperatorTable, required } from './operator.ts';

const CODES = { notObject: 51103, unknown: 31024, missing: { input: 31022, regex: 31023 } };

/** An operator on what a regular expression finds; `nothing` is its answer where there is no input or no expression. */
const searching =
  (nothing: Value, run: (text: string, regex: RegExp) => Value): Operator =>
  (name, argument, scope, compile) => {
    const args = namedArguments(name, argument, ['options'], CODES);
    const input = compile(required(args, 'input'), scope);
    const regex = compile(required(args, 'regex'), scope);
    const options = compile(args.get('options') ?? null, scope);
    const toRegExp = lastCompiled();
    return (slots) => {
      const text = input(slots);
      const expression = patternOf(regex(slots), options(slots), name);
      if (!isNullish(text) && typeof text !== 'string') {
        throw new ServerError(51104, `${name} needs 'input' to be of type string, found: ${typeOrMissing(text)}`);
      }
      return isNullish(text) || expression === undefined ? nothing : run(text, toRegExp(expression));
    };
  };

interface Pattern {
  readonly pattern: string;
  readonly options: string;
}

function patternOf(regex: Value | undefined, options: Value | undefined, name: string): Pattern | undefined {
  if (!isNullish(options) && typeof options !== 'string') {
    throw new ServerError(51106, `${name} needs 'options' to be of type string, found: ${typeOrMissing(options)}`);
  }
  const given = isNullish(options) ? '' : options;
  if (isNullish(regex)) return undefined;
  if (typeof regex === 'string') return { pattern: regex, options: given };
  if (!isRegExp(regex)) {
    throw new ServerError(51105, `${name} needs 'regex' to be of type string or regex, found: ${typeOrMissing(regex)}`);
  }
  if (given !== '' && regex.options !== '') {
    throw new ServerError(51107, `${name}: found regex option(s) specified in both 'regex' and 'option' fields`);
  }
  return { pattern: regex.pattern, options: given + regex.options };
}

/** Compiles expressions, and keeps the last one: it is the same for every document, as a rule. */
function lastCompiled(): (expression: Pattern) => RegExp {
  let last: (Pattern & { readonly regex: RegExp }) | undefined;
  return ({ pattern, options }) => {
    if (last?.pattern !== pattern || last.options !== options) {
      last = { pattern, options, regex: compiled(pattern, options) };
    }
    last.regex.lastIndex = 0;
    return last.regex;
  };
}

function compiled(pattern: string, options: string): RegExp {
  try {
    const { source, flags } = compileRegex(pattern, options);
    return new RegExp(source, `${flags}g`);
  } catch (error) {
    // As an argument of an expression an invalid pattern has a number of its own.
    if (error instanceof ServerError && error.code === 51091) throw new ServerError(51111, error.message);
    throw error;
  }
}

/** Every match, also where it is empty; none starts at the end of the text, unless something else leads there. */
function* matches(text: string, regex: RegExp): Generator<RegExpExecArray> {
  let start = 0;
  while (start < text.length) {
    regex.lastIndex = start;
    const found = regex.exec(text);
    if (found === null) return;
    yield found;
    const [match] = found;
    start = found.index + (match.length || String.fromCodePoint(text.codePointAt(found.index) ?? 0).length);
  }
}

/** `{match, idx, captures}`; `idx` counts code points. */
function described(found: RegExpMatchArray): Value {
  const [match, ...captures] = found;
  const before = found.input?.slice(0, found.index) ?? '';
  return documentOf(
    ['match', match],
    ['idx', new Int32([...before].length)],
    // A group that took no part is undefined, whatever the type says.
    ['captures', captures.map((capture: string | undefined) => capture ?? null)],
  );
}

/** Operators that search with regular expressions. */
export const REGEX: OperatorTable = {
  $regexMatch: searching(false, (text, regex) => regex.test(text)),
  $regexFind: searching(null, (text, regex) => {
    const found = regex.exec(text);
    return found === null ? null : described(found);
  }),
  $regexFindAll: searching([], (text, regex) => Array.from(matches(text, regex), described)),
};

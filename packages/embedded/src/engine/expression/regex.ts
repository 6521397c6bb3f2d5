import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { compileRegex } from '../match/regex.ts';
import { documentOf, isNullish, isRegExp, typeOrMissing, type Value } from '../value.ts';
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
    const compiled = lastCompiled();
    return (slots) => {
      const text = input(slots);
      const expression = patternOf(regex(slots), options(slots), name);
      if (!isNullish(text) && typeof text !== 'string') {
        throw new ServerError(51104, `${name} needs 'input' to be of type string, found: ${typeOrMissing(text)}`);
      }
      return isNullish(text) || expression === undefined ? nothing : run(text, compiled(expression));
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
      const { source, flags } = compileRegex(pattern, options);
      last = { pattern, options, regex: new RegExp(source, `${flags}g`) };
    }
    last.regex.lastIndex = 0;
    return last.regex;
  };
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
  $regexFindAll: searching([], (text, regex) => Array.from(text.matchAll(regex), described)),
};

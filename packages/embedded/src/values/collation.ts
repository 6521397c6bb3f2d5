// Rules of languages for the comparison of texts.
// https://www.mongodb.com/docs/manual/reference/collation/
import { ServerError } from '../errors.ts';
import { toSafeInteger } from './number.ts';
import { show } from './text.ts';
import { type Document, isDocument, isNumeric, typeOf, type Value } from './value.ts';

/** How texts are compared. */
export interface Collation {
  /** The options as they were given. */
  readonly specification: Document;
  compare(this: void, a: string, b: string): number;
  /** A text that is the same for all texts that are equal by `compare`. */
  fold(this: void, text: string): string;
}

const FLAGS = ['caseLevel', 'numericOrdering', 'normalization', 'backwards'];
const OPTIONS = new Set(['locale', 'strength', 'caseFirst', 'alternate', 'maxVariable', 'version', ...FLAGS]);

/**
 * The rules that the options of a collation ask for; undefined for the simple one, by which texts are compared by their
 * bytes.
 * @throws ServerError 2, 14, 40414 or 40415 for what is no collation, 238 for options that `Intl.Collator` lacks
 */
export function collationOf(specification: Document): Collation | undefined {
  checkOptions(specification);
  const locale = specification.get('locale');
  if (locale === undefined)
    throw new ServerError(40414, "BSON field 'collation.locale' is missing but a required field");
  if (typeof locale !== 'string') throw wrongType('locale', locale, 'string');
  if (locale === 'simple') return undefined;
  const collator = new Intl.Collator(tagOf(locale), {
    usage: 'sort',
    sensitivity: sensitivityOf(specification),
    numeric: specification.get('numericOrdering') === true,
    caseFirst: caseFirstOf(specification),
  });
  return { specification, compare: collator.compare, fold: folding(collator) };
}

/** True where two collations compare all texts alike. */
export function isSameCollation(a: Collation | undefined, b: Collation | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && rulesOf(a) === rulesOf(b));
}

/** Options in one order, with those that are left out. */
function rulesOf({ specification }: Collation): string {
  return [
    show(specification.get('locale')),
    sensitivityOf(specification),
    specification.get('numericOrdering') === true,
    caseFirstOf(specification),
  ].join(' ');
}

function checkOptions(specification: Document): void {
  for (const [name, value] of specification) {
    if (!OPTIONS.has(name)) throw new ServerError(40415, `BSON field 'collation.${name}' is an unknown field.`);
    if (FLAGS.includes(name) && typeof value !== 'boolean') throw wrongType(name, value, 'bool');
  }
  const alternate = specification.get('alternate') ?? 'non-ignorable';
  if (alternate === 'shifted') throw unsupported('alternate');
  if (alternate !== 'non-ignorable') throw invalid('alternate', alternate);
  if (specification.get('backwards') === true) throw unsupported('backwards');
}

/** MongoDB writes `de_AT` and `de@collation=phonebook`. */
function tagOf(locale: string): string {
  const tag = locale.replaceAll('_', '-').replace('@collation=', '-u-co-');
  try {
    if (Intl.Collator.supportedLocalesOf(tag).length > 0) return tag;
  } catch {
    // It is not even formed like a locale.
  }
  throw new ServerError(2, `Field 'locale' is invalid in: { locale: ${show(locale)} }`);
}

function sensitivityOf(specification: Document): 'base' | 'accent' | 'case' | 'variant' {
  const given = specification.get('strength');
  if (given !== undefined && !isNumeric(given)) throw wrongType('strength', given, 'int');
  const strength = given === undefined ? 3 : toSafeInteger(given);
  if (strength === undefined || strength < 1 || strength > 5) throw invalid('strength', given ?? null);
  if (strength > 3) throw unsupported('strength above 3');
  const caseLevel = specification.get('caseLevel') === true;
  if (strength === 1) return caseLevel ? 'case' : 'base';
  if (strength === 2 && caseLevel) throw unsupported('caseLevel with strength 2');
  return strength === 2 ? 'accent' : 'variant';
}

function caseFirstOf(specification: Document): 'upper' | 'lower' | 'false' {
  const caseFirst = specification.get('caseFirst') ?? 'off';
  if (caseFirst === 'upper' || caseFirst === 'lower') return caseFirst;
  if (caseFirst === 'off') return 'false';
  throw invalid('caseFirst', caseFirst);
}

/**
 * `Intl.Collator` has no sort keys. So each character is replaced by the plainest one that the collator takes for equal
 * to it: without case, without accents, without both, or nothing at all.
 */
function folding(collator: Intl.Collator): (text: string) => string {
  const folded = new Map<string, string>();
  const foldCharacter = (character: string): string => {
    const known = folded.get(character);
    if (known !== undefined) return known;
    const found = plainer(character).find((candidate) => collator.compare(candidate, character) === 0) ?? character;
    if (folded.size < MOST_FOLDED) folded.set(character, found);
    return found;
  };
  const { numeric } = collator.resolvedOptions();
  return (text) => {
    const characters = text.normalize('NFC').replaceAll(/\P{M}\p{M}*|\p{M}+/gu, foldCharacter);
    return numeric ? characters.replaceAll(/\d+/g, (digits) => digits.replace(/^0+(?=.)/, '')) : characters;
  };
}

/** So many characters are remembered: more than any language has. */
const MOST_FOLDED = 100_000;

/** What letters such as ø and æ, which Unicode does not take apart, may be equal to. */
const LATIN = [...'abcdefghijklmnopqrstuvwxyz', 'ae', 'oe', 'th', 'hv', 'ij'];

function plainer(character: string): string[] {
  const compatible = character.normalize('NFKD');
  const bare = compatible.replaceAll(/\p{M}/gu, '');
  const lower = (text: string): string => text.toUpperCase().toLowerCase();
  return ['', ...LATIN, lower(bare), lower(compatible), bare, compatible, lower(character)];
}

function unsupported(option: string): ServerError {
  return new ServerError(238, `The embedded server does not support the option '${option}' of a collation.`);
}

function invalid(name: string, value: Value): ServerError {
  return new ServerError(2, `Enumeration value '${show(value)}' for field 'collation.${name}' is not a valid value.`);
}

function wrongType(name: string, value: Value, expected: string): ServerError {
  return new ServerError(
    14,
    `BSON field 'collation.${name}' is the wrong type '${typeOf(value)}', expected type '${expected}'`,
  );
}

/** The collation among the options of a collection or an index. */
export function collationIn(options: Document): Collation | undefined {
  const specification = options.get('collation');
  return isDocument(specification) ? collationOf(specification) : undefined;
}

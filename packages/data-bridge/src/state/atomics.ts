import { isPlainObject } from '../bson/copy.ts';
import { equalValues } from '../bson/equal.ts';
import { isBson, isDate } from '../bson/live.ts';
import { typeName } from '../bson/types.ts';
import { UsageError } from '../errors.ts';
import { add, compareNumbers, isNumeric, multiply, type Numeric } from './arithmetic.ts';
import type { AtomicOperator } from './edits.ts';

/** What one operator does to a value in memory. */
interface Rule {
  /** What is wrong with the operand, or null. */
  readonly checkOperand: (operand: unknown) => string | null;
  /** What is wrong with the value, which is there, or null. */
  readonly checkValue: (value: unknown) => string | null;
  readonly apply: (value: unknown, operand: unknown) => unknown;
  /** What it makes where there is no value. */
  readonly ofNothing: (operand: unknown) => unknown;
  /** The operand as it is sent. */
  readonly single: (operand: unknown) => unknown;
  /** The operand that does what one after the other does. */
  readonly fold: (first: unknown, second: unknown) => unknown;
}

const anything = (): null => null;
const itself = (operand: unknown): unknown => operand;
const now = (): Date => new Date();

const RULES: Readonly<Record<AtomicOperator, Rule>> = {
  // What is not there counts as zero, of the operand's type.
  $inc: numeric(add, (operand) => operand),
  $mul: numeric(multiply, (operand) => multiply(operand, 0)),
  $min: extreme((order) => order < 0),
  $max: extreme((order) => order > 0),
  $push: list(checkNoModifier, concat, concat),
  $addToSet: list(checkNoModifier, union, union),
  $pull: { ...list(checkNoCondition, without, union), ofNothing: () => undefined },
  $currentDate: {
    checkOperand: anything,
    checkValue: anything,
    apply: now,
    ofNothing: now,
    single: itself,
    fold: itself,
  },
};

/**
 * What an atomic operator makes of a value in memory; the value itself is not written to.
 *
 * @param value `undefined` where there is none.
 * @param operand a number or another scalar; the list of values for an array operator; not looked at for `$currentDate`.
 * @throws UsageError where the operator does not fit the value.
 */
export function applyAtomic(operator: AtomicOperator, value: unknown, operand: unknown, path: string): unknown {
  const problem = misfit(operator, value, operand);
  if (problem !== null) throw new UsageError(`${operator} of "${path}" ${problem}.`);
  const rule = RULES[operator];
  return value === undefined ? rule.ofNothing(operand) : rule.apply(value, operand);
}

/** Why an operator cannot be applied to a value, or null. */
export function misfit(operator: AtomicOperator, value: unknown, operand: unknown): string | null {
  const { checkOperand, checkValue } = RULES[operator];
  return checkOperand(operand) ?? (value === undefined ? null : checkValue(value));
}

/**
 * The operand of one operator that does what two of it do, one after the other.
 *
 * @param first `undefined` when there is only one: the values of a set then become different ones.
 */
export function foldAtomics(operator: AtomicOperator, first: unknown, second: unknown): unknown {
  return first === undefined ? RULES[operator].single(second) : RULES[operator].fold(first, second);
}

function numeric(calculate: (a: Numeric, b: Numeric) => Numeric, ofNothing: (operand: Numeric) => Numeric): Rule {
  const checkNumber = (what: string) => (value: unknown) =>
    isNumeric(value) ? null : `needs a number, ${what} ${typeName(value)}`;
  return {
    checkOperand: checkNumber('got'),
    checkValue: checkNumber('the value there is'),
    apply: (value, operand) => calculate(value as Numeric, operand as Numeric),
    ofNothing: (operand) => ofNothing(operand as Numeric),
    single: itself,
    fold: (first, second) => calculate(first as Numeric, second as Numeric),
  };
}

function extreme(wins: (order: number) => boolean): Rule {
  const checkComparable = (what: string) => (value: unknown) =>
    rankOf(value) === null ? `compares numbers, strings, dates, ids and booleans, ${what} ${typeName(value)}` : null;
  const choose = (value: unknown, operand: unknown) => (wins(compareScalars(operand, value)) ? operand : value);
  return {
    checkOperand: checkComparable('got'),
    checkValue: checkComparable('the value there is'),
    apply: choose,
    ofNothing: itself,
    single: itself,
    fold: choose,
  };
}

type Combine = (values: readonly unknown[], others: readonly unknown[]) => unknown[];

function list(checkOperand: Rule['checkOperand'], apply: Combine, fold: Combine): Rule {
  return {
    checkOperand,
    checkValue: (value) => (Array.isArray(value) ? null : `needs an array, the value there is ${typeName(value)}`),
    apply: (value, operand) => apply(value as unknown[], operand as unknown[]),
    ofNothing: (operand) => apply([], operand as unknown[]),
    single: (operand) => fold([], operand as unknown[]),
    fold: (first, second) => fold(first as unknown[], second as unknown[]),
  };
}

function concat(first: readonly unknown[], second: readonly unknown[]): unknown[] {
  return [...first, ...second];
}

function union(values: readonly unknown[], others: readonly unknown[]): unknown[] {
  const all = [...values];
  for (const other of others) if (!includes(all, other)) all.push(other);
  return all;
}

function without(values: readonly unknown[], others: readonly unknown[]): unknown[] {
  return values.filter((value) => !includes(others, value));
}

function includes(values: readonly unknown[], sought: unknown): boolean {
  return values.some((value) => equalValues(value, sought));
}

function checkNoModifier(values: unknown): string | null {
  const isModifier = (value: unknown) => isPlainObject(value) && Object.hasOwn(value, '$each');
  return (values as unknown[]).some(isModifier) ? 'takes the values one by one, without $each' : null;
}

function checkNoCondition(values: unknown): string | null {
  const isCondition = (value: unknown) => isPlainObject(value) && Object.keys(value).some((key) => key.startsWith('$'));
  return (values as unknown[]).some(isCondition)
    ? 'takes the values to remove, not conditions such as { $gt: 5 }'
    : null;
}

/** Negative, zero or positive: MongoDB's order, of which `rankOf` has the types. */
export function compareScalars(a: unknown, b: unknown): number {
  const ranks = Number(rankOf(a)) - Number(rankOf(b));
  if (ranks !== 0) return ranks;
  if (isNumeric(a)) return compareNumbers(a, b as Numeric);
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  if (isBson(a, 'ObjectId')) return Buffer.compare(a.id, (b as typeof a).id);
  return Number(a) - Number(b);
}

/** The place of a value's type in MongoDB's order, null for a type that is not compared here. */
function rankOf(value: unknown): number | null {
  if (value === null) return 0;
  if (isNumeric(value)) return 1;
  if (typeof value === 'string') return 2;
  if (isBson(value, 'ObjectId')) return 3;
  if (typeof value === 'boolean') return 4;
  return isDate(value) ? 5 : null;
}

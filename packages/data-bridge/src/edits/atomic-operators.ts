import { UsageError } from '../errors.ts';
import { ADD_TO_SET, POP, PULL, PUSH } from './atomic-arrays.ts';
import { BIT } from './atomic-bits.ts';
import { INC, MAX, MIN, MUL } from './atomic-numbers.ts';
import { type AtomicRule, UNFIT } from './atomic-rule.ts';

const now = (): Date => new Date();

/** Sets a date to the server's time. Memory shows its own until the server answers. */
const CURRENT_DATE: AtomicRule = {
  checkOperand: () => null,
  checkValue: () => null,
  apply: now,
  ofNothing: now,
  castsOperand: false,
  single: (operand) => operand,
  fold: (operand) => operand,
  operator: (operand) => ['$currentDate', operand],
  expression: () => '$$NOW',
  stored: () => UNFIT,
  repeatable: () => true,
  types: null,
  standsAlone: true,
  isServerValue: true,
  takesPart: false,
};

/** The operators that a program asks for: the server applies them to what it has then, whoever wrote it. */
export const ATOMIC_OPERATORS = {
  $inc: INC,
  $mul: MUL,
  $min: MIN,
  $max: MAX,
  $bit: BIT,
  $push: PUSH,
  $addToSet: ADD_TO_SET,
  $pull: PULL,
  $pop: POP,
  $currentDate: CURRENT_DATE,
} as const satisfies Readonly<Record<`$${string}`, AtomicRule>>;

/** The name of an atomic operator. */
export type AtomicOperator = keyof typeof ATOMIC_OPERATORS;

/** What is known of an operator. */
export function ruleOf(operator: AtomicOperator): AtomicRule {
  return ATOMIC_OPERATORS[operator];
}

/**
 * What an atomic operator makes of a value in memory; the value itself is not written to.
 *
 * @param value `undefined` where there is none.
 * @param operand a number or another scalar; the bits of `$bit`; the list of values for an array operator; not looked at
 *   for `$currentDate`.
 * @throws UsageError where the operator does not fit the value.
 */
export function applyAtomic(operator: AtomicOperator, value: unknown, operand: unknown, path: string): unknown {
  const problem = whyInapplicable(operator, value, operand);
  if (problem !== null) throw new UsageError(`${operator} of "${path}" ${problem}.`);
  const rule = ruleOf(operator);
  return value === undefined ? rule.ofNothing(operand) : rule.apply(value, operand);
}

/** Why an operator cannot be applied to a value, or null. */
export function whyInapplicable(operator: AtomicOperator, value: unknown, operand: unknown): string | null {
  const { checkOperand, checkValue } = ruleOf(operator);
  return checkOperand(operand) ?? (value === undefined ? null : checkValue(value));
}

/**
 * The operand of one operator that does what two of it do, one after the other; `undefined` where there is none.
 *
 * @param first `undefined` when there is only one: the values of a set then become different ones.
 */
export function foldAtomics(operator: AtomicOperator, first: unknown, second: unknown): unknown {
  return first === undefined ? ruleOf(operator).single(second) : ruleOf(operator).fold(first, second);
}

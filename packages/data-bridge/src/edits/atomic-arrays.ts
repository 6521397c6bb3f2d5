import { isPlainObject } from '../bson/plain-object.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalValues } from '../bson/equal-values.ts';
import { typeName } from '../schema/bson-types.ts';
import { type AtomicRule, type Form, UNFIT } from './atomic-rule.ts';
import { type Expression, isArray, literal, valuesNotIn } from './expression.ts';
import { equalToServer } from './server-values.ts';

/*
 * The operators on arrays. All but `$pop` take a list of values.
 */

type Values = readonly unknown[];

export const PUSH: AtomicRule = list({
  checkOperand: checkNoModifier,
  combine: concat,
  fold: concat,
  operator: (values) => ['$push', { $each: values }],
  expression: (current, values) => ({ $concatArrays: [current, literal(values)] }),
  store: concat,
  ofMissing: (values) => values,
  repeatable: () => false,
  takesPart: true,
});

export const ADD_TO_SET: AtomicRule = list({
  checkOperand: checkNoModifier,
  combine: union,
  fold: union,
  operator: (values) => ['$addToSet', { $each: values }],
  expression: (current, values) => ({ $concatArrays: [current, valuesNotIn(literal(values), current)] }),
  store: (current, values) => [...current, ...values.filter((value) => !isStored(value, current))],
  ofMissing: (values) => values,
  repeatable: () => true,
  takesPart: false,
});

export const PULL: AtomicRule = {
  ...list({
    checkOperand: checkNoCondition,
    combine: (values, others) => values.filter((value) => !includes(others, value)),
    fold: union,
    // MongoDB's own `$pull` takes conditions, and an array or an object for one.
    operator: (values) => ['$pullAll', values],
    expression: (current, values) => valuesNotIn(current, literal(values)),
    store: (current, values) => current.filter((value) => !isStored(value, values)),
    ofMissing: () => ABSENT,
    repeatable: () => true,
    takesPart: false,
  }),
  ofNothing: () => undefined,
  castsOperand: true,
};

/** Removes one element at an end, whatever it is: so it means the same only while the array is as it was. */
export const POP: AtomicRule = {
  checkOperand: (end) => (end === 1 || end === -1 ? null : 'takes 1 for the last element, or -1 for the first'),
  checkValue: checkArray,
  apply: (value, end) => withoutEnd(value as Values, end),
  ofNothing: () => undefined,
  castsOperand: false,
  single: (end) => end,
  fold: () => undefined,
  operator: (end) => ['$pop', end],
  expression: (current, end, otherwise) => {
    const left = { $subtract: end === 1 ? [{ $size: current }, 1] : [1, { $size: current }] };
    // A slice of no elements is an error.
    const others = { $cond: [{ $gt: [{ $size: current }, 1] }, { $slice: [current, left] }, literal([])] };
    return ofArray(current, others, otherwise);
  },
  stored: (current, end, form) => ofArrayOrMissing(current, form, (values) => withoutEnd(values, end), ABSENT),
  repeatable: () => false,
  types: ['array'],
  standsAlone: false,
  isServerValue: false,
  takesPart: false,
};

/** In a pipeline memory stands in for an array that is not there; the operator makes this of it. */
function ofArrayOrMissing(
  current: unknown,
  form: Form,
  store: (current: Values) => unknown[],
  ofMissing: unknown,
): unknown {
  if (Array.isArray(current)) return store(current);
  return current === ABSENT && form === 'operators' ? ofMissing : UNFIT;
}

interface ListRule {
  readonly checkOperand: AtomicRule['checkOperand'];
  readonly combine: (values: Values, others: Values) => unknown[];
  readonly fold: (first: Values, second: Values) => unknown[];
  readonly operator: (values: Values) => readonly [string, unknown];
  readonly expression: (current: Expression, values: Values) => Expression;
  readonly store: (current: Values, values: Values) => unknown[];
  /** What the operator stores where there is no array. */
  readonly ofMissing: (operand: unknown) => unknown;
  readonly repeatable: AtomicRule['repeatable'];
  readonly takesPart: boolean;
}

function list({
  checkOperand,
  combine,
  fold,
  operator,
  expression,
  store,
  ofMissing,
  repeatable,
  takesPart,
}: ListRule): AtomicRule {
  return {
    checkOperand,
    checkValue: checkArray,
    apply: (value, operand) => combine(value as Values, operand as Values),
    ofNothing: (operand) => combine([], operand as Values),
    castsOperand: false,
    single: (operand) => fold([], operand as Values),
    fold: (first, second) => fold(first as Values, second as Values),
    operator: (operand) => operator(operand as Values),
    expression: (current, operand, otherwise) => ofArray(current, expression(current, operand as Values), otherwise),
    stored: (current, operand, form) =>
      ofArrayOrMissing(current, form, (values) => store(values, operand as Values), ofMissing(operand)),
    repeatable,
    types: ['array'],
    standsAlone: true,
    isServerValue: false,
    takesPart,
  };
}

function ofArray(current: Expression, expression: Expression, otherwise: Expression): Expression {
  return { $cond: [isArray(current), expression, otherwise] };
}

function withoutEnd(values: Values, end: unknown): unknown[] {
  return end === 1 ? values.slice(0, -1) : values.slice(1);
}

function concat(first: Values, second: Values): unknown[] {
  return [...first, ...second];
}

function union(values: Values, others: Values): unknown[] {
  const all = [...values];
  for (const other of others) if (!includes(all, other)) all.push(other);
  return all;
}

function includes(values: Values, sought: unknown): boolean {
  return values.some((value) => equalValues(value, sought));
}

/** True where a server finds the value in the list. */
function isStored(value: unknown, values: Values): boolean {
  return values.some((each) => equalToServer(each, value));
}

function checkArray(value: unknown): string | null {
  return Array.isArray(value) ? null : `needs an array, the value there is ${typeName(value)}`;
}

function checkNoModifier(values: unknown): string | null {
  const isModifier = (value: unknown) => isPlainObject(value) && Object.hasOwn(value, '$each');
  return (values as Values).some(isModifier) ? 'takes the values one by one, without $each' : null;
}

function checkNoCondition(values: unknown): string | null {
  const isCondition = (value: unknown) => isPlainObject(value) && Object.keys(value).some((key) => key.startsWith('$'));
  return (values as Values).some(isCondition) ? 'takes the values to remove, not conditions such as { $gt: 5 }' : null;
}

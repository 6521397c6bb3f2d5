import { ABSENT } from '../bson/encode.ts';
import { isBson } from '../bson/bson-classes.ts';
import { NUMBER_TYPES } from '../bson/types.ts';
import { typeName } from '../schema/bson-types.ts';
import { add, isNumeric, multiply, type Numeric } from './arithmetic.ts';
import { type AtomicRule, UNFIT } from './atomic-rule.ts';
import { type Expression, isMissing, isOfType, literal } from './expression.ts';
import { compareAsServer, compareScalars, scalarRank, storedProduct, storedSum } from './server-values.ts';

/*
 * The operators on single values that calculate or compare.
 */

/** What is not there counts as zero, of the operand's type. */
export const INC: AtomicRule = numeric(add, storedSum, '$inc', '$add');
export const MUL: AtomicRule = numeric(multiply, storedProduct, '$mul', '$multiply');

export const MIN: AtomicRule = extreme('$min', '$lt', (order) => order < 0);
export const MAX: AtomicRule = extreme('$max', '$gt', (order) => order > 0);

function numeric(
  calculate: (a: Numeric, b: Numeric) => Numeric,
  store: (a: Numeric, b: Numeric) => unknown,
  name: '$inc' | '$mul',
  expression: string,
): AtomicRule {
  const checkNumber = (what: string) => (value: unknown) =>
    isNumeric(value) ? null : `needs a number, ${what} ${typeName(value)}`;
  const isSum = name === '$inc';
  return {
    checkOperand: checkNumber('got'),
    checkValue: checkNumber('the value there is'),
    apply: (value, operand) => calculate(value as Numeric, operand as Numeric),
    ofNothing: (operand) => (isSum ? operand : calculate(operand as Numeric, 0)),
    castsOperand: false,
    single: (operand) => operand,
    fold: (first, second) => calculate(first as Numeric, second as Numeric),
    operator: (operand) => [name, operand],
    expression: (current, operand, otherwise) => ofNumber(current, expression, literal(operand), otherwise),
    stored: (current, operand) => {
      if (current === ABSENT) return isSum ? operand : store(operand as Numeric, 0);
      return isNumeric(current) ? store(current, operand as Numeric) : UNFIT;
    },
    repeatable: () => false,
    types: NUMBER_TYPES,
    standsAlone: true,
    isServerValue: false,
    takesPart: false,
  };
}

function ofNumber(current: Expression, name: string, operand: Expression, otherwise: Expression): Expression {
  const isNumber = isOfType(current, NUMBER_TYPES);
  const result = { [name]: [{ $cond: [isNumber, current, 0] }, operand] };
  return { $cond: [{ $or: [isNumber, isMissing(current)] }, result, otherwise] };
}

/** A symbol counts as its text. */
function scalarOf(value: unknown): unknown {
  return isBson(value, 'BSONSymbol') ? value.value : value;
}

function extreme(name: '$min' | '$max', comparison: string, wins: (order: number) => boolean): AtomicRule {
  const checkComparable = (what: string) => (value: unknown) =>
    scalarRank(scalarOf(value)) === null
      ? `compares numbers, strings, dates, ids and booleans, ${what} ${typeName(value)}`
      : null;
  const choose = (value: unknown, operand: unknown) =>
    wins(compareScalars(scalarOf(operand), scalarOf(value))) ? operand : value;
  return {
    checkOperand: checkComparable('got'),
    checkValue: checkComparable('the value there is'),
    apply: choose,
    ofNothing: (operand) => operand,
    castsOperand: false,
    single: (operand) => operand,
    fold: choose,
    operator: (operand) => [name, operand],
    // The expressions `$min` and `$max` skip null, which the operators compare like any other value.
    expression: (current, operand) => {
      const given = literal(operand);
      return { $cond: [{ $or: [isMissing(current), { [comparison]: [given, current] }] }, given, current] };
    },
    stored: (current, operand) => (current === ABSENT || wins(compareAsServer(operand, current)) ? operand : current),
    repeatable: () => true,
    types: null,
    standsAlone: true,
    isServerValue: false,
    takesPart: false,
  };
}

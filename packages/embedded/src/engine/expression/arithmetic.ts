import { Int32, Long } from 'bson';
import { ServerError } from '../../errors.ts';
import { add, divide, integer, isZeroNumber, multiply, remainder, subtract, truncate } from '../../values/number.ts';
import { DateTime, isDate, isNullish, isNumeric, type Numeric, typeOrMissing, type Value } from '../../values/value.ts';
import { binary, type OperatorTable, variadic } from './operator.ts';

const ZERO = new Int32(0);
const ONE = new Int32(1);

function addAll(args: readonly (Value | undefined)[]): Value {
  const numbers: Numeric[] = [];
  let date: DateTime | undefined;
  for (const value of args) {
    if (isNullish(value)) return null;
    if (isDate(value)) {
      if (date !== undefined) throw new ServerError(16612, 'only one date allowed in an $add expression');
      date = value;
    } else if (isNumeric(value)) {
      numbers.push(value);
    } else {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeOrMissing(value)}`);
    }
  }
  const sum = narrowed(numbers.reduce(add, ZERO), numbers);
  return date === undefined ? sum : moveDate(date, sum);
}

/** What int32s come to is an int32 if it fits, also where a step on the way to it did not. */
function narrowed(result: Numeric, operands: readonly Numeric[]): Numeric {
  const isInt = result instanceof Long && operands.every((operand) => operand instanceof Int32);
  return isInt ? integer(result.toBigInt()) : result;
}

function subtractValues(a: Value | undefined, b: Value | undefined): Value {
  if (isNullish(a) || isNullish(b)) return null;
  if (isNumeric(a) && isNumeric(b)) return subtract(a, b);
  if (isDate(a) && isDate(b)) return Long.fromBigInt(BigInt.asIntN(64, a.milliseconds - b.milliseconds));
  if (isDate(a) && isNumeric(b)) return moveDate(a, subtract(ZERO, b));
  throw typeMismatch(`can't $subtract ${typeOrMissing(b)} from ${typeOrMissing(a)}`);
}

function moveDate(date: DateTime, by: Numeric): DateTime {
  const milliseconds = by._bsontype === 'Double' ? BigInt(roundHalfAway(by.value)) : truncate(by);
  if (milliseconds === undefined) throw new ServerError(15, 'date overflow');
  return new DateTime(date.milliseconds + milliseconds);
}

function roundHalfAway(value: number): number {
  if (!Number.isFinite(value)) throw new ServerError(15, 'date overflow');
  return Math.sign(value) * Math.round(Math.abs(value));
}

function multiplyAll(args: readonly (Value | undefined)[]): Value {
  const numbers: Numeric[] = [];
  for (const value of args) {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) throw typeMismatch(`$multiply only supports numeric types, not ${typeOrMissing(value)}`);
    numbers.push(value);
  }
  return narrowed(numbers.reduce(multiply, ONE), numbers);
}

function divideValues(a: Value | undefined, b: Value | undefined): Value {
  if (isNullish(a) || isNullish(b)) return null;
  const [x, y] = bothNumeric('$divide', a, b);
  if (isZeroNumber(y)) throw new ServerError(2, "can't $divide by zero");
  return divide(x, y);
}

function modValues(a: Value | undefined, b: Value | undefined): Value {
  if (isNullish(a) || isNullish(b)) return null;
  const [x, y] = bothNumeric('$mod', a, b, 16611);
  const isDecimal = x._bsontype === 'Decimal128' || y._bsontype === 'Decimal128';
  if (isZeroNumber(y)) throw new ServerError(isDecimal ? 5733415 : 16610, "can't $mod by zero");
  return remainder(x, y);
}

function bothNumeric(name: string, a: Value, b: Value, code = 14): [Numeric, Numeric] {
  if (isNumeric(a) && isNumeric(b)) return [a, b];
  throw new ServerError(code, `${name} only supports numeric types, not ${typeOrMissing(a)} and ${typeOrMissing(b)}`);
}

function typeMismatch(message: string): ServerError {
  return new ServerError(14, message);
}

/** Arithmetic on numbers and dates. */
export const ARITHMETIC: OperatorTable = {
  $add: variadic(addAll),
  $subtract: binary(subtractValues),
  $multiply: variadic(multiplyAll),
  $divide: binary(divideValues),
  $mod: binary(modValues),
};

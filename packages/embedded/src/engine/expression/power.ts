// Powers, logarithms and trigonometry. Their results are doubles, but for integer powers and what decimals can do exactly.
import { Decimal128, Double } from 'bson';
import { ServerError } from '../../errors.ts';
import {
  type Decimal,
  decimalFromBigInt,
  divideDecimals,
  makeDecimal,
  multiplyDecimals,
  parseDecimal,
  squareRoot,
} from '../../values/decimal.ts';
import { integer, isZeroNumber, toDecimal, toInteger, toNumber, fitsInt64 } from '../../values/number.ts';
import { show } from '../../values/text.ts';
import { isNullish, isNumeric, type Numeric, typeOrMissing, type Value } from '../../values/value.ts';
import { binary, type Operator, ofNumber, type OperatorTable } from './operator.ts';

function pow(base: Value | undefined, exponent: Value | undefined): Value {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumeric(base)) throw new ServerError(28762, `$pow's base must be numeric, not ${typeOrMissing(base)}`);
  if (!isNumeric(exponent))
    throw new ServerError(28763, `$pow's exponent must be numeric, not ${typeOrMissing(exponent)}`);
  if (isZeroNumber(base) && toNumber(exponent) < 0) {
    throw new ServerError(28764, '$pow cannot take a base of 0 and a negative exponent');
  }
  if (base instanceof Decimal128 || exponent instanceof Decimal128) return decimalPower(base, exponent);
  if (base instanceof Double || exponent instanceof Double) return new Double(toNumber(base) ** toNumber(exponent));
  const power = integerPower(toInteger(base) ?? 0n, toInteger(exponent) ?? 0n);
  if (power === undefined) return new Double(toNumber(base) ** toNumber(exponent));
  return integer(power, base._bsontype === 'Long' || exponent._bsontype === 'Long' ? 'long' : 'int');
}

/** `undefined` where the power is no integer, or none of 64 bits. */
function integerPower(base: bigint, exponent: bigint): bigint | undefined {
  if (base === 1n) return 1n;
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n;
  if (base === 0n) return exponent === 0n ? 1n : 0n;
  if (exponent < 0n || exponent > 63n) return undefined;
  const power = base ** exponent;
  return fitsInt64(power) ? power : undefined;
}

function decimalPower(base: Numeric, exponent: Numeric): Value {
  const times = toInteger(exponent);
  if (times === undefined || times > 100_000n || times < -100_000n) {
    throw new ServerError(238, '$pow of decimals is supported for integer exponents of up to 100000 only');
  }
  const power = repeated(toDecimal(base), times < 0n ? -times : times);
  return makeDecimal(times < 0n ? divideDecimals(ONE, power) : power);
}

const ONE = decimalFromBigInt(1n);

/** By squaring; each step is rounded to the digits that a decimal has. */
function repeated(base: Decimal, times: bigint): Decimal {
  if (times === 0n) return ONE;
  const half = repeated(base, times / 2n);
  const square = rounded(multiplyDecimals(half, half));
  return times % 2n === 0n ? square : rounded(multiplyDecimals(square, base));
}

const rounded = (value: Decimal): Decimal => parseDecimal(makeDecimal(value));

const squareRootOf: Operator = ofNumber((value) => {
  if (toNumber(value) < 0) throw new ServerError(28714, "$sqrt's argument must be greater than or equal to 0");
  if (value instanceof Decimal128) return makeDecimal(squareRoot(parseDecimal(value)));
  return new Double(Math.sqrt(toNumber(value)));
});

/** A function of doubles. Decimals are refused: a double has too few digits for them. */
const ofDouble = (run: (value: number, name: string) => number): Operator =>
  ofNumber((value, name) => new Double(run(doubleOf(value, name), name)));

function doubleOf(value: Numeric, name: string): number {
  if (value instanceof Decimal128) throw new ServerError(238, `${name} of a decimal is not supported`);
  return toNumber(value);
}

const logarithm = (run: (value: number) => number, code: number): Operator =>
  ofDouble((value, name) => {
    if (value <= 0) throw new ServerError(code, `${name}'s argument must be a positive number, but is ${value}`);
    return run(value);
  });

function log(value: Value | undefined, base: Value | undefined, name: string): Value {
  if (isNullish(value) || isNullish(base)) return null;
  if (!isNumeric(value)) throw new ServerError(28756, `$log's argument must be numeric, not ${typeOrMissing(value)}`);
  if (!isNumeric(base)) throw new ServerError(28757, `$log's base must be numeric, not ${typeOrMissing(base)}`);
  const of = doubleOf(value, name);
  const to = doubleOf(base, name);
  if (of <= 0) throw new ServerError(28758, `$log's argument must be a positive number, but is ${show(value)}`);
  if (to <= 0 || to === 1)
    throw new ServerError(28759, `$log's base must be a positive number not equal to 1, but is ${show(base)}`);
  return new Double(Math.log(of) / Math.log(to));
}

/** A function that is defined from `least` to `most`; NaN gives NaN. */
const within = (least: number, most: number, run: (value: number) => number): Operator =>
  ofDouble((value, name) => {
    if (value < least || value > most) {
      throw new ServerError(50989, `cannot apply ${name} to ${value}, value must be in [${least},${most}]`);
    }
    return run(value);
  });

const finite = (run: (value: number) => number): Operator => within(-Number.MAX_VALUE, Number.MAX_VALUE, run);

function atan2(y: Value | undefined, x: Value | undefined, name: string): Value {
  if (isNullish(y) || isNullish(x)) return null;
  if (!isNumeric(y) || !isNumeric(x)) {
    throw new ServerError(51044, `${name} only supports numeric types, not ${typeOrMissing(isNumeric(y) ? x : y)}`);
  }
  return new Double(Math.atan2(doubleOf(y, name), doubleOf(x, name)));
}

const DEGREES = 180 / Math.PI;

/** Powers, logarithms and trigonometry. */
export const POWER: OperatorTable = {
  $pow: binary(pow),
  $sqrt: squareRootOf,
  $exp: ofDouble(Math.exp),
  $ln: logarithm(Math.log, 28766),
  $log10: logarithm(Math.log10, 28761),
  $log: binary(log),
  $sin: finite(Math.sin),
  $cos: finite(Math.cos),
  $tan: finite(Math.tan),
  $asin: within(-1, 1, Math.asin),
  $acos: within(-1, 1, Math.acos),
  $atan: ofDouble(Math.atan),
  $atan2: binary(atan2),
  $sinh: ofDouble(Math.sinh),
  $cosh: ofDouble(Math.cosh),
  $tanh: ofDouble(Math.tanh),
  $asinh: ofDouble(Math.asinh),
  $acosh: within(1, Number.POSITIVE_INFINITY, Math.acosh),
  $atanh: within(-1, 1, Math.atanh),
  $degreesToRadians: ofDouble((value) => value / DEGREES),
  $radiansToDegrees: ofDouble((value) => value * DEGREES),
};

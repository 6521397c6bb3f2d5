import { Double, Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import {
  decimalToBigInt,
  decimalToNumber,
  makeDecimal,
  parseDecimal,
  roundDecimal,
  type RoundingMode,
} from '../../values/decimal.ts';
import { exact, fitsInt64, integer, subtract, toNumber, toSafeInteger } from '../../values/number.ts';
import { isNullish, isNumeric, type Numeric, typeOrMissing, type Value } from '../../values/value.ts';
import { eager, type Operator, ofNumber, type OperatorTable } from './operator.ts';

const ZERO = new Int32(0);

function absolute(value: Numeric): Value {
  if (value._bsontype === 'Double') return new Double(Math.abs(value.value));
  if (toNumber(value) >= 0) return value;
  const positive = subtract(ZERO, value);
  if (value._bsontype !== 'Long' || positive._bsontype === 'Long') return positive;
  throw new ServerError(28680, "can't take $abs of long long min");
}

/** Rounds to decimal places. The type stays; an int32 that outgrows its type becomes an int64. */
function round(value: Numeric, places: number, mode: RoundingMode, name: string): Value {
  switch (value._bsontype) {
    case 'Decimal128':
      return makeDecimal(roundDecimal(parseDecimal(value), places, mode));
    case 'Double':
      return new Double(roundDouble(value.value, places, mode));
    default:
      return places >= 0 ? value : roundInteger(value, places, mode, name);
  }
}

function roundDouble(value: number, places: number, mode: RoundingMode): number {
  return Number.isFinite(value) ? decimalToNumber(roundDecimal(exact(new Double(value)), places, mode)) : value;
}

function roundInteger(value: Numeric, places: number, mode: RoundingMode, name: string): Value {
  const rounded = decimalToBigInt(roundDecimal(exact(value), places, mode)) ?? 0n;
  if (fitsInt64(rounded)) return integer(rounded, value._bsontype === 'Long' ? 'long' : 'int');
  throw new ServerError(
    51080,
    `invalid conversion from Decimal128 result in ${name} resulting from a long and ${places}`,
  );
}

const toWhole = (mode: RoundingMode): Operator => ofNumber((value, name) => round(value, 0, mode, name));

const toPlaces = (mode: RoundingMode): Operator =>
  eager(1, 2, (args, name) => {
    const [value, places] = args.length === 1 ? [args[0], ZERO] : args;
    if (isNullish(value) || isNullish(places)) return null;
    if (!isNumeric(value)) {
      throw new ServerError(51081, `${name} only supports numeric types, not ${typeOrMissing(value)}`);
    }
    const count = toSafeInteger(places);
    if (count === undefined) throw new ServerError(51082, `precision argument to ${name} must be an integral value`);
    if (count < -20 || count >= 100) {
      throw new ServerError(51083, `cannot apply ${name} with precision value ${count} value must be in [-20, 100)`);
    }
    return round(value, count, mode, name);
  });

/** Absolute values and rounding. */
export const ROUNDING: OperatorTable = {
  $abs: ofNumber(absolute),
  $ceil: toWhole('ceil'),
  $floor: toWhole('floor'),
  $round: toPlaces('halfEven'),
  $trunc: toPlaces('truncate'),
};

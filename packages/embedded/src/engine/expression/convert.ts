import { Decimal128, Double, Int32, Long, ObjectId } from 'bson';
import { ServerError } from '../../errors.ts';
import { parseIsoDate } from '../../values/date-text.ts';
import { makeDecimal } from '../../values/decimal.ts';
import { fitsInt64, isZeroNumber, toDecimal, toNumber, truncate } from '../../values/number.ts';
import { show } from '../../values/text.ts';
import { isTypeName, type TypeName, typeOfNumber } from '../../values/types.ts';
import { DateTime, isNullish, isNumeric, typeOf, typeOrMissing, type Value } from '../../values/value.ts';
import { namedArguments, type Operator, type OperatorTable, required, unary } from './operator.ts';

type Conversion = (value: Value) => Value | undefined;

const INT32_LIMIT = 2n ** 31n;
const MILLISECONDS_OF_JAVASCRIPT = 8_640_000_000_000_000n;

function toText(value: Value): Value | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (isNumeric(value)) return value._bsontype === 'Double' ? String(value.value) : value.toString();
  if (value instanceof ObjectId) return value.toHexString();
  return value instanceof DateTime ? dateText(value) : undefined;
}

/** A date in ISO 8601. */
export function dateText(date: DateTime): string {
  if (date.milliseconds > MILLISECONDS_OF_JAVASCRIPT || date.milliseconds < -MILLISECONDS_OF_JAVASCRIPT) {
    throw new ServerError(18537, `Could not convert date to string: date component was outside the supported range`);
  }
  return new Date(Number(date.milliseconds)).toISOString();
}

function toInt(value: Value): Value | undefined {
  const whole = toWhole(value);
  if (whole === undefined) return undefined;
  if (whole < -INT32_LIMIT || whole >= INT32_LIMIT) throw conversionFailure('Conversion would overflow target type');
  return new Int32(Number(whole));
}

function toLong(value: Value): Value | undefined {
  const whole = value instanceof DateTime ? value.milliseconds : toWhole(value);
  if (whole === undefined) return undefined;
  if (!fitsInt64(whole)) throw conversionFailure('Conversion would overflow target type');
  return Long.fromBigInt(whole);
}

function toWhole(value: Value): bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value))
      throw conversionFailure(`Failed to parse number '${value}' in $convert with no onError value`);
    return BigInt(value.replace('+', ''));
  }
  if (!isNumeric(value)) return undefined;
  const whole = truncate(value);
  if (whole === undefined) throw conversionFailure('Attempt to convert NaN or infinity value to integer type');
  return whole;
}

function toDouble(value: Value): Value | undefined {
  if (value instanceof Double) return value;
  if (typeof value === 'boolean') return new Double(value ? 1 : 0);
  if (value instanceof DateTime) return new Double(Number(value.milliseconds));
  if (isNumeric(value)) return new Double(toNumber(value));
  if (typeof value !== 'string') return undefined;
  const number = /^\s|\s$|^$|^[+-]?0x/i.test(value) ? Number.NaN : Number(value);
  if (Number.isNaN(number) && value.toLowerCase() !== 'nan') {
    throw conversionFailure(`Failed to parse number '${value}' in $convert with no onError value`);
  }
  return new Double(number);
}

function toDecimal128(value: Value): Value | undefined {
  if (typeof value === 'boolean') return makeDecimal(toDecimal(new Int32(value ? 1 : 0)));
  if (value instanceof DateTime) return makeDecimal(toDecimal(Long.fromBigInt(value.milliseconds)));
  if (value instanceof Decimal128) return value;
  if (isNumeric(value)) return makeDecimal(toDecimal(value));
  if (typeof value !== 'string') return undefined;
  try {
    return Decimal128.fromStringWithRounding(value);
  } catch {
    throw conversionFailure(`Failed to parse number '${value}' in $convert with no onError value`);
  }
}

function toBool(value: Value): Value {
  if (typeof value === 'boolean') return value;
  return !isNumeric(value) || !isZeroNumber(value);
}

function toDate(value: Value): Value | undefined {
  if (value instanceof DateTime) return value;
  if (value instanceof ObjectId) return new DateTime(BigInt(value.getTimestamp().getTime()));
  if (typeof value === 'string') return new DateTime(BigInt(parseIsoDate(value)));
  if (!isNumeric(value) || value instanceof Int32) {
    return typeOf(value) === 'timestamp' ? new DateTime(timestampSeconds(value) * 1000n) : undefined;
  }
  const milliseconds = truncate(value);
  if (milliseconds === undefined) throw conversionFailure('Attempt to convert NaN or infinity value to integer type');
  return new DateTime(milliseconds);
}

function timestampSeconds(value: Value): bigint {
  return typeof value === 'object' && value !== null && 't' in value ? BigInt(value.t) : 0n;
}

function toObjectId(value: Value): Value | undefined {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') return undefined;
  if (!/^[0-9a-f]{24}$/i.test(value)) {
    throw conversionFailure(
      `Failed to parse objectId '${value}' in $convert with no onError value: Invalid string length for parsing to OID, expected 24 but found ${value.length}`,
    );
  }
  return ObjectId.createFromHexString(value);
}

const CONVERSIONS: Partial<Record<TypeName, Conversion>> = {
  string: toText,
  int: toInt,
  long: toLong,
  double: toDouble,
  decimal: toDecimal128,
  bool: toBool,
  date: toDate,
  objectId: toObjectId,
};

function convert(value: Value | undefined, to: TypeName): Value {
  if (isNullish(value)) return null;
  const converted = CONVERSIONS[to]?.(value);
  if (converted !== undefined) return converted;
  throw conversionFailure(
    `Unsupported conversion from ${typeOrMissing(value)} to ${to} in $convert with no onError value`,
  );
}

function conversionFailure(message: string): ServerError {
  return new ServerError(241, message);
}

const CONVERT_CODES = { notObject: 9, unknown: 9, missing: { input: 9, to: 9 } };

const convertOperator: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, ['onError', 'onNull'], CONVERT_CODES);
  const input = compile(required(args, 'input'), scope);
  const target = compile(required(args, 'to'), scope);
  const onNull = compile(args.get('onNull') ?? null, scope);
  const onErrorValue = args.get('onError');
  const onError = onErrorValue === undefined ? undefined : compile(onErrorValue, scope);
  return (slots) => {
    const to = target(slots);
    const value = input(slots);
    if (isNullish(value)) return onNull(slots);
    if (isNullish(to)) return null;
    const type = targetType(to);
    try {
      return convert(value, type);
    } catch (error) {
      if (onError !== undefined && error instanceof ServerError) return onError(slots);
      throw error;
    }
  };
};

function targetType(to: Value): TypeName {
  const named = typeof to === 'string' && isTypeName(to) ? to : undefined;
  const type = isNumeric(to) ? typeOfNumber(toNumber(to)) : named;
  if (type === undefined) throw new ServerError(2, `Unknown type name: ${show(to)}`);
  return type;
}

const to = (type: TypeName): Operator => unary((value) => convert(value, type));

/** Types and their conversions. */
export const CONVERT: OperatorTable = {
  $type: unary(typeOrMissing),
  $isNumber: unary(isNumeric),
  $convert: convertOperator,
  $toString: to('string'),
  $toInt: to('int'),
  $toLong: to('long'),
  $toDouble: to('double'),
  $toDecimal: to('decimal'),
  $toBool: to('bool'),
  $toDate: to('date'),
  $toObjectId: to('objectId'),
};

// https://www.mongodb.com/docs/manual/reference/operator/update-field/ and update-bitwise/
import { Int32, Long, Timestamp } from 'bson';
import { ServerError } from '../../errors.ts';
import { add, multiply } from '../../values/number.ts';
import { rulesOf } from '../../values/order.ts';
import { show, showElement } from '../../values/text.ts';
import { DateTime, isDocument, isNumeric, type Numeric, typeOf, type Value } from '../../values/value.ts';
import { badValue, lastName, type Modifier, type ModifierCompiler, nameOf } from './modifier.ts';

const set: ModifierCompiler = (argument) => ({ creates: true, apply: () => argument });

const setOnInsert: ModifierCompiler = (argument) => ({
  creates: (context) => context.insert,
  apply: (value, context) => (context.insert ? argument : value),
});

const unset: ModifierCompiler = () => ({ creates: false, apply: () => undefined });

/** `$inc` and `$mul`. An integer that outgrows int64 is an error, as nothing wider is exact. */
function arithmetic(
  verb: string,
  operate: (a: Numeric, b: Numeric) => Numeric,
  initial: (argument: Numeric) => Numeric,
): ModifierCompiler {
  return (argument, path, name) => {
    if (!isNumeric(argument)) {
      throw new ServerError(14, `Cannot ${verb} with non-numeric argument: {${showElement(lastName(path), argument)}}`);
    }
    return {
      creates: true,
      apply: (value, context, at) => {
        if (value === undefined) return initial(argument);
        if (!isNumeric(value)) {
          throw new ServerError(
            14,
            `Cannot apply ${name} to a value of non-numeric type. ${nameOf(context.document)} has the field '${lastName(at)}' of non-numeric type ${typeOf(value)}`,
          );
        }
        const result = operate(value, argument);
        if (result._bsontype === 'Double' && isInteger(value) && isInteger(argument)) {
          throw badValue(
            `Failed to apply ${name} operations to current value (${show(value)}) for document ${nameOf(context.document)}`,
          );
        }
        return result;
      },
    };
  };
}

const isInteger = (value: Numeric): value is Int32 | Long => value._bsontype === 'Int32' || value._bsontype === 'Long';

const ZERO = new Int32(0);

/** `$min` (`sign` 1) and `$max` (`sign` -1). */
function extreme(sign: 1 | -1): ModifierCompiler {
  return (argument, _path, _name, collation) => {
    const { compare } = rulesOf(collation);
    return {
      creates: true,
      apply: (value) => (value === undefined || sign * compare(argument, value) < 0 ? argument : value),
    };
  };
}

const currentDate: ModifierCompiler = (argument) => {
  const type = currentDateType(argument);
  return { creates: true, apply: (_value, { now }) => (type === 'date' ? now : timestampOf(now)) };
};

function currentDateType(argument: Value): 'date' | 'timestamp' {
  if (typeof argument === 'boolean') return 'date';
  if (!isDocument(argument)) {
    throw badValue(
      `${typeOf(argument)} is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).`,
    );
  }
  for (const key of argument.keys()) if (key !== '$type') throw badValue(`Unrecognized $currentDate option: ${key}`);
  const type = argument.get('$type');
  if (type === 'date' || type === 'timestamp') return type;
  throw badValue(
    "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
  );
}

function timestampOf(now: Value): Value {
  const milliseconds = now instanceof DateTime ? now.milliseconds : 0n;
  return new Timestamp({ t: Number(milliseconds / 1000n), i: 1 });
}

const BITWISE: ReadonlyMap<string, (a: bigint, b: bigint) => bigint> = new Map([
  ['and', (a, b) => a & b],
  ['or', (a, b) => a | b],
  ['xor', (a, b) => a ^ b],
]);

const bit: ModifierCompiler = (argument, path) => {
  if (!isDocument(argument)) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeOf(argument)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  if (argument.size === 0) {
    throw badValue(`You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`);
  }
  const operations = Array.from(argument, ([name, operand]) => {
    const run = BITWISE.get(name);
    if (run === undefined) throw badValue(`The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`);
    if (!isNumeric(operand) || !isInteger(operand)) {
      throw badValue(
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeOf(operand)}' is not supported here: {${showElement(path, operand)}}`,
      );
    }
    return { run, operand };
  });
  return {
    creates: true,
    apply: (value = ZERO, context, at) => {
      if (!isNumeric(value) || !isInteger(value)) {
        throw badValue(
          `Cannot apply $bit to a value of non-integral type.${nameOf(context.document)} has the field ${lastName(at)} of non-integer type ${typeOf(value)}`,
        );
      }
      return operations.reduce((result: Int32 | Long, { run, operand }) => bitwise(run, result, operand), value);
    },
  };
};

function bitwise(run: (a: bigint, b: bigint) => bigint, a: Int32 | Long, b: Int32 | Long): Int32 | Long {
  const result = run(bigIntOf(a), bigIntOf(b));
  const isLong = a._bsontype === 'Long' || b._bsontype === 'Long';
  return isLong ? Long.fromBigInt(result) : new Int32(Number(result));
}

const bigIntOf = (value: Int32 | Long): bigint => (value._bsontype === 'Long' ? value.toBigInt() : BigInt(value.value));

/** The operators on single fields, by name. */
export const FIELD_OPERATORS: Readonly<Record<string, ModifierCompiler>> = {
  $set: set,
  $setOnInsert: setOnInsert,
  $unset: unset,
  $inc: arithmetic('increment', add, (argument) => argument),
  $mul: arithmetic('multiply', multiply, (argument) => multiply(argument, ZERO)),
  $min: extreme(1),
  $max: extreme(-1),
  $currentDate: currentDate,
  $bit: bit,
};

/** Half of `$rename`: removes the field. */
export const REMOVE: Modifier = { creates: false, apply: () => undefined };

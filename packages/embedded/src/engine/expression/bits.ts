import { Int32, Long } from 'bson';
import { ServerError } from '../../errors.ts';
import { integer, toInteger } from '../../values/number.ts';
import { isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { type Operator, type OperatorTable, unary, variadic } from './operator.ts';

function operand(value: Value, name: string): bigint {
  if (value instanceof Int32 || value instanceof Long) return toInteger(value) ?? 0n;
  throw new ServerError(14, `${name} only supports int and long operands, not ${typeOrMissing(value)}`);
}

/** The width of the result is that of the widest operand. */
const fold = (start: bigint, run: (a: bigint, b: bigint) => bigint): Operator =>
  variadic((args, name) => {
    let bits = start;
    for (const value of args) {
      if (isNullish(value)) return null;
      bits = run(bits, operand(value, name));
    }
    return integer(bits, args.some((value) => value instanceof Long) ? 'long' : 'int');
  });

/** Bitwise operators on int32 and int64. */
export const BITS: OperatorTable = {
  $bitAnd: fold(-1n, (a, b) => a & b),
  $bitOr: fold(0n, (a, b) => a | b),
  $bitXor: fold(0n, (a, b) => a ^ b),
  $bitNot: unary((value, name) => {
    if (isNullish(value)) return null;
    return integer(~operand(value, name), value instanceof Long ? 'long' : 'int');
  }),
};

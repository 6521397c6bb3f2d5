import { Int32 } from 'bson';
import { compare, equals } from '../order.ts';
import { binary, type OperatorTable, truthy, unary } from './operator.ts';

/** Comparison and boolean operators. */
export const COMPARE: OperatorTable = {
  $eq: binary((a, b) => equals(a, b)),
  $ne: binary((a, b) => !equals(a, b)),
  $gt: binary((a, b) => compare(a, b) > 0),
  $gte: binary((a, b) => compare(a, b) >= 0),
  $lt: binary((a, b) => compare(a, b) < 0),
  $lte: binary((a, b) => compare(a, b) <= 0),
  $cmp: binary((a, b) => new Int32(Math.sign(compare(a, b)))),
  $not: unary((a) => !truthy(a)),
  $and: (_name, argument, scope, compile) => {
    const args = list(argument).map((expression) => compile(expression, scope));
    return (slots) => args.every((expression) => truthy(expression(slots)));
  },
  $or: (_name, argument, scope, compile) => {
    const args = list(argument).map((expression) => compile(expression, scope));
    return (slots) => args.some((expression) => truthy(expression(slots)));
  },
};

function list<T>(argument: T | T[]): T[] {
  return Array.isArray(argument) ? argument : [argument];
}

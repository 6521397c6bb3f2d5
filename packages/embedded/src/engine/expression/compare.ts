import { Int32 } from 'bson';
import { comparing, type OperatorTable, truthy, unary } from './operator.ts';

/** Comparison and boolean operators. */
export const COMPARE: OperatorTable = {
  $eq: comparing((order) => order === 0),
  $ne: comparing((order) => order !== 0),
  $gt: comparing((order) => order > 0),
  $gte: comparing((order) => order >= 0),
  $lt: comparing((order) => order < 0),
  $lte: comparing((order) => order <= 0),
  $cmp: comparing((order) => new Int32(Math.sign(order))),
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

import { ServerError } from '../../errors.ts';
import { isArray, isDocument, isNullish, typeOf, type Value } from '../../values/value.ts';
import {
  checkCount,
  type Compile,
  type Expression,
  namedArguments,
  type Operator,
  type OperatorTable,
  required,
  type Scope,
  truthy,
} from './operator.ts';

const COND_CODES = { notObject: 16020, unknown: 17083, missing: { if: 17080, then: 17081, else: 17082 } };
const LET_CODES = { notObject: 16874, unknown: 16875, missing: { vars: 16876, in: 16877 } };

const cond: Operator = (name, argument, scope, compile) => {
  const [test, yes, no] = condArguments(name, argument).map((expression) => compile(expression, scope));
  if (test === undefined || yes === undefined || no === undefined) throw new ServerError(16020, `Wrong ${name}`);
  return (slots) => (truthy(test(slots)) ? yes : no)(slots);
};

function condArguments(name: string, argument: Value): Value[] {
  if (isDocument(argument)) {
    const args = namedArguments(name, argument, [], COND_CODES);
    return ['if', 'then', 'else'].map((key) => required(args, key));
  }
  const args = isArray(argument) ? argument : [argument];
  checkCount(name, args.length, 3, 3);
  return args;
}

const ifNull: Operator = (name, argument, scope, compile) => {
  const args = (isArray(argument) ? argument : [argument]).map((expression) => compile(expression, scope));
  if (args.length < 2) {
    throw new ServerError(1257300, `${name} needs at least two arguments, had: ${args.length}`);
  }
  return (slots) => {
    let value: Value | undefined;
    for (const expression of args) {
      value = expression(slots);
      if (!isNullish(value)) break;
    }
    return value;
  };
};

const letOperator: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [], LET_CODES);
  const vars = required(args, 'vars');
  if (!isDocument(vars)) throw new ServerError(10065, `invalid parameter: expected an object (vars)`);
  const values = Array.from(vars.values(), (expression) => compile(expression, scope));
  const inner = scope.with(...vars.keys());
  const body = compile(required(args, 'in'), inner.scope);
  return (slots) => {
    const computed = values.map((expression) => expression(slots));
    for (const [index, slot] of inner.slots.entries()) slots[slot] = computed[index];
    return body(slots);
  };
};

interface Branch {
  readonly when: Expression;
  readonly then: Expression;
}

const switchOperator: Operator = (name, argument, scope, compile) => {
  if (!isDocument(argument))
    throw new ServerError(40060, `${name} requires an object as an argument, found: ${typeOf(argument)}`);
  for (const key of argument.keys()) {
    if (key !== 'branches' && key !== 'default')
      throw new ServerError(40067, `${name} found an unknown argument: ${key}`);
  }
  const branches = switchBranches(name, argument.get('branches'), scope, compile);
  const fallback = argument.get('default');
  const otherwise = fallback === undefined ? undefined : compile(fallback, scope);
  return (slots) => {
    const branch = branches.find(({ when }) => truthy(when(slots)));
    if (branch !== undefined) return branch.then(slots);
    if (otherwise !== undefined) return otherwise(slots);
    throw new ServerError(
      40066,
      `${name} could not find a matching branch for an input, and no default was specified.`,
    );
  };
};

function switchBranches(name: string, branches: Value | undefined, scope: Scope, compile: Compile): Branch[] {
  if (branches !== undefined && !isArray(branches)) {
    throw new ServerError(40061, `${name} expected an array for 'branches'`);
  }
  if (branches === undefined || branches.length === 0) {
    throw new ServerError(40068, `${name} requires at least one branch.`);
  }
  return branches.map((branch) => {
    if (!isDocument(branch)) throw new ServerError(40062, `${name} expected each branch to be an object`);
    for (const key of branch.keys()) {
      if (key !== 'case' && key !== 'then')
        throw new ServerError(40063, `${name} found an unknown argument to a branch: ${key}`);
    }
    const when = branch.get('case');
    const then = branch.get('then');
    if (when === undefined) throw new ServerError(40064, `${name} requires each branch have a 'case' expression`);
    if (then === undefined) throw new ServerError(40065, `${name} requires each branch have a 'then' expression.`);
    return { when: compile(when, scope), then: compile(then, scope) };
  });
}

/** Conditions, variables and literals. */
export const CONTROL: OperatorTable = {
  $cond: cond,
  $ifNull: ifNull,
  $let: letOperator,
  $switch: switchOperator,
  $literal: (_name, argument) => () => argument,
  $const: (_name, argument) => () => argument,
};

// What the operators of the expression language are made of.
import { ServerError } from '../../errors.ts';
import type { Collation } from '../../values/collation.ts';
import { type Rules, rulesOf } from '../../values/order.ts';
import { isZeroNumber, toSafeInteger } from '../../values/number.ts';
import {
  isArray,
  isDocument,
  isNullish,
  isNumeric,
  type Numeric,
  typeOrMissing,
  type Value,
} from '../../values/value.ts';

/** The values of the variables while an expression runs, each at the place that its scope gave it. */
export type Slots = (Value | undefined)[];

/** A compiled expression. `undefined` is the missing value. */
export type Expression = (slots: Slots) => Value | undefined;

/** Compiles the argument of one operator. */
export type Operator = (name: string, argument: Value, scope: Scope, compile: Compile) => Expression;
export type Compile = (expression: Value, scope: Scope) => Expression;
export type OperatorTable = Readonly<Record<string, Operator>>;

/** The document that field paths start from. */
export const ROOT_SLOT = 0;

/**
 * Variables from outside an expression: those of a command's `let`, NOW, those of a stage. Their names count when the
 * expression is compiled, their values whenever it runs; `undefined` is the missing value.
 */
export type Variables = ReadonlyMap<string, Value | undefined>;

/** What an expression finds around it. */
export interface Environment {
  /** By name, without `$$`; NOW is the time of compiling if it is not among them. */
  readonly variables?: Variables | undefined;
  /** How texts are compared; by their bytes when undefined. */
  readonly collation?: Collation | undefined;
  /** Called now and then by what takes long. Throws when the time of the command is over. */
  readonly check?: (() => void) | undefined;
}

/** Elements that loops go through between two calls of `check`. */
const CHECK_INTERVAL = 64;

/** The variables that an expression can name, with their places in {@link Slots} or their values from outside. */
export class Scope {
  readonly variables: Variables;
  readonly collation: Collation | undefined;
  readonly check: (() => void) | undefined;
  readonly #slots: ReadonlyMap<string, number>;
  readonly #count: number;
  #elements = 0;

  constructor(
    { variables = new Map(), collation, check }: Environment,
    slots: ReadonlyMap<string, number> = new Map(),
    count = 1,
  ) {
    this.variables = variables;
    this.collation = collation;
    this.check = check;
    this.#slots = slots;
    this.#count = count;
  }

  /** How values are compared. Where there is a `check`, whoever compares many of them calls it. */
  get rules(): Rules {
    const rules = rulesOf(this.collation);
    if (this.check === undefined) return rules;
    const ticking =
      <A extends unknown[], R>(run: (...args: A) => R) =>
      (...args: A): R => {
        this.tick();
        return run(...args);
      };
    return { compare: ticking(rules.compare), equals: ticking(rules.equals), keyOf: ticking(rules.keyOf) };
  }

  /** A value that an operator has made. A long array took its time. */
  checked(value: Value | undefined): Value | undefined {
    if (this.check !== undefined && isArray(value) && value.length >= CHECK_INTERVAL) this.check();
    return value;
  }

  /** To be called by a loop for each of its elements. */
  tick(): void {
    if (this.check === undefined) return;
    this.#elements += 1;
    if (this.#elements % CHECK_INTERVAL === 0) this.check();
  }

  slotOf(name: string): number | undefined {
    return this.#slots.get(name);
  }

  /** A scope that also knows these names, and their places in the order given. */
  with(...names: readonly string[]): { scope: Scope; slots: number[] } {
    const slots = names.map((_, index) => this.#count + index);
    const inner = new Map(this.#slots);
    for (const [index, name] of names.entries()) inner.set(checkedName(name), this.#count + index);
    return { scope: new Scope(this, inner, this.#count + names.length), slots };
  }
}

function checkedName(name: string): string {
  if (name === '') throw new ServerError(16866, 'empty variable names are not allowed');
  if (!/^[a-z\u0080-\uffff]/.test(name)) {
    throw new ServerError(16867, `'${name}' starts with an invalid character for a user variable name`);
  }
  const invalid = /[^\w\u0080-\uffff]/.exec(name);
  if (invalid !== null) {
    throw new ServerError(16868, `'${name}' contains an invalid character for a variable name: '${invalid[0]}'`);
  }
  return name;
}

/** An operator whose arguments, an array or a single one, are all evaluated. */
export function eager(
  least: number,
  most: number,
  run: (args: (Value | undefined)[], name: string) => Value | undefined,
): Operator {
  return (name, argument, scope, compile) => {
    const args = (isArray(argument) ? argument : [argument]).map((expression) => compile(expression, scope));
    checkCount(name, args.length, least, most);
    return (slots) =>
      scope.checked(
        run(
          args.map((expression) => expression(slots)),
          name,
        ),
      );
  };
}

/** An {@link eager} operator of one argument. */
export const unary = (run: (a: Value | undefined, name: string) => Value | undefined): Operator =>
  eager(1, 1, ([a], name) => run(a, name));

/** An {@link eager} operator of two arguments. */
export const binary = (
  run: (a: Value | undefined, b: Value | undefined, name: string) => Value | undefined,
): Operator => eager(2, 2, ([a, b], name) => run(a, b, name));

/** An {@link eager} operator of any number of arguments. */
export const variadic = (run: (args: (Value | undefined)[], name: string) => Value | undefined): Operator =>
  eager(0, Infinity, run);

/** An {@link eager} operator of two arguments that are compared by the rules of the command's collation. */
export const comparing = (run: (order: number) => Value): Operator =>
  collated(({ compare }) => binary((a, b) => run(compare(a, b))));

/** An operator that compares values by the rules of the command's collation. */
export function collated(build: (rules: Rules) => Operator): Operator {
  return (name, argument, scope, compile) => build(scope.rules)(name, argument, scope, compile);
}

/** A function of one number, null for nothing. */
export const ofNumber = (run: (value: Numeric, name: string) => Value): Operator =>
  unary((value, name) => {
    if (isNullish(value)) return null;
    if (isNumeric(value)) return run(value, name);
    throw new ServerError(28765, `${name} only supports numeric types, not ${typeOrMissing(value)}`);
  });

export function checkCount(name: string, count: number, least: number, most: number): void {
  if (least === most && count !== least) {
    throw new ServerError(16020, `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`);
  }
  if (count < least || count > most) {
    throw new ServerError(
      28667,
      `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${count} were passed in.`,
    );
  }
}

/** Numbers of the errors for wrong named arguments: no document, an unknown name, a missing name. */
export interface NamedArgumentCodes {
  readonly notObject: number;
  readonly unknown: number;
  readonly missing: Readonly<Record<string, number>>;
}

/** Reads an argument such as `{input: …, as: …, in: …}`. The names in `codes.missing` are required. */
export function namedArguments(
  name: string,
  argument: Value,
  optional: readonly string[],
  codes: NamedArgumentCodes,
): ReadonlyMap<string, Value> {
  if (!isDocument(argument)) throw new ServerError(codes.notObject, `${name} only supports an object as its argument`);
  for (const key of argument.keys()) {
    if (!Object.hasOwn(codes.missing, key) && !optional.includes(key)) {
      throw new ServerError(codes.unknown, `Unrecognized parameter to ${name}: ${key}`);
    }
  }
  for (const [key, code] of Object.entries(codes.missing)) {
    if (!argument.has(key)) throw new ServerError(code, `Missing '${key}' parameter to ${name}`);
  }
  return argument;
}

/** An argument that {@link namedArguments} found there. */
export function required(args: ReadonlyMap<string, Value>, name: string): Value {
  const value = args.get(name);
  if (value === undefined) throw new ServerError(9, `Missing '${name}' parameter`);
  return value;
}

/** Evaluates to the truth of a value: all but false, null, missing and zero is true. */
export function truthy(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value;
  return !isNullish(value) && !(isNumeric(value) && isZeroNumber(value));
}

/** The integer that an argument of an operator must be. */
export function integerArgument(value: Value | undefined, code: number, message: string): number {
  const integer = toSafeInteger(value);
  if (integer === undefined) throw new ServerError(code, message);
  return integer;
}

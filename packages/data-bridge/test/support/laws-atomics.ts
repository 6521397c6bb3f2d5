import { isNumeric } from '../../src/state/arithmetic.ts';
import type { AtomicOperator } from '../../src/state/atomics.ts';
import { kindOf } from '../../src/state/stored-values.ts';
import { isMembers, type Members } from './laws-documents.ts';
import type { Random } from './laws-random.ts';
import type { Step, Work } from './laws-writers.ts';

/** An atomic operator on a member of the document or of an object in it. */
export interface AtomicOperation {
  readonly keys: readonly string[];
  readonly operator: AtomicOperator;
  readonly operand: unknown;
}

type Make = (random: Random) => readonly [AtomicOperator, unknown];

const extreme = (random: Random): unknown => random.pick<unknown>([2, 'm', 1.5, new Date(1500)]);
/** Results that are ints: a greater number is stored as a double, once it was read. */
const bits = [0, 1, 5, -4, 6n, 2 ** 31 - 1, -(2 ** 31)];

/** An operand for each operator. Integers to add: the sum of fractions depends on their order, and the digits of a decimal on what it was made of. */
const OPERANDS: Readonly<Record<AtomicOperator, (random: Random) => unknown>> = {
  $inc: (random) => random.pick([1, -2, 3n]),
  $mul: (random) => random.pick([2, 3]),
  $min: extreme,
  $max: extreme,
  $bit: (random) => ({ [random.pick(['and', 'or', 'xor'])]: random.pick(bits) }),
  $push: (random) => random.list(random.below(3), () => random.pick<unknown>(['p', '$a', { p: 1 }, ['p'], null])),
  $addToSet: (random) => random.pick([['p'], ['p', 'q'], [{ p: 1 }], [['p']], []]),
  $pull: (random) => random.pick([['p'], ['x', 'y'], [{ p: 1 }], [['p'], 'a'], []]),
  $pop: (random) => random.pick([1, -1]),
  // Only the server knows the time: it has tests of its own.
  $currentDate: () => true,
};

const makes = (...operators: AtomicOperator[]): readonly Make[] =>
  operators.map((operator) => (random) => [operator, OPERANDS[operator](random)]);

const numbers = makes('$inc', '$mul');
const extremes = makes('$min', '$max');
const integers = makes('$bit');
const lists = makes('$push', '$addToSet', '$pull', '$pop');

/** Operators of mine on members that nobody else replaces, and others' operators of the same kinds on some of them. */
export function dealAtomics(
  random: Random,
  document: Members,
  { mine, theirs }: Work,
): { readonly mine: AtomicOperation[]; readonly theirs: AtomicOperation[] } {
  const taken = [...mine, ...theirs].map((each) => ('key' in each ? [...each.parents, each.key] : each.parents));
  const dealt: { mine: AtomicOperation[]; theirs: AtomicOperation[] } = { mine: [], theirs: [] };
  const deal = (keys: readonly string[], makes: readonly Make[]): void => {
    const isTaken = taken.some((path) => meet(path, keys));
    if (isTaken || makes.length === 0 || !random.chance(0.4)) return;
    const make = random.pick(makes);
    for (let n = 1 + random.below(2); n > 0; n -= 1) {
      const [operator, operand] = make(random);
      dealt.mine.push({ keys, operator, operand });
      // A second one would be refused.
      if (operator === '$pop') break;
    }
    if (random.chance(0.6)) {
      const [operator, operand] = random.pick(makes)(random);
      dealt.theirs.push({ keys, operator, operand });
    }
  };
  const dealMembers = (parents: readonly string[], members: Members): void => {
    // A path has no other way to say these keys.
    for (const key of Object.keys(members).filter((each) => !each.includes('.'))) {
      const value = members[key];
      if (isMembers(value)) dealMembers([...parents, key], value);
      else if (parents.length > 0 || key !== '_id') deal([...parents, key], fitting(value, random));
    }
    deal([...parents, 'new'], random.pick([numbers, extremes, integers, lists]));
  };
  dealMembers([], document);
  return dealt;
}

/** Operators that fit a value, BSON-typed: whether it is an integer is not seen otherwise. */
function fitting(value: unknown, random: Random): readonly Make[] {
  if (Array.isArray(value)) return lists;
  // A greater long reads as a number that is not exact; the server's value, which memory takes after a save, is.
  const isInteger = isNumeric(value) && ['int', 'long'].includes(kindOf(value));
  if (isInteger && random.chance(0.4) && Math.abs(Number(value)) < 2 ** 50) return integers;
  if (isNumeric(value)) return Math.abs(Number(value)) < 2 ** 50 ? [...numbers, ...extremes] : extremes;
  return typeof value === 'string' || typeof value === 'boolean' || value === null || value instanceof Date
    ? extremes
    : [];
}

function meet(a: readonly Step[], b: readonly string[]): boolean {
  return a.slice(0, b.length).every((key, i) => key === b[i]);
}

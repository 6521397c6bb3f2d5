// The accumulators of `$group`, which are expressions over arrays too.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/#accumulators---group---bucket---bucketauto---setwindowfields-
import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { toNumber, toSafeInteger } from '../../values/number.ts';
import type { Rules } from '../../values/order.ts';
import { Deviation, Sum } from '../../values/summation.ts';
import { show } from '../../values/text.ts';
import { type Document, isDocument, isNullish, isNumeric, typeOrMissing, type Value } from '../../values/value.ts';

/** Takes the values of one group, `undefined` where one is missing. */
export interface Accumulator {
  add(value: Value | undefined): void;
  result(): Value;
}

/** Starts an accumulator that compares values by these rules. */
export type StartAccumulator = (rules: Rules) => Accumulator;

const sum: StartAccumulator = () => {
  const total = new Sum();
  return {
    add: (value) => isNumeric(value) && total.add(value),
    result: () => total.total(),
  };
};

const average: StartAccumulator = () => {
  const total = new Sum();
  return {
    add: (value) => isNumeric(value) && total.add(value),
    result: () => (total.count === 0 ? null : total.mean()),
  };
};

/** The lowest (`sign` 1) or the highest (`sign` -1) of the values that are there. */
const extreme =
  (sign: 1 | -1): StartAccumulator =>
  ({ compare }) => {
    let best: Value | undefined;
    return {
      add: (value) => {
        if (!isNullish(value) && (best === undefined || sign * compare(value, best) < 0)) best = value;
      },
      result: () => best ?? null,
    };
  };

const first: StartAccumulator = () => {
  let seen = false;
  let kept: Value | undefined;
  return {
    add: (value) => {
      if (!seen) kept = value;
      seen = true;
    },
    result: () => kept ?? null,
  };
};

const last: StartAccumulator = () => {
  let kept: Value | undefined;
  return {
    add: (value) => {
      kept = value;
    },
    result: () => kept ?? null,
  };
};

const push: StartAccumulator = () => {
  const values: Value[] = [];
  return {
    add: (value) => value !== undefined && values.push(value),
    result: () => values,
  };
};

const addToSet: StartAccumulator = ({ keyOf }) => {
  const values = new Map<string, Value>();
  return {
    add: (value) => {
      if (value === undefined) return;
      const key = keyOf(value);
      if (!values.has(key)) values.set(key, value);
    },
    result: () => [...values.values()],
  };
};

const mergeObjects: StartAccumulator = () => {
  const merged: Document = new Map();
  return {
    add: (value) => {
      if (isNullish(value)) return;
      if (!isDocument(value)) {
        throw new ServerError(
          40400,
          `$mergeObjects requires object inputs, but input ${show(value)} is of type ${typeOrMissing(value)}`,
        );
      }
      for (const [key, inner] of value) merged.set(key, inner);
    },
    result: () => merged,
  };
};

const count: StartAccumulator = () => {
  const total = new Sum();
  const one = new Int32(1);
  return { add: () => total.add(one), result: () => total.total() };
};

const deviation =
  (of: 'population' | 'sample'): StartAccumulator =>
  () => {
    const numbers = new Deviation();
    return {
      add: (value) => isNumeric(value) && numbers.add(toNumber(value)),
      result: () => numbers.result(of),
    };
  };

/** The accumulators of one value per document, by name. */
export const ACCUMULATORS: ReadonlyMap<string, StartAccumulator> = new Map([
  ['$sum', sum],
  ['$avg', average],
  ['$min', extreme(1)],
  ['$max', extreme(-1)],
  ['$first', first],
  ['$last', last],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$mergeObjects', mergeObjects],
  ['$count', count],
  ['$stdDevPop', deviation('population')],
  ['$stdDevSamp', deviation('sample')],
]);

/** The accumulators that keep so many of the values, by name. */
export const N_ACCUMULATORS: ReadonlyMap<string, (n: number, rules: Rules) => Accumulator> = new Map([
  [
    '$firstN',
    (n) =>
      collector(
        (values) => values.slice(0, n),
        (values) => values.length < n,
      ),
  ],
  ['$lastN', (n) => collector((values) => values.slice(-n))],
  ['$minN', (n, rules) => collector((values) => inOrder(values, 1, rules).slice(0, n))],
  ['$maxN', (n, rules) => collector((values) => inOrder(values, -1, rules).slice(0, n))],
]);

function collector(
  choose: (values: Value[]) => Value[],
  wants: (values: readonly Value[]) => boolean = () => true,
): Accumulator {
  const values: Value[] = [];
  return {
    add: (value) => wants(values) && values.push(value ?? null),
    result: () => choose(values),
  };
}

/** The values that are there, sorted. */
function inOrder(values: readonly Value[], sign: 1 | -1, { compare }: Rules): Value[] {
  return values.filter((value) => !isNullish(value)).sort((a, b) => sign * compare(a, b));
}

/** The `n` of an operator that takes so many values. */
export function countOf(value: Value | undefined, name: string): number {
  const n = toSafeInteger(value);
  if (n === undefined) {
    throw new ServerError(
      isNumeric(value) ? 5787903 : 5787902,
      `Value for 'n' must be of integral type in ${name}, but found ${show(value)}`,
    );
  }
  if (n > 0) return n;
  throw new ServerError(5787908, `'n' must be greater than 0 in ${name}, found ${show(value)}`);
}

/** What an accumulator makes of values that are all at hand. */
export function accumulate(running: Accumulator, values: Iterable<Value | undefined>): Value {
  for (const value of values) running.add(value);
  return running.result();
}

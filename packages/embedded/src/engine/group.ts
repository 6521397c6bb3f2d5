// The stage `$group`.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/
import { Int32 } from 'bson';
import { ServerError } from '../errors.ts';
import { compileExpression, type Variables } from './expression.ts';
import { average, extreme, sum } from './expression/arithmetic.ts';
import { distinct } from './expression/set.ts';
import { keyOf } from './order.ts';
import { type Document, isDocument, isNullish, typeOrMissing, type Value } from './value.ts';

/** What an accumulator makes of the values of one group, `undefined` where a value was missing. */
type Accumulator = (values: readonly (Value | undefined)[]) => Value;

const ACCUMULATORS: ReadonlyMap<string, Accumulator> = new Map<string, Accumulator>([
  ['$sum', sum],
  ['$avg', average],
  ['$min', (values) => extreme(values, 1)],
  ['$max', (values) => extreme(values, -1)],
  ['$first', (values) => values[0] ?? null],
  ['$last', (values) => values.at(-1) ?? null],
  ['$push', present],
  ['$addToSet', (values) => [...distinct(present(values)).values()]],
  ['$mergeObjects', mergeObjects],
  ['$count', (values) => new Int32(values.length)],
]);

const UNSUPPORTED: ReadonlySet<string> = new Set(
  (
    '$accumulator $bottom $bottomN $concatArrays $firstN $lastN $maxN $median $minN $percentile $setUnion ' +
    '$stdDevPop $stdDevSamp $top $topN'
  ).split(' '),
);

function present(values: readonly (Value | undefined)[]): Value[] {
  return values.filter((value) => value !== undefined);
}

function mergeObjects(values: readonly (Value | undefined)[]): Value {
  const merged: Document = new Map();
  for (const value of values) {
    if (isNullish(value)) continue;
    if (!isDocument(value)) {
      throw new ServerError(
        40400,
        `$mergeObjects requires object inputs, but input is of type ${typeOrMissing(value)}`,
      );
    }
    for (const [key, inner] of value) merged.set(key, inner);
  }
  return merged;
}

interface Field {
  readonly name: string;
  readonly accumulate: Accumulator;
  readonly argument: (document: Document) => Value | undefined;
}

/** Compiles the stage. Groups come in the order of their first documents. */
export function group(spec: Value, variables: Variables): (documents: Iterable<Document>) => Document[] {
  if (!isDocument(spec)) throw new ServerError(15947, "a group's fields must be specified in an object");
  const id = spec.get('_id');
  if (id === undefined) throw new ServerError(15955, 'a group specification must include an _id');
  const keyExpression = compileExpression(id, variables);
  const fields = [...spec]
    .filter(([name]) => name !== '_id')
    .map(([name, value]) => parseField(name, value, variables));
  return (documents) => {
    const groups = new Map<string, { readonly id: Value; readonly members: Document[] }>();
    for (const document of documents) {
      const value = keyExpression(document) ?? null;
      const key = keyOf(value);
      const existing = groups.get(key);
      if (existing === undefined) groups.set(key, { id: value, members: [document] });
      else existing.members.push(document);
    }
    return Array.from(groups.values(), ({ id: groupId, members }) => {
      const result: Document = new Map([['_id', groupId]]);
      for (const { name, accumulate, argument } of fields) result.set(name, accumulate(members.map(argument)));
      return result;
    });
  };
}

function parseField(name: string, value: Value, variables: Variables): Field {
  if (name.includes('.')) throw new ServerError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw new ServerError(40236, `The field name '${name}' cannot be an operator name`);
  if (!isDocument(value)) throw new ServerError(40234, `The field '${name}' must be an accumulator object`);
  const [[operator = '', argument = null] = []] = value;
  if (value.size !== 1) throw new ServerError(40238, `The field '${name}' must specify one accumulator`);
  const accumulate = ACCUMULATORS.get(operator);
  if (accumulate === undefined) {
    if (UNSUPPORTED.has(operator)) throw new ServerError(238, `The accumulator ${operator} is not supported`);
    throw new ServerError(15952, `unknown group operator '${operator}'`);
  }
  if (operator === '$count' && !(isDocument(argument) && argument.size === 0)) {
    throw new ServerError(2, '$count takes no arguments, i.e. $count:{}');
  }
  return { name, accumulate, argument: compileExpression(operator === '$count' ? null : argument, variables) };
}

// The stage `$group`, and those that are a shorter word for it.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/
import { ServerError } from '../../errors.ts';
import { type Accumulator, ACCUMULATORS, countOf, N_ACCUMULATORS } from '../expression/accumulator.ts';
import { compileExpression } from '../expression/compile.ts';
import { type Environment, namedArguments, required } from '../expression/operator.ts';
import { type Rules, rulesOf } from '../../values/order.ts';
import { compareBy } from '../match/sort.ts';
import { type Document, documentOf, isDocument, type Value } from '../../values/value.ts';
import { documentArgument, type StageCompiler, type StageTable } from './stage.ts';

type Evaluate = (document: Document) => Value | undefined;

/** Takes the documents of one group. */
interface Running {
  add(document: Document): void;
  result(): Value;
}

/** Starts an accumulator for a group, whose `_id` is a document as a rule: what stands for it is empty otherwise. */
type StartField = (id: Document) => Running;
type FieldCompiler = (argument: Value, environment: Environment, name: string) => StartField;

/** Accumulators of MongoDB that are refused by name. */
export const UNSUPPORTED_ACCUMULATORS: ReadonlySet<string> = new Set(
  '$accumulator $concatArrays $median $percentile $setUnion'.split(' '),
);

const group: StageCompiler = (argument, context) => {
  const spec = documentArgument(argument, 15947, "a group's fields must be specified in an object");
  const id = spec.get('_id');
  if (id === undefined) throw new ServerError(15955, 'a group specification must include an _id');
  const idOf = compileExpression(id, context);
  const { keyOf } = rulesOf(context.collation);
  const fields = [...spec].filter(([name]) => name !== '_id').map(([name, value]) => field(name, value, context));
  return function* (documents) {
    const groups = new Map<string, Group>();
    for (const document of documents) {
      const value = idOf(document) ?? null;
      const key = keyOf(value);
      let found = groups.get(key);
      if (found === undefined) groups.set(key, (found = new Group(value, fields)));
      found.add(document);
    }
    for (const one of groups.values()) yield one.result();
  };
};

interface Field {
  readonly name: string;
  readonly start: StartField;
}

/** Groups come in the order of their first documents. */
class Group {
  readonly #id: Value;
  readonly #fields: readonly Field[];
  readonly #running: readonly Running[];

  constructor(id: Value, fields: readonly Field[]) {
    this.#id = id;
    this.#fields = fields;
    const document = isDocument(id) ? id : new Map();
    this.#running = fields.map(({ start }) => start(document));
  }

  add(document: Document): void {
    for (const running of this.#running) running.add(document);
  }

  result(): Document {
    const result = documentOf(['_id', this.#id]);
    for (const [position, { name }] of this.#fields.entries()) {
      result.set(name, this.#running[position]?.result() ?? null);
    }
    return result;
  }
}

function field(name: string, value: Value, environment: Environment): Field {
  if (name.includes('.')) throw new ServerError(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw new ServerError(40236, `The field name '${name}' cannot be an operator name`);
  if (!isDocument(value)) throw new ServerError(40234, `The field '${name}' must be an accumulator object`);
  const [[operator = '', argument = null] = []] = value;
  if (value.size !== 1) throw new ServerError(40238, `The field '${name}' must specify one accumulator`);
  return { name, start: compilerOf(operator)(argument, environment, operator) };
}

function compilerOf(name: string): FieldCompiler {
  const start = ACCUMULATORS.get(name);
  if (name === '$count') return counting;
  if (start !== undefined) {
    return (argument, environment) => {
      const rules = rulesOf(environment.collation);
      return accumulating(() => start(rules), compileExpression(argument, environment));
    };
  }
  const startN = N_ACCUMULATORS.get(name);
  if (startN !== undefined) return keeping(startN);
  const sign = TOPS.get(name);
  if (sign !== undefined) return top(sign);
  if (UNSUPPORTED_ACCUMULATORS.has(name)) throw new ServerError(238, `The accumulator ${name} is not supported`);
  throw new ServerError(15952, `unknown group operator '${name}'`);
}

function accumulating(start: () => Accumulator, evaluate: Evaluate): StartField {
  return () => {
    const accumulator = start();
    return { add: (document) => accumulator.add(evaluate(document)), result: () => accumulator.result() };
  };
}

const counting: FieldCompiler = (argument, { collation }, name) => {
  const start = ACCUMULATORS.get(name);
  if (start === undefined || !isDocument(argument) || argument.size > 0) {
    throw new ServerError(2, `${name} takes no arguments, i.e. ${name}:{}`);
  }
  return accumulating(
    () => start(rulesOf(collation)),
    () => null,
  );
};

const N_CODES = { notObject: 5787900, unknown: 5787901, missing: { n: 5787906, input: 5787907 } };

/** `{n, input}`: `n` may depend on the members of the group's `_id`. */
const keeping =
  (start: (n: number, rules: Rules) => Accumulator): FieldCompiler =>
  (argument, environment, name) => {
    const args = namedArguments(name, argument, [], N_CODES);
    const n = compileExpression(required(args, 'n'), environment);
    const input = compileExpression(required(args, 'input'), environment);
    const rules = rulesOf(environment.collation);
    return (id) => accumulating(() => start(countOf(n(id), name), rules), input)(id);
  };

const TOPS: ReadonlyMap<string, 'first' | 'last'> = new Map([
  ['$top', 'first'],
  ['$topN', 'first'],
  ['$bottom', 'last'],
  ['$bottomN', 'last'],
]);

const TOP_CODES = { notObject: 5788001, unknown: 5788002, missing: { output: 5788004, sortBy: 5788005 } };
const TOP_N_CODES = { ...TOP_CODES, missing: { n: 5788003, ...TOP_CODES.missing } };

/** `{sortBy, output}`, and `n` where there are several. */
const top =
  (end: 'first' | 'last'): FieldCompiler =>
  (argument, environment, name) => {
    const several = name.endsWith('N');
    const args = namedArguments(name, argument, [], several ? TOP_N_CODES : TOP_CODES);
    const sortBy = documentArgument(required(args, 'sortBy'), 10065, "expected 'sortBy' to be an object");
    const order = compareBy(sortBy, environment.collation?.compare);
    const output = compileExpression(required(args, 'output'), environment);
    const n = several ? compileExpression(required(args, 'n'), environment) : undefined;
    return (id) => {
      const most = n === undefined ? 1 : countOf(n(id), name);
      const documents: Document[] = [];
      const result = (): Value => {
        const sorted = documents.sort(order);
        const kept = end === 'first' ? sorted.slice(0, most) : sorted.slice(-most);
        const values = kept.map((document) => output(document) ?? null);
        return several ? values : (values[0] ?? null);
      };
      return { add: (document) => documents.push(document), result };
    };
  };

/** The names of all accumulators. */
export const GROUP_ACCUMULATORS: readonly string[] = [...ACCUMULATORS.keys(), ...N_ACCUMULATORS.keys(), ...TOPS.keys()];

export const GROUP: StageTable = { $group: group };

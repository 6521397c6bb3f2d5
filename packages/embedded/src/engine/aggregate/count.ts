// The stages that are a shorter word for `$group`.
import { Int32 } from 'bson';
import { ServerError } from '../../errors.ts';
import { isOperatorExpression } from '../expression/compile.ts';
import { type Rules, rankOf, rulesOf } from '../../values/order.ts';
import { type Document, documentOf, isArray, isDocument, typeOrMissing, type Value } from '../../values/value.ts';
import { documentArgument, type StageCompiler, type StageTable } from './stage.ts';

const ONE = new Int32(1);
const COUNT = documentOf(['$sum', ONE]);

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/count/ */
const count: StageCompiler = (argument, context) => {
  if (typeof argument !== 'string') throw new ServerError(40156, 'the count field must be a non-empty string');
  if (argument === '') throw new ServerError(40157, 'the count field must be a non-empty string');
  if (argument.startsWith('$')) throw new ServerError(40158, 'the count field cannot be a $-prefixed path');
  if (argument.includes('\0')) throw new ServerError(40159, 'the count field cannot contain a null byte');
  if (argument.includes('.')) throw new ServerError(40160, "the count field cannot contain '.'");
  if (argument === '_id') throw new ServerError(9039800, "the count field cannot be '_id'");
  // MongoDB gives nothing at all for no documents, as $group does.
  return context.compile(
    [
      documentOf(['$group', documentOf(['_id', null], [argument, COUNT])]),
      documentOf(['$project', documentOf(['_id', new Int32(0)])]),
    ],
    context,
  );
};

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/sortByCount/ */
const sortByCount: StageCompiler = (argument, context) => {
  if (isDocument(argument) && !isOperatorExpression(argument)) {
    throw new ServerError(40147, 'the sortByCount field must be defined as an expression inside an object');
  }
  if (typeof argument === 'string' && !argument.startsWith('$')) {
    throw new ServerError(40148, 'the sortByCount field must be defined as a $-prefixed path or an expression');
  }
  if (typeof argument !== 'string' && !isDocument(argument)) {
    throw new ServerError(40149, 'the sortByCount field must be specified as a string or as an object');
  }
  return context.compile(
    [
      documentOf(['$group', documentOf(['_id', argument], ['count', COUNT])]),
      documentOf(['$sort', documentOf(['count', new Int32(-1)])]),
    ],
    context,
  );
};

const BUCKET_OPTIONS: ReadonlySet<string> = new Set(['groupBy', 'boundaries', 'default', 'output']);

/** https://www.mongodb.com/docs/manual/reference/operator/aggregation/bucket/ */
const bucket: StageCompiler = (argument, context) => {
  const spec = documentArgument(
    argument,
    40201,
    `Argument to $bucket stage must be an object, but found type: ${typeOrMissing(argument)}.`,
  );
  for (const key of spec.keys()) {
    if (!BUCKET_OPTIONS.has(key)) throw new ServerError(40197, `Unrecognized option to $bucket: ${key}.`);
  }
  const groupBy = spec.get('groupBy');
  if (groupBy === undefined || !spec.has('boundaries')) {
    throw new ServerError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  if (!isOperatorExpression(groupBy) && !(typeof groupBy === 'string' && groupBy.startsWith('$'))) {
    throw new ServerError(
      40202,
      "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression object",
    );
  }
  const rules = rulesOf(context.collation);
  const boundaries = boundariesOf(spec.get('boundaries'), rules);
  const output = documentArgument(
    spec.get('output') ?? documentOf(['count', COUNT]),
    40196,
    "The $bucket 'output' field must be an object",
  );
  const id = bucketExpression(groupBy, boundaries, defaultOf(spec.get('default'), boundaries, rules));
  return context.compile(
    [documentOf(['$group', documentOf(['_id', id], ...output)]), documentOf(['$sort', documentOf(['_id', ONE])])],
    context,
  );
};

/** The lower boundary of the bucket that a value falls into. */
function bucketExpression(value: Value, boundaries: readonly Value[], fallback: Value | undefined): Document {
  const branches = boundaries.slice(0, -1).map((lower, position) => {
    const upper = boundaries[position + 1] ?? null;
    const within = [documentOf(['$gte', [value, literal(lower)]]), documentOf(['$lt', [value, literal(upper)]])];
    return documentOf(['case', documentOf(['$and', within])], ['then', literal(lower)]);
  });
  const otherwise: (readonly [string, Value])[] = fallback === undefined ? [] : [['default', literal(fallback)]];
  return documentOf(['$switch', documentOf(['branches', branches], ...otherwise)]);
}

function literal(value: Value): Document {
  return documentOf(['$literal', value]);
}

function boundariesOf(boundaries: Value | undefined, { compare }: Rules): Value[] {
  if (!isArray(boundaries)) {
    throw new ServerError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeOrMissing(boundaries)}.`,
    );
  }
  if (boundaries.length < 2) {
    throw new ServerError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`,
    );
  }
  const values = boundaries.map((boundary) => constant(boundary, 40191, 'boundaries'));
  for (const [position, value] of values.slice(1).entries()) {
    const before = values[position];
    if (rankOf(before) !== rankOf(value)) {
      throw new ServerError(40193, "All values in the the 'boundaries' option to $bucket must have the same type.");
    }
    if (compare(before, value) >= 0) {
      throw new ServerError(40194, "The 'boundaries' option to $bucket must be sorted in ascending order.");
    }
  }
  return values;
}

function defaultOf(given: Value | undefined, boundaries: readonly Value[], { compare }: Rules): Value | undefined {
  if (given === undefined) return undefined;
  const value = constant(given, 40195, 'default');
  if (
    rankOf(value) === rankOf(boundaries[0]) &&
    compare(value, boundaries[0]) >= 0 &&
    compare(value, boundaries.at(-1)) < 0
  ) {
    throw new ServerError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
  }
  return value;
}

function constant(value: Value, code: number, option: string): Value {
  const isLiteral = isDocument(value) && (value.has('$literal') || value.has('$const'));
  if (isLiteral) return value.get('$literal') ?? value.get('$const') ?? null;
  if (!isOperatorExpression(value) && !(typeof value === 'string' && value.startsWith('$'))) return value;
  throw new ServerError(code, `The $bucket '${option}' field must be constant`);
}

export const COUNT_STAGES: StageTable = { $count: count, $sortByCount: sortByCount, $bucket: bucket };

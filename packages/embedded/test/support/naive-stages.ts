// Stages with the plainest computation of what they make, over plain objects: small integers, strings, arrays of integers.
import fc from 'fast-check';
import type { Document } from 'mongodb';

/** Some stages, and what they make of documents. */
export interface NaiveStage {
  readonly stages: Document[];
  readonly run: (documents: readonly Document[]) => Document[];
}

export function naiveRun(documents: readonly Document[], steps: readonly NaiveStage[]): Document[] {
  return steps.reduce<readonly Document[]>((input, { run }) => run(input), documents) as Document[];
}

type Sign = 1 | -1;
const sign = fc.constantFrom<Sign>(1, -1);
const small = fc.integer({ min: -2, max: 4 });
const isNumber = (value: unknown): value is number => typeof value === 'number';

const COMPARISONS = {
  $eq: (a: number, b: number) => a === b,
  $gt: (a: number, b: number) => a > b,
  $gte: (a: number, b: number) => a >= b,
  $lt: (a: number, b: number) => a < b,
  $lte: (a: number, b: number) => a <= b,
};

const matchNumber = fc
  .tuple(
    fc.constantFrom('a', '_id', 'n'),
    fc.constantFrom(...(Object.keys(COMPARISONS) as (keyof typeof COMPARISONS)[])),
    small,
  )
  .map(([field, name, operand]): NaiveStage => ({
    stages: [{ $match: { [field]: { [name]: operand } } }],
    run: (documents) =>
      documents.filter((document) => isNumber(document[field]) && COMPARISONS[name](document[field], operand)),
  }));

const matchText = fc.constantFrom('x', null).map((wanted): NaiveStage => ({
  stages: [{ $match: { b: wanted } }],
  run: (documents) => documents.filter(({ b }) => (b ?? null) === wanted),
}));

const matchElement = fc.integer({ min: 0, max: 3 }).map((wanted): NaiveStage => ({
  stages: [{ $match: { t: wanted } }],
  run: (documents) => documents.filter(({ t }) => t === wanted || (Array.isArray(t) && t.includes(wanted))),
}));

const project = fc.constantFrom<NaiveStage>(
  { stages: [{ $project: { a: 1, t: 1 } }], run: (documents) => documents.map((all) => pick(all, ['_id', 'a', 't'])) },
  { stages: [{ $project: { b: 0 } }], run: (documents) => documents.map(({ b: _, ...rest }) => rest) },
  { stages: [{ $unset: ['a', 'n'] }], run: (documents) => documents.map(({ a: _a, n: _n, ...rest }) => rest) },
  {
    stages: [{ $replaceWith: { _id: '$_id', a: '$n', b: '$b' } }],
    run: (documents) => documents.map(({ _id, n, b }) => defined({ _id, a: n, b })),
  },
);

const set = small.map((summand): NaiveStage => ({
  stages: [{ $set: { n: { $add: ['$a', summand] }, s: { $size: { $cond: [{ $isArray: '$t' }, '$t', []] } } } }],
  run: (documents) =>
    documents.map((all) => ({
      ...all,
      n: isNumber(all['a']) ? all['a'] + summand : null,
      s: Array.isArray(all['t']) ? all['t'].length : 0,
    })),
}));

const sort = fc.tuple(fc.constantFrom('a', 'n'), sign, sign).map(([field, first, second]): NaiveStage => ({
  stages: [{ $sort: { [field]: first, _id: second } }],
  run: (documents) =>
    documents.toSorted((a, b) => first * order(a[field], b[field]) || second * order(a['_id'], b['_id'])),
}));

const skip = fc
  .integer({ min: 0, max: 3 })
  .map((n): NaiveStage => ({ stages: [{ $skip: n }], run: (documents) => documents.slice(n) }));
const limit = fc
  .integer({ min: 1, max: 6 })
  .map((n): NaiveStage => ({ stages: [{ $limit: n }], run: (documents) => documents.slice(0, n) }));

/** Each document that comes of one gets an `_id` of its own, so that sorting by it stays certain. */
const unwind = fc.boolean().map((keep): NaiveStage => ({
  stages: [
    { $unwind: { path: '$t', includeArrayIndex: 'i', preserveNullAndEmptyArrays: keep } },
    { $set: { _id: { $add: [{ $multiply: [{ $ifNull: ['$_id', 9999] }, 10] }, { $ifNull: ['$i', 9] }] } } },
    { $unset: 'i' },
  ],
  run: (documents) =>
    documents.flatMap((all) => {
      const { t, ...rest } = all;
      const id = (all['_id'] ?? 9999) * 10;
      if (Array.isArray(t) && t.length > 0) return t.map((element, i) => ({ ...rest, t: element, _id: id + i }));
      if (t === undefined || t === null || Array.isArray(t)) {
        return keep ? [{ ...rest, ...(t === null ? { t } : {}), _id: id + 9 }] : [];
      }
      return [{ ...rest, t, _id: id + 9 }];
    }),
}));

const group = fc.constant<NaiveStage>({
  stages: [
    {
      $group: {
        _id: '$a',
        n: { $sum: 1 },
        a: { $max: '$n' },
        b: { $first: '$b' },
        t: { $push: '$a' },
        mean: { $avg: '$n' },
        kinds: { $addToSet: { $ifNull: ['$b', 'none'] } },
      },
    },
    { $set: { kinds: { $sortArray: { input: '$kinds', sortBy: 1 } } } },
    { $sort: { _id: 1 } },
  ],
  run: (documents) =>
    [...grouped(documents, ({ a }) => a ?? null)]
      .map(([_id, members]) => {
        const numbers = members.map(({ n }) => n).filter(isNumber);
        return {
          _id,
          n: members.length,
          a: numbers.length === 0 ? null : Math.max(...numbers),
          b: members[0]?.['b'] ?? null,
          t: members.map(({ a }) => a).filter((a) => a !== undefined),
          mean: numbers.length === 0 ? null : numbers.reduce((sum, n) => sum + n, 0) / numbers.length,
          kinds: [...new Set(members.map(({ b }) => b ?? 'none'))].sort(order),
        };
      })
      .sort((a, b) => order(a._id, b._id)),
});

const sortByCount = fc.constant<NaiveStage>({
  stages: [{ $sortByCount: { $ifNull: ['$a', 99] } }, { $sort: { count: -1, _id: 1 } }],
  run: (documents) =>
    [...grouped(documents, ({ a }) => a ?? 99)]
      .map(([_id, members]) => ({ _id, count: members.length }))
      .sort((a, b) => b.count - a.count || order(a._id, b._id)),
});

const facet = fc.constant<NaiveStage>({
  stages: [
    {
      $facet: {
        first: [{ $limit: 2 }, { $project: { _id: 1 } }],
        high: [{ $match: { a: { $gt: 1 } } }, { $project: { a: 1 } }],
      },
    },
  ],
  run: (documents) => [
    {
      first: documents.slice(0, 2).map((all) => pick(all, ['_id'])),
      high: documents.filter(({ a }) => isNumber(a) && a > 1).map((all) => pick(all, ['_id', 'a'])),
    },
  ],
});

function pick(document: Document, names: readonly string[]): Document {
  return defined(Object.fromEntries(names.map((name) => [name, document[name]])));
}

function defined(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}

function grouped(documents: readonly Document[], key: (document: Document) => unknown): Map<unknown, Document[]> {
  const groups = new Map<unknown, Document[]>();
  for (const document of documents) {
    const members = groups.get(key(document)) ?? [];
    groups.set(key(document), [...members, document]);
  }
  return groups;
}

/** Nothing, then numbers, then strings. */
function order(a: unknown, b: unknown): number {
  const rank = (value: unknown): number => (isNumber(value) ? 1 : typeof value === 'string' ? 2 : 0);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (isNumber(a) && isNumber(b)) return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  return 0;
}

/** Any of them. What they say of fields that another stage has removed is part of the trial. */
export const pipelineSteps: fc.Arbitrary<NaiveStage> = fc.oneof(
  { weight: 2, arbitrary: matchNumber },
  matchText,
  matchElement,
  project,
  { weight: 2, arbitrary: set },
  { weight: 2, arbitrary: sort },
  skip,
  limit,
  { weight: 2, arbitrary: unwind },
  { weight: 2, arbitrary: group },
  { weight: 1, arbitrary: sortByCount },
  { weight: 1, arbitrary: facet },
);

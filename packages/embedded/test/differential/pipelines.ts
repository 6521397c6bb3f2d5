// Random pipelines and expressions.
import fc from 'fast-check';
import { filters, projections, sorts } from './filters.ts';
import { dates, type Fields, names, numbers, path, scalar, texts, value } from './values.ts';

const fieldPaths = path.map((name) => `$${name}`);
const small = fc.integer({ min: -3, max: 3 });

/** Operators by what they take: most random operands are of no use to most operators, so each gets likely ones. */
const UNARY =
  '$abs $ceil $floor $trunc $sqrt $exp $ln $not $size $isArray $isNumber $type $reverseArray $toString $toInt $toLong $toDouble $toDecimal $toBool $toLower $toUpper $strLenCP $strLenBytes $objectToArray $arrayToObject $first $last $sum $avg $min $max $mergeObjects $concatArrays $year $month $dayOfMonth $hour $dayOfWeek $dayOfYear $week $isoWeek $toDate $allElementsTrue $anyElementTrue $bsonSize $binarySize $stdDevPop $setUnion';
const BINARY =
  '$add $subtract $multiply $divide $mod $pow $eq $ne $gt $gte $lt $lte $cmp $and $or $in $arrayElemAt $concat $strcasecmp $split $setUnion $setIntersection $setDifference $setEquals $setIsSubset $indexOfCP $indexOfArray $ifNull $slice $concatArrays $mergeObjects $round $trunc $range $min $max $sum $avg $bitAnd $bitOr $bitXor';

const expressions: fc.Arbitrary<unknown> = fc.letrec<{ expression: unknown }>((tie) => {
  const any = tie('expression');
  const named = (name: string, members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
    fc.record(members, { noNullPrototype: true }).map((argument) => ({ [name]: argument }));
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { weight: 5, arbitrary: fieldPaths },
      { weight: 3, arbitrary: scalar },
      fc.oneof(
        value.map(($literal) => ({ $literal })),
        fc.array(any, { maxLength: 2 }),
        fc.dictionary(names, any, { maxKeys: 2, noNullPrototype: true }),
      ),
      { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...UNARY.split(' ')), any).map(([name, a]) => ({ [name]: a })) },
      {
        weight: 5,
        arbitrary: fc
          .tuple(fc.constantFrom(...BINARY.split(' ')), any, any)
          .map(([name, a, b]) => ({ [name]: [a, b] })),
      },
      {
        weight: 4,
        arbitrary: fc.oneof(
          fc.tuple(any, any, any).map((operands) => ({ $cond: operands })),
          named('$map', {
            input: fieldPaths,
            as: fc.constant('v'),
            in: fc.oneof(fc.constantFrom('$$v', '$$v.a'), any),
          }),
          named('$filter', {
            input: fieldPaths,
            as: fc.constant('v'),
            cond: fc
              .tuple(fc.constantFrom('$gt', '$eq', '$lt'), scalar)
              .map(([name, operand]) => ({ [name]: ['$$v', operand] })),
          }),
          named('$reduce', {
            input: fieldPaths,
            initialValue: any,
            in: fc.constantFrom<unknown>(
              '$$this',
              { $concatArrays: ['$$value', ['$$this']] },
              { $add: ['$$value', '$$this'] },
            ),
          }),
          named('$switch', {
            branches: fc.array(fc.record({ case: any, then: any }, { noNullPrototype: true }), {
              minLength: 1,
              maxLength: 2,
            }),
            default: any,
          }),
          named('$let', {
            vars: fc.record({ v: any }, { noNullPrototype: true }),
            in: fc.oneof(fc.constantFrom('$$v', '$$v.a'), any),
          }),
          named('$zip', { inputs: fc.tuple(fieldPaths, fieldPaths) }),
          named('$sortArray', { input: fieldPaths, sortBy: fc.constantFrom<unknown>(1, -1, { a: 1 }) }),
          named('$getField', { field: names, input: any }),
          named('$setField', { field: names, input: any, value: any }),
          named('$trim', { input: any }),
          named('$replaceAll', { input: any, find: texts, replacement: texts }),
          named('$regexMatch', { input: any, regex: fc.constantFrom('^a', 'b', '[0-9]+') }),
          named('$convert', {
            input: any,
            to: fc.constantFrom('int', 'long', 'double', 'decimal', 'string', 'bool', 'date', 'objectId'),
            onError: fc.constant('error'),
            onNull: fc.constant('null'),
          }),
          named('$dateToString', {
            date: fc.oneof(dates, fieldPaths),
            format: fc.constantFrom('%Y-%m-%d', '%H:%M:%S.%L', '%j %U %V %G %u %w'),
          }),
          named('$dateAdd', {
            startDate: dates,
            unit: fc.constantFrom('day', 'month', 'year', 'hour', 'week', 'quarter'),
            amount: small,
          }),
          named('$dateDiff', {
            startDate: dates,
            endDate: dates,
            unit: fc.constantFrom('day', 'month', 'year', 'hour', 'week'),
          }),
          named('$dateTrunc', {
            date: dates,
            unit: fc.constantFrom('day', 'month', 'year', 'hour', 'week', 'quarter'),
          }),
          fc.tuple(texts, small, small).map((operands) => ({ $substrCP: operands })),
          fc.tuple(fieldPaths, fc.integer({ min: 1, max: 3 })).map(([input, n]) => ({ $firstN: { input, n } })),
          fc.tuple(fieldPaths, fc.integer({ min: 1, max: 3 })).map(([input, n]) => ({ $maxN: { input, n } })),
        ),
      },
    ),
  };
}).expression;

const accumulators = fc
  .tuple(
    fc.constantFrom('$sum', '$avg', '$min', '$max', '$first', '$last', '$push', '$stdDevPop', '$mergeObjects'),
    fc.oneof(fieldPaths, expressions),
  )
  .map(([name, operand]) => ({ [name]: operand }));

const computed = fc.dictionary(path, expressions, { minKeys: 1, maxKeys: 2, noNullPrototype: true });

const stage: fc.Arbitrary<Fields> = fc.oneof(
  { weight: 4, arbitrary: filters.map(($match) => ({ $match })) },
  { weight: 3, arbitrary: computed.map(($set) => ({ $set })) },
  { weight: 2, arbitrary: computed.map(($project) => ({ $project })) },
  { weight: 2, arbitrary: projections.map(($project) => ({ $project })) },
  fc.uniqueArray(path, { minLength: 1, maxLength: 2 }).map(($unset) => ({ $unset })),
  expressions.map((newRoot) => ({ $replaceWith: { $mergeObjects: ['$$ROOT', newRoot] } })),
  expressions.map(($expr) => ({ $match: { $expr } })),
  fc
    .tuple(fieldPaths, fc.boolean())
    .map(([name, keep]) => ({ $unwind: { path: name, preserveNullAndEmptyArrays: keep } })),
  fc
    .tuple(path, fc.constantFrom('a', 'b.x', '_id'))
    .map(([localField, foreignField]) => ({ $lookup: { from: 'trial', localField, foreignField, as: 'joined' } })),
);

const groups: fc.Arbitrary<Fields[]> = fc
  .tuple(
    fc.oneof(fieldPaths, expressions),
    fc.dictionary(fc.constantFrom('p', 'q'), accumulators, { maxKeys: 2, noNullPrototype: true }),
  )
  .map(([_id, fields]) => [{ $sort: { _id: 1 } }, { $group: { _id, ...fields } }]);

/** What comes of a stage has an order; a group has none, so it comes last. */
export const pipelines: fc.Arbitrary<Fields[]> = fc
  .tuple(
    fc.array(stage, { maxLength: 3 }),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 2, arbitrary: groups },
      sorts.map(($sort) => [{ $sort }]),
      fc.integer({ min: 1, max: 3 }).map(($limit) => [{ $sort: { _id: 1 } }, { $limit }]),
      fc.constant([{ $count: 'n' }]),
    ),
  )
  .map(([stages, last]) => [...stages, ...last]);

/** The stages that an update may have. */
export const pipelineUpdates: fc.Arbitrary<Fields[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: computed.map(($set): Fields => ({ $set })) },
    fc.uniqueArray(path, { minLength: 1, maxLength: 2 }).map(($unset): Fields => ({ $unset })),
    expressions.map((fields): Fields => ({ $replaceWith: { $mergeObjects: ['$$ROOT', fields] } })),
    numbers.map((number): Fields => ({ $set: { b: { $add: ['$a', number] } } })),
  ),
  { minLength: 1, maxLength: 2 },
);

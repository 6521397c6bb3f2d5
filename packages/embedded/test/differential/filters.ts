// Random filters, sorts and projections.
import { Binary } from 'bson';
import fc from 'fast-check';
import { type Fields, names, numbers, path, scalar, texts, value } from './values.ts';

const types = fc.constantFrom<unknown>(
  'int',
  'double',
  'number',
  'string',
  'array',
  'object',
  'null',
  'bool',
  'date',
  2,
);
const masks = fc.oneof(
  fc.integer({ min: 0, max: 7 }),
  fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  fc.constant(new Binary(Buffer.of(3), 0)),
);
const patterns = fc.constantFrom('^a', 'b$', 'A', '.', '1');

const { filter: anyFilter, operators } = fc.letrec<{ filter: Fields; operators: Fields; condition: unknown }>((tie) => {
  const one = (name: string, argument: fc.Arbitrary<unknown>): fc.Arbitrary<Fields> =>
    argument.map((operand) => ({ [name]: operand }));
  const compared = (...all: string[]): fc.Arbitrary<Fields>[] => all.map((name) => one(name, value));
  return {
    operators: fc.oneof(
      { depthSize: 'small' },
      ...compared('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'),
      fc.tuple(value, value).map(([low, high]) => ({ $gte: low, $lt: high })),
      one('$in', fc.array(value, { maxLength: 3 })),
      one('$nin', fc.array(value, { maxLength: 3 })),
      one('$all', fc.array(value, { minLength: 1, maxLength: 2 })),
      one('$exists', fc.boolean()),
      one('$type', types),
      one('$size', fc.integer({ min: 0, max: 3 })),
      one('$mod', fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }))),
      one('$regex', patterns),
      fc.tuple(patterns, fc.constantFrom('i', 'm', 's', '')).map(([$regex, $options]) => ({ $regex, $options })),
      one('$not', tie('operators')),
      one('$elemMatch', fc.oneof(tie('operators'), tie('filter'))),
      fc.constantFrom('$bitsAllSet', '$bitsAnySet', '$bitsAllClear', '$bitsAnyClear').chain((name) => one(name, masks)),
    ),
    condition: fc.oneof({ weight: 1, arbitrary: value }, { weight: 3, arbitrary: tie('operators') }),
    filter: fc.oneof(
      { depthSize: 'small' },
      {
        weight: 6,
        arbitrary: fc.dictionary(path, tie('condition'), { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
      },
      fc
        .tuple(fc.constantFrom('$and', '$or', '$nor'), fc.array(tie('filter'), { minLength: 1, maxLength: 2 }))
        .map(([name, filters]) => ({ [name]: filters })),
    ),
  };
});

export const filters: fc.Arbitrary<Fields> = anyFilter;
export const conditions: fc.Arbitrary<Fields> = operators;

const directions = fc.constantFrom(1, -1);

/** A sort that leaves nothing open. */
export const sorts: fc.Arbitrary<Fields> = fc
  .tuple(fc.dictionary(path, directions, { maxKeys: 2, noNullPrototype: true }), directions)
  .map(([fields, last]) => ({ ...fields, _id: last }));

const flags = (flag: 0 | 1): fc.Arbitrary<Fields> =>
  fc
    .tuple(fc.uniqueArray(path, { minLength: 1, maxLength: 3 }), fc.constantFrom(undefined, 0, 1))
    .map(([paths, id]) => ({
      ...Object.fromEntries(paths.map((name) => [name, flag])),
      ...(id === undefined ? {} : { _id: id }),
    }));

export const projections: fc.Arbitrary<Fields> = fc.oneof(
  { weight: 3, arbitrary: flags(1) },
  { weight: 3, arbitrary: flags(0) },
  fc
    .tuple(
      names,
      fc.oneof(
        fc.integer({ min: -2, max: 2 }),
        fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 1, max: 2 })),
      ),
    )
    .map(([name, $slice]) => ({ [name]: { $slice } })),
  fc.tuple(names, fc.oneof(operators, anyFilter)).map(([name, $elemMatch]) => ({ [name]: { $elemMatch } })),
  fc.tuple(names, path).map(([name, source]) => ({ [name]: `$${source}` })),
  fc.tuple(names, scalar, numbers, texts).map(([name, ...list]) => ({ [name]: { $literal: list } })),
);

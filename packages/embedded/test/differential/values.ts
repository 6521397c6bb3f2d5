// Random values and documents that meet each other often: few names, few values, many types.
import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';

export type Fields = Record<string, unknown>;

export const numbers = fc.constantFrom<unknown>(
  0,
  1,
  2,
  3,
  -1,
  2147483647,
  new Double(1),
  new Double(-0),
  1.5,
  2.5,
  -0.5,
  Number.NaN,
  Long.fromNumber(1),
  Long.fromNumber(2),
  Long.fromString('9007199254740993'),
  Decimal128.fromString('1'),
  Decimal128.fromString('2.50'),
);

export const texts = fc.constantFrom('', 'a', 'A', 'b', 'ab', 'é', '10', '9');

export const dates = fc.constantFrom(0, 1, 951_782_400_000, 1_711_845_015_123).map((ms) => new Date(ms));

const ids = fc.constantFrom('65f000000000000000000001', '65f000000000000000000002').map((hex) => new ObjectId(hex));

export const scalar: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: numbers },
  { weight: 3, arbitrary: texts },
  { weight: 2, arbitrary: fc.constant(null) },
  fc.boolean(),
  dates,
  fc.oneof(
    ids,
    fc.constantFrom(0, 4).map((type) => new Binary(Buffer.alloc(16, type), type)),
    fc.integer({ min: 1, max: 2 }).map((t) => new Timestamp({ t, i: 1 })),
    fc.constantFrom(new MinKey(), new MaxKey()),
  ),
);

/** Names of fields, which are also those inside of objects. */
export const names = fc.constantFrom('a', 'b', 'c', 'x');

const { value: anyValue, object } = fc.letrec<{ value: unknown; object: Fields }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(names, tie('value'), { maxKeys: 3, noNullPrototype: true }),
}));

export const value: fc.Arbitrary<unknown> = anyValue;
export const objects: fc.Arbitrary<Fields> = object;

export const path = fc.oneof(
  { weight: 4, arbitrary: names },
  { weight: 3, arbitrary: fc.tuple(names, names).map((parts) => parts.join('.')) },
  fc.tuple(names, fc.constantFrom('0', '1')).map((parts) => parts.join('.')),
  fc.tuple(names, fc.constantFrom('0', '1', 'x'), names).map((parts) => parts.join('.')),
);

/** What `x` is as a rule: an array, so that operators on arrays have their work. */
const list = fc.oneof(
  fc.array(fc.constantFrom<unknown>(1, 2, 3, 'a'), { minLength: 1, maxLength: 4 }),
  fc.array(fc.dictionary(names, scalar, { minKeys: 1, maxKeys: 2, noNullPrototype: true }), {
    minLength: 1,
    maxLength: 3,
  }),
);

export const documents: fc.Arbitrary<Fields[]> = fc
  .array(
    fc.tuple(
      fc.dictionary(names, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
      fc.option(list, { nil: undefined }),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) =>
    all.map(([members, x], position) => ({
      _id: new Int32(position + 1),
      ...members,
      ...(x === undefined ? {} : { x }),
    })),
  );

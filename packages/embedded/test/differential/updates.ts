// Random updates.
import { Int32, Long } from 'bson';
import fc from 'fast-check';
import { conditions, filters } from './filters.ts';
import { pipelineUpdates } from './pipelines.ts';
import { type Fields, names, numbers, objects, path, value } from './values.ts';

export interface Update {
  readonly update: Fields | Fields[];
  readonly arrayFilters?: Fields[];
}

const target = fc.oneof(
  { weight: 6, arbitrary: path },
  fc.tuple(fc.constantFrom('x', 'x', 'a.x'), fc.constantFrom('$', '$[]', '$[e]')).map((parts) => parts.join('.')),
  fc.tuple(fc.constantFrom('x', 'x', 'a'), fc.constantFrom('$', '$[]', '$[e]'), names).map((parts) => parts.join('.')),
);

const integers = fc.constantFrom<unknown>(new Int32(1), new Int32(6), Long.fromNumber(3));
const directions = fc.constantFrom(1, -1);

const pushed = fc.oneof(
  value,
  fc
    .record(
      {
        $each: fc.array(value, { maxLength: 3 }),
        $position: fc.integer({ min: -3, max: 3 }),
        $slice: fc.integer({ min: -3, max: 3 }),
        $sort: fc.oneof(
          directions,
          names.chain((name) => directions.map((sign) => ({ [name]: sign }))),
        ),
      },
      { requiredKeys: ['$each'], noNullPrototype: true },
    )
    .map((modifiers): unknown => modifiers),
);

const ARGUMENTS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  $set: value,
  $setOnInsert: value,
  $unset: fc.constant(''),
  $inc: numbers,
  $mul: numbers,
  $min: value,
  $max: value,
  $rename: path,
  $push: pushed,
  $addToSet: fc.oneof(
    value,
    fc.array(value, { maxLength: 3 }).map(($each) => ({ $each })),
  ),
  $pull: fc.oneof(value, conditions, filters),
  $pullAll: fc.array(value, { maxLength: 2 }),
  $pop: directions,
  $bit: fc.tuple(fc.constantFrom('and', 'or', 'xor'), integers).map(([name, operand]) => ({ [name]: operand })),
};

const operator = fc
  .constantFrom(...Object.keys(ARGUMENTS))
  .chain((name) =>
    fc
      .dictionary(target, ARGUMENTS[name] ?? value, { minKeys: 1, maxKeys: 2, noNullPrototype: true })
      .map((fields): [string, Fields] => [name, fields]),
  );

const operatorUpdates = fc
  .tuple(
    fc.uniqueArray(operator, { minLength: 1, maxLength: 2, selector: ([name]) => name }),
    fc.oneof(
      conditions.map((condition): Fields => ({ e: condition })),
      fc.tuple(names, value).map(([name, wanted]): Fields => ({ [`e.${name}`]: wanted })),
    ),
  )
  .map(([entries, filter]): Update => {
    const update = Object.fromEntries(entries);
    return JSON.stringify(update).includes('$[e]') ? { update, arrayFilters: [filter] } : { update };
  });

export const updates: fc.Arbitrary<Update> = fc.oneof(
  { weight: 8, arbitrary: operatorUpdates },
  { weight: 1, arbitrary: objects.map((update): Update => ({ update })) },
  { weight: 2, arbitrary: pipelineUpdates.map((update): Update => ({ update })) },
);

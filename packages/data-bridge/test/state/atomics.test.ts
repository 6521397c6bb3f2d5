import { Decimal128, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { applyAtomic, foldAtomics, misfit } from '../../src/state/atomics.ts';
import type { AtomicOperator } from '../../src/state/edits.ts';

const [low, high] = ['000000000000000000000001', '000000000000000000000002'].map((hex) => new ObjectId(hex));
const [early, late] = [new Date(0), new Date(1)];

describe('applyAtomic', () => {
  it.each<[AtomicOperator, unknown, unknown, unknown]>([
    ['$inc', 1, 2, 3],
    ['$inc', undefined, 2n, 2n],
    ['$inc', undefined, Infinity, Infinity],
    ['$mul', 2, 3, 6],
    ['$mul', undefined, 3, 0],
    ['$mul', undefined, Decimal128.fromString('1.50'), Decimal128.fromString('0.00')],
    ['$min', 2, 1, 1],
    ['$min', 1, 2, 1],
    ['$min', undefined, 2, 2],
    ['$min', null, 2, null],
    ['$max', null, 2, 2],
    ['$max', 'a', 'b', 'b'],
    ['$max', '\u{1F600}', '\uFFFD', '\u{1F600}'], // by code points, not by UTF-16 units
    ['$max', 9, 'a', 'a'],
    ['$max', 'a', low, low],
    ['$max', low, high, high],
    ['$min', high, low, low],
    ['$max', low, false, false],
    ['$max', false, true, true],
    ['$max', true, early, early],
    ['$max', early, late, late],
    ['$min', early, late, early],
    ['$max', 1n, Decimal128.fromString('1.5'), Decimal128.fromString('1.5')],
    ['$push', [1], [1, 2], [1, 1, 2]],
    ['$push', undefined, [1], [1]],
    ['$addToSet', [1, { a: 1 }], [2, 1, { a: 1 }, 2, [1]], [1, { a: 1 }, 2, [1]]],
    ['$addToSet', undefined, [1, 1], [1]],
    ['$pull', [1, { a: 1 }, 2, 1, { a: 1, b: 1 }], [1, { a: 1 }], [2, { a: 1, b: 1 }]],
    ['$pull', undefined, [1], undefined],
  ])('%s of %o with %o gives %o', (operator, value, operand, result) => {
    const copy = Array.isArray(value) ? [...(value as unknown[])] : value;
    expect(applyAtomic(operator, value, operand, 'a')).toStrictEqual(result);
    expect(value).toEqual(copy);
  });

  it.each([undefined, 'x', early])('$currentDate gives a new date in the place of %o', (value) => {
    const date = applyAtomic('$currentDate', value, true, 'a');
    expect((date as Date).getTime()).toBeGreaterThan(late?.getTime() ?? 0);
  });

  it('says what does not fit', () => {
    expect(() => applyAtomic('$inc', 'x', 1, 'a.b')).toThrow(UsageError);
    expect(() => applyAtomic('$inc', 'x', 1, 'a.b')).toThrow(
      '$inc of "a.b" needs a number, the value there is a string.',
    );
  });
});

describe('misfit', () => {
  it.each<[AtomicOperator, unknown, unknown, string]>([
    ['$inc', 'x', 1, 'needs a number'],
    ['$inc', null, 1, 'needs a number'],
    ['$mul', 1, '2', 'got a string'],
    ['$min', {}, 1, 'compares'],
    ['$max', undefined, [1], 'compares'],
    ['$push', 'x', [1], 'needs an array'],
    ['$push', [], [{ $each: [1] }], 'one by one'],
    ['$addToSet', {}, [1], 'needs an array'],
    ['$addToSet', [], [{ $each: [1] }], 'one by one'],
    ['$pull', null, [1], 'needs an array'],
    ['$pull', [], [{ $in: [1] }], 'not conditions'],
  ])('tells it of %s of %o with %o', (operator, value, operand, problem) => {
    expect(misfit(operator, value, operand)).toContain(problem);
  });

  it('is null where the operator fits', () => {
    expect(misfit('$inc', undefined, 1)).toBeNull();
    expect(misfit('$currentDate', {}, true)).toBeNull();
    expect(misfit('$push', [], [{ $set: 1 }, { a: 1 }])).toBeNull();
    expect(misfit('$pull', [], [{ a: 1 }, 'x', null])).toBeNull();
  });
});

describe('foldAtomics', () => {
  it.each<[AtomicOperator, unknown, unknown, unknown]>([
    ['$inc', undefined, 2, 2],
    ['$inc', 1, 2, 3],
    ['$mul', undefined, 2, 2],
    ['$mul', 3, 2, 6],
    ['$min', undefined, 2, 2],
    ['$min', 1, 2, 1],
    ['$max', 1, 2, 2],
    ['$push', [1], [1, 2], [1, 1, 2]],
    ['$push', undefined, [1, 1], [1, 1]],
    ['$addToSet', [1], [1, 2], [1, 2]],
    ['$addToSet', undefined, [1, 1], [1]],
    ['$pull', [1], [1, 2], [1, 2]],
    ['$currentDate', undefined, true, true],
    ['$currentDate', true, true, true],
  ])('%s of %o and %o gives %o', (operator, first, second, both) => {
    expect(foldAtomics(operator, first, second)).toStrictEqual(both);
  });
});

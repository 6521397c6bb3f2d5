import fc from 'fast-check';
import { BSONSymbol, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { Document } from '../../src/save/document.ts';
import type { AtomicRule } from '../../src/edits/atomic-rule.ts';
import {
  applyAtomic,
  ATOMIC_OPERATORS,
  type AtomicOperator,
  foldAtomics,
  ruleOf,
  whyInapplicable,
} from '../../src/edits/atomic-operators.ts';

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
    ['$max', new BSONSymbol('b'), 'a', new BSONSymbol('b')],
    ['$max', new BSONSymbol('a'), 'b', 'b'],
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
    ['$bit', 13, { and: 10 }, 8],
    ['$bit', 13, { or: 2 }, 15],
    ['$bit', 13, { xor: 1, or: 2 }, 14],
    ['$bit', -1, { and: 7 }, 7],
    ['$bit', 13n, { or: 2 }, 15n],
    ['$bit', 2 ** 40, { or: 1 }, 2 ** 40 + 1],
    ['$bit', new Long(13), { or: 2 }, new Long(15)],
    ['$bit', new Int32(13), { or: 2 }, new Int32(15)],
    ['$bit', new Int32(13), { or: 2n }, new Long(15)],
    ['$bit', undefined, { or: 5 }, 5],
    ['$bit', undefined, { or: 5n }, 5n],
    ['$bit', undefined, { xor: 2 ** 40 }, 2 ** 40],
    ['$bit', undefined, { and: -1, or: new Int32(5) }, 5],
    ['$bit', 5, { or: -0 }, 5],
    ['$pop', [1, 2, 3], 1, [1, 2]],
    ['$pop', [1, 2, 3], -1, [2, 3]],
    ['$pop', [], 1, []],
    ['$pop', undefined, 1, undefined],
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

describe('whyInapplicable', () => {
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
    ['$pop', 'x', 1, 'needs an array'],
    ['$pop', [], 2, 'takes 1 for the last element'],
    ['$bit', 1, 5, 'takes { and: … }'],
    ['$bit', 1, {}, 'takes { and: … }'],
    ['$bit', 1, { not: 1 }, 'takes { and: … }'],
    ['$bit', 1, { or: 1.5 }, 'got another number'],
    ['$bit', 1, { or: 2 ** 60 }, 'exact integer'],
    ['$bit', 1, { or: 1n << 63n }, 'exact integer'],
    ['$bit', 1, { or: '1' }, 'got a string'],
    ['$bit', 1.5, { or: 1 }, 'the value there is another number'],
    ['$bit', 2 ** 63, { or: 1 }, 'needs an integer'],
    ['$bit', new Double(1), { or: 1 }, 'needs an integer'],
    ['$bit', 'x', { or: 1 }, 'the value there is a string'],
  ])('says why %s of %o with %o cannot be', (operator, value, operand, problem) => {
    expect(whyInapplicable(operator, value, operand)).toContain(problem);
  });

  it('is null where the operator fits', () => {
    expect(whyInapplicable('$inc', undefined, 1)).toBeNull();
    expect(whyInapplicable('$currentDate', {}, true)).toBeNull();
    expect(whyInapplicable('$push', [], [{ $set: 1 }, { a: 1 }])).toBeNull();
    expect(whyInapplicable('$pull', [], [{ a: 1 }, 'x', null])).toBeNull();
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
    ['$bit', undefined, { or: 5 }, { or: 5 }],
    ['$bit', undefined, { or: 5n }, { or: new Long(5) }],
    ['$bit', undefined, { xor: 2 ** 40 }, { xor: Long.fromNumber(2 ** 40) }],
    ['$bit', { and: 6 }, { and: 3 }, { and: 2 }],
    ['$bit', { or: 6 }, { or: 3 }, { or: 7 }],
    ['$bit', { xor: 6 }, { xor: 3 }, { xor: 5 }],
    ['$bit', { or: 6 }, { xor: 3 }, { and: -7, xor: 5 }],
    ['$bit', { xor: 6 }, { and: 3 }, { and: 3, xor: 2 }],
    ['$pop', undefined, -1, -1],
    ['$pop', 1, 1, undefined],
    ['$pop', 1, -1, undefined],
  ])('%s of %o and %o gives %o', (operator, first, second, both) => {
    expect(foldAtomics(operator, first, second)).toStrictEqual(both);
  });
});

describe('two operations on bits', () => {
  it('are one, of the same result and type', () => {
    const integer = fc.oneof(
      fc.integer(),
      fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
      fc.integer({ min: -9, max: 9 }),
    );
    const operation = fc.tuple(fc.constantFrom('and', 'or', 'xor'), integer).map(([name, bits]) => ({ [name]: bits }));
    const property = fc.property(integer, operation, operation, (value, first, second) => {
      const { stored, repeatable } = ruleOf('$bit');
      const one = (operand: object, current: unknown) => stored(current, ruleOf('$bit').single(operand), 'operators');
      const both = foldAtomics('$bit', first, second);
      const twice = one(second, one(first, value));
      expect(stored(value, both, 'operators')).toEqual(twice);
      expect(BigInt(String(applyAtomic('$bit', BigInt(value), both, 'a')))).toBe(BigInt(String(twice)));
      if (repeatable(both)) expect(stored(stored(value, both, 'operators'), both, 'operators')).toEqual(twice);
    });
    fc.assert(property);
  });
});

describe('the record of operators', () => {
  it('says of each whether it can be sent twice', () => {
    const operands = { $bit: { xor: 1 }, $pop: 1 } as Record<string, unknown>;
    const repeatable = Object.entries(ATOMIC_OPERATORS).filter(([name, rule]) =>
      rule.repeatable(operands[name] ?? [1]),
    );
    expect(repeatable.map(([name]) => name)).toEqual(['$min', '$max', '$addToSet', '$pull', '$currentDate']);
    expect([{ or: 6 }, { and: 6 }, { xor: 0 }].map((bits) => ruleOf('$bit').repeatable(bits))).toEqual([
      true,
      true,
      true,
    ]);
    expect(ruleOf('$bit').repeatable({ or: 6, xor: 2 })).toBe(true);
  });

  it('has a method of the document for each', () => {
    for (const name of Object.keys(ATOMIC_OPERATORS)) expect(Document.prototype).toHaveProperty(name);
  });

  it('has all that is known of one, or does not compile', () => {
    const { repeatable: _, ...forgetful } = ruleOf('$inc');
    // @ts-expect-error -- whether it can be sent twice is missing
    const rule: AtomicRule = forgetful;
    expect(rule).not.toHaveProperty('repeatable');
  });
});

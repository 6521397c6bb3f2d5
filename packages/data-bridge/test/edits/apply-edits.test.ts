import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ABSENT } from '../../src/bson/encode.ts';
import type { AtomicEdit, Edit, EditTree } from '../../src/edits/edits.ts';
import type { Form } from '../../src/edits/atomic-rule.ts';
import { applyEdits } from '../../src/edits/apply-edits.ts';
import { fallbackTree } from '../../src/update/plan.ts';
import { changesBetween, replacedAt } from '../../src/edits/stored-changes.ts';
import { compareAsServer, equalToServer, storedProduct, storedSum } from '../../src/edits/server-values.ts';
import { treeOf } from '../support/laws-trees.ts';

const { Binary, Code, DBRef, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } = BSON;

const tree = (edit: Edit): EditTree => ({ kind: 'object', children: new Map([['f', edit]]) });
const laid = (edit: Edit, form: Form, stored: unknown): unknown => applyEdits(tree(edit), form, () => stored).get('f');
const atomic = (operator: AtomicEdit['operator'], operand: unknown, value: unknown = 'memory'): AtomicEdit => {
  return { kind: 'atomic', operator, operand, base: ABSENT, value };
};

describe('edits placed on what is stored', () => {
  it('change objects that are there', () => {
    const edits = treeOf({ f: { a: 1, b: 2, d: { x: 1 } } }, { f: { b: 3, c: 4, d: { x: 2 } } });
    for (const form of ['operators', 'pipeline'] as const)
      expect(
        applyEdits(
          edits,
          form,
          () =>
            new Map<string, unknown>([
              ['a', 1],
              ['e', 5],
              ['d', { y: 1 }],
            ]),
        ).get('f'),
      ).toEqual({
        e: 5,
        d: { y: 1, x: 2 },
        b: 3,
        c: 4,
      });
  });

  it('make objects that are not there, or write what is in memory', () => {
    const edits = treeOf({ f: { a: 1, b: { c: 1 } } }, { f: { a: 1, b: { c: 2 } } });
    expect(applyEdits(edits, 'operators', () => ABSENT).get('f')).toEqual({ b: { c: 2 } });
    expect(applyEdits(edits, 'pipeline', () => ABSENT).get('f')).toEqual({ a: 1, b: { c: 2 } });
    const removing = treeOf({ f: { a: 1, b: 2 } }, { f: { b: 2 } });
    expect(applyEdits(removing, 'operators', () => ABSENT).get('f')).toBe(ABSENT);
    expect(applyEdits(removing, 'operators', () => 5).get('f')).toBe(5);
    expect(applyEdits(removing, 'pipeline', () => 5).get('f')).toEqual({ b: 2 });
  });

  it('change arrays as they were, or write what is in memory', () => {
    const grown = treeOf({ f: [1] }, { f: [1, 2] });
    expect(applyEdits(grown, 'operators', () => ABSENT).get('f')).toEqual([2]);
    expect(applyEdits(grown, 'pipeline', () => ABSENT).get('f')).toEqual([1, 2]);
    expect(applyEdits(grown, 'operators', () => [7]).get('f')).toEqual([7, 2]);
    const edited = treeOf({ f: [{ a: 1 }, 2] }, { f: [{ a: 3 }, 2] });
    expect(applyEdits(edited, 'operators', () => [{ a: 1 }, 7, 8]).get('f')).toEqual([{ a: 3 }, 7, 8]);
    for (const stored of [[{ a: 2 }, 2], [], 5, ABSENT])
      expect(applyEdits(edited, 'pipeline', () => stored).get('f')).toEqual([{ a: 3 }, 2]);
  });

  it('find elements by their identities', () => {
    const element = (_id: number, n: number) => ({ _id, n });
    const [a, b, c] = [element(1, 1), element(2, 2), element(3, 3)];
    const between = (before: unknown, after: unknown) => treeOf({ f: before }, { f: after });
    const other = { _id: 9 };
    const edited = between([a, b], [a, element(2, 5)]);
    const removed = between([a, b, c], [a, c]);
    const added = between([a, b], [a, b, c]);
    const moved = between([a, b], [c, b, a]);
    const left = (edits: EditTree, form: Form, stored: unknown) => applyEdits(edits, form, () => stored).get('f');
    for (const form of ['operators', 'pipeline'] as const) {
      expect(left(edited, form, [{ _id: new Double(2), x: 1 }, other, 5])).toEqual([
        { _id: new Double(2), x: 1, n: 5 },
        other,
        5,
      ]);
      expect(left(removed, form, [b, other, a])).toEqual([other, a]);
      expect(left(added, form, [other])).toEqual([other, c]);
    }
    expect(left(moved, 'pipeline', [other, a])).toEqual([c, a, other]);
    expect(left(added, 'pipeline', [c, other])).toEqual([other, c]);
    expect(left(added, 'operators', ABSENT)).toEqual([c]);
    expect(left(removed, 'operators', ABSENT)).toBe(ABSENT);
    expect(left(removed, 'pipeline', ABSENT)).toEqual([a, c]);
    const whole: Edit = { kind: 'set', base: a, value: c };
    const replaced: Edit = {
      kind: 'elements',
      key: '_id',
      base: [a],
      value: [c],
      children: new Map([[0, whole]]),
      removed: [],
      added: [],
      isMoved: false,
    };
    expect(laid(replaced, 'pipeline', [other, a])).toEqual([other, c]);
    const nested = between([[a], { _id: 1, l: [a, b] }], [[a], { _id: 1, l: [a, element(2, 7)] }]);
    expect(left(nested, 'pipeline', [])).toEqual([[a], { _id: 1, l: [a, element(2, 7)] }]);
  });

  it.each<[AtomicEdit['operator'], unknown, unknown, unknown, unknown]>([
    ['$inc', 2, 3, 5, 2],
    ['$mul', 2, 3, 6, 0],
    ['$min', 2, 3, 2, 2],
    ['$min', 4, 3, 3, 4],
    ['$max', 2, 3, 3, 2],
    ['$max', 'x', 3, 'x', 'x'],
    ['$currentDate', true, 3, 'memory', 'memory'],
    ['$push', [2], [1], [1, 2], [2]],
    ['$addToSet', [1, 2], [new Double(1)], [new Double(1), 2], [1, 2]],
    ['$pull', [1], [new Double(1), 2], [2], ABSENT],
    ['$pop', 1, [1, 2], [1], ABSENT],
    ['$pop', -1, [1, 2], [2], ABSENT],
    ['$bit', { or: 6 }, 1, 7, 6],
    ['$bit', { xor: new Long(6) }, 3, new Long(5), new Long(6)],
    ['$bit', { and: 6 }, new Long(3), new Long(2), 0],
  ])('do %s of %j', (operator, operand, stored, result, ofNothing) => {
    expect(laid(atomic(operator, operand), 'operators', stored)).toEqual(result);
    expect(laid(atomic(operator, operand), 'operators', ABSENT)).toEqual(ofNothing);
  });

  it('write what is in memory where an operator does not fit', () => {
    for (const [operator, operand] of [
      ['$inc', 1],
      ['$mul', 1],
      ['$push', [1]],
      ['$addToSet', [1]],
      ['$pull', [1]],
      ['$pop', 1],
      ['$bit', { or: 1 }],
    ] as const) {
      expect(laid(atomic(operator, operand), 'pipeline', 'x')).toBe('memory');
      expect(laid(atomic(operator, operand, ABSENT), 'pipeline', 'x')).toBe('x');
    }
    expect(laid(atomic('$push', [1]), 'pipeline', ABSENT)).toBe('memory');
    expect(laid(atomic('$bit', { or: 1 }), 'pipeline', new Double(1))).toBe('memory');
  });

  it('are whole fields where a pipeline would be too large', () => {
    const text = 'x'.repeat(9 * 1024 * 1024);
    const [small, large] = [
      treeOf({ f: { a: 1 } }, { f: { a: 2 } }),
      treeOf({ f: { a: 1, text } }, { f: { a: 2, text } }),
    ];
    expect(fallbackTree(small)).toBe(small);
    expect(fallbackTree(large)).toBe(large);
    const larger = treeOf({ f: { a: 1, text } }, { f: { a: text, text: 1 } });
    expect(fallbackTree(larger).children.get('f')?.kind).toBe('set');
  });
});

describe('numbers as a server stores them', () => {
  it.each<[unknown, unknown, unknown, unknown]>([
    [1, 2, 3, 2],
    [new Int32(1), 2, 3, 2],
    [1, new Long(2), new Long(3), new Long(2)],
    [2n, 2, new Long(4), new Long(4)],
    [1, 2.5, new Double(3.5), new Double(2.5)],
    [new Double(1), 2, new Double(3), new Double(2)],
    [2 ** 31 - 1, 2, Long.fromNumber(2 ** 31 + 1), Long.fromNumber(2 ** 32 - 2)],
    [Long.MAX_VALUE, 2, new Double(2 ** 63), new Double(2 ** 64)],
    [Decimal128.fromString('1.5'), 2, Decimal128.fromString('3.5'), Decimal128.fromString('3.0')],
    [-0, 2, new Double(2), new Double(-0)],
    [9007199254740993n, 1, Long.fromString('9007199254740994'), Long.fromString('9007199254740993')],
  ])('%s and %s', (a, b, sum, product) => {
    expect(storedSum(a as number, b as number)).toEqual(sum);
    expect(storedProduct(a as number, b as number)).toEqual(product);
  });
});

describe('values as a server compares them', () => {
  it('are equal by value, in the same order of keys', () => {
    const equal = [
      [1, new Double(1)],
      [new Long(1), Decimal128.fromString('1.0')],
      [
        [1, { a: 1 }],
        [new Long(1), new Map([['a', new Double(1)]])],
      ],
      [new Date(1), new Date(1)],
      [null, null],
    ];
    for (const [a, b] of equal) expect(equalToServer(a, b)).toBe(true);
    const different = [
      [1, '1'],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      [{ a: 1 }, { a: 1, b: 1 }],
      [[1], [1, 2]],
      [{}, []],
      [[], {}],
    ];
    for (const [a, b] of different) expect(equalToServer(a, b)).toBe(false);
  });

  it('are in the order of their types', () => {
    const inOrder = [
      new MinKey(),
      undefined,
      null,
      1,
      'x',
      {},
      [],
      new Binary(Buffer.from('x')),
      new ObjectId(),
      true,
      new Date(),
      new Timestamp({ t: 1, i: 1 }),
      /x/,
      new Code('x'),
      new MaxKey(),
    ];
    for (const [i, scalar] of inOrder.entries()) {
      if (scalar !== null && typeof scalar === 'object' && !(scalar instanceof Date) && !(scalar instanceof ObjectId))
        continue;
      for (const [j, value] of inOrder.entries())
        if (i !== j) expect(Math.sign(compareAsServer(scalar, value))).toBe(Math.sign(i - j));
    }
    expect(compareAsServer('a', new BSON.BSONSymbol('b'))).toBeLessThan(0);
    expect(compareAsServer('a', Buffer.from('b'))).toBeLessThan(0);
    expect(compareAsServer(new ObjectId(), new DBRef('c', new ObjectId()))).toBeGreaterThan(0);
    expect(compareAsServer(2, 1)).toBeGreaterThan(0);
  });
});

describe('changes between stored values', () => {
  it.each<[unknown, unknown, unknown]>([
    [{ a: 1 }, { a: 1 }, []],
    [
      { a: 1, b: { c: 1 } },
      { b: { c: 2 }, d: 3 },
      [
        ['a', 1, ABSENT],
        ['b.c', 1, 2],
        ['d', ABSENT, 3],
      ],
    ],
    [{ a: new Double(1) }, { a: 1 }, [['a', new Double(1), 1]]],
    [{ a: new Double(1) }, { a: new Double(1) }, []],
    [
      { a: [1, 2] },
      { a: [1, 2, 3, 4] },
      [
        ['a.2', ABSENT, 3],
        ['a.3', ABSENT, 4],
      ],
    ],
    [{ a: [1, { b: 1 }, 3] }, { a: [1, { b: 2 }, 3] }, [['a.1.b', 1, 2]]],
    [{ a: [1, 2, 3] }, { a: [1, 2] }, [['a', [1, 2, 3], [1, 2]]]],
    [{ a: [1, 2, 3] }, { a: [4, 5, 6] }, [['a', [1, 2, 3], [4, 5, 6]]]],
    [{ a: [] }, { a: [1] }, [['a', [], [1]]]],
    [{ a: [[1], { b: new Double(1) }] }, { a: [[1], { b: 1 }] }, [['a.1.b', new Double(1), 1]]],
    [{ a: [] }, { a: {} }, [['a', [], {}]]],
  ])('%j and %j', (from, to, expected) => {
    const changes = changesBetween(from, to, []);
    expect(changes.map(({ keys, from: old, to: now }) => [keys.join('.'), old, now])).toEqual(expected);
  });

  it('are followed into what is no container', () => {
    expect(replacedAt(5, ['a', 0, 'b'], 1)).toEqual({ a: [{ b: 1 }] });
    expect(replacedAt({ a: 1 }, ['a'], ABSENT)).toEqual({});
    expect(replacedAt({ a: 1 }, ['b', 'c'], ABSENT)).toEqual({ a: 1, b: {} });
    expect(replacedAt([1, 2, 3], [1], ABSENT)).toEqual([1]);
    expect(replacedAt({ a: 1 }, [], 2)).toBe(2);
  });
});

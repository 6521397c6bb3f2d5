import { BSON, Double, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { noteShown } from '../../src/bson/shown-defaults.ts';
import { diff } from '../../src/edits/edits.ts';
import { StoredSet } from '../../src/edits/stored-edits.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import { treeOf } from '../../src/tracking/state-tracker.ts';

const [a, b] = [new ObjectId('a'.repeat(24)), new ObjectId('b'.repeat(24))];
const nested = (levels: number, value: unknown): unknown => (levels === 0 ? value : { x: nested(levels - 1, value) });
const withShown = (n: number): object => {
  const shown = { n, more: 'x' };
  noteShown(shown, 'more', 'x');
  return shown;
};
const manyNames = (n: number): object => Object.fromEntries(Array.from({ length: n }, (_, i) => [`key${i}`, 1]));

/** The edit of a list, and what the exact diff tells of it. */
function both(list: unknown[], value: unknown[]) {
  const baseline = new BsonBaseline(new Layout(), BSON.serialize({ list }), 0);
  baseline.set('list', value);
  const exact = diff(baseline.exact('list'), value, ['list']);
  return { edit: treeOf(baseline)?.children.get('list'), exact };
}

const spelled = (edit: unknown): unknown => {
  const { kind, base, value } = edit as StoredSet;
  return [kind, ...[base, value].map((each) => Buffer.from(BSON.serialize({ each })).toString('hex'))];
};

describe('a copy of an array that is sent whole', () => {
  it.each<[string, unknown[], unknown[]]>([
    ['other objects', [{ n: 1, t: 'a' }, { n: 2 }, { n: 3 }], [{ n: 5, t: 'b' }, { n: 2.5 }]],
    ['every object another one', [{ n: 1 }, { n: 2 }], [{ n: 3 }, { n: 4 }]],
    ['more objects', [{ n: 1 }], [{ n: 2 }, { m: [true, null] }]],
    ['fewer, of which the first are as they were', [new Double(5), Long.fromNumber(5), 1, 2], [5, 5, 1]],
    ['doubles beside doubles', [{ n: 1.5 }, 1], [{ n: 2.5 }]],
    [
      'all kinds of scalars',
      [{ n: 1 }, { b: true, d: new Date(1), i: a, z: null }, 0],
      [{ n: 2 }, { b: false, d: new Date(2), i: b, z: 'z' }],
    ],
    [
      'the same scalars',
      [{ b: true, d: new Date(1), i: a, z: null, t: 'é' }, 0, 1],
      [{ b: true, d: new Date(1), i: a, z: null, t: 'é' }, 1],
    ],
    ['the same scalars, one after another', [true, new Date(1), a, null, 'é', 0], [true, new Date(1), a, null, 'é']],
    ['an object where a scalar was', [1, 2, 3], [0, { n: 1 }]],
    ['a scalar where an object was', [{ n: 1 }, 2], ['x']],
    ['a list where an object was', [{ n: 1 }, { n: 1 }, 2], [{ n: 2 }, [1]]],
    ['lists of scalars', [{ l: [1, 'a', 1.5] }, 2], [{ l: [2, 'b', 2.5] }]],
    ['lists of scalars that grew', [{ l: [1] }, 2], [{ l: [1, { n: 1 }] }]],
    ['new members', [{ n: 1 }, 2], [{ n: 1, more: { x: 1 } }]],
    ['defaults that only show', [{ n: 1 }, { n: 1 }, 2], [withShown(1), withShown(2)]],
  ])('tells as the exact diff does: %s', (_, list, value) => {
    const { edit, exact } = both(list, value);
    expect(edit).toBeInstanceOf(StoredSet);
    expect(spelled(edit)).toEqual(spelled(exact));
  });

  // What stands there may have come from elsewhere in the array, and have another type.
  it.each<[string, unknown[], unknown[]]>([
    ['an integer beside a double', [{ n: 1.5 }, 2], [{ n: 2 }]],
    ['a stored double that is an integer', [{ n: new Double(2), t: 'a' }, 2], [{ n: 2, t: 'b' }]],
    ['such a one under a scalar', [{ n: new Double(2) }, 2], ['x']],
    ['such a one that was removed', [1, { n: new Double(2) }], ['x']],
    ['a type that JavaScript does not have', [{ n: Long.fromNumber(5), t: 'a' }, 2], [{ n: 5, t: 'b' }]],
    ['a list in it that lost elements', [{ l: [1, 2] }, 2], [{ l: [1] }]],
    ['a list of objects in it', [{ l: [{ n: 1 }] }, 2], [{ l: [{ n: 2 }] }]],
    ['a member that was removed', [{ n: 1, m: 1 }, 2], [{ n: 2 }]],
    ['members in another order', [{ n: 1, m: 1 }, 2], [{ m: 2, n: 2 }]],
    ['members of more names than a layout learns', [manyNames(300), 2], [{ ...manyNames(300), key299: 2 }]],
    ['what is deeper than edits go', [nested(12, 1), 2], [nested(12, 2)]],
    ['a new member that is no plain value', [{ n: 1 }, 2], [{ n: 2, m: 5n }]],
    ['a new member of an odd name', [{ n: 1 }, 2], [{ n: 2, ['__proto__']: 1 }]],
    ['a list with what is no plain value', [{ l: [1] }, 2], [{ l: [5n] }]],
    ['what says itself how it is stored', [{ n: 1 }, 2], [{ n: 2, toBSON: () => ({ n: 3 }) }]],
    ['another element that is no plain value', [1, 2, 3], [5n, 6]],
  ])('is left to the exact diff for %s', (_, list, value) => {
    // First, and behind another that changed: of the first the walk itself may not know what it is.
    for (const { edit, exact } of [both(list, value), both([1, ...list], [0, ...value])]) {
      expect(edit).not.toBeInstanceOf(StoredSet);
      expect(spelled(edit)).toEqual(spelled(exact));
    }
  });

  it('holds no default that only shows, whatever stood there', () => {
    const { edit } = both([{ n: 1 }, { n: 2, more: 'y' }, { n: 3 }], [{ n: 1 }, withShown(3)]);
    expect(edit).toBeInstanceOf(StoredSet);
    expect(edit).toMatchObject({ value: [{ n: 1 }, { n: 3 }] });
    expect((edit as StoredSet).value).not.toHaveProperty('1.more');
  });

  it('is left to the exact diff where objects inherit members', () => {
    const baseline = new BsonBaseline(new Layout(), BSON.serialize({ list: [1, { n: 1 }, 2] }), 0);
    baseline.set('list', [0, { n: 2 }]);
    const inherited = { value: 1, enumerable: true, configurable: true, writable: true };
    Object.defineProperty(Object.prototype, 'polluted', inherited);
    try {
      expect(treeOf(baseline)?.children.get('list')).not.toBeInstanceOf(StoredSet);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
  });

  it('is none where one of as many elements is as it was', () => {
    const { edit } = both([{ n: 1 }, { n: 2 }], [{ n: 3 }, { n: 2 }]);
    expect(edit?.kind).toBe('positions');
  });
});

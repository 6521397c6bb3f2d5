import { BSON } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { ReadingHabit } from '../../src/bson/reading-habit.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';

/** Reads so many fields of a document of ten, and tells whether it was to be decoded whole. */
function readSome(habit: ReadingHabit, reads: number, fields = 10): boolean {
  const isWhole = habit.predictsWhole();
  if (isWhole) return true;
  habit.turnTo(fields);
  for (let i = 0; i < reads; i++) habit.readOne();
  return false;
}

const times = <R>(count: number, make: () => R): R[] => Array.from({ length: count }, make);

describe('ReadingHabit', () => {
  it('foretells no whole documents where little is read', () => {
    const habit = new ReadingHabit();
    expect(times(50, () => readSome(habit, 7))).not.toContain(true);
  });

  it('foretells more and more whole documents between two samples, up to sixteen', () => {
    const habit = new ReadingHabit();
    const foretold = times(200, () => readSome(habit, 10));
    const stretches = foretold
      .map((isWhole) => (isWhole ? '#' : ' '))
      .join('')
      .trim()
      .split(' ');
    expect(stretches.map(({ length }) => length).slice(0, 7)).toEqual([1, 2, 4, 8, 16, 16, 16]);
  });

  it('makes one document large for one that was read whole', () => {
    const habit = new ReadingHabit();
    readSome(habit, 10);
    expect(times(50, () => readSome(habit, 1)).filter(Boolean)).toHaveLength(1);
  });

  it('unlearns with the next sample', () => {
    const habit = new ReadingHabit();
    times(200, () => readSome(habit, 10));
    expect(times(100, () => readSome(habit, 1)).filter(Boolean).length).toBeLessThanOrEqual(16);
    readSome(habit, 10);
    expect(times(10, () => readSome(habit, 1)).filter(Boolean)).toHaveLength(1);
  });

  it('takes no small documents whole', () => {
    const habit = new ReadingHabit();
    expect(times(50, () => readSome(habit, 3, 3))).not.toContain(true);
  });
});

describe('documents of a layout', () => {
  const fields = { a: 'a', b: 'b', c: 'c', d: 'd', e: 'e' };
  const names = Object.keys(fields);
  const decoded = (baseline: BsonBaseline): number =>
    names.filter((name) => baseline.current(name) !== undefined).length;
  const over = (layout: Layout, document: object = fields) => new BsonBaseline(layout, BSON.serialize(document), 0);

  it('are decoded whole where the one before was read whole', () => {
    const layout = new Layout();
    const [first, second, third] = [over(layout), over(layout), over(layout)];
    for (const name of names) first.get(name);
    second.get('a');
    third.get('a');
    expect([first, second, third].map(decoded)).toEqual([5, 5, 1]);
  });

  it('are decoded field by field where a field is read of many, one after another', () => {
    const layout = new Layout();
    const baselines = times(20, () => over(layout));
    for (const name of ['a', 'b']) for (const baseline of baselines) baseline.get(name);
    expect(baselines.map(decoded)).toEqual(times(20, () => 2));
  });

  it('count one sample where an absent field is read first', () => {
    const layout = new Layout({}, ['absent']);
    const [first, second] = [over(layout), over(layout)];
    for (const name of ['absent', ...names]) first.get(name);
    expect([second.get('absent'), decoded(second)]).toEqual([undefined, 5]);
  });

  it('show the damage of a field where that is read, and no other', () => {
    const layout = new Layout();
    const sample = over(layout);
    for (const name of names) sample.get(name);
    const bytes = BSON.serialize({ ...fields, c: { inner: 'text' } });
    bytes[Buffer.from(bytes).indexOf('inner') + 'inner'.length + 1] = 99;
    const damaged = new BsonBaseline(layout, bytes, 0);
    expect([damaged.get('a'), damaged.get('e')]).toEqual(['a', 'e']);
    expect(() => damaged.get('c')).toThrow('a string has a wrong length');
  });
});

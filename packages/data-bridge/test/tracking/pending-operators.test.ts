import { Double, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { ABSENT, encodeDocument } from '../../src/bson/encode.ts';
import type { Baseline } from '../../src/tracking/baseline.ts';
import { changesOf, type EditTree } from '../../src/edits/edits.ts';
import { shapeGuard } from '../../src/update/shape-guards.ts';
import { operators } from '../../src/update/operators.ts';
import { carriedOut, type PendingAtomic, treeWith } from '../../src/tracking/pending-operators.ts';
import { adds, fallback, needsPipelineInBatch } from '../../src/update/plan.ts';
import { baselineOf, StateTracker } from '../../src/tracking/state-tracker.ts';

type Fields = Record<string, unknown>;

function over(fields: Fields): { readonly tracker: StateTracker<Fields>; readonly baseline: Baseline } {
  const tracker = StateTracker.fromBson<Fields>(encodeDocument(fields));
  return { tracker, baseline: baselineOf(tracker as StateTracker<never>) };
}

const atomic = (
  path: string,
  operator: PendingAtomic['operator'],
  operand: unknown,
  shown: unknown,
): PendingAtomic => ({
  keys: path.split('.') as [string, ...string[]],
  operator,
  operand,
  shown,
});

/** The edits after changes in memory, of which there must be some. */
function edited(fields: Fields, change: (tracker: StateTracker<Fields>) => void, ...pending: PendingAtomic[]) {
  const { tracker, baseline } = over(fields);
  change(tracker);
  const { tree, atomics } = treeWith(baseline, pending);
  return { tree: tree ?? expect.fail('Expected edits'), atomics };
}

const member = (tracker: StateTracker<Fields>, name: string) => tracker.get(name) as Fields;

describe('treeWith', () => {
  it('puts an operator in the place of the ordinary edit', () => {
    const each = atomic('n', '$inc', 3, 4);
    const { tree, atomics } = edited({ n: 1 }, (tracker) => tracker.set('n', 4), each);
    expect(operators(tree)?.update).toEqual({ $inc: { n: 3 } });
    expect(atomics).toEqual([each]);
  });

  it('puts it beside other edits of the same object', () => {
    const change = (tracker: StateTracker<Fields>) => Object.assign(member(tracker, 'o'), { n: 4, m: 2 });
    const { tree } = edited({ o: { n: 1, m: 1 } }, change, atomic('o.n', '$inc', 3, 4));
    expect(operators(tree)?.update).toEqual({ $inc: { 'o.n': 3 }, $set: { 'o.m': 2 } });
  });

  it('sends one that changed nothing in memory', () => {
    const each = atomic('o.p.l', '$addToSet', [1], [1]);
    const { tree } = edited({ o: { p: { l: [1] } } }, (tracker) => tracker.get('o'), each);
    expect(operators(tree)?.update).toEqual({ $addToSet: { 'o.p.l': { $each: [1] } } });
  });

  it('keeps the type of what is stored', () => {
    const change = (tracker: StateTracker<Fields>) => Object.assign(member(tracker, 'o'), { d: 2, l: 2, x: 2 });
    const pending = [atomic('o.d', '$max', 2, 2), atomic('o.l', '$inc', 1, 2), atomic('o.x', '$max', 2, 2)];
    const { tree } = edited({ o: { d: new Double(1), l: Long.ONE, x: 1 } }, change, ...pending);
    expect(operators(tree)?.update).toEqual({ $max: { 'o.d': new Double(2), 'o.x': 2 }, $inc: { 'o.l': Long.ONE } });
  });

  it.each<[string, Fields, (tracker: StateTracker<Fields>) => void, PendingAtomic]>([
    ['whose value moved on', { n: 1 }, (tracker) => tracker.set('n', 5), atomic('n', '$inc', 1, 2)],
    ['in an object that is new', {}, (tracker) => tracker.set('o', { n: 1 }), atomic('o.n', '$inc', 1, 1)],
    ['in what replaced something else', { o: 1 }, (tracker) => tracker.set('o', { n: 1 }), atomic('o.n', '$inc', 1, 1)],
    ['in what is no longer there', { o: {} }, (tracker) => tracker.delete('o'), atomic('o.l', '$pull', [1], undefined)],
  ])('leaves out one %s', (_, fields, change, each) => {
    const { tree, atomics } = edited(fields, change, each);
    expect(atomics).toEqual([]);
    expect(tree.children.values().next().value?.kind).toMatch(/^(?:set|delete)$/);
  });

  it('leaves out one in an object below that is new', () => {
    const change = (tracker: StateTracker<Fields>) => void (member(tracker, 'p')['o'] = { n: 1 });
    const { tree, atomics } = edited({ p: {} }, change, atomic('p.o.n', '$inc', 1, 1));
    expect(atomics).toEqual([]);
    expect(operators(tree)?.update).toEqual({ $set: { 'p.o': { n: 1 } } });
  });

  it('is null where there is nothing', () => {
    const { baseline } = over({ n: 1 });
    expect(treeWith(baseline, [])).toEqual({ tree: null, atomics: [] });
    expect(treeWith(baseline, [atomic('o.l', '$pull', [1], undefined)])).toEqual({ tree: null, atomics: [] });
  });
});

describe('an atomic edit', () => {
  const all: readonly PendingAtomic[] = [
    atomic('inc', '$inc', 1, 1),
    atomic('mul', '$mul', 2, 0),
    atomic('min', '$min', 1, 1),
    atomic('max', '$max', 1, 1),
    atomic('push', '$push', [1], [1]),
    atomic('addToSet', '$addToSet', [1], [1]),
    atomic('pull', '$pull', [1], []),
    atomic('currentDate', '$currentDate', true, new Date(0)),
  ];
  const only = (name: string) => {
    const each = all.find(({ keys }) => keys[0] === name) ?? expect.fail('Expected an operator');
    return edited({}, (tracker) => tracker.set(name, each.shown), each).tree;
  };

  it('is said as it is, $pull by values', () => {
    const { tree } = edited(
      {},
      (tracker) => all.forEach(({ keys, shown }) => tracker.set(keys[0] ?? '', shown)),
      ...all,
    );
    expect(operators(tree)?.update).toEqual({
      $inc: { inc: 1 },
      $mul: { mul: 2 },
      $min: { min: 1 },
      $max: { max: 1 },
      $push: { push: { $each: [1] } },
      $addToSet: { addToSet: { $each: [1] } },
      $pullAll: { pull: [1] },
      $currentDate: { currentDate: true },
    });
    expect(shapeGuard(tree)).toBeUndefined();
  });

  it('cannot be sent twice where it adds', () => {
    const adding = all.map(({ keys: [name] }) => name).filter((name) => adds(only(name)));
    expect(adding).toEqual(['inc', 'mul', 'push']);
  });

  it('may be refused for the stored shape unless it takes any', () => {
    const safe = all.map(({ keys: [name] }) => name).filter((name) => !needsPipelineInBatch(only(name)));
    expect(safe).toEqual(['min', 'max', 'currentDate']);
  });

  it('has a pipeline form', () => {
    const lit = (value: unknown) => ({ $literal: value });
    const [stage] = fallback(only('max')).update as { $set: Fields }[];
    expect(stage).toEqual({
      $set: { max: { $cond: [{ $or: [{ $lt: ['$max', null] }, { $gt: [lit(1), '$max'] }] }, lit(1), '$max'] } },
    });
  });

  it('stays itself where the pipeline is too large', () => {
    const long = 'x'.repeat(9 * 1024 * 1024);
    const change = (tracker: StateTracker<Fields>) => Object.assign(member(tracker, 'o'), { a: long });
    const { tree } = edited(
      { n: 1, o: {} },
      (tracker) => (tracker.set('n', 2), change(tracker)),
      atomic('n', '$inc', 1, 2),
    );
    const [stage] = fallback(tree).update as { $set: Fields }[];
    expect(stage?.$set['o']).toEqual({ $literal: { a: long } });
    expect(stage?.$set['n']).toHaveProperty('$cond');
  });

  it('is a change', () => {
    const { tree } = edited(
      { n: 1 },
      (tracker) => tracker.set('n', 2),
      atomic('n', '$inc', 1, 2),
      atomic('l', '$pull', [1], undefined),
    );
    expect(changesOf(tree, (value) => value)).toMatchObject([
      { path: 'n', to: 2 },
      { path: 'l', from: undefined, to: undefined },
    ]);
  });
});

describe('carriedOut', () => {
  it('keeps apart what was loaded in part', () => {
    const edit = { kind: 'object', base: { n: 1 }, value: { n: 2 }, isPart: true } as const;
    const children = new Map([['n', { kind: 'atomic', operator: '$inc', operand: 1, base: 1, value: 2 } as const]]);
    const tree: EditTree = { kind: 'object', children: new Map([['o', { ...edit, children }]]) };
    expect(carriedOut(tree, () => ({ n: 7 })).children.get('o')).toEqual({
      ...edit,
      value: { n: 7 },
      children: new Map([['n', { kind: 'set', base: 1, value: 7 }]]),
    });
  });

  const fields = { n: 1, o: { n: 1, m: 1 }, map: { l: ['x'] }, same: { p: { x: 1 } } };
  const change = (tracker: StateTracker<Fields>) => {
    tracker.set('n', 2);
    Object.assign(member(tracker, 'o'), { n: 2, m: 2 });
    tracker.set(
      'map',
      new Map<string, unknown>([
        ['l', ['x']],
        ['y', 1],
      ]),
    );
    Object.assign(member(tracker, 'same')['p'] as Fields, { x: 2 });
  };
  const pending = [
    atomic('n', '$inc', 1, 2),
    atomic('o.n', '$inc', 1, 2),
    atomic('o.l', '$pull', [1], undefined),
    atomic('map.l', '$addToSet', ['x'], ['x']),
  ];
  const result = (stored: ((name: string) => unknown) | null) => {
    const { tree } = edited(fields, change, ...pending);
    return new Map(
      Array.from(carriedOut(tree, stored).children, ([name, edit]) => [
        name,
        edit.kind === 'delete' ? ABSENT : edit.value,
      ]),
    );
  };

  it('has what the server has in the place of each operator', () => {
    const stored: Fields = { n: 12, o: { n: 5, m: 9, l: [2] }, map: {}, same: 0 };
    expect(result((name) => stored[name])).toEqual(
      new Map<string, unknown>([
        ['n', 12],
        ['o', { n: 5, m: 2, l: [2] }],
        ['map', new Map([['y', 1]])],
        ['same', { p: { x: 2 } }],
      ]),
    );
  });

  it('has what memory shows where the server gave nothing', () => {
    expect(result(null)).toEqual(
      new Map<string, unknown>([
        ['n', 2],
        ['o', { n: 2, m: 2 }],
        [
          'map',
          new Map<string, unknown>([
            ['l', ['x']],
            ['y', 1],
          ]),
        ],
        ['same', { p: { x: 2 } }],
      ]),
    );
  });

  it('removes what is gone', () => {
    expect(result((name) => (name === 'n' ? ABSENT : {})).get('n')).toBe(ABSENT);
  });
});

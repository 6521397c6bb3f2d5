import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { EncodeError } from '../../src/errors.ts';
import { BsonBaseline } from '../../src/tracking/bson-baseline.ts';
import type { Edit, EditTree } from '../../src/edits/edits.ts';
import { fallback, plan } from '../../src/update/plan.ts';
import { rebaseEdits, takeMine } from '../../src/edits/rebase-edits.ts';
import { Selection } from '../../src/tracking/selection.ts';
import {
  StoredDelete,
  StoredElements,
  StoredObject,
  StoredPositions,
  StoredPush,
  StoredSet,
} from '../../src/edits/stored-edits.ts';
import { StateTracker, treeOf } from '../../src/tracking/state-tracker.ts';
import { documentBytes } from '../support/arbitrary.ts';

type Members = Record<string, unknown>;

function over(document: object, bytes: Uint8Array = BSON.serialize(document)): BsonBaseline {
  return new BsonBaseline(new Layout(), bytes, 0);
}

function treeAfter(baseline: BsonBaseline, change: (field: never) => void): EditTree {
  change(baseline.get('field') as never);
  const tree = treeOf(baseline);
  if (tree === null) throw new Error('Expected a change.');
  return tree;
}

function editAfter(field: unknown, change: (field: never) => void): Edit {
  return treeAfter(over({ field }), change).children.get('field') as Edit;
}

describe('an edit beside the bytes', () => {
  const oid = new ObjectId('0123456789abcdef01234567');

  it('is made by the walk where all is of common kinds', () => {
    const kinds: [unknown, (field: never) => void, unknown][] = [
      [{ a: 1, b: 'x' }, (field: Members) => void (field['b'] = 'y'), StoredObject],
      [{ a: 1 }, (field: Members) => void (field['b'] = { c: [new Date(1), oid, null] }), StoredObject],
      [[1, 2], (field: unknown[]) => void (field[1] = 'z'), StoredPositions],
      [[1, 2], (field: unknown[]) => void field.push({ a: true }), StoredPush],
      [[1, 2], (field: unknown[]) => void field.pop(), StoredSet],
      [[{ a: 1 }, { b: 1.5 }], (field: Members[]) => field.forEach((each) => (each['c'] = 1)), StoredSet],
      [[[{ a: 1 }], [{ a: 1 }]], (field: Members[][]) => field.forEach((each) => (each[0] = { a: 2 })), StoredSet],
      [[{ _id: oid, a: 1 }], (field: Members[]) => field.forEach((each) => (each['a'] = 2)), StoredElements],
      [[{ _id: 'é', a: 1 }], (field: Members[]) => field.forEach((each) => (each['a'] = 2)), StoredElements],
      [new Date(1), (field: Date) => void field.setTime(2), StoredSet],
    ];
    for (const [field, change, kind] of kinds) expect(editAfter(field, change)).toBeInstanceOf(kind);
    const baseline = over({ field: 1 });
    baseline.set('field', undefined);
    expect(treeOf(baseline)?.children.get('field')).toBeInstanceOf(StoredDelete);
  });

  it('is told of a boolean in the place of a type that JavaScript does not have', () => {
    const edit = editAfter({ a: Decimal128.fromString('1.5') }, (field: Members) => void (field['a'] = true));
    expect(edit).toMatchObject({ kind: 'object' });
    expect(edit).not.toBeInstanceOf(StoredObject);
  });

  it('is found beside unchanged values of types that JavaScript does not have', () => {
    const beside = {
      long: Long.fromBigInt(2n ** 60n),
      number: Long.fromNumber(5),
      decimal: Decimal128.fromString('1.5'),
      binary: new Binary(Buffer.of(1, 2), 5),
      uuid: new UUID(),
    };
    const edit = editAfter({ ...beside, text: 'a' }, (field: Members) => void (field['text'] = 'b'));
    expect(edit).toBeInstanceOf(StoredObject);
    expect((edit as StoredObject).children.size).toBe(1);
    const stored = BSON.serialize({ ...beside, text: 'b' });
    expect(Buffer.from(BSON.serialize((edit as StoredObject).value))).toEqual(Buffer.from(stored));
  });

  it('knows BSON classes and bigints that the driver gave', () => {
    const field = { int: 5, double: 1.5, long: Long.fromNumber(5), text: 'a' };
    for (const options of [{ promoteValues: false }, { useBigInt64: true }, { promoteLongs: false }]) {
      const baseline = new BsonBaseline(new Layout(options), BSON.serialize({ field }), 0);
      const edit = treeAfter(baseline, (live: Members) => void (live['text'] = 'b')).children.get('field');
      expect([edit instanceof StoredObject, (edit as StoredObject).children.size]).toEqual([true, 1]);
    }
  });

  // case: a double that stands where another stood may be an integer from elsewhere
  it('leaves to the exact diff what may have moved and so have a type of its own', () => {
    const edit = editAfter([1.5, 2, 3], (field: number[]) => void field.reverse().push(field.shift() as number));
    expect(edit).toMatchObject({ kind: 'positions', value: [new Int32(2), new Double(1.5), new Int32(3)] });
    const nested = editAfter([{ a: 1.5 }, { a: 2 }, 3], (field: unknown[]) => {
      [field[0], field[1]] = [field[1], field[0]];
    });
    expect(nested).toMatchObject({
      kind: 'positions',
      value: [{ a: new Int32(2) }, { a: new Double(1.5) }, new Int32(3)],
    });
  });

  it('keeps the types of what an array holds that is sent whole', () => {
    const field = [{ a: new Double(5), b: Long.fromNumber(6), c: 1.5, d: [1] }, 7];
    const edit = editAfter(field, (live: unknown[]) => void (live.length = 1));
    expect(edit).toMatchObject({ kind: 'set', value: [{ a: new Double(5), b: Long.fromNumber(6) }] });
    const doubles = editAfter([1.5, 'x'], (live: unknown[]) => void live.splice(0, 2, 2.5, 'y'));
    expect(doubles).toMatchObject({ kind: 'set', value: [new Double(2.5), 'y'] });
  });

  it('keeps wrapped numbers of an array that is sent whole', () => {
    const field = [{ a: 1, b: 'x', c: 1.5 }, { a: 2 }];
    for (const options of [{ promoteValues: false }, { useBigInt64: true }]) {
      const baseline = new BsonBaseline(new Layout(options), BSON.serialize({ field }), 0);
      const edit = treeAfter(baseline, (live: Members[]) => {
        live.pop();
        Object.assign(live[0] ?? {}, { a: options.useBigInt64 ? 1n : new Int32(1), b: 'y' });
      }).children.get('field');
      const { value } = edit as StoredSet;
      expect(BSON.EJSON.serialize(value, { relaxed: false })).toEqual(
        BSON.EJSON.serialize([{ a: 1, b: 'y', c: 1.5 }], { relaxed: false }),
      );
    }
  });

  it('keeps keys that mean something elsewhere', () => {
    const field = JSON.parse('{"__proto__": {"a": 1}, "list": [{"__proto__": 1}, 2]}') as object;
    const edit = editAfter(field, (live: { list: unknown[] }) => void live.list.pop());
    const value = (edit as StoredObject).value as { list: object[] };
    expect([Object.keys(value), Object.keys(value.list[0] ?? {})]).toEqual([['__proto__', 'list'], ['__proto__']]);
  });

  it('names the path of what cannot be stored', () => {
    const refused: [unknown, (field: never) => void, string][] = [
      [{ a: ['x'] }, (field: { a: string[] }) => void (field.a[0] = '\ud800'), 'field.a.0'],
      [{ a: 1 }, (field: Members) => void (field['\udc00'] = 1), 'field'],
      [{ a: 1 }, (field: Members) => void (field['new'] = [{ b: new Date(Number.NaN) }]), 'field.new.0.b'],
      [{ a: 1 }, (field: Members) => void (field['new'] = field), 'field.new'],
      [[1], (field: unknown[]) => void field.push(() => 1), 'field.1'],
    ];
    for (const [field, change, path] of refused) {
      const baseline = over({ field });
      change(baseline.get('field') as never);
      const error = (() => {
        try {
          return treeOf(baseline);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(error).toBeInstanceOf(EncodeError);
      expect((error as EncodeError).path).toBe(path);
    }
  });

  it('has its identities without the elements', () => {
    const lines = Array.from({ length: 3 }, (_, i) => ({ _id: `id${i}`, qty: i }));
    const tree = treeAfter(over({ field: lines }), (field: { qty: number }[]) => field.forEach((each) => each.qty++));
    const field = tree.children.get('field') as StoredElements;
    Object.defineProperty(field, 'base', {
      get: () => {
        throw new Error('Expected that nothing is decoded.');
      },
    });
    expect(plan(tree)).toMatchObject({ arrayFilters: [0, 1, 2].map((i) => ({ [`e${i}._id`]: `id${i}` })) });
    const said = JSON.stringify(fallback(tree).update);
    for (const { _id } of lines) expect(said).toContain(`"$eq":["$$a._id",{"$literal":"${_id}"}]`);
  });

  it('replaces what is damaged: it is not read', () => {
    const damaged = documentBytes([['x', { type: 0x66, bytes: Buffer.alloc(0) }]]);
    const field = documentBytes([
      ['a', { type: 0x03, bytes: damaged }],
      ['b', { type: 0x08, bytes: Buffer.of(1) }],
    ]);
    const baseline = over({}, documentBytes([['field', { type: 0x03, bytes: field }]]));
    baseline.set('field', { a: 'whole', b: true });
    const tree = treeOf(baseline);
    if (tree === null) throw new Error('Expected a change.');
    expect(plan(tree)).toEqual({ update: { $set: { 'field.a': 'whole' } } });
    baseline.settle(tree);
    expect(baseline.toObject()).toEqual({ field: { a: 'whole', b: true } });
  });

  it('is made for documents whose maps are keyed by more names than a layout learns', () => {
    const map = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key ${i}`, { n: i }]));
    const edit = editAfter(map, (field: Record<string, { n: number }>) => {
      for (const each of Object.values(field).slice(-2)) each.n += 0.5;
    });
    expect([edit instanceof StoredObject, [...(edit as StoredObject).children.keys()]]).toEqual([
      true,
      ['key 298', 'key 299'],
    ]);
  });
});

describe('what only the exact diff can decide', () => {
  const id = (n: number) => ({ _id: `id${n}`, a: 1 });
  const cases: [string, unknown, (field: never) => void, object][] = [
    [
      'two elements of one identity',
      [id(1), id(1)],
      (field: Members[]) => void Object.assign(field[1] ?? {}, { a: 2 }),
      { kind: 'positions' },
    ],
    [
      'more edited elements than are searched for',
      Array.from({ length: 400 }, (_, i) => id(i)),
      (field: Members[]) => field.forEach((each) => (each['a'] = 2)),
      { kind: 'set' },
    ],
    [
      'elements with more names than a layout learns',
      Array.from({ length: 200 }, (_, i) => ({ _id: i.toString().padStart(24, '0'), [`key${i}`]: 1, a: 1 })),
      (field: Members[]) => void Object.assign(field[199] ?? {}, { a: 2 }),
      { kind: 'elements' },
    ],
    [
      'an identity that changed',
      [id(1)],
      (field: Members[]) => void Object.assign(field[0] ?? {}, id(2)),
      { removed: [{ _id: 'id1', a: new Int32(1) }] },
    ],
    [
      'null in the place of a rare type',
      { a: new BSON.Timestamp({ t: 1, i: 1 }) },
      (field: Members) => void (field['a'] = null),
      { kind: 'object' },
    ],
    ['a key that is gone', { a: 1, b: 2 }, (field: Members) => void delete field['a'], { kind: 'object' }],
    [
      'keys in another order, of many names',
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`key${i}`, i])),
      (field: Members) => void (delete field['key150'], (field['key150'] = -1)),
      { kind: 'object' },
    ],
    ['an inherited member', { a: 1 }, (field: Members) => void Object.setPrototypeOf(field, null), {}],
    [
      'a new element that is no plain one',
      [1],
      (field: unknown[]) => void field.splice(0, 1, 2, new Map([['a', 1]])),
      { kind: 'set', value: [2, new Map([['a', 1]])] },
    ],
    [
      'a new element that is no plain one, behind texts',
      ['a', 'a'],
      (field: unknown[]) => void field.splice(0, 1, 'b', 'b', 5n),
      { kind: 'set', value: ['b', 'b', 5n, 'a'] },
    ],
  ];

  it.each(cases)('%s', (_, field, change, expected) => {
    const baseline = over({ field, other: 1 });
    change(baseline.get('field') as never);
    baseline.set('other', 2);
    const edit = treeOf(baseline)?.children.get('field');
    expect(edit).not.toBeInstanceOf(StoredObject);
    expect(edit).not.toBeInstanceOf(StoredElements);
    if (Object.keys(expected).length === 0) expect(edit).toBeUndefined();
    else expect(edit).toMatchObject(expected);
  });

  it('a member that every object inherits', () => {
    const baseline = over({ field: { a: 1 } });
    Object.assign(baseline.get('field') as Members, { a: 2 });
    Object.defineProperty(Object.prototype, 'polluted', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    try {
      expect(treeOf(baseline)?.children.get('field')).not.toBeInstanceOf(StoredObject);
    } finally {
      Reflect.deleteProperty(Object.prototype, 'polluted');
    }
  });

  it.each([
    [1, new Int32(1)],
    [2, 2],
  ])('a member that is another value each time, beside %i', (a, stored) => {
    let reads = 0;
    const flaky = {
      a,
      get b() {
        reads += 1;
        return reads % 2 === 1 ? 1 : new Map([['c', reads]]);
      },
    };
    const baseline = over({ field: [{ a: 1, b: 1 }, 2] });
    baseline.set('field', [flaky]);
    const value = treeOf(baseline)?.children.get('field');
    expect(value).toMatchObject({ kind: 'set', value: [{ a: stored }] });
    expect(Object.keys((value as { value: object[] }).value[0] ?? {})).toEqual(['a', 'b']);
  });

  it('is not asked for an array in an array that grew', () => {
    const edit = editAfter([[1], 2], (field: [unknown[]]) => void field[0].push(3));
    expect(edit).toBeInstanceOf(StoredPositions);
    expect((edit as StoredPositions).value).toEqual([[new Int32(1), 3], new Int32(2)]);
  });
});

describe('an edit of elements with identities', () => {
  const items = (...ids: string[]) => ids.map((_id, i) => ({ _id, qty: i }));
  const tree = (): EditTree =>
    treeAfter(over({ field: items('a', 'b') }), (field: Members[]) => void Object.assign(field[1] ?? {}, { qty: 5 }));

  it('finds them where another writer has moved them', () => {
    const newer = over({ field: items('x', 'y', 'a', 'b', 'c') });
    const laid = rebaseEdits(tree(), (name) => newer.exact(name), takeMine);
    if (laid === null) throw new Error('Expected an edit.');
    expect(plan(laid)).toMatchObject({ update: { $set: { 'field.$[e0].qty': 5 } }, arrayFilters: [{ 'e0._id': 'b' }] });
    expect(JSON.stringify(fallback(laid).update)).toContain('{"$literal":"b"}');
  });

  it('keeps what it is where only a part of them was loaded', () => {
    const refuse = (): never => {
      throw new Error('Expected no refusal.');
    };
    const confined = Selection.of(['field.qty']).confine(tree(), refuse);
    expect(confined.children.get('field')).toMatchObject({
      base: [{ _id: 'a' }, { _id: 'b' }],
      value: [{ _id: 'a' }, { _id: 'b', qty: 5 }],
      isPart: true,
    });
    expect(JSON.stringify(fallback(confined).update)).toContain('{"$literal":"b"}');
    const newer = over({ field: items('x', 'b') });
    const laid = rebaseEdits(confined, (name) => newer.exact(name), takeMine);
    expect(laid?.children.get('field')).toMatchObject({ value: [{ _id: 'x' }, { _id: 'b', qty: 5 }], isPart: true });
  });
});

describe('an original that is decoded late', () => {
  it('is what it was, whatever was saved since', () => {
    const tracker = StateTracker.fromBson<{ field: { n: number; text: string }; list: number[] }>(
      BSON.serialize({ field: { n: 0, text: 'zero' }, list: [0] }),
    );
    const baseline = over({ field: { n: 0, text: 'zero' }, list: [0] });
    const trees: EditTree[] = [];
    for (let n = 1; n < 5; n++) {
      const field = baseline.get('field') as Members;
      Object.assign(field, { n, text: 'x'.repeat(n) });
      (baseline.get('list') as number[]).push(n);
      const tree = treeOf(baseline);
      if (tree !== null) baseline.settle(tree);
      if (tree !== null) trees.push(tree);
      expect(baseline.isModified()).toBe(false);
    }
    const bases = trees.map(({ children }) => [...children.values()].map(({ base }) => base));
    const list = (n: number) => Array.from({ length: n }, (_, i) => new Int32(i));
    expect(bases).toEqual(
      [0, 1, 2, 3].map((n) => [{ n: new Int32(n), text: n === 0 ? 'zero' : 'x'.repeat(n) }, list(n + 1)]),
    );
    expect(tracker.isModified()).toBe(false);
  });

  it('keeps no large document for the sake of a small field', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const trees: EditTree[] = [];
    const made = (): WeakRef<ArrayBufferLike> => {
      const bytes = new Uint8Array(BSON.serialize({ field: { n: 1, list: [1] }, large: 'x'.repeat(1_000_000) }));
      const baseline = over({}, bytes);
      trees.push(treeAfter(baseline, (field: { n: number; list: number[] }) => void field.list.push((field.n = 2))));
      return new WeakRef(bytes.buffer);
    };
    const large = made();
    over({ a: 1 }).get('a');
    // A WeakRef holds its target until the turn ends.
    for (let i = 0; i < 10 && large.deref() !== undefined; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
    }
    expect(large.deref()).toBeUndefined();
    expect(trees[0]?.children.get('field')).toMatchObject({
      base: { n: new Int32(1), list: [new Int32(1)] },
      value: { n: 2, list: [new Int32(1), 2] },
    });
  });

  it('lies in the document itself where the field is most of it', () => {
    const field = Array.from({ length: 3000 }, (_, i) => ({ text: `element ${i}`, i }));
    const edit = editAfter(field, (live: { i: number }[]) => void Object.assign(live[7] ?? {}, { i: -1 }));
    expect(edit).toBeInstanceOf(StoredPositions);
    expect((edit as StoredPositions).base[7]).toEqual({ text: 'element 7', i: new Int32(7) });
  });
});

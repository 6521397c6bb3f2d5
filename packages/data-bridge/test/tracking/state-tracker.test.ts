import { Binary, BSON, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { CorruptBsonError, EncodeError, UsageError } from '../../src/errors.ts';
import { StateTracker } from '../../src/tracking/state-tracker.ts';

interface Person {
  name: string;
  age?: number;
  tags: string[];
  address: { city: string; zip?: string };
  when: Date;
  blob: Binary;
}

const person = (): Person => ({
  name: 'Ann',
  age: 30,
  tags: ['a', 'b'],
  address: { city: 'Rome', zip: '1' },
  when: new Date(0),
  blob: new Binary(Buffer.of(1, 2)),
});

const kinds: [string, (data: object) => StateTracker<never>][] = [
  ['a plain object', (data) => new StateTracker(data) as StateTracker<never>],
  ['bytes', (data) => StateTracker.fromBson(BSON.serialize(data))],
];

it('a StateTracker is over an object, or bytes', () => {
  for (const value of [null, 5, 'x', undefined]) {
    expect(() => new StateTracker(value as never)).toThrow(UsageError);
    expect(() => StateTracker.fromBson(value as never)).toThrow(UsageError);
  }
});

describe.each(kinds)('StateTracker over %s', (_, make) => {
  const over = (data: object = person()) => make(data) as unknown as StateTracker<Person & Record<string, unknown>>;

  it('sees every kind of change in place', () => {
    const changes: ((tracker: StateTracker<Person & Record<string, unknown>>) => unknown)[] = [
      (tracker) => (tracker.get('address').city = 'Oslo'),
      (tracker) => delete tracker.get('address').zip,
      (tracker) => Object.assign(tracker.get('address'), { country: 'IT' }),
      (tracker) => tracker.get('tags').push('c'),
      (tracker) => tracker.get('tags').reverse(),
      (tracker) => (tracker.get('tags').length = 0),
      (tracker) => tracker.get('when').setFullYear(1999),
      (tracker) => (tracker.get('blob').buffer[0] = 9),
    ];
    for (const change of changes) {
      const tracker = over();
      change(tracker);
      expect(tracker.isModified()).toBe(true);
      expect(tracker.changedFields()).toHaveLength(1);
      tracker.reset();
      expect(tracker.isModified()).toBe(false);
    }
  });

  it('sees a change of a container that was set and is changed later', () => {
    const tracker = over();
    const tags = ['x'];
    tracker.set('tags', tags);
    tracker.reset();
    tags.push('y');
    expect(tracker.isModified('tags')).toBe(true);
    expect(tracker.toUpdate()?.update).toEqual({ $push: { tags: { $each: ['y'] } } });
  });

  it('is clean when a change in place is taken back', () => {
    const tracker = over();
    tracker.get('tags').push('c');
    tracker.get('tags').pop();
    tracker.get('address').zip = '2';
    tracker.get('address').zip = '1';
    expect(tracker.isModified()).toBe(false);
  });

  it('takes the order of keys for no change', () => {
    const tracker = over();
    tracker.set('address', { zip: '1', city: 'Rome' });
    expect(tracker.isModified()).toBe(false);
  });

  it('takes undefined for absent in objects and for null in arrays', () => {
    const tracker = over({ object: { a: 1 }, array: [null] });
    tracker.set('object', { a: 1, b: undefined });
    tracker.set('array', [undefined]);
    expect(tracker.isModified()).toBe(false);
    tracker.set('object', undefined);
    expect([tracker.has('object'), tracker.get('object')]).toEqual([false, undefined]);
    expect(tracker.getChanges()).toStrictEqual({ object: undefined });
    expect(tracker.toUpdate()?.update).toEqual({ $unset: { object: '' } });
  });

  it('distinguishes 0 and -0, and NaN equals NaN', () => {
    const tracker = over({ zero: 0, nan: Number.NaN });
    tracker.set('nan', Number.NaN);
    expect(tracker.isModified()).toBe(false);
    tracker.set('zero', -0);
    expect(tracker.changedFields()).toEqual(['zero']);
  });

  it('deletes, and takes back', () => {
    const tracker = over();
    tracker.delete('age');
    expect([tracker.has('age'), tracker.get('age'), tracker.keys().includes('age')]).toEqual([false, undefined, false]);
    expect(tracker.changes()).toEqual([{ path: 'age', keys: ['age'], from: 30, to: undefined }]);
    tracker.set('age', 30);
    expect(tracker.isModified()).toBe(false);
    tracker.delete('age');
    tracker.reset();
    expect([tracker.has('age'), tracker.isModified(), 'age' in tracker.toObject()]).toEqual([false, false, false]);
  });

  it('takes a deletion of what is not there for no change', () => {
    const tracker = over();
    tracker.delete('nothing');
    expect([tracker.isModified(), tracker.isModified('nothing'), tracker.toUpdate()]).toEqual([false, false, null]);
    tracker.reset();
    expect(tracker.keys()).toEqual(Object.keys(person()));
  });

  it('lists the fields in document order, new ones last', () => {
    const tracker = over();
    tracker.set('new', 1);
    tracker.set('name', 'Bob');
    tracker.delete('tags');
    expect(tracker.keys()).toEqual(['name', 'age', 'address', 'when', 'blob', 'new']);
  });

  it('rolls one field back and leaves the others', () => {
    const tracker = over();
    const tags = tracker.get('tags');
    tags.push('c');
    tracker.set('name', 'Bob');
    tracker.rollback('tags');
    tracker.rollback('age');
    expect([tracker.get('tags'), tracker.get('name')]).toEqual([['a', 'b'], 'Bob']);
    tags.push('detached');
    expect(tracker.changedFields()).toEqual(['name']);
  });

  it('keeps the containers that were handed out over a reset', () => {
    const tracker = over();
    const tags = tracker.get('tags');
    tags.push('c');
    tracker.reset();
    expect(tracker.get('tags')).toBe(tags);
    tags.push('d');
    expect(tracker.toUpdate()?.update).toEqual({ $push: { tags: { $each: ['d'] } } });
    tracker.rollback();
    expect(tracker.get('tags')).toEqual(['a', 'b', 'c']);
  });

  it('gives copies of originals and in toObject()', () => {
    const tracker = over();
    tracker.getOriginal('tags')?.push('x');
    tracker.toObject().tags.push('x');
    tracker.get('tags').push('c');
    tracker.toObject().tags.push('x');
    expect(tracker.toObject()).toEqual({ ...person(), tags: ['a', 'b', 'c'] });
    expect(tracker.getOriginal('tags')).toEqual(['a', 'b']);
  });

  it('gives the changes as precisely as possible', () => {
    const tracker = over({ address: { city: 'Rome', geo: { lat: 1 } }, items: [{ qty: 1 }, { qty: 2 }], list: ['a'] });
    const address = tracker.get('address') as unknown as { city?: string; geo: { lat: number } };
    delete address.city;
    address.geo.lat = 2;
    const [, second] = tracker.get('items') as { qty: number }[];
    if (second !== undefined) second.qty = 5;
    (tracker.get('list') as string[]).push('b');
    expect(tracker.changes()).toEqual([
      { path: 'address.geo.lat', keys: ['address', 'geo', 'lat'], from: 1, to: 2 },
      { path: 'address.city', keys: ['address', 'city'], from: 'Rome', to: undefined },
      { path: 'items.1.qty', keys: ['items', 1, 'qty'], from: 2, to: 5 },
      { path: 'list', keys: ['list'], from: ['a'], to: ['a', 'b'] },
    ]);
  });

  it.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['an invalid Date', new Date(Number.NaN)],
    ['a Set', new Set()],
    ['a lone surrogate', '\ud800'],
    ['a large bigint', 2n ** 63n],
  ])('refuses %s, and stays as it was', (_name, value) => {
    const tracker = over();
    tracker.get('tags').push('c');
    tracker.set('inner', { list: [value] });
    for (const call of [() => tracker.toUpdate(), () => tracker.changes(), () => tracker.reset()]) {
      expect(call).toThrow(EncodeError);
      expect(call).toThrow('"inner.list.0"');
    }
    expect(tracker.changedFields().toSorted()).toEqual(['inner', 'tags']);
    tracker.delete('inner');
    expect(tracker.toUpdate()?.update).toEqual({ $push: { tags: { $each: ['c'] } } });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'a.b', '$x', '0', 'length'])(
    'is safe under the key "%s"',
    (key) => {
      const hostile = JSON.parse(`{${JSON.stringify(key)}:{"city":"Rome"},"other":1}`) as Record<string, unknown>;
      const tracker = over(hostile);
      expect(over({ other: 1 }).get(key)).toBeUndefined();
      expect([over({ other: 1 }).has(key), over({ other: 1 }).isModified(key)]).toEqual([false, false]);
      expect([tracker.has(key), tracker.get(key)]).toEqual([true, { city: 'Rome' }]);
      (tracker.get(key) as { city: string }).city = 'Oslo';
      expect(tracker.changedFields()).toEqual([key]);
      expect(Object.entries(tracker.getChanges())).toEqual([[key, { city: 'Oslo' }]]);
      expect(tracker.getOriginal(key)).toEqual({ city: 'Rome' });
      expect(Object.keys(tracker.toObject()).toSorted()).toEqual([key, 'other'].toSorted());
      expect(tracker.toUpdate()).not.toBeNull();
      tracker.reset();
      tracker.set(key, 5);
      expect(tracker.changes()).toEqual([{ path: key, keys: [key], from: { city: 'Oslo' }, to: 5 }]);
      tracker.delete(key);
      expect(tracker.has(key)).toBe(false);
      tracker.rollback();
      expect(tracker.get(key)).toEqual({ city: 'Oslo' });
      expect('city' in {}).toBe(false);
    },
  );

  it('shows itself', () => {
    const tracker = over({ id: ObjectId.createFromHexString('507f1f77bcf86cd799439011'), long: Long.fromNumber(5) });
    tracker.set('name', 'Bob');
    expect(JSON.parse(JSON.stringify(tracker))).toMatchObject({ id: '507f1f77bcf86cd799439011', name: 'Bob' });
    expect(inspect(tracker)).toBe("StateTracker { modified: true, changed: [ 'name' ] }");
  });
});

describe('StateTracker over bytes', () => {
  it('reads and keeps the types that are stored', () => {
    const tracker = StateTracker.fromBson(
      BSON.serialize({ int: new Int32(1), double: new Double(1), long: Long.fromNumber(1), list: [new Double(1), 2] }),
    );
    expect([tracker.get('int'), tracker.get('double'), tracker.get('long')]).toEqual([1, 1, 1]);
    tracker.set('double', 2);
    tracker.set('long', 2);
    (tracker.get('list') as unknown[])[1] = 'x';
    expect(tracker.toUpdate()?.update).toEqual({
      $set: { double: new Double(2), long: Long.fromNumber(2), 'list.1': 'x' },
    });
  });

  it('takes the options of the driver', () => {
    const bytes = BSON.serialize({ long: Long.fromNumber(5), bytes: Buffer.of(1) });
    const tracker = StateTracker.fromBson(bytes, { useBigInt64: true, promoteBuffers: true });
    expect(tracker.get('long')).toBe(5n);
    expect(Buffer.isBuffer(tracker.get('bytes'))).toBe(true);
  });

  it('shares a layout when it is given one', () => {
    const layout = new Layout({}, ['name']);
    const trackers = ['Ann', 'Bob'].map((name) => StateTracker.fromBson(BSON.serialize({ x: 1, name }), { layout }));
    expect(trackers.map((tracker) => tracker.get('name'))).toEqual(['Ann', 'Bob']);
  });

  it('takes the first document of longer bytes', () => {
    const tracker = StateTracker.fromBson(Buffer.concat([BSON.serialize({ a: 1 }), Buffer.of(1, 2, 3)]));
    expect(tracker.toObject()).toEqual({ a: 1 });
  });

  it('refuses what is no document', () => {
    expect(() => StateTracker.fromBson(Buffer.of(1, 2, 3))).toThrow(CorruptBsonError);
  });

  it('finds damage inside a field when the field is read', () => {
    const bytes = BSON.serialize({ good: 1, bad: { inner: 'text' } });
    bytes[Buffer.from(bytes).indexOf('text') - 4] = 99;
    const tracker = StateTracker.fromBson(bytes);
    expect(tracker.get('good')).toBe(1);
    expect(() => tracker.get('bad')).toThrow(CorruptBsonError);
  });

  it('says a decimal as it is stored', () => {
    const tracker = StateTracker.fromBson(BSON.serialize({ price: Decimal128.fromString('1.50') }));
    tracker.set('price', Decimal128.fromString('1.5'));
    expect(tracker.isModified('price')).toBe(true);
  });
});

describe('the types of StateTracker', () => {
  it('are those of the fields', () => {
    const tracker = new StateTracker(person());
    expectTypeOf(tracker.get('age')).toEqualTypeOf<number | undefined>();
    expectTypeOf(tracker.getOriginal('tags')).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(tracker.getChanges()).toEqualTypeOf<Partial<Person>>();
    // @ts-expect-error -- a number is no name
    tracker.set('name', 5);
    // @ts-expect-error -- there is no such field
    expect(tracker.get('nothing')).toBeUndefined();
    expect(StateTracker.fromBson(BSON.serialize({})).get('anything')).toBeUndefined();
  });

  it('takes a layout or options', () => {
    const bytes = BSON.serialize({ a: 1 });
    expect(() => StateTracker.fromBson(bytes, { layout: new Layout(), promoteLongs: false })).toThrow('not both');
    expect(StateTracker.fromBson(bytes, { promoteValues: false }).get('a')).toEqual(new BSON.Int32(1));
  });

  it('refuses options beside a layout that has its own', () => {
    const empty = Uint8Array.of(5, 0, 0, 0, 0);
    expect(() => StateTracker.fromBson(empty, { layout: new Layout(), promoteValues: false })).toThrow(UsageError);
  });

  it('sees a BSON value that was changed in place', () => {
    const tracker = new StateTracker({ n: new Int32(1) });
    tracker.get('n').value = 2;
    expect(tracker.changedFields()).toEqual(['n']);
  });

  it('copies a class instance in toObject()', () => {
    class Point {
      at = { x: 1 };
    }
    const point = new Point();
    new StateTracker(point).toObject().at.x = 2;
    expect(point.at.x).toBe(1);
  });

  it('reads the last of several values of one name', () => {
    const element = (i: number, value: number) => [0x08, ...Buffer.from(`f${i}\0`), value];
    const elements = [0, 1].flatMap((value) => Array.from({ length: 200 }, (_, i) => element(i, value)).flat());
    const bytes = Buffer.from([0, 0, 0, 0, ...elements, 0]);
    bytes.writeInt32LE(bytes.length);
    const tracker = StateTracker.fromBson(bytes);
    const values = Array.from({ length: 201 }, (_, i) => tracker.get(`f${i}`));
    expect(values).toEqual([...Array.from({ length: 200 }, () => true), undefined]);
  });
});

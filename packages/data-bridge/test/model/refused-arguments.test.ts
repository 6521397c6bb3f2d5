import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  connect,
  DataBridgeError,
  intersects,
  model,
  near,
  StateTracker,
  UsageError,
  withinBox,
  withinCircle,
  withinPolygon,
} from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

/* What the compiler would refuse is refused at run time, too, by an error of this package that says what was asked for. */

class Item extends model('items', { name: z.string().optional(), tags: z.array(z.string()).default([]) }) {}

useDatabase();
let item: Item;
beforeAll(async () => {
  item = await Item.create({ name: 'first' });
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const values: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['null', null],
  ['a number', 5],
  ['a string', 'x'],
  ['a boolean', true],
  ['a symbol', Symbol('x')],
  ['a function', () => 1],
  ['an array', [1]],
  ['an object', { some: 1 }],
  ['a Map', new Map([['name', 'x']])],
  ['a Date', new Date(0)],
  ['a promise', Promise.resolve({ name: 'x' })],
  ['bytes', Uint8Array.of(1, 2, 3)],
  ['a cycle', cyclic],
]);

type Call = (value: never) => unknown;
const filters = new Set(['an object']);

/** What is called, and what of those values it takes. */
const calls: Record<string, readonly [Call, ReadonlySet<string>?]> = {
  'model() as name': [(value) => model(value, {}), new Set(['a string'])],
  'model() as fields': [(value) => model('m', value), new Set()],
  new: [(value) => new Item(value), new Set(['an object', 'a cycle'])],
  'create()': [(value) => Item.create(value)],
  'insertMany()': [(value) => Item.insertMany(value)],
  'insertMany() as return': [(value) => Item.insertMany([], { return: value })],
  'saveAll()': [(value) => Item.saveAll(value)],
  'hydrate()': [(value) => Item.hydrate(value), new Set(['an object'])],
  'using()': [(value) => Item.using(value)],
  'find()': [(value) => Item.find(value), filters],
  'findOne()': [(value) => Item.findOne(value), filters],
  'findBy()': [(value) => Item.findBy(value), filters],
  'deleteMany()': [(value) => Item.deleteMany(value), filters],
  'updateMany() as filter': [(value) => Item.updateMany(value, { $set: { name: 'y' } }), filters],
  'updateMany() as update': [(value) => Item.updateMany({ name: 'none' }, value)],
  'updateOne() as arrayFilters': [
    (value) => Item.updateOne({ name: 'none' }, { $set: { 'tags.$[e]': 'y' } }, { arrayFilters: value }),
  ],
  // The object's key is no field of the schema.
  'an operand of updateOne()': [(value) => Item.updateOne({ name: 'none' }, { $set: value })],
  $expr: [
    (value) => Item.find({ $expr: value }),
    new Set(['null', 'a number', 'a string', 'a boolean', 'an array', 'an object', 'a Map', 'a Date', 'bytes']),
  ],
  'distinct()': [(value) => Item.distinct(value), new Set(['a string'])],
  'sort()': [(value) => Item.find().sort(value), new Set(['a string', 'an array', 'an object', 'a Date', 'a promise'])],
  'limit()': [(value) => Item.find().limit(value), new Set(['a number'])],
  'select()': [(value) => Item.find().select(value), new Set(['a string'])],
  'map()': [(value) => Item.find().map(value), new Set(['a function'])],
  'forEach()': [(value) => Item.find().forEach(value), new Set(['a function'])],
  // A Map has a size.
  'page()': [(value) => Item.find().page(value), new Set(['a Map'])],
  'get()': [(value) => item.get(value), new Set(['a string'])],
  'set()': [(value) => item.set(value, 1), new Set(['a string'])],
  'unset()': [(value) => item.unset(value), new Set(['a string'])],
  'isModified()': [(value) => item.isModified(value), new Set(['a string'])],
  'rollback()': [(value) => item.rollback(value), new Set(['a string'])],
  '$inc()': [(value) => item.$inc(value), new Set(['a string'])],
  'new StateTracker()': [
    (value) => new StateTracker(value),
    new Set(['an object', 'a Map', 'a Date', 'a promise', 'bytes', 'a cycle', 'an array']),
  ],
  'fromBson()': [(value) => StateTracker.fromBson(value)],
  'connect()': [(value) => connect(value, { serverSelectionTimeoutMS: 50 })],
  'near()': [(value) => near(value)],
  'withinBox()': [(value) => withinBox(value, [0, 0])],
  'withinCircle()': [(value) => withinCircle(value, { meters: 1 })],
  'withinPolygon()': [(value) => withinPolygon(value)],
  'intersects()': [(value) => intersects(value), new Set(['an object', 'a cycle'])],
};

describe.each(Object.entries(calls))('%s', (_, [call, taken]) => {
  it.each([...values])('given %s', async (name, value) => {
    const error: unknown = await Promise.resolve()
      .then(() => call(value as never))
      .then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
    if (taken?.has(name) === true) expect(error).toBeUndefined();
    else expect(error).toBeInstanceOf(DataBridgeError);
    item.rollback();
  });
});

it('save() refuses an upsert, which would store a part of a document', async () => {
  item.name = 'second';
  await expect(item.save({ upsert: true } as object)).rejects.toThrow(UsageError);
  item.rollback();
});

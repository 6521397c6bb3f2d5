import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, StateTracker } from '../../src/index.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

const person = () => ({ name: 'Alice', age: 30, email: 'alice@example.com' });

describe('StateTracker', () => {
  it('STATE-01 starts clean', () => {
    const tracker = new StateTracker({ name: 'Alice', age: 30 });
    expect(tracker.isModified()).toBe(false);
    expect(tracker.changedFields()).toEqual([]);
  });

  it('STATE-02 hands out the very object that it was made over', () => {
    const address = { city: 'Rome' };
    expect(new StateTracker({ address }).get('address')).toBe(address);
  });

  it('STATE-03 knows that a field was set, and what it was', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    expect(tracker.isModified()).toBe(true);
    expect(tracker.isModified('name')).toBe(true);
    expect(tracker.getOriginal('name')).toBe('Alice');
  });

  it('STATE-04 knows each field by itself, and no change of a field that is not there', () => {
    const tracker = new StateTracker<Record<string, unknown>>(person());
    tracker.set('name', 'Bob');
    expect(tracker.isModified('age')).toBe(false);
    expect(tracker.isModified('nonexistent')).toBe(false);
  });

  it('STATE-05 lists exactly the changed fields', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('age', 35);
    expect(tracker.changedFields().toSorted()).toEqual(['age', 'name']);
    expect(tracker.isModified('email')).toBe(false);
  });

  it('STATE-06 keeps the first original over sets in a row', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('name', 'Charlie');
    expect(tracker.getOriginal('name')).toBe('Alice');
  });

  it('STATE-07 gives the new values of the changed fields only', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('age', 35);
    expect(tracker.getChanges()).toStrictEqual({ name: 'Bob', age: 35 });
  });

  it('STATE-08 says them as one update, and nothing when clean', () => {
    const tracker = new StateTracker(person());
    expect(tracker.toUpdate()).toBeNull();
    tracker.set('name', 'Bob');
    tracker.set('age', 35);
    expect(tracker.toUpdate()?.update).toEqual({ $set: { name: 'Bob', age: 35 } });
  });

  it('STATE-09 gives an empty object for no changes', () => {
    expect(new StateTracker(person()).getChanges()).toStrictEqual({});
  });

  it('STATE-10 goes by the value', () => {
    const tracker = new StateTracker(person());
    expect(tracker.isModified('name')).toBe(false);
    tracker.set('name', 'Bob');
    expect(tracker.isModified('name')).toBe(true);
    expect(tracker.isModified('age')).toBe(false);
  });

  it('STATE-11 is clean again when a field is set back', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('name', 'Alice');
    expect(tracker.isModified('name')).toBe(false);
    expect(tracker.toUpdate()).toBeNull();
  });

  it('STATE-12 rolls one set back', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.rollback();
    expect(tracker.get('name')).toBe('Alice');
    expect(tracker.isModified()).toBe(false);
  });

  it('STATE-13 rolls several sets back', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('age', 35);
    tracker.rollback();
    expect([tracker.get('name'), tracker.get('age')]).toEqual(['Alice', 30]);
    expect(tracker.changedFields()).toEqual([]);
  });

  it('STATE-14 keeps nothing after a rollback', () => {
    const data = person();
    const tracker = new StateTracker(data);
    tracker.set('name', 'Bob');
    tracker.rollback();
    expect(tracker.getChanges()).toStrictEqual({});
    expect(tracker.toUpdate()).toBeNull();
    data.name = 'Zoe';
    // An original that is not kept is what the object holds.
    expect(tracker.getOriginal('name')).toBe('Zoe');
  });

  it('STATE-15 makes the new value the baseline on reset', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.reset();
    expect(tracker.get('name')).toBe('Bob');
    expect(tracker.isModified()).toBe(false);
    expect(tracker.changedFields()).toEqual([]);
  });

  it('STATE-16 rolls back to the last reset', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.reset();
    tracker.set('name', 'Charlie');
    tracker.rollback();
    expect(tracker.get('name')).toBe('Bob');
  });

  it('STATE-17 gives the current value as the original of a clean field', () => {
    const tracker = new StateTracker(person());
    for (const [field, value] of Object.entries(person())) expect(tracker.getOriginal(field as 'name')).toBe(value);
  });

  it('STATE-18 gives old values of changed fields and current values of the others', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.set('age', 35);
    expect([tracker.getOriginal('name'), tracker.getOriginal('age')]).toEqual(['Alice', 30]);
    expect(tracker.getOriginal('email')).toBe('alice@example.com');
  });

  it('STATE-19 gives the data as first handed in after a set and a rollback', () => {
    const tracker = new StateTracker(person());
    tracker.set('name', 'Bob');
    tracker.rollback();
    for (const [field, value] of Object.entries(person())) expect(tracker.getOriginal(field as 'name')).toBe(value);
  });

  it('STATE-20 takes a new field', () => {
    const tracker = new StateTracker<{ name: string; age?: number }>({ name: 'Alice' });
    tracker.set('age', 30);
    expect(tracker.isModified('age')).toBe(true);
    expect(tracker.getOriginal('age')).toBeUndefined();
    expect(tracker.getChanges()).toStrictEqual({ age: 30 });
  });

  it('STATE-21 takes a new field out again on rollback', () => {
    const data: { name: string; age?: number } = { name: 'Alice' };
    const tracker = new StateTracker(data);
    tracker.set('age', 30);
    tracker.rollback();
    expect(tracker.has('age')).toBe(false);
    expect(Object.keys(data)).toEqual(['name']);
  });

  it('STATE-22 looks for changes in place once an object was handed out', () => {
    const address = { city: 'Rome' };
    const tracker = new StateTracker({ address });
    address.city = 'Oslo';
    expect(tracker.isModified()).toBe(false);
    tracker.get('address').city = 'Bern';
    expect(tracker.isModified()).toBe(true);
    expect(tracker.getOriginal('address')).toEqual({ city: 'Oslo' });
  });

  it('STATE-23 keeps both arrays when one is set over another', () => {
    const tracker = new StateTracker({ tags: ['a', 'b'] });
    tracker.set('tags', ['a', 'b', 'c']);
    expect(tracker.getOriginal('tags')).toEqual(['a', 'b']);
    expect(tracker.getChanges().tags).toEqual(['a', 'b', 'c']);
  });

  it('STATE-25 keeps originals of the written fields only', () => {
    const fields = Array.from({ length: 100 }, (_, i): [string, number] => [`field${i}`, i]);
    const data = Object.fromEntries(fields);
    const tracker = new StateTracker(data);
    tracker.set('field0', 999);
    tracker.set('field50', 888);
    expect(tracker.getChanges()).toStrictEqual({ field0: 999, field50: 888 });
    for (const [field] of fields) data[field] = -1;
    // An original that is not kept is what the object holds.
    const kept = fields.map(([field]) => tracker.getOriginal(field)).filter((original) => original !== -1);
    expect(kept).toEqual([0, 50]);
  });

  it('STATE-26 takes a thousand changed fields', () => {
    const tracker = new StateTracker<Record<string, number>>({});
    for (let i = 0; i < 1000; i++) tracker.set(`field${i}`, i);
    expect(tracker.changedFields()).toHaveLength(1000);
  });
});

describe('a document', () => {
  class Item extends model('items', {
    name: z.string(),
    value: z.int(),
    status: z.string().default('new'),
  }) {}

  const database = useDatabase();

  const stored = async () => {
    const { _id } = await Item.create({ name: 'Original', value: 10 });
    const item = await Item.findById(_id);
    database.sent();
    if (item === null) throw new Error('Expected the document to be stored');
    return item;
  };

  it('STATE-24 shows its state to console.log', async () => {
    const item = await stored();
    expect(inspect(item.$state)).toMatch(/StateTracker.*modified: false/s);
    item.name = 'Modified';
    expect(inspect(item.$state)).toMatch(/StateTracker.*modified: true.*name/s);
  });

  it('STATE-27 is clean after each save and modified in between', async () => {
    const item = new Item({ name: 'Original', value: 10 });
    await item.save();
    expect(item.isModified()).toBe(false);
    item.name = 'Modified';
    expect(item.isModified()).toBe(true);
    await item.save();
    expect(item.isModified()).toBe(false);
  });

  it('STATE-28 knows the modified field from the others', async () => {
    const item = await stored();
    item.name = 'Modified';
    expect(item.isModified('name')).toBe(true);
    expect(item.isModified('value')).toBe(false);
  });

  it('STATE-29 gives the assigned fields as changes, and no others', async () => {
    const item = await stored();
    item.name = 'Modified';
    item.value = 20;
    expect(item.$state.getChanges()).toStrictEqual({ name: 'Modified', value: 20 });
  });

  it('STATE-30 sends the changed field alone', async () => {
    const item = await stored();
    item.name = 'Modified';
    await item.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { name: 'Modified' } });
  });

  it('STATE-31 shows what the last save wrote', async () => {
    const item = await stored();
    item.name = 'Modified';
    await item.save();
    expect(item.$previousChanges()).toEqual([{ path: 'name', keys: ['name'], from: 'Original', to: 'Modified' }]);
    item.value = 20;
    await item.save();
    expect(item.$previousChanges()).toEqual([{ path: 'value', keys: ['value'], from: 10, to: 20 }]);
  });

  it('STATE-32 rolls back through its state', async () => {
    const item = await stored();
    item.name = 'Modified';
    item.value = 20;
    item.$state.rollback();
    expect([item.name, item.value]).toEqual(['Original', 10]);
    expect(item.isModified()).toBe(false);
  });

  it('STATE-33 is clean when loaded, and has one change after one assignment', async () => {
    const item = await stored();
    expect(item.isModified()).toBe(false);
    item.name = 'Modified';
    expect(item.$state.getChanges()).toStrictEqual({ name: 'Modified' });
  });
});

import { once } from 'node:events';
import { ObjectId } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, UsageError, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Person extends model('people', {
  name: z.string(),
  email: z.email().optional(),
  age: z.number().min(0).default(18),
}) {}

const database = useDatabase();
beforeEach(async () => {
  await Person.deleteMany({});
  database.sent();
});

const names = async (): Promise<string[]> => (await Person.find().sort({ name: 1 })).map(({ name }) => name);

describe('insertMany() for ids', () => {
  it('BULK-01 gives an ObjectId for each plain object', async () => {
    const ids = await Person.insertMany([{ name: 'a' }, { name: 'b' }, { name: 'c' }], { return: 'ids' });
    expect(ids).toEqual([expect.any(ObjectId), expect.any(ObjectId), expect.any(ObjectId)]);
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it("BULK-02 gives the ids of instances, which are the instances' own", async () => {
    const people = [new Person({ name: 'a' }), new Person({ name: 'b' })];
    const ids = await Person.insertMany(people, { return: 'ids' });
    expect(ids).toEqual(people.map(({ _id }) => _id));
    expect(people.map((person) => [person.$isNew, person.isModified()])).toEqual(Array(2).fill([false, false]));
  });

  it('BULK-03 takes instances and plain objects together', async () => {
    const [first, last] = [new Person({ name: 'a' }), new Person({ name: 'c' })];
    const ids = await Person.insertMany([first, { name: 'b' }, last], { return: 'ids' });
    expect([ids.length, ids[0], ids[2]]).toEqual([3, first._id, last._id]);
    expect(await names()).toEqual(['a', 'b', 'c']);
  });

  it('BULK-04 gives an array of ids and nothing else', async () => {
    const ids = await Person.insertMany([{ name: 'a' }, { name: 'b' }], { return: 'ids' });
    expect(Array.isArray(ids) && ids.length === 2 && ids.every((id) => id instanceof ObjectId)).toBe(true);
  });

  it('BULK-07 stores what a rule forbids where validation is off', async () => {
    expect(await Person.insertMany([{ name: 'a', age: -5 }], { validate: false, return: 'ids' })).toHaveLength(1);
    expect((await Person.findOne({ name: 'a' }))?.age).toBe(-5);
  });

  it('BULK-10 gives the ids of two valid objects', async () => {
    expect(await Person.insertMany([{ name: 'a' }, { name: 'b', age: 3 }], { return: 'ids' })).toHaveLength(2);
  });

  it('BULK-11 keeps every value', async () => {
    const inputs = [1, 2, 3].map((age) => ({ name: `n${age}`, email: `n${age}@example.com`, age }));
    const ids = await Person.insertMany(inputs, { validate: false, return: 'ids' });
    for (const input of inputs) {
      const found = await Person.findOne({ email: input.email });
      expect(found).toMatchObject(input);
      expect(ids.some((id) => id.equals(found?._id))).toBe(true);
    }
  });

  it('BULK-13 stores a hundred', async () => {
    const inputs = Array.from({ length: 100 }, (_, i) => ({ name: `n${i}` }));
    expect(await Person.insertMany(inputs, { return: 'ids' })).toHaveLength(100);
    expect(await Person.count()).toBe(100);
  });
});

describe('insertMany() for documents', () => {
  it('BULK-05 gives instances in order', async () => {
    const people = await Person.insertMany([{ name: 'b' }, { name: 'a' }]);
    expect(people.map((person) => [person instanceof Person, person.name, person._id instanceof ObjectId])).toEqual([
      [true, 'b', true],
      [true, 'a', true],
    ]);
  });

  it('BULK-06 gives back the very instances that it was passed', async () => {
    const person = new Person({ name: 'a' });
    const [first, second] = await Person.insertMany([person, { name: 'b' }]);
    expect(first).toBe(person);
    expect(second).toBeInstanceOf(Person);
  });

  it('BULK-08 refuses what a rule forbids', async () => {
    await expect(Person.insertMany([{ name: 'a', age: -5 }])).rejects.toThrow(ValidationError);
  });

  it('BULK-09 stores none where one is invalid, and says which', async () => {
    const inserting = Person.insertMany([{ name: 'a' }, { name: 'b', age: -5 }, { name: 'c' }]);
    await expect(inserting).rejects.toMatchObject({ issues: [{ keys: [1, 'age'], path: '1.age' }] });
    expect(database.sent()).toEqual([]);
    expect(await Person.count()).toBe(0);
  });

  it('BULK-12 gives nothing for nothing', async () => {
    expect(await Person.insertMany([])).toEqual([]);
    expect(await Person.insertMany([], { return: 'ids', validate: false })).toEqual([]);
    expect(database.sent()).toEqual([]);
  });

  it('leaves documents as create() does: clean, with what the program holds in its hands', async () => {
    class Tagged extends model('tagged', { tags: z.array(z.string()), at: z.date(), note: z.string().optional() }) {}
    const tagged = new Tagged({ tags: ['a'], at: new Date(5), note: 'x' });
    const { tags, at } = tagged;
    await Tagged.insertMany([tagged]);
    expect([tagged.tags === tags, tagged.at === at, tagged.isModified()]).toEqual([true, true, false]);
    tags.push('b');
    at.setTime(6);
    expect(tagged.$state.changedFields().toSorted()).toEqual(['at', 'tags']);
    await tagged.save();
    expect(await Tagged.findById(tagged._id)).toMatchObject({ tags: ['a', 'b'], at: new Date(6), note: 'x' });
  });
});

describe('insertMany() of plain inputs that are neither validated nor given back', () => {
  class Note extends model(
    'notes',
    { text: z.string(), count: z.number().default(7), extra: z.unknown() },
    { timestamps: true },
  ) {}
  const send = (inputs: readonly object[]) => Note.insertMany(inputs as never[], { validate: false, return: 'ids' });

  it('stores the same as it does for documents', async () => {
    const _id = new ObjectId();
    const inputs = [
      { text: 'a' },
      { _id, text: 'b', count: undefined },
      { _id: '0123456789abcdef01234567', text: 'c' },
    ];
    const ids = await send(inputs);
    expect(ids.map(String)).toEqual([expect.any(String), String(_id), '0123456789abcdef01234567']);
    const found = await database.db.collection('notes').find().toArray();
    expect(found.map(({ text, count }) => [text, count])).toEqual([
      ['a', 7],
      ['b', 7],
      ['c', 7],
    ]);
    expect(found.every(({ createdAt, updatedAt }) => createdAt instanceof Date && updatedAt instanceof Date)).toBe(
      true,
    );
    expect(inputs[0]).toEqual({ text: 'a' });
  });

  it('stores nothing that BSON cannot hold, and says where it is', async () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const extra of [() => 1, new Date(Number.NaN), new Set(), circle, { a: ['\ud800'] }, { '\ud800': 1 }]) {
      await expect(send([{ text: 'odd' }, { text: 'odd', extra }])).rejects.toThrow(EncodeError);
    }
    expect(await Note.count({ text: 'odd' })).toBe(0);
  });

  it.each(['documents', 'ids'] as const)(
    'gives the times of the model where its keys are dropped, for %s',
    async (kind) => {
      class Dropping extends model('dropping', { text: z.string() }, { timestamps: true, unknown: 'drop' }) {}
      await Dropping.deleteMany({});
      const input = { text: 'a', createdAt: new Date(5), updatedAt: new Date(6) };
      await Dropping.insertMany([input as never], { validate: false, return: kind });
      const { createdAt, updatedAt } = (await Dropping.findOne()) ?? {};
      expect(Number(createdAt)).toBeGreaterThan(6);
      expect(updatedAt).toEqual(createdAt);
      await Dropping.deleteMany({});
      await Dropping.insertMany([input as never], { validate: false, return: kind, timestamps: false });
      expect(await Dropping.findOne()).toMatchObject({ createdAt: new Date(5), updatedAt: new Date(6) });
    },
  );

  it('runs the constructor of a class that has one', async () => {
    class Slugged extends model('slugged', { name: z.string(), slug: z.string().optional() }) {
      constructor(input: { name: string; slug?: string }) {
        super(input);
        if (this.$isNew) this.slug = this.name.toLowerCase();
      }
    }
    await Slugged.insertMany([{ name: 'Ann' }], { validate: false, return: 'ids' });
    expect((await database.db.collection('slugged').findOne())?.['slug']).toBe('ann');
  });
});

describe('insertMany() and other operations', () => {
  it('waits for a save that is under way, and then finds the document stored', async () => {
    const person = new Person({ name: 'a' });
    const results = await Promise.allSettled([person.save(), Person.insertMany([person])]);
    expect(results).toMatchObject([{ status: 'fulfilled' }, { reason: expect.any(UsageError) }]);
    expect(await Person.count()).toBe(1);
  });

  it('makes a save wait, which sends what was changed meanwhile', async () => {
    const person = new Person({ name: 'a' });
    const inserting = Person.insertMany([person]);
    const saving = person.save();
    await once(database.connection.client, 'commandStarted');
    person.age = 5;
    await Promise.all([inserting, saving]);
    expect(database.sent().map((command) => Object.keys(command)[0])).toEqual(['insert', 'update']);
    expect((await Person.findById(person._id))?.age).toBe(5);
  });

  it('refuses one document twice', async () => {
    const person = new Person({ name: 'a' });
    await expect(Person.insertMany([person, person])).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});

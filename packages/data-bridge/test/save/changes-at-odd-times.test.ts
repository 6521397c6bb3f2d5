import { inspect } from 'node:util';
import { ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  connect,
  Double,
  EncodeError,
  Int32,
  Layout,
  model,
  NotConnectedError,
  StateTracker,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

class Thing extends model('things', {
  name: z.string().trim().optional(),
  age: z.number().min(0).optional(),
  value: z.unknown().optional(),
  tags: z.array(z.string()).default([]),
}) {}

/** What is stored, as the driver reads it. */
const stored = ({ _id }: { readonly _id: unknown }) =>
  database.db.collection('things').findOne({ _id: _id as ObjectId });

describe('BSON values changed in place', () => {
  it('are seen after a save', async () => {
    const thing = await Thing.create({ value: new Double(1.5) });
    const value = new Int32(5);
    thing.value = value;
    await thing.save();
    value.value = 6;
    expect(thing.isModified()).toBe(true);
    await thing.save();
    expect((await stored(thing))?.['value']).toBe(6);
  });

  it('are seen in a plain object', () => {
    const tracker = new StateTracker({ n: new Int32(1) });
    tracker.get('n').value = 2;
    expect(tracker.changedFields()).toEqual(['n']);
  });
});

describe('names that BSON cannot hold', () => {
  it.each(['a\0b', '\uD800', '_bsontype'])('%j is refused before anything is sent', async (name) => {
    const thing = await Thing.create({ age: 1 });
    database.sent();
    thing.set(name, 1);
    await expect(thing.save()).rejects.toThrow(EncodeError);
    expect(database.sent()).toEqual([]);
  });
});

describe('a change made while a save is under way', () => {
  it('is not sent before it was validated', async () => {
    const thing = await Thing.create({ age: 1 });
    thing.age = 2;
    const saved = thing.save();
    thing.age = -5;
    await saved;
    expect((await stored(thing))?.['age']).toBe(2);
    await expect(thing.save()).rejects.toThrow(ValidationError);
  });

  it('is not inserted before it was validated', async () => {
    const things = [new Thing({ age: 1 }), new Thing({ age: 1 })];
    const [one, other] = things as [Thing, Thing];
    const saved = [one.save(), Thing.insertMany([other])];
    one.age = other.age = -5;
    await Promise.all(saved);
    for (const thing of things) {
      expect((await stored(thing))?.['age']).toBe(1);
      await expect(thing.save()).rejects.toThrow(ValidationError);
    }
  });

  it('goes through its transform with the next save', async () => {
    const thing = await Thing.create({ age: 1 });
    thing.age = 2;
    const saved = thing.save();
    thing.name = '  Ann ';
    await saved;
    await thing.save();
    expect((await stored(thing))?.['name']).toBe('Ann');
  });

  it('is validated when it was made while a rule waited', async () => {
    let release = (): void => {};
    const asked = new Promise<void>((resolve) => (release = resolve));
    class Ruled extends model(
      'things',
      { age: z.number().min(0) },
      {
        check: async () => {
          await asked;
          return [];
        },
      },
    ) {}
    const { _id } = await Thing.create({ age: 1 });
    const ruled = Ruled.hydrate({ _id, age: 1 });
    ruled.age = 2;
    const saved = ruled.save();
    ruled.age = -5;
    release();
    await expect(saved).rejects.toThrow(ValidationError);
    expect((await stored(ruled))?.['age']).toBe(1);
  });
});

describe('a new document whose insert is under way', () => {
  it('can be deleted', async () => {
    const thing = new Thing({});
    const saved = thing.save();
    const deleted = thing.delete();
    await saved;
    expect(await deleted).toBe(true);
    expect(await stored(thing)).toBe(null);
  });

  it('can be reloaded', async () => {
    const thing = new Thing({ name: 'Ann' });
    const saved = thing.save();
    expect((await thing.reload()).name).toBe('Ann');
    await saved;
  });

  it('keeps its _id', async () => {
    const thing = new Thing({});
    const saved = thing.save();
    const { _id } = thing;
    thing.set('_id', new ObjectId());
    await saved;
    await expect(thing.save()).rejects.toThrow(UsageError);
    thing.rollback('_id');
    expect(thing._id).toEqual(_id);
    await thing.save();
  });
});

describe('an _id', () => {
  it('cannot be changed in place', async () => {
    class Keyed extends model('keyed', { _id: z.object({ a: z.number() }) }) {}
    const keyed = await Keyed.create({ _id: { a: 1 } });
    keyed._id.a = 2;
    await expect(keyed.save()).rejects.toThrow(UsageError);
  });

  it.each([undefined, null])('cannot be %s, for which the driver would make one', async (_id) => {
    class Keyed extends model('keyed', { _id: z.any() }) {}
    await expect(Keyed.create({ _id })).rejects.toThrow(UsageError);
    await expect(Keyed.insertMany([{ _id }])).rejects.toThrow(UsageError);
  });

  it('becomes an ObjectId when a new document is assigned its text', () => {
    const thing = new Thing({});
    const hex = '507f1f77bcf86cd799439011';
    thing.set('_id', hex);
    expect(thing._id).toEqual(new ObjectId(hex));
    expect(() => thing.set('_id', 'x')).toThrow(UsageError);
  });
});

describe('what a document is made of', () => {
  it('is no other document, of which nothing would be copied', () => {
    // @ts-expect-error -- a document is no input
    expect(() => new Thing(new Thing({ name: 'Ann' }))).toThrow(UsageError);
  });

  it('is not changed by a constructor when it is read', async () => {
    class Aged extends model('things', { age: z.number().optional() }, { unknown: 'drop' }) {
      constructor(input: { age?: number }) {
        super({ ...input, age: 7 });
      }
    }
    const { _id } = await Aged.create({});
    await expect(Aged.findById(_id)).rejects.toThrow('The constructor of Aged must hand its first argument to super()');
  });

  it('may have getters and members that cannot be set', async () => {
    class Placed extends model('things', { place: z.object({ city: z.string().trim() }) }) {}
    const readOnly = { value: ' Oslo ', enumerable: true };
    const place = {
      get city() {
        return ' Rome ';
      },
    };
    const placed = await Placed.create({ place });
    expect((await stored(placed))?.['place']).toEqual({ city: 'Rome' });
    placed.place = Object.defineProperty({ city: '' }, 'city', { ...readOnly, writable: false });
    await placed.save();
    expect((await stored(placed))?.['place']).toEqual({ city: 'Oslo' });
  });

  it('is copied by toObject() of a tracker over a class instance', () => {
    class Point {
      at = { x: 1 };
    }
    const point = new Point();
    new StateTracker(point).toObject().at.x = 2;
    expect(point.at.x).toBe(1);
  });
});

it('forgets at a rollback that a field was assigned', async () => {
  class Placed extends model('things', { place: z.object({ city: z.string().trim(), n: z.number() }) }) {}
  const _id = new ObjectId();
  await database.db.collection('things').insertOne({ _id, place: { city: ' x ', n: 1 } });
  const placed = await Placed.findById(_id);
  if (placed === null) throw new Error('Expected the document to be stored');
  placed.place = { city: 'y', n: 2 };
  placed.rollback();
  placed.place.n = 3;
  await placed.save();
  expect((await stored(placed))?.['place']).toEqual({ city: ' x ', n: 3 });
});

it('inserts a default that was changed in place after its field was removed', async () => {
  const thing = new Thing({});
  thing.unset('tags');
  thing.tags.push('a');
  await Thing.insertMany([thing]);
  expect((await stored(thing))?.['tags']).toEqual(['a']);
});

describe('a rule across fields', () => {
  it('sees the defaults of what is not stored', async () => {
    const seen: unknown[] = [];
    class Ruled extends model(
      'things',
      { age: z.number(), tags: z.array(z.string()).default(['a']) },
      {
        check: ({ tags }) => {
          seen.push(tags);
          return [];
        },
      },
    ) {}
    const { _id } = await Thing.create({ age: 1 });
    const ruled = Ruled.hydrate({ _id, age: 1 });
    ruled.age = 2;
    await ruled.save();
    expect(seen).toEqual([['a']]);
  });

  it('may start what saves the document later', async () => {
    let release = (): void => {};
    let later: Promise<unknown> | undefined;
    const until = new Promise<void>((resolve) => (release = resolve));
    class Ruled extends model(
      'things',
      { age: z.number() },
      {
        check: () => {
          later ??= until.then(() => {
            ruled.age = 3;
            return ruled.save();
          });
          return [];
        },
      },
    ) {}
    const ruled = new Ruled({ age: 1 });
    await ruled.save();
    release();
    await later;
    expect((await stored(ruled))?.['age']).toBe(3);
  });
});

describe('a validator whose promise is rejected', () => {
  const rejecting = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value: unknown): Promise<{ value: unknown }> => {
        throw new Error(`refused ${typeof value}`);
      },
    },
  } as const;
  const throwing = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (): { value: unknown } => {
        throw new Error('thrown');
      },
    },
  } as const;

  // An unhandled rejection would fail the run.
  it('is asked for a default without an unhandled rejection', async () => {
    class Odd extends model('things', { odd: rejecting }) {}
    await expect(new Odd({}).save()).rejects.toThrow('refused undefined');
  });

  it('may be of another library', async () => {
    const issues = [{ message: 'refused' }];
    const foreign = { then: (resolve: (result: object) => void) => resolve({ issues }) } as Promise<{ issues: [] }>;
    const validator = { '~standard': { version: 1, vendor: 'test', validate: () => foreign } } as const;
    class Odd extends model('things', { odd: validator }) {}
    await expect(new Odd({}).save()).rejects.toThrow(ValidationError);
  });

  it('is left alone when another one throws', async () => {
    class Odd extends model('things', { odd: rejecting, other: throwing }) {}
    await expect(new Odd({}).save()).rejects.toThrow('thrown');
  });
});

describe('documents of thousands of fields', () => {
  it('are read, changed and saved in linear time', async () => {
    const names = Array.from({ length: 5000 }, (_, i) => `f${i}`);
    const _id = new ObjectId();
    await database.db.collection('things').insertOne({ _id, ...Object.fromEntries(names.map((name) => [name, name])) });
    const thing = await Thing.findById(_id);
    if (thing === null) throw new Error('Expected the document to be stored');
    expect(names.every((name) => thing.get(name) === name)).toBe(true);
    thing
      .set('f4999' as string, 1)
      .set('last' as string, 2)
      .unset('f4998');
    expect(thing.changes().map(({ path }) => path)).toEqual(['f4998', 'f4999', 'last']);
    await thing.save();
    expect([thing.isModified(), thing.get('f4999' as string), thing.get('f4998' as string)]).toEqual([
      false,
      1,
      undefined,
    ]);
    expect(Object.keys((await stored(thing)) ?? {})).toHaveLength(5001);
  });

  it('have the last of several values of one name', () => {
    const element = (i: number, value: number) => [0x08, ...Buffer.from(`f${i}\0`), value];
    const elements = [0, 1].flatMap((value) => Array.from({ length: 200 }, (_, i) => element(i, value)).flat());
    const bytes = Buffer.from([0, 0, 0, 0, ...elements, 0]);
    bytes.writeInt32LE(bytes.length);
    const tracker = StateTracker.fromBson(bytes);
    const values = Array.from({ length: 201 }, (_, i) => tracker.get(`f${i}`));
    expect(values).toEqual([...Array.from({ length: 200 }, () => true), undefined]);
  });
});

describe('connect()', () => {
  it.each(['pa/word', 'pa?word', 'pa#word', '12/word', '12?word', 'p@word'])(
    'shows no password that was not encoded: %s',
    async (password) => {
      const error = await connect(`mongodb://user:${password}@127.0.0.1:1/app`).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(NotConnectedError);
      expect(inspect(error, { depth: 9 }).replaceAll(/^\s+at .*$/gm, '')).not.toContain('word@');
      expect(String(error)).toContain('mongodb://127.0.0.1:1/app');
    },
  );

  it('refuses raw, under which nothing could be counted', async () => {
    await expect(connect(database.uri, { raw: true })).rejects.toThrow(UsageError);
  });
});

describe('calls that would lose something silently are refused', () => {
  it.each(['01', '4294967295', '1e3', 'x'])('an array element under the key %s', async (key) => {
    const thing = await Thing.create({ tags: ['a'] });
    expect(() => thing.set(`tags.${key}`, 'b')).toThrow(UsageError);
    expect(thing.isModified()).toBe(false);
  });

  it('save() with an upsert, which would store a part of a document', async () => {
    const thing = await Thing.create({ age: 1 });
    thing.age = 2;
    await expect(thing.save({ upsert: true } as object)).rejects.toThrow(UsageError);
  });

  it('options beside a layout that has its own', () => {
    const empty = Uint8Array.of(5, 0, 0, 0, 0);
    expect(() => StateTracker.fromBson(empty, { layout: new Layout(), promoteValues: false })).toThrow(UsageError);
  });
});

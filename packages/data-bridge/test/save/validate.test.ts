import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Fields, model, SchemaError, stored, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { storedThing, Thing } from '../support/things.ts';

const database = useDatabase();

describe('a schema that refuses its own output', () => {
  const fields = {
    zod: z.string().transform((text) => text.length),
    valibot: v.pipe(
      v.string(),
      v.transform((text) => text.length),
    ),
    arktype: type('string').pipe((text) => text.length),
    waiting: z.string().transform(async (text) => text.length),
    nested: z.object({ a: z.string().transform((text) => text.length) }),
    none: z.string().transform(() => undefined),
  };

  it.each(Object.keys(fields))('is a SchemaError where it is seen, and nothing is sent: %s', async (name) => {
    const odds: Fields = { [name]: stored('s', fields[name as 'zod']) };
    class Odd extends model('odd', odds) {}
    database.sent();
    const odd = new Odd({ [name]: name === 'nested' ? { a: 'xyz' } : 'xyz' });
    for (const time of ['first', 'second']) {
      const error = await odd.save().then(
        () => time,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(SchemaError);
      expect((error as Error).message).toContain(`"${name}`);
      expect((error as Error).message).not.toContain('xyz');
    }
    expect(database.sent()).toEqual([]);
  });

  it('is looked for once, since a transform may be slow: a password hash, say', async () => {
    const given: string[] = [];
    class Hashed extends model('hashed', {
      word: z.string().transform((word) => {
        given.push(word);
        return word.startsWith('#') ? word : `#${word}`;
      }),
    }) {}
    await Hashed.create({ word: '#a' });
    await Hashed.create({ word: 'b' });
    await Hashed.create({ word: 'c' });
    expect(given).toEqual(['#a', 'b', '#b', 'c']);
  });
});

describe('a validator that changes another field', () => {
  class Slugged extends model('slugged', {
    title: z.string().transform((title) => {
      onTitle(title);
      return title;
    }),
    slug: z.string().max(5).optional(),
    zeal: z.string().max(5).default('low'),
  }) {}
  let onTitle: (title: string) => void = () => {};

  it('has that field validated too, whether it came before or not', async () => {
    const slugged = await Slugged.create({ title: 'a' });
    for (const name of ['slug', 'zeal'] as const) {
      onTitle = (title) => slugged.set(name, title);
      slugged.title = name;
      await slugged.save();
      expect((await Slugged.findById(slugged._id))?.[name]).toBe(name);
      slugged.title = 'too long';
      await expect(slugged.save()).rejects.toThrow(ValidationError);
      slugged.rollback();
    }
    onTitle = () => {};
  });

  it('and does so each time, is stopped', async () => {
    const slugged = await Slugged.create({ title: 'a' });
    let count = 0;
    onTitle = () => slugged.set('slug', String(count++));
    slugged.title = 'b';
    await expect(slugged.save()).rejects.toThrow('changed each time');
    onTitle = () => {};
  });
});

describe('a validator that waits', () => {
  const calls: string[] = [];
  const noted = async (text: string): Promise<boolean> => {
    calls.push(text);
    return Promise.resolve(true);
  };
  const fields = {
    zod: z.string().refine(async (text) => noted(text)),
    nested: z.object({ inner: z.array(z.string().refine(async (text) => noted(text))) }),
    transform: z.string().transform(async (text) => (await noted(text)) && text),
    valibot: v.pipeAsync(
      v.string(),
      v.checkAsync(async (text) => noted(text)),
    ),
  };

  it.each(Object.keys(fields))('runs as often the first time as later: %s', async (name) => {
    class Waiting extends model('waiting', { [name]: fields[name as 'zod'] }) {}
    const counts = [];
    for (const text of ['x', 'y']) {
      calls.length = 0;
      await Waiting.create({ [name]: name === 'nested' ? { inner: [text] } : text } as never);
      counts.push(calls.length);
    }
    expect(counts).toEqual([1, 1]);
  });
});

describe('a validator that throws', () => {
  const fail = (): never => {
    throw new Error('broken validator');
  };
  const failLater = async (): Promise<never> => Promise.resolve().then(fail);
  const kinds: Record<string, () => Fields> = {
    now: () => ({ text: z.string().refine(fail), object: z.object({ a: z.string().refine(fail), b: z.string() }) }),
    later: () => ({
      text: z.string().refine(async () => failLater()),
      object: z.object({ a: z.string().refine(async () => failLater()), b: z.string() }),
    }),
    valibot: () => ({
      text: v.pipeAsync(v.string(), v.checkAsync(failLater)),
      object: v.objectAsync({ a: v.pipeAsync(v.string(), v.checkAsync(failLater)), b: v.string() }),
    }),
  };

  // case: what such a validator started is dropped when it turns out to wait
  it.each(Object.keys(kinds))('ends the save with its error, and nothing else: %s', async (kind) => {
    class Broken extends model('broken', kinds[kind]?.() ?? {}) {}
    const dropped: unknown[] = [];
    const note = (error: unknown): void => void dropped.push(error);
    process.on('unhandledRejection', note);
    const fields = { text: 'x', object: { a: 'x', b: 'y' } };
    const broken = new Broken(fields);
    for (const _time of ['first', 'second']) await expect(broken.save()).rejects.toThrow('broken validator');
    const { _id } = await Broken.create(fields, { validate: false });
    const [part] = (await Broken.find({ _id }).select('object.a', 'text')) as unknown as Broken[];
    part?.set('object.a', 'z').set('text', 'z');
    await expect(part?.save()).rejects.toThrow('broken validator');
    await new Promise((resolve) => void setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(dropped).toEqual([]);
  });
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
    expect((await storedThing(ruled))?.['age']).toBe(3);
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

import { model } from 'data-bridge';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { useDatabase } from '../../../data-bridge/test/support/database.ts';
import {
  CommandError,
  type Migration,
  type MigrationContext,
  migrate,
  type MigrateOptions,
  MigrationError,
  migrationStatus,
} from '../../src/index.ts';
import { stepsOf } from '../support/steps.ts';

/*
 * What programs get wrong in migrations: each mistake would otherwise be noted as done, or be done again and again.
 */

const database = useDatabase();

class User extends model(
  'users',
  { name: z.string(), n: z.number().default(0), at: z.object({ x: z.number() }).default({ x: 0 }) },
  { timestamps: true },
) {}

beforeEach(async () => {
  await database.db.collection('_data_bridge').deleteMany({});
  await User.deleteMany({});
  await User.insertMany([1, 2, 3].map((n) => ({ name: `user ${n}`, n, at: { x: n } })));
});

const run = (up: Migration['up'], options?: MigrateOptions) =>
  migrate(database.connection, stepsOf({ '001-it': { up } }), { leaseTime: 5_000, ...options });
const state = async () => (await migrationStatus(database.connection, stepsOf({ '001-it': { up() {} } })))[0]?.state;
const numbers = async () => (await User.find().sort('name')).map(({ n }) => n);
const add = (user: User): void => {
  user.n += 10;
};

describe('a batch whose function changes what its query is sorted by', () => {
  const changes: [string, (context: MigrationContext) => Promise<unknown>][] = [
    ['a field', ({ batch }) => batch(User.find().sort('n'), add, { size: 1 })],
    ['one of several', ({ batch }) => batch(User.find().sort(['name', 'n']), add, { size: 1 })],
    [
      'a path',
      ({ batch }) =>
        batch(
          User.find().sort('at.x'),
          (user) => {
            user.at.x += 10;
          },
          { size: 1 },
        ),
    ],
    ['a timestamp, by being saved', ({ batch }) => batch(User.find().sort('updatedAt'), add, { size: 1 })],
  ];
  it.each(changes)('is refused, since documents would come again: %s', async (_, up) => {
    await expect(run(async (context) => void (await up(context)))).rejects.toThrow('would come again');
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it('is refused in a dry run, too', async () => {
    const up: Migration['up'] = async ({ batch }) => void (await batch(User.find().sort('n'), add));
    await expect(run(up, { dryRun: true })).rejects.toThrow('would come again');
  });

  it('is taken where the order stays', async () => {
    await run(async ({ batch }) => void (await batch(User.find().sort({ 'at.x': -1, _id: 1 }), add, { size: 1 })));
    expect(await numbers()).toEqual([11, 12, 13]);
  });
});

describe('a batch that nobody awaits', () => {
  it.each([false, true])('lets the migration fail, which is not noted as done (dry run: %s)', async (dryRun) => {
    const lost: Migration['up'] = ({ batch }) => {
      void batch(User.find(), add, { size: 1 });
    };
    await expect(run(lost, { dryRun })).rejects.toThrow('It ended before its "batch 1" did: write "await"');
    expect(await state()).toBe(dryRun ? 'pending' : 'up');
  });

  it('tells what it failed with', async () => {
    const lost: Migration['up'] = ({ batch }) => {
      void batch(User.find(), () => {
        throw new Error('no');
      }).catch(() => {});
    };
    await expect(run(lost)).rejects.toThrow('no');
    expect(await state()).toBe('up');
  });

  it('has come to its end when another one failed, and nobody writes after that', async () => {
    const both: Migration['up'] = async ({ batch }) => {
      const failing = batch(User.find(), () => {
        throw new Error('no');
      });
      await Promise.all([batch(User.find(), add, { size: 1 }), failing]);
    };
    await expect(run(both)).rejects.toBeInstanceOf(MigrationError);
    expect(await numbers()).toEqual([11, 12, 13]);
  });
});

describe('what would be ignored or cannot be done', () => {
  it('is refused by migrate() and by batch(): options that nobody knows', async () => {
    await expect(run(() => {}, { dryrun: true } as object)).rejects.toThrow('migrate() takes no option "dryrun"');
    await expect(
      run(async ({ batch }) => void (await batch(User.find(), add, { pageSize: 5 } as object))),
    ).rejects.toThrow('batch() takes no option "pageSize"');
    expect(await numbers()).toEqual([1, 2, 3]);
  });

  it.each<[string, (context: MigrationContext) => Promise<unknown>, string]>([
    ['documents', async ({ batch }) => batch((await User.find()) as never, add), 'was not awaited'],
    ['a class', ({ batch }) => batch(User as never, add), 'was not awaited'],
    ['plain objects', ({ batch }) => batch(User.find().lean() as never, add), 'without lean() and map()'],
    ['mapped values', ({ batch }) => batch(User.find().map(() => 1) as never, add), 'without lean() and map()'],
    ['no function', ({ batch }) => batch(User.find(), undefined as never), 'takes a function'],
  ])('is refused by batch(): %s', async (_, up, text) => {
    for (const dryRun of [false, true])
      await expect(run(async (context) => void (await up(context)), { dryRun })).rejects.toThrow(text);
  });

  it('is refused in a dry run: the client, which knows of none', async () => {
    const up: Migration['up'] = ({ db }) => void db.client.db('x').collection('users').drop();
    await expect(run(up, { dryRun: true })).rejects.toThrow('the client of the driver is refused');
  });
});

describe('documents that do not satisfy their schema', () => {
  it('are named: the first one, and what is wrong with it', async () => {
    const up: Migration['up'] = async ({ batch }) =>
      void (await batch(User.find(), (user) => {
        if (user.n > 1) user.name = 5 as never;
      }));
    const second = await User.findOne({ name: 'user 2' });
    const error: unknown = await run(up).catch((thrown: unknown) => thrown);
    expect(error).toHaveProperty('message', expect.stringContaining(`The first one, ${String(second?._id)}: `));
    expect(error).toHaveProperty('message', expect.stringContaining('"name"'));
  });
});

describe('a batch whose query is another one when it goes on', () => {
  it('says so, and begins anew under another name', async () => {
    let [most, name, isFailing] = [100, 'first', true];
    const up: Migration['up'] = async ({ batch }) => {
      const each = (user: User): void => {
        if (isFailing && user.n === 2) throw new Error('no');
        add(user);
      };
      await batch(User.find({ n: { $lt: most } }), each, { size: 1, name });
    };
    await expect(run(up)).rejects.toThrow('no');
    isFailing = false;
    most = 99;
    const changed = run(up);
    await expect(changed).rejects.toThrow('The query of "first" is another one than when it was interrupted');
    await expect(changed).rejects.toMatchObject({ cause: { constructor: CommandError } });
    name = 'second';
    await run(up);
    expect(await numbers()).toEqual([21, 12, 13]);
  });
});

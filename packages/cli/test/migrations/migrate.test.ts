import { model } from 'data-bridge';
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { askForFault } from '../../../data-bridge/test/support/known-faults.ts';
import { useDatabase } from '../../../data-bridge/test/support/database.ts';
import {
  defineMigration,
  IrreversibleMigrationError,
  LeaseError,
  migrate,
  type MigrateOptions,
  MigrationError,
  migrationRuns,
  migrationStatus,
} from '../../src/index.ts';
import { stepsOf } from '../support/steps.ts';

const isSkipped = await askForFault('a lease whose time is over');
const database = useDatabase();

class User extends model('users', {
  name: z.string(),
  email: z.string(),
  status: z.string().optional(),
  n: z.number().default(0),
}) {}

const addStatus = defineMigration({
  description: 'Every user has a status',
  async up({ batch }) {
    await batch(User.find(), (user) => {
      user.status = 'pending';
    });
  },
  async down({ db }) {
    await db.collection('users').updateMany({}, { $unset: { status: '' } });
  },
});
const count = defineMigration({
  async up({ batch }) {
    await batch(
      User.find(),
      (user) => {
        user.n += 1;
      },
      { size: 2 },
    );
  },
  async down({ batch }) {
    await batch(User.find(), (user) => {
      user.n -= 1;
    });
  },
});
const nothing = defineMigration({ up() {} });

beforeEach(async () => {
  await database.db.collection('_data_bridge').deleteMany({});
  await User.deleteMany({});
  await User.insertMany([
    { name: 'Ann', email: 'Ann@Example.com' },
    { name: 'Bob', email: 'BOB@example.com' },
    { name: 'Cid', email: 'cid@EXAMPLE.com' },
  ]);
});

const run = (steps: ReturnType<typeof stepsOf>, options?: MigrateOptions) =>
  migrate(database.connection, steps, { leaseTime: 5_000, ...options });
const numbers = async () => (await User.find().sort('name')).map(({ n }) => n);

describe('a migration', () => {
  it('MIGRATE-01, MIGRATE-02: tells its version and what it is for without running', async () => {
    const [step] = await migrationStatus(database.connection, stepsOf({ '001-add-status': addStatus }));
    expect(step).toMatchObject({ version: '001', name: 'add-status', description: 'Every user has a status' });
    expect(await User.count({ status: 'pending' })).toBe(0);
  });

  it('MIGRATE-03, MIGRATE-04: is applied on its way up, and undone on its way down', async () => {
    const steps = stepsOf({ '001-add-status': addStatus });
    expect(await run(steps)).toEqual(['001']);
    expect(await User.count({ status: 'pending' })).toBe(3);
    expect(await run(steps, { direction: 'down' })).toEqual(['001']);
    expect(await database.db.collection('users').countDocuments({ status: { $exists: true } })).toBe(0);
  });

  it('MIGRATE-05, MIGRATE-17: without a way down is refused with an error of its own, before any is taken back', async () => {
    const steps = stepsOf({ '001-nothing': nothing, '002-count': count });
    await run(steps);
    const error = await run(steps, { direction: 'down' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IrreversibleMigrationError);
    expect(error).toBeInstanceOf(MigrationError);
    expect(error).toMatchObject({
      code: 'DATA_BRIDGE_IRREVERSIBLE_MIGRATION',
      version: '001',
      message: expect.stringContaining('001 has no down()'),
    });
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it('MIGRATE-06, MIGRATE-07: transforms each document in batches, and keeps each _id', async () => {
    const before = await User.distinct('_id');
    const lower = defineMigration({
      async up({ batch }) {
        const result = await batch(
          User.find(),
          (user) => {
            user.email = user.email.toLowerCase();
          },
          { size: 2 },
        );
        expect(result).toEqual({ seen: 3, changed: 3 });
      },
    });
    await run(stepsOf({ '001-lower': lower }));
    expect(await User.distinct('email')).toEqual(['ann@example.com', 'bob@example.com', 'cid@example.com']);
    expect(await User.distinct('_id')).toEqual(before);
  });

  it('MIGRATE-08: may run code of its own, and ask models', async () => {
    let users = 0;
    await run(stepsOf({ '001-ask': { up: async () => void (users = await User.count()) } }));
    expect(users).toBe(3);
  });
});

describe('migrate()', () => {
  const three = () => stepsOf({ '001-status': addStatus, '002-count': count, '003-count': count });

  it('MIGRATE-09, MIGRATE-10: runs what is new in the order of versions, and nothing twice', async () => {
    const steps = stepsOf({ '001-status': addStatus, '002-count': count });
    expect(await run(steps)).toEqual(['001', '002']);
    expect(await run(steps)).toEqual([]);
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it('MIGRATE-11: stops after a version', async () => {
    expect(await run(three(), { to: '002' })).toEqual(['001', '002']);
    expect(await run(three(), { to: '2' })).toEqual([]);
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it('MIGRATE-12, MIGRATE-13: takes back the last one first, down to a version', async () => {
    const steps = stepsOf({ '001-count': count, '002-count': count });
    await run(steps);
    expect(await run(steps, { direction: 'down', to: '001' })).toEqual(['002']);
    expect(await numbers()).toEqual([1, 1, 1]);
    await run(steps);
    expect(await run(steps, { direction: 'down' })).toEqual(['002', '001']);
    expect(await numbers()).toEqual([0, 0, 0]);
  });

  it('MIGRATE-14: records each run', async () => {
    const steps = stepsOf({ '001-count': count });
    await run(steps);
    await run(steps, { direction: 'down' });
    expect(await migrationRuns(database.connection)).toMatchObject([
      { version: '001', name: 'count', direction: 'up', startedAt: expect.any(Date), milliseconds: expect.any(Number) },
      { version: '001', name: 'count', direction: 'down' },
    ]);
  });

  it('MIGRATE-15, MIGRATE-16: tells what has run and what has not', async () => {
    const steps = stepsOf({ '001-status': addStatus, '002-count': count });
    const states = async () =>
      (await migrationStatus(database.connection, steps)).map(({ version, state }) => [version, state]);
    expect(await states()).toEqual([
      ['001', 'pending'],
      ['002', 'pending'],
    ]);
    await run(steps, { to: '001' });
    expect(await states()).toEqual([
      ['001', 'applied'],
      ['002', 'pending'],
    ]);
  });

  it('MIGRATE-18: refuses another direction, in types and at run time', async () => {
    expectTypeOf<'sideways'>().not.toExtend<MigrateOptions['direction']>();
    await expect(run(three(), { direction: 'sideways' as never })).rejects.toThrow(
      'goes "up" or "down", not "sideways"',
    );
  });

  it('refuses a version that is not there', async () => {
    await expect(run(three(), { to: '004' })).rejects.toThrow(
      'There is no migration 004: the versions are 001, 002, 003.',
    );
    await expect(run(three(), { to: 'last' })).rejects.toThrow('There is no migration last');
  });

  it('refuses what has run and was changed or is gone since', async () => {
    await run(three());
    const [first, second, third] = three();
    const changed = [first, { ...second, checksum: 'other' }, third] as ReturnType<typeof stepsOf>;
    await expect(run(changed)).rejects.toThrow('Migration 002 was changed after it had run');
    await expect(run(stepsOf({ '001-status': addStatus }))).rejects.toThrow(
      'has run on this database, and its file is not there',
    );
    expect((await migrationStatus(database.connection, changed)).map(({ state }) => state)).toEqual([
      'applied',
      'changed',
      'applied',
    ]);
    const left = await migrationStatus(database.connection, stepsOf({ '001-status': addStatus }));
    expect(left.map(({ state }) => state)).toEqual(['applied', 'missing', 'missing']);
  });

  it('runs one that came late, and says so', async () => {
    const told: string[] = [];
    await run(stepsOf({ '002-count': count }));
    const steps = stepsOf({ '001-status': addStatus, '002-count': count });
    expect(await run(steps, { log: (text) => told.push(text) })).toEqual(['001']);
    expect(told[0]).toBe('Migration 001 is older than 002, which has run: it runs now, out of order.');
  });
});

describe('a failure', () => {
  it('keeps what batches saved, names the migration and the cause, and the next run goes on', async () => {
    let fails = true;
    const cause = new Error('the disk is full.');
    const step = defineMigration({
      async up({ batch }) {
        let seen = 0;
        await batch(
          User.find(),
          (user) => {
            seen += 1;
            if (fails && seen === 3) throw cause;
            user.n += 1;
          },
          { size: 1 },
        );
      },
    });
    const steps = stepsOf({ '007-count': step, '008-nothing': nothing });
    const error = await run(steps).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_MIGRATION', version: '007', cause });
    expect(String(error)).toContain('Migration 007 (count) failed on its way up: the disk is full.');
    expect(await numbers()).toEqual([1, 1, 0]);
    const [status] = await migrationStatus(database.connection, steps);
    expect(status?.state).toBe('up');
    await expect(run(steps, { direction: 'down' })).rejects.toThrow('was interrupted on its way up');
    fails = false;
    expect(await run(steps)).toEqual(['007', '008']);
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it('stops at a signal after the page that is being saved', async () => {
    const controller = new AbortController();
    const steps = stepsOf({ '001-count': count });
    const stopped = run(steps, { signal: controller.signal, progress: () => controller.abort() });
    await expect(stopped).rejects.toThrow('aborted');
    expect(await numbers()).toEqual([1, 1, 0]);
    expect(await run(steps)).toEqual(['001']);
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it('refuses batches of one name', async () => {
    const named = defineMigration({
      async up({ batch }) {
        await batch(User.find(), () => {}, { name: 'all' });
        await batch(User.find(), () => {}, { name: 'all' });
      },
    });
    await expect(run(stepsOf({ '001-named': named }))).rejects.toThrow(
      'Two batches of one migration have the name "all"',
    );
  });
});

describe('a dry run', () => {
  it('shows the first documents that would change, and stores nothing', async () => {
    const told: string[] = [];
    const steps = stepsOf({ '001-status': addStatus });
    expect(await run(steps, { dryRun: true, log: (text) => told.push(text) })).toEqual(['001']);
    expect(told[0]).toBe('001 status (up, dry run)');
    expect(told[1]).toContain("status: undefined → 'pending'");
    expect(told.at(-1)).toBe('  3 of the first 3 documents would change');
    expect(await User.count({ status: 'pending' })).toBe(0);
    expect(await database.db.collection('_data_bridge').countDocuments()).toBe(0);
  });

  it('takes back what models write, and refuses what the driver would', async () => {
    const writes = defineMigration({
      async up() {
        await User.updateMany({}, { $set: { status: 'x' } });
        expect(await User.count({ status: 'x' })).toBe(3);
      },
    });
    await run(stepsOf({ '001-writes': writes }), { dryRun: true });
    expect(await User.count({ status: 'x' })).toBe(0);
    const byDriver = defineMigration({
      up: async ({ db }) => {
        expect(await db.collection('users').countDocuments()).toBe(3);
        await db.collection('users').updateMany({}, { $set: { status: 'x' } });
      },
    });
    const refused = run(stepsOf({ '001-writes': byDriver }), { dryRun: true });
    await expect(refused).rejects.toThrow(
      'In a dry run of migration 001 nothing is written: updateMany() of the driver is refused.',
    );
    for (const write of [
      defineMigration({ up: async ({ db }) => void (await db.dropCollection('users')) }),
      defineMigration({ up: async ({ db }) => void (await db.command({ drop: 'users' })) }),
      defineMigration({ up: ({ db }) => void db.collection('users').aggregate([{ $out: 'others' }]) }),
      defineMigration({ up: ({ db }) => void db.collection('users').initializeOrderedBulkOp() }),
    ])
      await expect(run(stepsOf({ '001-writes': write }), { dryRun: true })).rejects.toThrow('is refused');
    expect(await User.count({ name: 'Ann' })).toBe(1);
  });
});

describe('two processes', () => {
  it('do not migrate at once', async () => {
    const steps = stepsOf({ '001-count': count });
    const outcomes = await Promise.allSettled([run(steps), run(steps), run(steps)]);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of refused) expect(reason).toBeInstanceOf(LeaseError);
    expect(await run(steps)).toEqual([]);
    expect(await numbers()).toEqual([1, 1, 1]);
  });

  it.skipIf(isSkipped)('one that lost its lease writes nothing more', async () => {
    const leases = database.db.collection<{ _id: string }>('_data_bridge');
    const steps = stepsOf({ '001-count': count });
    const taken = stepsOf({
      '001-count': defineMigration({
        async up(context) {
          // The clock of the server runs out on it, and another process takes over.
          await leases.updateOne({ _id: 'lease' }, { $set: { until: new Date(0) } });
          expect(await run(steps)).toEqual(['001']);
          await count.up(context);
        },
      }),
    });
    await expect(run(taken)).rejects.toBeInstanceOf(LeaseError);
    expect(await numbers()).toEqual([1, 1, 1]);
  });
});

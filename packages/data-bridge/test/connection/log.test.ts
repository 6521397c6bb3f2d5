import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { connect, type Connection, type LogEntry, model, UsageError } from '../../src/index.ts';
import { terminalLog } from '../../src/connection/log-text.ts';
import { openDatabase, type OpenDatabase } from '../support/database.ts';
import { FaultyProxy } from '../support/proxy.ts';

class User extends model(
  'users',
  { name: z.string(), age: z.number().optional(), tags: z.array(z.string()).default([]) },
  { indexes: [{ key: { name: 1 }, unique: true }] },
) {}
class Other extends model('others', { name: z.string() }) {}

let database: OpenDatabase | undefined;
let connection: Connection | undefined;
let proxy: FaultyProxy | undefined;
let entries: LogEntry[];
afterEach(async () => {
  vi.restoreAllMocks();
  await connection?.close();
  await database?.close();
  await proxy?.close();
  [connection, database, proxy] = [undefined, undefined, undefined];
});

/** The model on a connection whose log is kept. */
async function logged(options: object = {}): Promise<typeof User> {
  database = await openDatabase();
  return User.using(await open(database.uri, options));
}

async function open(uri: string, options: object = {}): Promise<Connection> {
  entries = [];
  connection = await connect(uri, { log: (entry) => void entries.push(entry), ...options });
  return connection;
}

const told = (): unknown[] => entries.splice(0).map(({ command, collection, counts }) => [command, collection, counts]);

describe('connect(uri, { log })', () => {
  it('hands an entry for each command to a function: command, collection, time, counts', async () => {
    const users = await logged();
    await users.ensureIndexes();
    entries = [];
    const [ann] = await users.insertMany([{ name: 'Ann', age: 1 }, { name: 'Bob' }, { name: 'Cat' }]);
    await users.find().batchSize(2);
    ann!.age = 2;
    await ann!.save();
    await ann!.save();
    await users.updateMany({ age: { $exists: false } }, { $set: { age: 5 } });
    await users.updateOne({ name: 'Dan' }, { $set: { age: 5 } }, { upsert: true });
    await users.findOneAndUpdate({ name: 'Dan' }, { $set: { age: 6 } });
    await users.distinct('name');
    await users.deleteMany({ age: 5 });
    expect(told()).toEqual([
      ['insert', 'users', { sent: 3, inserted: 3 }],
      ['find', 'users', { returned: 2 }],
      ['getMore', 'users', { returned: 1 }],
      ['update', 'users', { sent: 1, matched: 1, modified: 1 }],
      ['update', 'users', { sent: 1, matched: 2, modified: 2 }],
      ['update', 'users', { sent: 1, matched: 0, modified: 0, upserted: 1 }],
      ['findAndModify', 'users', { matched: 1 }],
      ['distinct', 'users', { returned: 4 }],
      ['delete', 'users', { sent: 1, deleted: 2 }],
    ]);
  });

  it('tells the database, a time, and what is asked with types in the place of values', async () => {
    const users = await logged();
    await users.create({ name: 'hunter2' });
    await users
      .find({ name: 'hunter2', age: { $gt: 5 } })
      .comment('hunter2')
      .limit(3);
    await users.updateOne({ name: 'hunter2' }, { $push: { tags: 'hunter2' } });
    const [insert, find, update] = entries as [LogEntry, LogEntry, LogEntry];
    expect(insert.database).toBe(connection?.db.databaseName);
    expect(insert.milliseconds).toBeGreaterThan(0);
    expect(insert.milliseconds).toBeLessThan(60_000);
    expect(insert).toMatchObject({ isRetry: false, isInTransaction: false, failure: undefined });
    expect(find.shape).toContain('filter: { name: <string>, age: { $gt: <number> } }, ');
    expect(update.shape).toContain('q: { name: <string> }, u: { $push: { tags: <string> } }');
    expect(insert).not.toHaveProperty('statement');
    expect(JSON.stringify(entries)).not.toContain('hunter2');
  });

  it('holds values where logValues asks for them', async () => {
    const users = await logged({ logValues: true });
    await users.find({ name: 'Ann' }).limit(3);
    expect(entries[0]?.statement).toEqual({ filter: { name: 'Ann' }, limit: 3 });
    expect(entries[0]?.shape).not.toContain('Ann');
  });

  it.each([
    [{}, false],
    [{ logValues: true }, true],
  ])('tells what was refused, of one operation and of many, with %o', async (options, hasValues) => {
    const users = await logged(options);
    await users.ensureIndexes();
    await users.create({ name: 'hunter2' });
    entries = [];
    await expect(users.create({ name: 'hunter2' })).rejects.toThrow('the same value');
    await expect(users.updateOne({}, { $inc: { name: 1 } } as never)).rejects.toThrow(UsageError);
    await expect(users.find({ name: { $hunter: 'hunter2' } } as never)).rejects.toThrow(UsageError);
    const [insert] = entries;
    expect(insert).toMatchObject({
      command: 'insert',
      counts: { sent: 1, inserted: 0, refused: 1 },
      failure: { name: 'MongoServerError', code: 11000 },
    });
    expect(entries[1]).toMatchObject({ command: 'update', failure: { code: expect.any(Number) } });
    expect(entries[2]).toMatchObject({ command: 'find', counts: {}, failure: { code: expect.any(Number) } });
    expect(insert?.failure?.message.includes('hunter2')).toBe(hasValues);
    expect(JSON.stringify(entries).includes('hunter2')).toBe(hasValues);
  });

  it('names every collection of a save of many, and what of it was refused', async () => {
    const users = await logged();
    await users.ensureIndexes();
    await users.create({ name: 'Ann' });
    const others = Other.using(connection!);
    entries = [];
    const saved = users.saveAll([new users({ name: 'Ann' }), new users({ name: 'Bob' }), new others({ name: 'x' })]);
    await expect(saved).rejects.toThrow('1 of 3');
    const writes = entries.filter(({ counts }) => counts.sent !== undefined);
    expect(new Set(writes.flatMap(({ collection }) => collection?.split(',')))).toEqual(new Set(['users', 'others']));
    const sum = (what: 'inserted' | 'refused'): number =>
      writes.reduce((all, { counts }) => all + (counts[what] ?? 0), 0);
    expect([sum('inserted'), sum('refused')]).toEqual([2, 1]);
    const failures = writes.flatMap(({ failure }) => failure ?? []);
    expect(failures).toMatchObject([{ code: 11000 }]);
  });

  it('marks what is done in a transaction', async () => {
    const users = await logged();
    await users.create({ name: 'Ann' });
    entries = [];
    await connection!.transaction(async () => {
      await users.create({ name: 'Bob' });
    });
    await users.count();
    expect(entries.map(({ command, isInTransaction }) => [command, isInTransaction])).toEqual([
      ['insert', true],
      ['commitTransaction', true],
      ['aggregate', false],
    ]);
    expect(entries[1]?.collection).toBe(undefined);
  });

  it.each(['insert', 'find'])('shows that %s failed, and that the driver sent it again', async (command) => {
    proxy = new FaultyProxy();
    database = await openDatabase(proxy.options());
    const users = User.using(
      await open(database.uri.replace(/\?.*/, '') + '?directConnection=true', { retryWrites: true }),
    );
    await users.count();
    entries = [];
    proxy.next(command, 'cutBefore');
    await (command === 'insert' ? users.create({ name: 'Ann' }) : users.find());
    await (command === 'insert' ? users.create({ name: 'Bob' }) : users.find());
    expect(entries.map((entry) => [entry.command, entry.failure?.name, entry.isRetry])).toEqual([
      [command, expect.stringContaining('Network'), false],
      [command, undefined, true],
      [command, undefined, false],
    ]);
  });

  it('shows that a server which steps down had a command sent again', async () => {
    proxy = new FaultyProxy();
    database = await openDatabase(proxy.options());
    const users = User.using(await open(`${database.uri.replace(/\?.*/, '')}?directConnection=true`));
    await users.count();
    entries = [];
    const errmsg = 'The primary, "hunter2", steps down';
    proxy.next('find', { answer: { ok: 0, code: 11602, codeName: 'InterruptedDueToReplStateChange', errmsg } });
    await users.find();
    expect(entries.map(({ failure, isRetry }) => [failure?.code, isRetry])).toEqual([
      [11602, false],
      [undefined, true],
    ]);
    expect(entries[0]?.failure?.message).not.toContain('hunter2');
  });

  it('warns of a log that fails, and goes on', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let calls = 0;
    const users = await logged({
      log: () => {
        calls++;
        if (calls === 1) throw new Error('full disk');
        return Promise.reject(new Error('no network'));
      },
    });
    await users.create({ name: 'Ann' });
    expect(await users.count()).toBe(1);
    await vi.waitFor(() => expect(warn).toHaveBeenCalledTimes(2));
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      'The log of a connection failed: full disk',
      'The log of a connection failed: no network',
    ]);
  });

  it('costs nothing when it is off: the driver does not watch its commands', async () => {
    database = await openDatabase();
    for (const options of [{}, { log: false }, { log: false, logValues: false }]) {
      await using quiet = await connect(database.uri, options);
      expect(quiet.client.options.monitorCommands).toBe(false);
      expect(quiet.client.listenerCount('commandStarted')).toBe(0);
    }
  });

  it('refuses options that cannot be meant', async () => {
    database = await openDatabase();
    for (const [options, message] of [
      [{ log: 'debug' }, 'true, false or a function as "log", got a string'],
      [{ log: true, logValues: 'yes' }, 'true or false as "logValues"'],
      [{ logValues: true }, '"logValues" with "log"'],
      [{ log: true, monitorCommands: false }, '"monitorCommands: false"'],
    ] as const) {
      const call = connect(database.uri, options as never);
      await expect(call).rejects.toThrow(UsageError);
      await expect(call).rejects.toThrow(message);
    }
  });

  it('is typed', () => {
    type Given = Exclude<NonNullable<Parameters<typeof connect>[1]>['log'], boolean | undefined>;
    expectTypeOf<Parameters<Given>[0]>().toEqualTypeOf<LogEntry>();
    expectTypeOf<LogEntry['counts']['returned']>().toEqualTypeOf<number | undefined>();
    expect(connect).toBeTypeOf('function');
  });
});

describe('log: true', () => {
  const entry: LogEntry = {
    command: 'find',
    collection: 'users',
    database: 'app',
    milliseconds: 1.25,
    counts: { returned: 3 },
    failure: undefined,
    isRetry: false,
    isInTransaction: false,
    shape: '{ filter: { age: <number> } }',
  };
  const lines = (given: LogEntry, isTTY: boolean, env: NodeJS.ProcessEnv): string => {
    let text = '';
    terminalLog({ isTTY, write: (line) => (text += line) }, env)(given);
    return text;
  };

  it('writes a line for each command to the standard error', async () => {
    const written: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
    const users = await logged({ log: true });
    await users.create({ name: 'hunter2' });
    await users.find({ name: 'hunter2' });
    vi.restoreAllMocks();
    const [insert, find] = written.map((line) => stripVTControlCharacters(line));
    expect(insert).toMatch(/^insert users {2}\{ documents: \[.*\].* \} {2}1 sent, 1 inserted {2}\d+\.\d ms\n$/);
    expect(find).toMatch(/^find users {2}\{ filter: \{ name: <string> \} \} {2}1 returned {2}\d+\.\d ms\n$/);
  });

  it('says what failed, was sent again, or is part of a transaction', () => {
    const failure = { name: 'MongoServerError', code: 11000, message: 'E11000\nforged line' };
    expect(lines({ ...entry, failure, isRetry: true, isInTransaction: true, counts: {} }, false, {})).toBe(
      'find users  in a transaction  again  { filter: { age: <number> } }  failed: MongoServerError 11000: E11000 forged line  1.3 ms\n',
    );
    expect(lines({ ...entry, collection: undefined, shape: '{}', counts: {} }, false, {})).toBe('find  1.3 ms\n');
    expect(lines({ ...entry, shape: 'x'.repeat(300) }, false, {}).length).toBeLessThan(250);
    expect(lines({ ...entry, statement: { filter: { age: 5 } } }, false, {})).toContain('{ filter: { age: 5 } }');
  });

  it('has colours on a terminal alone, unless NO_COLOR or FORCE_COLOR say otherwise', () => {
    const isColored = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean => lines(entry, isTTY, env).includes('\x1b[');
    expect(isColored(true, {})).toBe(true);
    expect(isColored(false, {})).toBe(false);
    expect(isColored(true, { NO_COLOR: '1' })).toBe(false);
    expect(isColored(true, { NO_COLOR: '' })).toBe(true);
    expect(isColored(true, { TERM: 'dumb' })).toBe(false);
    expect(isColored(false, { FORCE_COLOR: '1' })).toBe(true);
    expect(isColored(false, { FORCE_COLOR: '' })).toBe(true);
    expect(isColored(true, { FORCE_COLOR: '0' })).toBe(false);
    expect(stripVTControlCharacters(lines(entry, true, {}))).toBe(lines(entry, false, {}));
  });
});

import type { CommandStartedEvent } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Connection, ConnectOptions, DriftError as DriftErrorOf } from '../../src/index.ts';
import { openDatabase, type OpenDatabase } from '../support/database.ts';

// A package of its own, which knows no models of other tests in this process.
vi.resetModules();
const { connect, DriftError, model } = await import('../../src/index.ts');

let database: OpenDatabase;
let warnings: { text: string; code: string }[];
const connections: Connection[] = [];

beforeEach(async () => {
  database = await openDatabase();
  warnings = [];
  vi.spyOn(process, 'emitWarning').mockImplementation((text, options) => {
    warnings.push({ text: String(text), code: String((options as { code?: string }).code) });
  });
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await Promise.all(connections.splice(0).map((each) => each.close()));
  await database.close();
});

const fields = { email: z.string().optional(), at: z.date().optional() };
class Member extends model('members', fields, { indexes: [{ key: { email: 1 }, unique: true }, { key: { at: 1 } }] }) {}

/** Connects, as a program does, and tells what was sent for that. */
async function connected(options?: ConnectOptions): Promise<string[]> {
  const sent: string[] = [];
  const connection = await connect(database.uri, { ...options, monitorCommands: true });
  connections.push(connection);
  connection.client.on('commandStarted', ({ commandName }: CommandStartedEvent) => sent.push(commandName));
  return sent;
}

const members = () => database.db.collection('members');
const indexes = async () =>
  (await members().indexes()).flatMap(({ name }) => (name === '_id_' ? [] : [String(name)])).toSorted();

describe('connect()', () => {
  it('warns of a unique index that is not there, once', async () => {
    await members().insertOne({});
    await connected();
    expect(warnings).toEqual([
      {
        code: 'DATA_BRIDGE_MISSING_INDEX',
        text: expect.stringMatching(/unique index "email_1" of the collection "members"/),
      },
    ]);
    await connected();
    expect(warnings).toHaveLength(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['of a collection that is not there yet', async () => {}],
    ['of an empty one, which may be about to get its indexes', () => database.db.createCollection('members')],
    ['where the index has another name', () => members().createIndex({ email: 1 }, { unique: true, name: 'mail' })],
  ])('does not warn %s', async (_, prepare) => {
    await prepare();
    await connected();
    expect(warnings).toEqual([]);
  });

  it('does not look in production, nor where it is told so', async () => {
    await members().insertOne({});
    await connected({ verify: 'off' });
    vi.stubEnv('NODE_ENV', 'production');
    await connected();
    expect(warnings).toEqual([]);
  });

  it('warns of all that differs', async () => {
    await members().createIndex({ email: 1 });
    await connected({ verify: 'warn' });
    const text = warnings.find((each) => each.text.includes('"members"'))?.text;
    expect(text).toBe(
      'The collection "members" is not as its models declare, it lacks: createIndex "at_1", makeUnique "email_1". plan() tells more, apply() does it.',
    );
    expect(new Set(warnings.map(({ code }) => code))).toEqual(new Set(['DATA_BRIDGE_DRIFT']));
  });

  it('refuses, and has the plan', async () => {
    const error = await connected({ verify: 'refuse' }).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(DriftError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_DRIFT', message: expect.stringContaining('"members"') });
    expect((error as DriftErrorOf).plan).toMatchObject({ format: 1 });
    expect(Object.keys(error as object)).not.toContain('plan');
    await expect(connected({ verify: 'refuse' })).rejects.toThrow(DriftError);
    await connected({ verify: 'apply' });
    await connected({ verify: 'refuse' });
    const [connection] = connections;
    expect(await Member.using(connection as Connection).planIndexes()).toMatchObject({ steps: [] });
  });

  it('applies what takes nothing away, and tells of the rest', async () => {
    await members().createIndex({ at: 1 }, { expireAfterSeconds: 1_000_000 });
    await connected({ verify: 'apply' });
    expect((await members().indexes()).find(({ name }) => name === 'at_1')).toHaveProperty('expireAfterSeconds');
    expect(await indexes()).toEqual(['at_1', 'email_1']);
    expect(warnings).toMatchObject([
      { code: 'DATA_BRIDGE_DRIFT', text: expect.stringContaining('the index "at_1" was left') },
    ]);
  });

  it('takes the newer one of models that contradict each other, as after hot reloading', async () => {
    const indexes = [
      { key: { email: 1 }, unique: true },
      { key: { at: 1 }, sparse: true },
    ] as const;
    const Newer = class extends model('members', fields, { indexes }) {};
    await connected({ verify: 'apply' });
    expect((await members().indexes()).find(({ name }) => name === 'at_1')).toHaveProperty('sparse', true);
    expect(Newer.name).toBe('Newer');
  });

  it('refuses another word', async () => {
    await expect(connected({ verify: 'yes' as never })).rejects.toThrow(
      /takes "off", "warn", "refuse", "apply" as "verify"/,
    );
  });
});

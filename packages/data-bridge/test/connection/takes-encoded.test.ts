import { inspect } from 'node:util';
import { BSON, type Collection, Decimal128, Double, Long, MongoClient, ObjectId } from 'mongodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { EncodedDocument } from '../../src/bson/encoded-document.ts';
import { connect, type Connection, model } from '../../src/index.ts';
import { takesEncoded } from '../../src/connection/takes-encoded.ts';
import { useDatabase } from '../support/database.ts';

const fields = {
  name: z.string(),
  n: z.number().optional(),
  at: z.date().optional(),
  tags: z.array(z.string()).optional(),
  inner: z.object({ list: z.array(z.unknown()) }).optional(),
  other: z.unknown().optional(),
};
class Note extends model('notes', fields) {}

/** Versions of the driver that keep the documents of an insert of many as they encoded them. */
const keepsBytes = !/^7\.[0-5]\./.test(process.env['DRIVER_VERSION'] ?? '7.9.0');

const database = useDatabase();
afterEach(async () => {
  vi.restoreAllMocks();
  await database.db.collection('notes').deleteMany({});
});

const takes = ({ client, db }: Connection): boolean => takesEncoded(client, db.collection('notes'));

/** Another connection to the same database, closed after its use. */
async function withConnection<R>(
  options: Parameters<typeof connect>[1],
  use: (connection: Connection) => Promise<R>,
): Promise<R> {
  const connection = await connect(database.uri, options);
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
}

const stored = async (): Promise<Uint8Array[]> =>
  (await database.db
    .collection('notes')
    .find({}, { raw: true, sort: { _id: 1 } })
    .toArray()) as unknown as Uint8Array[];

const inputs = () => [
  { name: 'plain', n: 1, at: new Date(5), tags: ['a', 'é'], inner: { list: [1, 0.5, null, { a: [] }] } },
  {
    name: 'typed',
    other: { a: new Double(1), b: Long.fromNumber(2), c: Decimal128.fromString('3'), d: Buffer.from('d') },
  },
  { name: 'more', other: new Map([['k', 4n]]), n: -0 },
];

describe('documents as bytes', () => {
  it('are taken by this version of the driver, or none is given', () => {
    expect(takes(database.connection)).toBe(keepsBytes);
  });

  const ways: Record<string, (M: typeof Note) => Promise<unknown>> = {
    create: async (M) => {
      for (const input of inputs()) await M.create(input);
    },
    insertMany: (M) => M.insertMany(inputs()),
    'insertMany, not validated': (M) => M.insertMany(inputs(), { validate: false }),
    'insertMany in any order, for ids': (M) => M.insertMany(inputs(), { ordered: false, return: 'ids' }),
    'insertMany of plain inputs': async (M) => {
      for (const input of inputs()) await M.insertMany([input], { validate: false, return: 'ids' });
    },
    saveAll: (M) => M.saveAll(inputs().map((input) => new M(input))),
    'a transaction': (M) => database.connection.transaction(() => M.insertMany(inputs())),
  };
  it.each(Object.entries(ways))('are stored as objects are: %s', async (_, write) => {
    const withoutIds = async () => (await stored()).map((bytes) => Buffer.from(bytes).subarray(21).toString('hex'));
    await write(Note);
    const asBytes = await withoutIds();
    await database.db.collection('notes').deleteMany({});
    await withConnection({ monitorCommands: true }, async (connection) => {
      if (write === ways['a transaction']) await Note.using(connection).insertMany(inputs());
      else await write(Note.using(connection));
    });
    expect(asBytes).toHaveLength(3);
    expect(asBytes.toSorted()).toEqual((await withoutIds()).toSorted());
  });

  it('are in as many commands as their sizes need', async () => {
    const text = 'x'.repeat(1024 * 1024);
    database.sent();
    await Note.insertMany(Array.from({ length: 40 }, () => ({ name: text })));
    const sizes = database.sent().map((command) => (command['documents'] as unknown[]).length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(40);
    expect(await Note.count()).toBe(40);
  });

  const errorOf = async (promise: Promise<unknown>): Promise<unknown> => {
    const error = (await promise.then(() => null).catch((thrown: unknown) => thrown)) as Error & { code?: unknown };
    return [error.name, error.code, error.message];
  };
  const tooLarge = { name: 'x'.repeat(16 * 1024 * 1024) };
  it.each<readonly [string, (M: typeof Note) => Promise<unknown>]>([
    ['insertMany, too large', (M) => M.insertMany([tooLarge])],
    ['insertMany, just too large', (M) => M.insertMany([{ name: 'x'.repeat(16 * 1024 * 1024 - 33) }])],
    ['create, too large', (M) => M.create(tooLarge)],
    ['saveAll, too large', (M) => M.saveAll([new M(tooLarge), new M({ name: 'b' })], { ordered: true })],
    ['insertMany, not storable', (M) => M.insertMany([{ name: 'a' }, { name: 'b', other: { f: () => 1 } }])],
    ['create, not storable', (M) => M.create({ name: 'b', other: [{ f: new Date(Number.NaN) }] })],
    ['insertMany, text', (M) => M.insertMany([{ name: '\ud800' }], { validate: false, return: 'ids' })],
  ])('fail as objects do: %s', async (_, write) => {
    const asBytes = await errorOf(write(Note));
    const asObjects = await withConnection({ monitorCommands: true }, (connection) =>
      errorOf(write(Note.using(connection))),
    );
    expect(asBytes).toEqual(asObjects);
    expect(await Note.count()).toBe(0);
  });

  it.each(['ignoreUndefined', 'checkKeys'])('are encoded in one way: no call takes the option "%s"', async (option) => {
    const write = Note.insertMany([{ name: 'a' }], { [option]: option === 'checkKeys' } as object);
    await expect(write).rejects.toThrow(`does not take the option "${option}"`);
    await expect(Note.create({ name: 'a' }, { [option]: true })).rejects.toThrow('does not take the option');
  });
});

describe('a client that shows its commands', () => {
  const shown = { name: 'shown', tags: ['a'] };

  it('shows the documents to its listeners', async () => {
    const seen: unknown[] = [];
    await withConnection({ monitorCommands: true }, async (connection) => {
      connection.client.on('commandStarted', ({ command }) => seen.push(...((command['documents'] as []) ?? [])));
      expect(takes(connection)).toBe(false);
      await Note.using(connection).create(shown);
      await Note.using(connection).insertMany([shown, shown]);
    });
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ _id: expect.any(ObjectId) as unknown, ...shown })));
  });

  it('shows them in the log of the mapper, and in that of the driver', async () => {
    const logged: string[] = [];
    await withConnection(
      { log: (entry) => logged.push(JSON.stringify(entry)), logValues: true },
      async (connection) => {
        expect(takes(connection)).toBe(false);
        await Note.using(connection).create(shown);
      },
    );
    expect(logged.join()).toContain('shown');
    const lines: string[] = [];
    const options = {
      mongodbLogComponentSeverities: { command: 'debug' },
      mongodbLogPath: { write: (line: object) => lines.push(inspect(line)) },
    };
    await withConnection(options as object, async (connection) => {
      expect(takes(connection)).toBe(false);
      await Note.using(connection).create(shown);
    });
    expect(lines.join()).toContain('shown');
  });

  it('may begin to show them later', async () => {
    await withConnection({}, async (connection) => {
      expect(takes(connection)).toBe(keepsBytes);
      Object.assign(connection.client.options, { monitorCommands: true });
      expect(takes(connection)).toBe(false);
    });
  });
});

describe('a driver that does otherwise', () => {
  const collection = (bulk: object | undefined): Collection => {
    const begin = () => ({ insert: () => bulk });
    return { initializeOrderedBulkOp: begin, initializeUnorderedBulkOp: begin } as unknown as Collection;
  };
  const client = (): MongoClient => new MongoClient('mongodb://127.0.0.1:1');

  it.each<readonly [string, object | undefined]>([
    ['keeps no bytes', { batches: [{}] }],
    ['keeps none of fields that it encrypts', { batches: [{ serializedOperations: [] }] }],
    ['keeps others', { batches: [{ serializedOperations: [BSON.serialize({ '': 1 })] }] }],
    ['has no batches', {}],
  ])('is given objects: it %s', (_, bulk) => {
    expect(takesEncoded(client(), collection(bulk))).toBe(false);
  });

  it('is given objects: its client was not connected', () => {
    const closed = client();
    expect(takesEncoded(closed, closed.db().collection('notes'))).toBe(false);
  });

  it.each<readonly [string, () => object]>([
    ['knows no toBSON()', () => ({ '': 1 })],
    ['cannot write what that gives', () => ({ '': { _bsontype: 'Unknown' } })],
  ])('is given objects: its bson package %s', async (_, give) => {
    vi.spyOn(EncodedDocument.prototype, 'toBSON').mockImplementation(give);
    await withConnection({}, async (connection) => {
      expect(takes(connection)).toBe(false);
      vi.restoreAllMocks();
      await Note.using(connection).insertMany(inputs());
      const [ids] = [await Note.using(connection).insertMany(inputs(), { return: 'ids' })];
      expect(ids).toHaveLength(3);
    });
    expect(await Note.count()).toBe(6);
  });
});

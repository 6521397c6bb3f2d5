import { AbstractCursor, BSON } from 'mongodb';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { slicesOf } from '../../src/bson/batch.ts';
import { model } from '../../src/model/model.ts';
import { type RawCursor, takeBatch } from '../../src/connection/raw-batch.ts';
import { useDatabase } from '../support/database.ts';

class Note extends model('notes', { text: z.string(), n: z.number() }) {}
class Kept extends model('kept', { n: z.number() }, { history: true }) {}

const database = useDatabase();

beforeAll(async () => {
  await Note.insertMany(Array.from({ length: 250 }, (_, n) => ({ text: `note ${n}`, n })));
});

/** What the driver keeps of a reply, as far as it is read from there. */
interface Reply {
  readonly batch: { readonly bson: Uint8Array; readonly offset: number; readonly elements: number[][] };
  length: number;
  iterated: number;
}

/** A cursor over the notes that has received its first batch, and the reply that it holds. */
async function received(): Promise<{ readonly cursor: RawCursor; readonly reply: Reply }> {
  const cursor = Note.collection.find({}, { raw: true, sort: { n: 1 }, batchSize: 5 });
  await cursor.hasNext();
  return { cursor, reply: (cursor as unknown as { readonly documents: Reply }).documents };
}

const numbersOf = (cursor: RawCursor): unknown[] =>
  slicesOf(takeBatch(cursor)).map((bytes) => BSON.deserialize(bytes)['n'] as unknown);

describe('a batch as the driver keeps it', () => {
  it('gives its documents without asking the driver for each', async () => {
    const { cursor, reply } = await received();
    cursor.readBufferedDocuments = () => expect.fail('The driver was asked.');
    const batch = takeBatch(cursor);
    expect(batch.bytes).toBe(reply.batch.bson);
    expect(slicesOf(batch).map((bytes) => BSON.deserialize(bytes)['n'] as unknown)).toEqual([0, 1, 2, 3, 4]);
    expect(reply.length).toBe(0);
    await cursor.close();
  });

  it('is taken once, and the next one after it', async () => {
    const { cursor } = await received();
    expect(numbersOf(cursor)).toEqual([0, 1, 2, 3, 4]);
    expect(await cursor.hasNext()).toBe(true);
    expect(numbersOf(cursor)).toEqual([5, 6, 7, 8, 9]);
    await cursor.close();
  });
});

describe('a batch of which anything is in doubt', () => {
  const replace = (reply: Reply, name: string, value: unknown): void => {
    Object.defineProperty(reply, name, { value, configurable: true });
  };
  const replaceInBatch = (reply: Reply, name: string, value: unknown): void =>
    replace(reply.batch as never, name, value);
  const withElements =
    (change: (elements: number[][], reply: Reply) => void) =>
    (reply: Reply): void => {
      const elements = reply.batch.elements.map((element) => [...element]);
      change(elements, reply);
      replaceInBatch(reply, 'elements', elements);
    };
  const part = (elements: number[][], element: number, place: number, by: number): void => {
    (elements[element] as number[])[place] = ((elements[element] as number[])[place] as number) + by;
  };

  const doubts: Record<string, (reply: Reply) => void> = {
    'a response that was decrypted': (reply) => replace(reply, 'encryptedResponse', {}),
    'a batch that is no array': (reply) => replaceInBatch(reply, 'isArray', false),
    'bytes of another kind': (reply) => replaceInBatch(reply, 'bson', [...reply.batch.bson]),
    'elements of another kind': (reply) => replaceInBatch(reply, 'elements', new Set(reply.batch.elements)),
    'an element without parts': withElements((elements) => elements.splice(1, 1, null as unknown as number[])),
    'an element of another type': withElements((elements) => part(elements, 2, 0, 1)),
    'an element that lies elsewhere': withElements((elements) => part(elements, 2, 3, 1)),
    'an element of another size': withElements((elements) => part(elements, 2, 4, 1)),
    'an element twice': withElements((elements) => elements.splice(1, 1, [...(elements[0] as number[])])),
    'elements in another order': withElements((elements) => elements.reverse()),
    'an element before the array': withElements((elements) => part(elements, 0, 3, -1000)),
    'a place that is no number': withElements((elements) => ((elements[2] as unknown[])[3] = '100')),
    'an element too few': withElements((elements, reply) => {
      elements.pop();
      replace(reply, 'length', elements.length);
    }),
    'another number of documents': (reply) => replace(reply, 'length', 4),
    'another start of the array': (reply) => replaceInBatch(reply, 'offset', reply.batch.offset + 1),
    'no start of the array': (reply) => replaceInBatch(reply, 'offset', undefined),
    'no way to be cleared': (reply) => replace(reply, 'clear', undefined),
    'a clearing that clears nothing': (reply) => replace(reply, 'clear', () => {}),
    'a length that cannot be worked out': (reply) =>
      Object.defineProperty(reply, 'length', { get: () => expect.fail('No length.'), configurable: true }),
  };

  it.each(Object.entries(doubts))('is read by the driver: %s', async (_, tamper) => {
    const { cursor, reply } = await received();
    const { readBufferedDocuments } = cursor;
    const real = reply.batch.elements;
    const { bson, offset } = reply.batch;
    let asked = 0;
    cursor.readBufferedDocuments = () => {
      asked += 1;
      // The driver itself gets the reply as it was.
      for (const [name, value] of Object.entries({ elements: real, bson, offset, isArray: true }))
        Object.defineProperty(reply.batch, name, { value, configurable: true });
      for (const name of ['length', 'clear', 'encryptedResponse']) Reflect.deleteProperty(reply, name);
      return readBufferedDocuments.call(cursor);
    };
    tamper(reply);
    expect(numbersOf(cursor)).toEqual([0, 1, 2, 3, 4]);
    expect(asked).toBe(1);
    await cursor.close();
  });

  it('is read by the driver: some documents were taken already', async () => {
    const { cursor } = await received();
    await (cursor as unknown as AbstractCursor).next();
    expect(numbersOf(cursor)).toEqual([1, 2, 3, 4]);
    await cursor.close();
  });

  it('is read by the driver: no reply is known', () => {
    const none = { closed: false, hasNext: async () => false, readBufferedDocuments: () => [], close: async () => {} };
    expect(takeBatch(none).starts).toEqual([]);
    expect(takeBatch({ ...none, documents: null }).starts).toEqual([]);
  });
});

describe('every way of reading', () => {
  const { readBufferedDocuments } = AbstractCursor.prototype;
  let asked = 0;

  beforeEach(() => {
    asked = 0;
    AbstractCursor.prototype.readBufferedDocuments = function counting(this: AbstractCursor, ...given) {
      asked += 1;
      return readBufferedDocuments.apply(this, given);
    };
  });

  afterEach(() => {
    AbstractCursor.prototype.readBufferedDocuments = readBufferedDocuments;
  });

  const inOrder = () => Note.find().sort({ n: 1 });
  const everyNumber = Array.from({ length: 250 }, (_, n) => n);

  const ways: Record<string, () => Promise<number[]>> = {
    find: async () => (await inOrder()).map(({ n }) => n),
    'find in batches': async () => (await inOrder().batchSize(30)).map(({ n }) => n),
    'for await': async () => {
      const numbers: number[] = [];
      for await (const { n } of inOrder().batchSize(30)) numbers.push(n);
      return numbers;
    },
    lean: async () => (await inOrder().lean()).map(({ n }) => n),
    map: async () => inOrder().map(({ n }) => n),
    aggregate: async () => (await Note.aggregate().sort({ n: 1 })).map(({ n }) => n),
    'aggregate, hydrated': async () => (await Note.aggregate().sort({ n: 1 }).hydrate()).map(({ n }) => n),
    'page after page': async () => {
      const first = await inOrder().page({ size: 100 });
      const second = await inOrder().page({ size: 150, after: first.next });
      return [...first.items, ...second.items].map(({ n }) => n);
    },
    'a page before another': async () => {
      const { next } = await inOrder().page({ size: 249 });
      const end = await inOrder().page({ size: 1, after: next });
      const before = await inOrder().page({ size: 249, before: end.previous });
      return [...before.items, ...end.items].map(({ n }) => n);
    },
    'in a transaction': async () =>
      database.connection.transaction(async () => (await inOrder().batchSize(30)).map(({ n }) => n)),
    first: async () => [(await inOrder().first())?.n as number, ...everyNumber.slice(1)],
  };

  it.each(Object.entries(ways))('takes batches as the driver keeps them: %s', async (_, read) => {
    expect(await read()).toEqual(everyNumber);
    expect(asked).toBe(0);
  });

  it('takes batches as the driver keeps them: a history', async () => {
    const kept = await Kept.create({ n: 1 });
    kept.n = 2;
    await kept.save();
    expect((await kept.$history()).items).toHaveLength(2);
    expect(asked).toBe(0);
  });
});

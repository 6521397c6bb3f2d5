import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Durable } from '../support/durable.ts';
import { type Case, conformance, errorOf } from '../support/conformance.ts';

// Source: the MongoDB manual, "TTL Indexes".

const HOUR = 3_600_000;
const ago = (milliseconds: number): Date => new Date(Date.now() - milliseconds);

/** Waits until so many documents are left: how long that takes is not the point. */
async function untilLeft(collection: Collection, count: number): Promise<void> {
  while ((await collection.countDocuments()) > count) await sleep(50);
}

describe('documents that expire', () => {
  let durable: Durable;

  beforeEach(async () => {
    durable = await Durable.start();
  });

  afterEach(() => durable.remove());

  const collection = (): Collection => durable.client.db('expiry').collection('c');

  it('go by themselves, the others stay', async () => {
    await collection().insertMany([
      { a: 'expired', at: ago(2 * HOUR) },
      { a: 'expired', at: [new Date(), ago(2 * HOUR)] },
      { a: 'fresh', at: ago(HOUR / 2) },
      { a: 'in the future', at: new Date(Date.now() + HOUR) },
      { a: 'no date', at: 5 },
      { a: 'nothing' },
    ]);
    await collection().createIndex({ at: -1 }, { expireAfterSeconds: 3_600 });
    await untilLeft(collection(), 4);
    expect((await collection().find().sort({ a: 1 }).toArray()).map(({ a }) => a as unknown)).toEqual([
      'fresh',
      'in the future',
      'no date',
      'nothing',
    ]);
  });

  it('go after a restart too, and only those that a partial index has', async () => {
    const partialFilterExpression = { temporary: true };
    await collection().createIndex({ at: 1 }, { expireAfterSeconds: 0, partialFilterExpression });
    const soon = new Date(Date.now() + 500);
    await collection().insertMany([{ at: soon, temporary: true }, { at: soon }]);
    await durable.restart();
    await untilLeft(collection(), 1);
    expect(await collection().findOne()).not.toHaveProperty('temporary');
  });
});

const definitions: Record<string, Case> = {
  'an index says when documents expire': async ({ collection }) => {
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    expect((await collection.indexes()).at(-1)).toMatchObject({ name: 'at_1', expireAfterSeconds: 60 });
    expect((await errorOf(collection.createIndex({ at: 1 }, { expireAfterSeconds: 61 }))).code).toBe(85);
  },
  'a time that cannot be is refused': async ({ collection }) => {
    expect((await errorOf(collection.createIndex({ at: 1 }, { expireAfterSeconds: -1 }))).code).toBe(67);
    expect((await errorOf(collection.createIndex({ a: 1, b: 1 }, { expireAfterSeconds: 1 }))).code).toBe(67);
  },
};

conformance('indexes of time', definitions);

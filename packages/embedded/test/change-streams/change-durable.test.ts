// Change streams of a server that was stopped meanwhile.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { errorOf } from '../support/conformance.ts';
import { Durable } from '../support/durable.ts';
import { withServer } from '../support/server.ts';
import { Watching } from '../support/watching.ts';

interface Item {
  _id: number;
  text?: string;
}

describe('a change stream over a restart', () => {
  let durable: Durable;

  beforeEach(async () => {
    durable = await Durable.start();
  });

  afterEach(() => durable.remove());

  const items = () => durable.client.db('shop').collection<Item>('items');

  it('goes on behind the token that it had', async () => {
    const first = await Watching.open(items());
    await items().insertMany([{ _id: 1 }, { _id: 2 }]);
    const [event] = await first.next();
    await items().updateOne({ _id: 1 }, { $set: { text: 'x' } });
    await durable.restart();
    await items().deleteOne({ _id: 1 });
    await using second = await Watching.open(items(), [], { resumeAfter: event?._id });
    expect(await second.next(3)).toMatchObject([
      { operationType: 'insert', documentKey: { _id: 2 }, fullDocument: { _id: 2 } },
      { operationType: 'update', documentKey: { _id: 1 }, updateDescription: { updatedFields: { text: 'x' } } },
      { operationType: 'delete', documentKey: { _id: 1 } },
    ]);
  });

  it('begins at a time before it', async () => {
    const first = await Watching.open(items());
    await items().insertMany([{ _id: 1 }, { _id: 2 }]);
    const [, event] = await first.next(2);
    await durable.restart();
    await using second = await Watching.open(items(), [], { startAtOperationTime: event?.clusterTime as never });
    expect(await second.next()).toMatchObject([{ documentKey: { _id: 2 } }]);
  });

  it('tells what a command did before and after the statement that failed', async () => {
    await using watching = await Watching.open(items());
    await items().insertOne({ _id: 1 });
    const failing = items().insertMany([{ _id: 2 }, { _id: 1 }, { _id: 3 }], { ordered: false });
    expect(await errorOf(failing)).toMatchObject({ code: 11000 });
    const events = await watching.next(3);
    expect(events.map(({ documentKey }) => documentKey)).toEqual([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });

  it('cannot go on where the log has forgotten', async () => {
    await using first = await Watching.open(items());
    await items().insertOne({ _id: 0 });
    const [event] = await first.next();
    const text = 'x'.repeat(1_000_000);
    for (let _id = 1; _id <= 20; _id += 1) await items().insertOne({ _id, text });
    expect(await errorOf(Watching.open(items(), [], { resumeAfter: event?._id }))).toMatchObject({ code: 286 });
    expect(await errorOf(first.next())).toMatchObject({ code: 286 });
    await durable.restart();
    expect(await errorOf(Watching.open(items(), [], { resumeAfter: event?._id }))).toMatchObject({ code: 286 });
  });
});

describe('a change stream in memory', () => {
  it('has a log that is bounded, by the number of the changes too', async () => {
    await withServer(async (client) => {
      const items = client.db('shop').collection<Item>('items');
      await using watching = await Watching.open(items, [], { batchSize: 10 });
      const insert = (from: number): Promise<unknown> =>
        items.insertMany(Array.from({ length: 5_000 }, (_, n) => ({ _id: from + n })));
      await insert(0);
      expect(await watching.next(10)).toHaveLength(10);
      for (let from = 5_000; from < 30_000; from += 5_000) await insert(from);
      expect(await errorOf(watching.next())).toMatchObject({ code: 286, codeName: 'ChangeStreamHistoryLost' });
    });
  });
});

import { type CommandSucceededEvent, MongoServerError } from 'mongodb';
import { setTimeout as wait } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { DocumentNotFoundError, model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Row extends model('rows', { i: z.int(), text: z.string().default('') }) {}

const COUNT = 40;

const database = useDatabase();
beforeAll(async () => {
  await Row.insertMany(Array.from({ length: COUNT }, (_, i) => ({ i })));
});
beforeEach(() => {
  database.sent();
});

const numbers = Array.from({ length: COUNT }, (_, i) => i);
const commandNames = () => database.sent().map((command) => Object.keys(command)[0]);

describe('forEach()', () => {
  it('calls one after another, and waits for each', async () => {
    const events: string[] = [];
    await Row.find({ i: { $lt: 3 } })
      .sort('i')
      .forEach(async ({ i }) => {
        events.push(`begin ${i}`);
        await wait(1);
        events.push(`end ${i}`);
      });
    expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  it('has at most as many calls under way as the option says', async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    await Row.find()
      .batchSize(7)
      .forEach(
        async ({ i }) => {
          running += 1;
          most = Math.max(most, running);
          await wait(1);
          seen.push(i);
          running -= 1;
        },
        { concurrency: 4 },
      );
    expect([most, running]).toEqual([4, 0]);
    expect(seen.toSorted((a, b) => a - b)).toEqual(numbers);
  });

  it.each([1, 3])('ends with the first error and closes the cursor: concurrency %i', async (concurrency) => {
    const begun: number[] = [];
    let ended = 0;
    const failing = Row.find()
      .sort('i')
      .batchSize(5)
      .forEach(
        async ({ i }) => {
          begun.push(i);
          await wait(2);
          if (i === 2) throw new Error('three');
          ended += 1;
        },
        { concurrency },
      );
    await expect(failing).rejects.toThrow('three');
    // What was started is waited for, and little more was started.
    expect(ended).toBe(begun.length - 1);
    expect(begun.length).toBeLessThan(3 + 2 * concurrency);
    expect(commandNames()).toEqual(['find', 'killCursors']);
  });

  it('takes a function that gives nothing, and no documents', async () => {
    let sum = 0;
    await Row.find({ i: { $lt: 4 } }).forEach(({ i }) => (sum += i));
    await Row.find({ i: -1 }).forEach(() => (sum = -1), { concurrency: 5 });
    expect(sum).toBe(6);
  });

  it.each([0, -1, 1.5, Number.NaN, '2'])('takes no concurrency of %s', async (concurrency) => {
    await expect(Row.find().forEach(() => {}, { concurrency: concurrency as number })).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });
});

describe('map()', () => {
  it('gives what the function makes of each document', async () => {
    const doubled = Row.find({ i: { $lt: 3 } })
      .map(({ i }) => i * 2)
      .sort('i');
    expect(await doubled).toEqual([0, 2, 4]);
    expect(await doubled.map(String).first()).toBe('0');
    const seen: number[] = [];
    for await (const number of doubled) seen.push(number);
    expect(seen).toEqual([0, 2, 4]);
    expect(await doubled.count()).toBe(3);
  });
});

describe('one()', () => {
  it('gives the only document', async () => {
    expect((await Row.find({ i: 5 }).one()).i).toBe(5);
    expect(database.sent()).toMatchObject([{ limit: 2 }]);
    expect((await Row.find().sort('i').limit(1).one()).i).toBe(0);
  });

  it('rejects where there is none, or several', async () => {
    await expect(Row.find({ i: -1 }).one()).rejects.toThrow(DocumentNotFoundError);
    await expect(Row.find().one()).rejects.toThrow(UsageError);
    await expect(Row.find().one()).rejects.toMatchObject({ model: 'rows' });
  });
});

describe('a signal', () => {
  const reason = new Error('enough');

  it('that was aborted lets nothing be sent', async () => {
    const query = Row.find().signal(AbortSignal.abort(reason));
    for (const call of [
      () => query,
      () => query.first(),
      () => query.count(),
      () => query.sum('i'),
      () => query.distinct('i'),
      () => query.page({ size: 1 }),
      () => query.update({ $set: { i: 1 } }),
      () => query.delete(),
      () => query.forEach(() => {}),
    ])
      await expect(call()).rejects.toBe(reason);
    expect(database.sent()).toEqual([]);
  });

  it('ends an iteration in the midst of a batch, and closes the cursor', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const iterate = async () => {
      for await (const { i } of Row.find().sort('i').batchSize(10).signal(controller.signal)) {
        seen.push(i);
        if (i === 3) controller.abort(reason);
      }
    };
    await expect(iterate()).rejects.toBe(reason);
    expect(seen).toEqual([0, 1, 2, 3]);
    // The driver closes it by itself then, and nobody waits for that.
    const names: unknown[] = [];
    await vi.waitFor(() => {
      names.push(...commandNames());
      expect(names).toEqual(['find', 'killCursors']);
    });
  });
});

describe('a cursor that the server ended', () => {
  it('is an error of the server for the iteration, and of forEach()', async () => {
    const ids: unknown[] = [];
    const note = ({ reply }: CommandSucceededEvent) => {
      const { id } = (reply as { cursor?: { id?: unknown } } | undefined)?.cursor ?? {};
      if (id !== undefined) ids.push(id);
    };
    const { client } = database.connection;
    client.on('commandSucceeded', note);
    const endCursor = () => database.db.command({ killCursors: 'rows', cursors: [ids.at(-1)] });
    try {
      const iterate = async () => {
        for await (const { i } of Row.find().sort('i').batchSize(2)) if (i === 0) await endCursor();
      };
      await expect(iterate()).rejects.toMatchObject({ code: 43 });
      const each = Row.find()
        .sort('i')
        .batchSize(2)
        .forEach(({ i }) => (i === 0 ? endCursor() : undefined), { concurrency: 2 });
      await expect(each).rejects.toBeInstanceOf(MongoServerError);
    } finally {
      client.off('commandSucceeded', note);
    }
  });
});

describe('many documents', () => {
  it('are let go batch by batch', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const seen: WeakRef<Row>[] = [];
    let alive = 0;
    for await (const row of Row.find().sort('i').batchSize(5)) {
      seen.push(new WeakRef(row));
      if (seen.length < 30) continue;
      // References are kept until the end of the turn in which they were made.
      await wait(0);
      collectGarbage();
      alive = seen.filter((each) => each.deref() !== undefined).length;
      break;
    }
    expect(seen).toHaveLength(30);
    expect(alive).toBeLessThanOrEqual(10);
  });
});

import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type BulkWriteError, model, transaction } from '../../src/index.ts';
import { INSERT, INSERTED, log, Post, Task, told, UPDATE, UPDATED, useHookModels } from '../support/hook-models.ts';
import { askForReplicaSet } from '../support/replica-set.ts';

const isReplicaSet = await askForReplicaSet();

const database = useHookModels();

describe('a conflict', () => {
  /** A task that another writer changed meanwhile, and how often its hook was called. */
  const clash = async (theirs: object) => {
    const task = await Task.create({ title: 'a' });
    await Task.collection.updateOne({ _id: task._id }, { $set: theirs });
    const calls: string[] = [];
    const end = Task.on('beforeUpdate', (each) => {
      calls.push(each.title);
      each.seen += 1;
    });
    return { task, calls, end };
  };

  it('that a policy settles calls what comes before once', async () => {
    for (const onConflict of ['mine', 'theirs'] as const) {
      const { task, calls, end } = await clash({ title: 'theirs' });
      task.title = 'mine';
      await task.save({ onConflict });
      end();
      expect(calls).toEqual(['mine']);
      expect([task.title, task.seen]).toEqual([onConflict, 1]);
    }
  });

  it('where the program is asked calls it again for what it answered', async () => {
    const { task, calls, end } = await clash({ title: 'theirs' });
    task.title = 'mine';
    await task.save({ onConflict: ({ mine, theirs }) => `${String(mine)}+${String(theirs)}` });
    end();
    expect(calls).toEqual(['mine', 'mine+theirs']);
    expect(await Task.collection.findOne({ _id: task._id })).toMatchObject({ title: 'mine+theirs', seen: 2 });
  });

  it('where the program changed something meanwhile calls it again', async () => {
    const { task, calls, end } = await clash({ title: 'theirs' });
    task.title = 'mine';
    database.connection.client.once('commandStarted', () => {
      task.done = true;
    });
    await task.save({ onConflict: 'mine' });
    end();
    expect(calls).toEqual(['mine', 'mine']);
    expect(await Task.collection.findOne({ _id: task._id })).toMatchObject({ title: 'mine', done: true, seen: 2 });
  });

  it('of fields that do not overlap calls nothing again', async () => {
    const { task, calls, end } = await clash({ done: true });
    task.title = 'mine';
    await task.save();
    end();
    expect(calls).toEqual(['mine']);
    expect(await Task.collection.findOne({ _id: task._id })).toMatchObject({ title: 'mine', done: true, seen: 1 });
  });

  it('that leaves nothing to write calls nothing after it', async () => {
    const after: string[] = [];
    const task = await Task.create({ title: 'a' });
    await Task.collection.updateOne({ _id: task._id }, { $set: { title: 'theirs' } });
    const end = Task.on('afterSave', ({ title }) => after.push(title));
    task.title = 'mine';
    await task.save({ onConflict: 'theirs' });
    await Task.saveAll([task]);
    end();
    expect(after).toEqual([]);
  });
});

describe.runIf(isReplicaSet)('a transaction', () => {
  it('runs hooks after at each try, and what comes after the commit once, when it is committed', async () => {
    const post = await Post.create({ title: 'Hello' });
    told();
    let tries = 0;
    await transaction(async () => {
      tries += 1;
      post.title = 'Other';
      await post.save();
      await Post.create({ title: 'Second' });
      log.push('end');
      if (tries === 1) throw transient();
      post.views = 1;
      await post.save();
    });
    const once = [...UPDATE, ...UPDATED.slice(0, 2), ...INSERT, ...INSERTED.slice(0, 2), 'end'];
    const more = ['beforeValidate', 'beforeSave views', 'beforeUpdate', 'afterUpdate views', 'afterSave false'];
    expect(told()).toEqual([...once, ...once, ...more, 'afterCommit', 'afterCommit']);
  });

  it('that fails calls nothing after the commit', async () => {
    const failing = transaction(async () => {
      await Post.create({ title: 'Hello' });
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(told()).toEqual([...INSERT, ...INSERTED.slice(0, 2)]);
  });

  it('throws what a hook after the commit threw, when all were called', async () => {
    const calls: string[] = [];
    const end = Task.on('afterCommit', async (task) => {
      calls.push(task.title);
      await expect(task.save()).rejects.toThrow('inside a save');
      throw new Error(`after ${task.title}`);
    });
    const failing = transaction(() => Task.insertMany([{ title: 'a' }, { title: 'b' }]));
    await expect(failing).rejects.toMatchObject({
      code: 'DATA_BRIDGE_AFTER_HOOK',
      message: 'The transaction was committed, and what a hook did after that failed.',
      cause: { message: 'after a' },
    });
    end();
    expect(calls).toEqual(['a', 'b']);
    expect(await Task.count()).toBe(2);
  });

  it('is told in the error of a hook after a write in it', async () => {
    const end = Task.on('afterInsert', () => Promise.reject(new Error('no')));
    await expect(transaction(() => Task.create({ title: 'a' }))).rejects.toThrow('was stored in the transaction');
    const many: unknown = await transaction(() =>
      Task.bulk().insertOne({ title: 'a' }).deleteMany({ title: 'none' }).execute(),
    ).catch((error: unknown) => error);
    expect((many as BulkWriteError).results).toMatchObject([
      { operation: 'insertOne', insertedId: expect.anything() as unknown, hookError: { name: 'AfterHookError' } },
      { operation: 'deleteMany', deletedCount: 0 },
    ]);
    end();
    expect(await Task.count()).toBe(0);
  });

  it("of the driver's own is refused where a hook waits for its commit", async () => {
    const session = database.connection.client.startSession();
    session.startTransaction();
    await expect(Post.create({ title: 'Hello' }, { session })).rejects.toThrow('use transaction()');
    await Post.create({ title: 'Hello' }, { session, hooks: false });
    await session.abortTransaction();
    await session.endSession();
  });
});

describe('with a history', () => {
  class Kept extends model(
    'hook_kept',
    { title: z.string(), price: z.number(), slug: z.string().default('') },
    { history: true },
  ) {
    beforeSave(): void {
      log.push(`${this.title} ${typeof this.price}`);
      this.slug = `${this.title}!`;
    }
    afterSave(): void {
      log.push('afterSave');
    }
  }

  it('$revert() and restore() call them, with values as programs have them', async () => {
    const kept = await Kept.create({ title: 'a', price: 1.5 });
    kept.title = 'b';
    kept.price = 2;
    await kept.save();
    told();
    await kept.$revert(1);
    expect(told()).toEqual(['a number', 'afterSave']);
    expect(await Kept.collection.findOne({ _id: kept._id })).toMatchObject({ title: 'a', price: 1.5, slug: 'a!' });
    await kept.delete();
    const restored = await Kept.restore(kept._id);
    expect(told()).toEqual(['a number', 'afterSave']);
    expect([restored.price, restored.slug, restored.isModified()]).toEqual([1.5, 'a!', false]);
    await restored.$revert(2, { hooks: false });
    expect([told(), restored.title]).toEqual([[], 'b']);
    const many = await Kept.insertMany([{ title: 'c', price: 1 }]);
    expect([told(), many[0]?.slug]).toEqual([['c number', 'afterSave'], 'c!']);
    await Kept.saveAll(many.map((each) => each.set('title', 'd')));
    expect(told()).toEqual(['d number', 'afterSave']);
  });
});

function transient(): MongoServerError {
  const error = new MongoServerError({ message: 'again', code: 112 });
  error.addErrorLabel('TransientTransactionError');
  return error;
}

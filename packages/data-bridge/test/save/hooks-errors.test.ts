import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  AfterHookError,
  BulkSaveError,
  type BulkWriteError,
  transaction,
  UsageError,
  ValidationError,
} from '../../src/index.ts';
import { INSERT, INSERTED, Plain, Post, Task, told, UPDATE, useHookModels } from '../support/hook-models.ts';

const database = useHookModels();

describe('errors', () => {
  it('of a hook before are thrown as they are, and nothing is sent', async () => {
    const reason = new Error('no');
    const end = Task.on('beforeSave', () => {
      throw reason;
    });
    const task = new Task({ title: 'a' });
    await expect(task.save()).rejects.toBe(reason);
    await expect(Task.insertMany([{ title: 'a' }])).rejects.toBe(reason);
    const [result] = ((await Task.saveAll([task]).catch((error: unknown) => error)) as BulkSaveError).results;
    expect(result).toMatchObject({ outcome: 'failed', error: reason });
    end();
    expect(database.sent()).toEqual([]);
    await task.save();
  });

  it('of validation come after what a hook set', async () => {
    const end = Post.on('beforeUpdate', (post) => {
      post.title = 'x';
    });
    const post = await Post.create({ title: 'Hello' });
    post.views = 1;
    await expect(post.save()).rejects.toThrow(ValidationError);
    end();
  });

  it('of a hook after: all others run, the document is clean, and the error says that it was stored', async () => {
    const post = await Post.create({ title: 'Hello' });
    told();
    post.title = 'Boom';
    const error: unknown = await post.save().catch((each: unknown) => each);
    expect(error).toBeInstanceOf(AfterHookError);
    expect(error).toMatchObject({
      code: 'DATA_BRIDGE_AFTER_HOOK',
      message: 'The document was stored, and what a hook did after that failed.',
      model: 'hook_posts',
      id: post._id,
      cause: { message: 'boom' },
    });
    expect((error as AfterHookError).errors).toHaveLength(1);
    expect(Object.keys(error as object)).not.toContain('errors');
    expect(told().slice(-2)).toEqual(['afterSave false', 'afterCommit']);
    expect(post.isModified()).toBe(false);
    expect(await Post.collection.countDocuments({ title: 'Boom' })).toBe(1);
  });

  it('of a hook after, of many documents, leave their outcomes and are told beside', async () => {
    const end = Task.on('afterInsert', ({ title }) => {
      if (title === 'b') throw new Error('after b');
    });
    const failures = [
      await Task.insertMany([{ title: 'a' }, { title: 'b' }]).catch((error: unknown) => error),
      await Task.saveAll([new Task({ title: 'a' }), new Task({ title: 'b' })]).catch((error: unknown) => error),
    ] as BulkSaveError[];
    for (const { message, results, cause } of failures) {
      expect(message).toBe(
        'The documents were saved, and what hooks did after that failed (AfterHookError). "results" tells of each.',
      );
      expect(results).toMatchObject([
        { outcome: 'inserted' },
        { outcome: 'inserted', hookError: { cause: { message: 'after b' } } },
      ]);
      expect(results[0]).not.toHaveProperty('hookError');
      expect(cause).toBe(results[1]?.hookError);
    }
    const bulk = (await Task.bulk()
      .insertOne({ title: 'b' })
      .execute()
      .catch((error: unknown) => error)) as BulkWriteError;
    expect(bulk.message).toContain('The operations were done, and what hooks did after that failed');
    expect(bulk.results).toMatchObject([{ operation: 'insertOne', hookError: { cause: { message: 'after b' } } }]);
    end();
    expect(await Task.count()).toBe(5);
  });

  it('of a write: no hook after it runs, in a list those of the others do', async () => {
    const first = await Post.create({ title: 'First' });
    told();
    const failing = Post.insertMany([{ title: 'Second' }, { _id: first._id, title: 'Third' }, { title: 'Fourth' }], {
      ordered: false,
    });
    await expect(failing).rejects.toThrow('1 of 3');
    expect(told()).toEqual([...INSERT, ...INSERT, ...INSERT, ...INSERTED, ...INSERTED]);
    await Post.collection.deleteOne({ _id: first._id });
    first.title = 'Gone';
    await expect(first.save()).rejects.toThrow('no longer in the collection');
    expect(told()).toEqual(UPDATE);
  });
});

describe('inside a hook', () => {
  it.each(['beforeSave', 'afterSave', 'afterCommit'] as const)(
    '%s: the same document cannot be saved',
    async (name) => {
      const thrown: unknown[] = [];
      const end = Task.on(name, async (task) => {
        await setTimeout(1);
        await task.save().catch((error: unknown) => thrown.push(error));
      });
      const task = await Task.create({ title: 'a' });
      end();
      expect(thrown).toHaveLength(1);
      expect(thrown[0]).toBeInstanceOf(UsageError);
      expect((thrown[0] as Error).message).toContain('inside a save');
      expect(await Task.count({ _id: task._id })).toBe(1);
    },
  );

  it('others can, also where they come back to it', async () => {
    const other = new Plain({ title: 'other' });
    const end = Task.on('beforeDelete', () => other.save());
    const task = await Task.create({ title: 'a' });
    await task.delete();
    end();
    expect(other.$isNew).toBe(false);
  });

  it.each<readonly [string, (tasks: Task[]) => Promise<unknown>]>([
    ['saves', ([a, b]) => Promise.all([a?.save(), b?.save()])],
    ['a save and a deletion', ([a, b]) => Promise.all([a?.save(), b?.delete()])],
    ['saves of three in a circle', (tasks) => Promise.all(tasks.map((each) => each.save()))],
    ['a list and a save', ([a, b, c]) => Promise.all([Task.saveAll([a as Task, c as Task]), b?.save()])],
    ['behind others', ([a, b]) => Promise.all([a?.save(), b?.save(), a?.save(), b?.save()])],
  ])('%s whose hooks wait for each other are told so, and none of them hangs', async (_, run) => {
    const tasks = await Task.insertMany([{ title: 'a' }, { title: 'b' }, { title: 'c' }]);
    tasks.forEach((task, i) => (task.title = `changed ${i}`));
    const circle = _.includes('three') ? 3 : 2;
    const touch = async (task: Task): Promise<void> => {
      await setTimeout(2);
      const place = tasks.indexOf(task);
      if (place < circle) await tasks[(place + 1) % circle]?.reload();
    };
    const ends = [Task.on('beforeSave', touch), Task.on('beforeDelete', touch)];
    const refused: unknown = await run(tasks).catch((error: unknown) => error);
    ends.forEach((end) => end());
    const [first] = refused instanceof BulkSaveError ? refused.results.map(({ error }) => error) : [refused];
    expect(first).toBeInstanceOf(UsageError);
    expect((first as UsageError).message).toContain('neither could go on');
    // Everything goes on as before.
    for (const task of tasks) await Task.saveAll([task.set('title', 'again')]).catch(() => undefined);
    expect(await Task.count({ title: 'again' })).toBeGreaterThanOrEqual(2);
  });

  it('a transaction may begin in a hook', async () => {
    const seen: number[] = [];
    const end = Task.on('beforeSave', (task) =>
      transaction(async () => {
        await Task.updateMany({ _id: { $ne: task._id } }, { $set: { title: 'inside' } });
        seen.push(await Task.count({ _id: task._id }));
      }),
    );
    const task = await Task.create({ title: 'a' });
    await task.set('title', 'b').save();
    end();
    expect(seen).toEqual([0, 1]);
    expect((await task.reload()).title).toBe('b');
    const refused = Task.on('beforeSave', (each) =>
      transaction(async () => {
        each.title = 'c';
      }),
    );
    await expect(Task.create({ title: 'a' })).rejects.toThrow('began before the transaction');
    refused();
  });

  it('a name or a function that is none is refused', () => {
    expect(() => Task.on('preSave' as never, () => undefined)).toThrow('There are: beforeValidate, beforeSave,');
    expect(() => Task.on('beforeSave', 5 as never)).toThrow('takes a function');
  });

  it('validate() calls what comes before validation, where anything changed', async () => {
    const post = new Post({ title: 'Hello' });
    await post.validate();
    expect(told()).toEqual(['beforeValidate']);
    await post.save();
    told();
    await post.validate();
    expect(told()).toEqual([]);
  });
});

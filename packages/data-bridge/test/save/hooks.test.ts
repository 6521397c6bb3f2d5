import { setTimeout } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';
import { hooksOf } from '../../src/definition/hooks.ts';
import { onlyStatement } from '../support/database.ts';
import {
  INSERT,
  INSERTED,
  log,
  Plain,
  Post,
  says,
  Task,
  told,
  UPDATE,
  UPDATED,
  useHookModels,
} from '../support/hook-models.ts';

const database = useHookModels();

describe('what users rely on', () => {
  class Timed extends model('hook_messages', { message: z.string(), createdAt: z.date().optional() }) {
    static events: string[] = [];
    counter = 0;
    deletions = 0;
    result = '';
    beforeInsert(): void {
      Timed.events.push('beforeInsert');
      this.createdAt = new Date();
    }
    async afterInsert(): Promise<void> {
      await setTimeout(10);
      Timed.events.push('afterInsert');
      this.counter += 1;
      this.result = 'there';
    }
    beforeDelete(): void {
      Timed.events.push(`beforeDelete ${this.message}`);
      this.deletions += 1;
    }
    afterDelete(): void {
      Timed.events.push('afterDelete');
    }
  }
  beforeEach(() => {
    Timed.events = [];
  });

  it('HOOK-01, HOOK-02 a field that a hook before the insert sets is undefined before it, and stored by it', async () => {
    const timed = new Timed({ message: 'a' });
    expect(timed.createdAt).toBeUndefined();
    await timed.save();
    expect(timed.createdAt).toBeInstanceOf(Date);
    expect((await Timed.findById(timed._id))?.createdAt).toEqual(timed.createdAt);
  });

  it('HOOK-03, HOOK-07 a hook after the insert runs once for it, and is waited for', async () => {
    const timed = new Timed({ message: 'a' });
    expect(timed.counter).toBe(0);
    await timed.save();
    expect([timed.counter, timed.result]).toEqual([1, 'there']);
    timed.message = 'b';
    await timed.save();
    expect(timed.counter).toBe(1);
  });

  it('HOOK-04 a hook before the deletion does not run on a save, and sees the document', async () => {
    const timed = await Timed.create({ message: 'a' });
    expect(timed.deletions).toBe(0);
    expect(await timed.delete()).toBe(true);
    expect(timed.deletions).toBe(1);
    expect(Timed.events).toContain('beforeDelete a');
  });

  it('HOOK-05, HOOK-06 four hooks of one model run in their order', async () => {
    const timed = await Timed.create({ message: 'a' });
    await timed.delete();
    expect(Timed.events).toEqual(['beforeInsert', 'afterInsert', 'beforeDelete a', 'afterDelete']);
  });
});

describe('the order', () => {
  it('of an insert: what a hook sets is stored by the same command', async () => {
    const post = await Post.create({ title: 'Hello World' });
    expect(told()).toEqual([...INSERT, ...INSERTED]);
    expect(onlyStatement(database.sent())).toMatchObject({ slug: 'hello-world' });
    expect(post.isModified()).toBe(false);
  });

  it('of an update; none runs where there is nothing to save', async () => {
    const post = await Post.create({ title: 'Hello' });
    told();
    await post.save();
    expect(told()).toEqual([]);
    post.title = 'Other One';
    await post.save();
    expect(told()).toEqual([...UPDATE, ...UPDATED]);
    expect(await Post.collection.findOne({ _id: post._id })).toMatchObject({ slug: 'other-one' });
  });

  it('of a deletion; none runs where there is nothing to delete', async () => {
    const post = new Post({ title: 'Hello' });
    await post.delete();
    expect(told()).toEqual([]);
    await post.save();
    told();
    await Post.collection.deleteOne({ _id: post._id });
    expect(await post.delete()).toBe(false);
    expect(told()).toEqual(['beforeDelete Hello']);
    expect(await post.delete()).toBe(false);
    expect(told()).toEqual([]);
  });

  it('is of parents, then of the class, then the method; the most derived method runs alone', async () => {
    class Note extends Task {
      beforeSave(): void {
        log.push('parent method');
      }
    }
    class Memo extends Note {
      override beforeSave(): void {
        super.beforeSave();
        log.push('method');
      }
    }
    const off = [Memo.on('beforeSave', says('second')), Note.on('beforeSave', says('first'))];
    off.push(Memo.on('beforeSave', says('third')));
    await Memo.create({ title: 'a' });
    expect(told()).toEqual(['first a', 'second a', 'third a', 'parent method', 'method']);
    await Note.create({ title: 'b' });
    expect(told()).toEqual(['first b', 'parent method']);
    off.forEach((end) => end());
    await Memo.create({ title: 'c' });
    expect(told()).toEqual(['parent method', 'method']);
    off.forEach((end) => end());
  });

  it('holds on another connection, also for who listens later', async () => {
    class Bound extends Plain {}
    const Other = Bound.using(database.connection);
    await Other.create({ title: 'a' });
    const end = Bound.on('afterInsert', says('after'));
    await Other.create({ title: 'b' });
    end();
    expect(told()).toEqual(['after b']);
  });

  it('takes functions in class fields, and no field of the schema for a hook', async () => {
    class Odd extends model('hook_odd', { title: z.string(), afterSave: z.string() }) {
      beforeSave = (): void => {
        log.push('field');
      };
    }
    await Odd.create({ title: 'a', afterSave: 'x' });
    await Odd.insertMany([{ title: 'b', afterSave: 'x' }], { validate: false, return: 'ids' });
    expect(told()).toEqual(['field', 'field']);
  });
});

describe('many documents', () => {
  it('saveAll: what comes before for one after another, what comes after when all are sent', async () => {
    const old = await Post.create({ title: 'Old' });
    told();
    old.title = 'New';
    const clean = await Post.create({ title: 'Clean' }, { hooks: false });
    database.sent();
    const results = await Post.saveAll([new Post({ title: 'First' }), old, clean]);
    expect(results.map(({ outcome }) => outcome)).toEqual(['inserted', 'updated', 'clean']);
    expect(told()).toEqual([...INSERT, ...UPDATE, ...INSERTED, ...UPDATED]);
  });

  it.each([
    ['insertMany', () => Post.insertMany([{ title: 'First' }, new Post({ title: 'Second' })])],
    [
      'insertMany of ids',
      () => Post.insertMany([{ title: 'First' }, { title: 'Second' }], { return: 'ids', validate: false }),
    ],
    ['bulk', () => Post.bulk().insertOne({ title: 'First' }).insertOne({ title: 'Second' }).execute()],
  ] as const)('%s: the same', async (_, insert) => {
    await insert();
    expect(told()).toEqual([...INSERT, ...INSERT, ...INSERTED, ...INSERTED]);
    expect(
      await Post.find()
        .sort('title')
        .map(({ slug }) => slug),
    ).toEqual(['first', 'second']);
  });

  it.each([
    ['replaceOne', () => Post.replaceOne({ title: 'Old' }, { title: 'New One' })],
    ['findOneAndReplace', () => Post.findOneAndReplace({ title: 'Old' }, { title: 'New One' })],
    ['bulk().replaceOne', () => Post.bulk().replaceOne({ title: 'Old' }, { title: 'New One' }).execute()],
  ] as const)('%s completes what it stores', async (_, replace) => {
    await Post.create({ title: 'Old' });
    told();
    await replace();
    expect(told()).toEqual(INSERT.slice(0, 2));
    expect(await Post.find().map(({ slug }) => slug)).toEqual(['new-one']);
  });

  it('updates and deletions without documents run none', async () => {
    await Post.create({ title: 'Old' });
    told();
    await Post.updateMany({}, { $set: { title: 'New' } });
    await Post.upsert({ title: 'Other' }, { $set: { views: 1 } });
    await Post.findOneAndUpdate({ title: 'New' }, { $inc: { views: 1 } });
    await Post.findOneAndDelete({ title: 'New' });
    await Post.deleteMany({});
    expect(told()).toEqual([]);
  });
});

describe('{ hooks: false }', () => {
  it.each([
    ['save', (post: Post) => post.save({ hooks: false })],
    ['saveAll', (post: Post) => Post.saveAll([post], { hooks: false })],
    ['delete', (post: Post) => post.delete({ hooks: false })],
    ['create', () => Post.create({ title: 'aa' }, { hooks: false })],
    ['insertMany', () => Post.insertMany([{ title: 'aa' }], { hooks: false })],
    ['insertMany of ids', () => Post.insertMany([{ title: 'aa' }], { hooks: false, validate: false, return: 'ids' })],
    ['bulk', () => Post.bulk().insertOne({ title: 'aa' }).execute({ hooks: false })],
    ['replaceOne', () => Post.replaceOne({}, { title: 'aa' }, { hooks: false })],
    ['findOneAndReplace', () => Post.findOneAndReplace({}, { title: 'aa' }, { hooks: false })],
  ] as const)('%s calls none', async (_, write) => {
    const post = await Post.create({ title: 'Old' });
    post.title = 'New';
    told();
    await write(post);
    expect(told()).toEqual([]);
  });

  it('takes true and false alone', async () => {
    const wrong = { hooks: 'no' as never };
    const post = await Post.create({ title: 'Old' });
    const calls = [
      post.save(wrong),
      post.delete(wrong),
      Post.saveAll([post], wrong),
      Post.insertMany([{ title: 'aa' }], wrong),
      Post.bulk().insertOne({ title: 'aa' }).execute(wrong),
      Post.replaceOne({}, { title: 'aa' }, wrong),
    ];
    for (const call of calls) await expect(call).rejects.toThrow('takes true or false as "hooks"');
    await expect(post.$rebase({ hooks: false } as never)).rejects.toThrow(UsageError);
  });
});

describe('where there are none', () => {
  it('nothing is looked at but the class', async () => {
    expect(hooksOf(new Plain({ title: 'a' }))).toBeNull();
    expect(hooksOf(new Post({ title: 'aa' }))).not.toBeNull();
  });
});

import * as v from 'valibot';
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';
import { SchemaField } from '../../src/schema/schema-field.ts';
import { onlyUpdate, useDatabase } from '../support/database.ts';

const database = useDatabase();
beforeEach(() => {
  database.sent();
});

describe('defaults', () => {
  class Post extends model('posts', {
    title: z.string(),
    tags: z.array(z.string()).default(['new']),
    views: z.int().default(0),
    meta: z.object({ stars: z.int() }).default({ stars: 1 }),
    state: v.optional(v.string(), 'draft'),
    key: z.string().default(() => randomUUID()),
    coerced: z.coerce.string().optional(),
    caught: z.string().catch('caught').optional(),
  }) {}
  const bare = async () => {
    const { insertedId } = await database.db.collection('posts').insertOne({ title: 'x' });
    const post = await Post.findById(insertedId);
    if (post === null) throw new Error('Expected the document');
    database.sent();
    return post;
  };

  it('fill what new documents lack', () => {
    const post = new Post({ title: 'x' });
    expect([post.tags, post.views, post.meta, post.state]).toEqual([['new'], 0, { stars: 1 }, 'draft']);
    expect(post.toObject()).not.toHaveProperty('coerced');
    expect(post.toObject()).not.toHaveProperty('caught');
    expect(new Post({ title: 'x', tags: undefined }).tags).toEqual(['new']);
  });

  it('are what an absent field reads as, and are not written', async () => {
    const post = await bare();
    expect([post.tags, post.views, post.meta, post.state]).toEqual([['new'], 0, { stars: 1 }, 'draft']);
    expect(post.toObject()).toEqual({
      _id: post._id,
      title: 'x',
      tags: ['new'],
      views: 0,
      meta: { stars: 1 },
      state: 'draft',
      key: post.key,
    });
    expect(post.isModified()).toBe(false);
    await post.save();
    post.title = 'y';
    await post.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { title: 'y' } });
  });

  it('are set as a whole field once they are changed in place', async () => {
    const post = await bare();
    post.tags.push('b');
    expect([post.isModified('tags'), post.isModified('meta')]).toEqual([true, false]);
    expect(post.$state.getChanges()).toEqual({ tags: ['new', 'b'] });
    expect(post.changes()).toEqual([{ path: 'tags', keys: ['tags'], from: undefined, to: ['new', 'b'] }]);
    post.meta.stars = 2;
    await post.save();
    expect(onlyUpdate(database.sent())).toEqual({ $set: { tags: ['new', 'b'], meta: { stars: 2 } } });
    post.tags.push('c');
    await post.save();
    expect(onlyUpdate(database.sent())).toEqual({ $push: { tags: { $each: ['c'] } } });
  });

  it('come back when the change is rolled back', async () => {
    const post = await bare();
    post.tags.push('b');
    post.meta.stars = 2;
    post.rollback('tags');
    expect([post.tags, post.meta]).toEqual([['new'], { stars: 2 }]);
    post.rollback();
    expect([post.tags, post.meta, post.isModified()]).toEqual([['new'], { stars: 1 }, false]);
  });

  it('are computed once for each document', async () => {
    const [first, second] = [await bare(), await bare()];
    expect(first.toObject().key).toBe(first.key);
    expect(first.key).toBe(first.key);
    expect(second.key).not.toBe(first.key);
    expect(new Post({ title: 'x' }).key).not.toBe(new Post({ title: 'x' }).key);
  });

  it('are not shared between documents', async () => {
    const [first, second] = [await bare(), await bare()];
    first.tags.push('b');
    const third = new Post({ title: 'x' });
    third.meta.stars = 9;
    expect([second.tags, (await bare()).meta, new Post({ title: 'x' }).meta]).toEqual([
      ['new'],
      { stars: 1 },
      { stars: 1 },
    ]);
  });

  it('stand again when the field is removed', async () => {
    const post = await Post.create({ title: 'x', views: 5 });
    database.sent();
    post.unset('views');
    await post.save();
    expect(onlyUpdate(database.sent())).toEqual({ $unset: { views: '' } });
    expect(post.views).toBe(0);
  });

  it('are not made of what coercing and catching schemas make of anything', () => {
    const fields = [
      z.coerce.string(),
      z.coerce.number(),
      z.string().catch('x'),
      z.coerce.boolean(),
      z.unknown(),
      z.string(),
    ];
    expect(fields.map((schema) => new SchemaField('x', schema).defaultValue())).toEqual(fields.map(() => undefined));
    const withDefaults = [
      z.unknown().default(5),
      z.coerce.number().default(5).pipe(z.number()),
      z.preprocess((value) => value ?? 5, z.int()),
    ];
    expect(new SchemaField('x', withDefaults[0] as never).defaultValue()).toBe(5);
    expect(new SchemaField('x', withDefaults[2] as never).defaultValue()).toBe(5);
  });
});

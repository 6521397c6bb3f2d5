import { inspect } from 'node:util';
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, objectId } from '../../src/index.ts';

class User extends model('users', {
  name: z.string(),
  age: z.number().optional(),
  friend: objectId().optional(),
  born: z.date().optional(),
  tags: z.array(z.string()).default([]),
}) {}

const secret = 'hunter2';

describe('console.log of a query', () => {
  it('that was not awaited shows its model, and types in the place of the values in its filter', () => {
    const filter = {
      name: secret,
      age: { $gte: 18, $lt: 65.5 },
      friend: new ObjectId(),
      born: null,
      $or: [{ name: /x/ }],
    };
    expect(inspect(User.find(filter))).toBe(
      'Query of "users": find({ name: <string>, age: { $gte: <number>, $lt: <number> }, friend: <ObjectId>, born: <null>, $or: [{ name: <RegExp> }] }), not sent until it is awaited',
    );
  });

  it('shows how it is asked, and no value of its options', () => {
    const query = User.find({ tags: { $in: ['a', 'b', 'c', 'd', 'e'] } })
      .sort({ age: -1, name: 1 })
      .skip(5)
      .limit(10)
      .select('name')
      .comment(secret)
      .hint({ age: 1 })
      .collation({ locale: 'en' });
    expect(inspect({ query })).toContain(
      `find({ tags: { $in: [<string>, <string>, <string>, … 2 more] } }).select('name').sort({ age: -1, name: 1 }).skip(5).limit(10).comment(…).hint({ age: 1 }).collation(…)`,
    );
    expect(inspect(query)).not.toContain(secret);
    expect(inspect(User.find().omit('tags'))).toContain(`find({}).omit('tags')`);
  });

  it('does so of an aggregation', () => {
    const aggregation = User.aggregate()
      .match({ name: secret })
      .group({ _id: '$age', people: { $sum: 1 } });
    expect(inspect(aggregation)).toBe(
      'Aggregate of "users": [{ $match: { name: <string> } }, { $group: { _id: <string>, people: { $sum: <number> } } }], not sent until it is awaited',
    );
  });

  it('takes any filter', () => {
    const filter = { a: new Map([['x', { y: [1, new Uint8Array(1)] }]]), 'b.c': { $elemMatch: { d: 1 } } };
    expect(inspect(User.find(filter as never))).toContain("'b.c': { $elemMatch: { d: <number> } } })");
  });
});

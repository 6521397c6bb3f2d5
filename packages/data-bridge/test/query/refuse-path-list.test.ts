import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, UsageError } from '../../src/index.ts';

class User extends model(
  'users',
  {
    name: z.string(),
    email: z.string(),
    age: z.number().optional(),
    'full name': z.string().optional(),
    address: z.object({ city: z.string(), 'first line': z.string() }).optional(),
  },
  { unknown: 'keep' },
) {}

describe('Paths as other libraries write them', () => {
  it.each<[string, string]>([
    ['name email', "select() takes no \"name email\": each path is an argument of its own, select('name', 'email')."],
    ['name, email', "each path is an argument of its own, select('name', 'email')."],
    ['name emial', "select('name', 'emial')"],
    [' name', "write select('name')."],
    ['-email', "leave fields out by omit('email')."],
    ['-email -name', "leave fields out by omit('email', 'name')."],
    ['+email', "write select('email')."],
    ['address.city name', "select('address.city', 'name')"],
  ])('are refused by select(): %s', (path, message) => {
    expect(() => User.find().select(path as never)).toThrow(UsageError);
    expect(() => User.find().select(path as never)).toThrow(message);
  });

  it.each(['legacy field', 'full name', 'address.first line', '_id', 'other-field', 'address'])(
    'are none where they are names: %s',
    (path) => {
      expect(() => User.find().select(path as never)).not.toThrow();
      expect(() => User.find().sort(path as never)).not.toThrow();
    },
  );

  it('are refused by omit(), distinct(), sums and sort(), each with what to write', async () => {
    expect(() => User.find().omit('name email' as never)).toThrow("omit('name', 'email')");
    await expect(User.distinct('-name' as never)).rejects.toThrow("write distinct('name')");
    await expect(User.find().max('name age' as never)).rejects.toThrow(UsageError);
    expect(() => User.find().sort('-age' as never)).toThrow('write sort({ age: -1 }).');
    expect(() => User.find().sort('name -age' as never)).toThrow('write sort({ name: 1, age: -1 }).');
    expect(() => User.find().sort(['-address.city'] as never)).toThrow("write sort({ 'address.city': -1 }).");
    expect(() => User.find({}, { sort: '-age' })).toThrow(UsageError);
    expect(() => User.aggregate().sort('-age' as never)).toThrow(UsageError);
  });
});

describe('Options that are none of a query', () => {
  it('say what to call instead', async () => {
    expect(() => User.find({}, { projection: { name: 1 } } as never)).toThrow(
      `find() does not take the option "projection": find(…).select('name') and omit('name') say what is loaded.`,
    );
    await expect(User.findOne({}, { projection: { name: 1 } } as never)).rejects.toThrow("select('name')");
    await expect(User.findOneAndUpdate({}, { $set: { name: 'x' } }, { projection: {} } as never)).rejects.toThrow(
      "select('name')",
    );
    expect(() => User.find({}, { explain: true } as never)).toThrow('find(…).explain()');
    expect(() => User.find({}, 'name email' as never)).toThrow(
      `find() takes its options as an object, got a string: find(…).select('name') and omit('name') say what is loaded.`,
    );
    expect(() => User.find({}, ['name'] as never)).toThrow('find() takes its options as an object, got an array');
  });

  it('of create() are a list: insertMany() stores one', async () => {
    await expect(User.create([{ name: 'Ann', email: 'x' }] as never)).rejects.toThrow(
      'A document is made of an object of its fields, got an array: insertMany() stores a list.',
    );
  });
});

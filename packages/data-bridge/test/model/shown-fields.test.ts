import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { FieldNotLoadedError, hidden, model, ObjectId, SchemaError, stored, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class User extends model(
  'shown_users',
  {
    first: z.string(),
    last: z.string(),
    password: hidden(stored('hash', z.string())),
    body: z.string().default(''),
    address: z.object({ city: z.string(), street: z.string() }).optional(),
  },
  { json: ['name', 'nothing'], omit: ['body', 'address.street'], history: true },
) {
  get name(): string {
    return `${this.first} ${this.last}`;
  }
  get nothing(): undefined {
    return undefined;
  }
}

const database = useDatabase();
beforeEach(() => database.db.collection('shown_users').deleteMany({}));

const make = () =>
  User.create({
    first: 'Ann',
    last: 'Lee',
    password: 'secret',
    body: 'long',
    address: { city: 'Rome', street: 'Via' },
  });

describe('a hidden field', () => {
  it('is read and written by its name', async () => {
    const user = await make();
    expect([user.password, user.get('password')]).toEqual(['secret', 'secret']);
    const found = await User.findBy({ password: 'secret' }).one();
    expect(found.password).toBe('secret');
    found.password = 'other';
    await found.save();
    expect(await User.collection.findOne()).toMatchObject({ hash: 'other' });
    expect(await User.distinct('password')).toEqual(['other']);
    expect((await user.$clone().save()).password).toBe('secret');
  });

  it('is in no JSON, no plain object, no log and no history', async () => {
    const user = await make();
    user.password = 'other';
    await user.save();
    const shown = [
      JSON.stringify(user),
      JSON.stringify(await User.find()),
      JSON.stringify(user.toObject()),
      JSON.stringify(await User.find().lean()),
      JSON.stringify(await User.find().omit('last').lean()),
      JSON.stringify(await user.$history()),
      JSON.stringify(await User.asOf(user._id, 1)),
      inspect(user, { depth: 9 }),
      inspect(await User.findOne(), { depth: 9 }),
      JSON.stringify(await database.db.collection('shown_users_history').find().toArray()),
    ];
    for (const text of shown) expect(text).not.toMatch(/secret|other|hash|password/);
    expect(await User.find().select('password').lean()).toEqual([{ _id: user._id, password: 'other' }]);
  });

  it('is told by no event', async () => {
    const stream = await User.watch().opened();
    const user = await make();
    await User.updateOne({ _id: user._id }, { $set: { password: 'x', first: 'Bob' } });
    for await (const change of stream) {
      if (change.operationType !== 'update') continue;
      expect(change.updateDescription.updatedFields).toMatchObject({ first: 'Bob' });
      expect(change.updateDescription.updatedFields).not.toHaveProperty('password');
      break;
    }
  });

  it('needs a schema', () => {
    expect(() => hidden('x' as never)).toThrow(SchemaError);
  });
});

describe('the option json', () => {
  it('shows getters, beside the fields', async () => {
    const user = await make();
    expect(JSON.parse(JSON.stringify(user))).toEqual({
      _id: String(user._id),
      first: 'Ann',
      last: 'Lee',
      body: 'long',
      address: { city: 'Rome', street: 'Via' },
      name: 'Ann Lee',
    });
    expect(user.toObject()).not.toHaveProperty('name');
  });

  it('leaves out those that read what was not loaded', async () => {
    await make();
    const [user] = await User.find().select('first');
    expect(user?.toJSON()).toEqual({ _id: expect.any(ObjectId) as ObjectId, first: 'Ann' });
  });

  it('refuses fields, and names that the class does not have', () => {
    expect(() => model('x', { a: z.string() }, { json: ['a'] })).toThrow('which is a field');
    class Method extends model('x', { a: z.string() }, { json: ['b'] }) {
      b(): number {
        return 1;
      }
    }
    expect(() => JSON.stringify(new Method({ a: 'x' }))).toThrow('names "b", which is a method');
    class None extends model('x', { a: z.string() }, { json: ['b'] }) {}
    expect(() => JSON.stringify(new None({ a: '' }))).toThrow(UsageError);
  });
});

describe('the option omit', () => {
  it('leaves paths out of what queries load', async () => {
    await make();
    for (const user of [await User.findOne(), (await User.find())[0], (await User.find().page({ size: 1 })).items[0]]) {
      expect(user?.address?.city).toBe('Rome');
      expect(() => user?.body).toThrow(FieldNotLoadedError);
      expect(() => user?.get('address.street')).toThrow(FieldNotLoadedError);
    }
    expect(await User.find().lean()).toEqual([
      { _id: expect.any(ObjectId) as ObjectId, first: 'Ann', last: 'Lee', address: { city: 'Rome' } },
    ]);
  });

  it('unless they are asked for', async () => {
    await make();
    expect((await User.find().select('body'))[0]?.body).toBe('long');
    expect((await User.find().whole())[0]?.body).toBe('long');
    const [user] = await User.find().omit('last');
    expect(() => user?.get('last')).toThrow(FieldNotLoadedError);
    expect(() => user?.body).toThrow(FieldNotLoadedError);
    expect(() => User.find().select('body').whole()).toThrow('cannot come after');
  });

  it('and the rest is saved as ever', async () => {
    const { _id } = await make();
    const user = await User.findById(_id);
    user?.set('first', 'Bob');
    await user?.save();
    expect(await User.collection.findOne()).toMatchObject({ first: 'Bob', body: 'long', address: { street: 'Via' } });
  });

  it('takes fields of the schema', () => {
    expect(() => model('x', { a: z.string() }, { omit: ['b.c'] })).toThrow('begins with no field');
    expect(() => model('x', { stored: stored('s', z.string()) }, { omit: ['_id'] })).toThrow('begins with no field');
  });
});

import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  connect,
  type Connection,
  EncodeError,
  literal,
  model,
  ObjectId,
  trusted,
  UsageError,
} from '../../src/index.ts';
import { definitionKey } from '../../src/definition/model-definition.ts';
import { refuseServerJavaScript } from '../../src/filter/check-filter.ts';
import { useDatabase } from '../support/database.ts';

const fields = {
  email: z.string(),
  role: z.string().default('user'),
  hash: z.string().optional(),
  tags: z.array(z.string()).default([]),
  items: z.array(z.object({ sku: z.string(), note: z.unknown().optional() })).default([]),
  data: z.unknown().optional(),
};

class User extends model('users', fields, { timestamps: true }) {}

const database = useDatabase();
beforeEach(async () => {
  await User.deleteMany({});
  await User.insertMany([
    { email: 'user1@example.com', hash: 'a', tags: ['x', 'y'], items: [{ sku: 'k1' }, { sku: 'k2' }] },
    { email: 'user2@example.com', hash: 'b' },
    { email: 'boss@example.com', hash: 'c', role: 'admin' },
  ]);
  database.sent();
});

/** What a request body may hold, whatever the types say. */
const outside = (value: unknown): never => value as never;
const refusal = async (call: () => unknown): Promise<unknown> => {
  try {
    return await call();
  } catch (error) {
    return error;
  }
};
const emails = (users: readonly { email: string }[]) => users.map(({ email }) => email).toSorted();

describe('ordinary filters', () => {
  it('SECURITY-01 an _id of 24 zeros matches no one', async () => {
    expect(await User.findOne({ _id: '000000000000000000000000' })).toBeNull();
    expect(await User.count()).toBe(3);
  });

  it('SECURITY-11 operators stay allowed: $or of two emails finds the user', async () => {
    const found = await User.findOne({ $or: [{ email: 'user1@example.com' }, { email: 'nobody@example.com' }] });
    expect(found?.email).toBe('user1@example.com');
  });

  it('SECURITY-16 24 hexadecimal digits for an _id become an ObjectId; an unknown one finds nothing', async () => {
    expect(await User.findOne({ _id: new ObjectId().toHexString() })).toBeNull();
    const { _id } = (await User.findOne({ role: 'admin' })) as User;
    expect((await User.findOne({ _id: _id.toHexString() }))?.role).toBe('admin');
  });

  it('SECURITY-18 $ne with null beside a role finds the admin', async () => {
    expect((await User.findOne({ email: { $ne: null }, role: 'admin' }))?.email).toBe('boss@example.com');
  });

  it('SECURITY-19 $set of one field changes that field alone', async () => {
    await User.updateOne({ email: 'user1@example.com' }, { $set: { hash: 'new' } });
    expect(await User.findOne({ email: 'user1@example.com' })).toMatchObject({ hash: 'new', role: 'user' });
  });

  it('SECURITY-20 a $regex finds those that match', async () => {
    expect(await User.find({ email: { $regex: 'user.*' } })).toHaveLength(2);
  });

  it('SECURITY-21 a $regex for anything finds all', async () => {
    expect(await User.find({ email: { $regex: '.*' } })).toHaveLength(3);
  });
});

describe('JavaScript on the server', () => {
  const script = { body: 'return true', args: [], lang: 'js' };
  const filters: [string, string, object][] = [
    ['SECURITY-02 $where', '$where', { $where: 'true' }],
    ['SECURITY-03 $function inside $expr', '$function', { $expr: { $function: script } }],
    ['SECURITY-05 $where nested under a field inside $or', '$where', { $or: [{ email: { $where: 'true' } }] }],
    ['$where inside $and inside $nor', '$where', { $nor: [{ $and: [{ $where: 'true' }] }] }],
    ['$function deep in an expression', '$function', { $expr: { $and: [{ $eq: [{ $function: script }, 1] }] } }],
    ['$where in a Map', '$where', { email: new Map([['$where', 'true']]) }],
    ['$where from toBSON', '$where', { email: { toBSON: () => ({ $where: 'true' }) } }],
    ['$where below $elemMatch and $not', '$where', { items: { $not: { $elemMatch: { $where: 'true' } } } }],
  ];

  it.each(filters)('%s is refused before anything is sent', async (_, operator, filter) => {
    const calls = [
      () => User.find(outside(filter)),
      () => User.findOne(outside(filter)),
      () => User.count(outside(filter)),
      () => User.exists(outside(filter)),
      () => User.distinct('email', outside(filter)),
      () => User.updateMany(outside(filter), { $set: { role: 'x' } }),
      () => User.findOneAndDelete(outside(filter)),
      () => User.deleteMany(outside(filter)),
      () => User.find(trusted(filter) as never),
    ];
    for (const call of calls) {
      const error: unknown = await refusal(call);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toContain(operator);
    }
    expect(database.sent()).toEqual([]);
  });

  it('SECURITY-13 the error calls it dangerous and shows no connection string', () => {
    const refused = () => User.find(outside({ $where: 'true' }));
    expect(refused).toThrow(/\$where .* dangerous/);
    expect(refused).not.toThrow(/mongodb:/);
    expect(refused).toThrow('allowServerJavaScript: true');
  });

  it('is refused in the pipeline of an update', async () => {
    const update = [{ $set: { role: { $function: script } } }];
    await expect(User.updateMany({}, outside(update))).rejects.toThrow('$function');
    await expect(User.findOneAndUpdate({}, outside(update))).rejects.toThrow(UsageError);
    expect(database.sent()).toEqual([]);
  });

  it('SECURITY-04 $accumulator in a $group stage is refused by what checks pipelines', () => {
    const stages = [{ $group: { _id: null, all: { $accumulator: { accumulate: 'code' } } } }];
    const check = () => refuseServerJavaScript(User.prototype[definitionKey], stages, ['pipeline']);
    expect(check).toThrow(UsageError);
    expect(check).toThrow('$accumulator');
    expect(check).toThrow('"pipeline.0.$group.all.$accumulator"');
  });

  it('is data where it is compared', async () => {
    const data = { $where: 'true', $function: 1 };
    await database.db.collection('users').insertOne({ email: 'odd', data });
    expect(emails(await User.findBy({ data }))).toEqual(['odd']);
    expect(emails(await User.find({ data: literal(data) }))).toEqual(['odd']);
    expect(emails(await User.find({ data: { $eq: data } }))).toEqual(['odd']);
    expect(emails(await User.find({ $expr: { $eq: ['$data', { $literal: data }] } }))).toEqual(['odd']);
  });

  describe('when connect() allows it', () => {
    let allowed: Connection;
    beforeAll(async () => {
      allowed = await connect(database.uri, { allowServerJavaScript: true });
    });
    afterAll(() => allowed.close());

    it.each(filters.slice(0, 3))('SECURITY-17 %s gets past the mapper', async (_, __, filter) => {
      expect(() => User.using(allowed).find(outside(filter))).not.toThrow();
    });
  });
});

describe('names', () => {
  it.each([
    ['SECURITY-06 that starts with "system."', 'system.users', 'reserved'],
    ['SECURITY-07 with a $', '$cmd', '"$"'],
    ['SECURITY-08 with a zero byte', 'us\0ers', 'zero byte'],
    ['SECURITY-09 that is empty', '', 'empty'],
  ])('the name of a collection %s is refused', (_, name, reason) => {
    expect(() => model(name, fields)).toThrow(UsageError);
    expect(() => model(name, fields)).toThrow(reason);
  });

  it('SECURITY-10 a namespace of more than 255 bytes is refused as too long', async () => {
    const left = 255 - Buffer.byteLength(database.db.databaseName) - 1;
    class Long extends model('é'.repeat(left / 2 + 1), fields) {}
    await expect(Long.count()).rejects.toThrow('too long');
    await expect(new Long({ email: 'a' }).save()).rejects.toThrow(UsageError);
    class Fits extends model('a'.repeat(left), fields) {}
    expect(() => Fits.collection).not.toThrow();
    expect(database.sent()).toEqual([]);
  });

  it.each([
    ['at the top', { $set: { $admin: true } }, '"$admin"'],
    ['below a field', { $set: { 'data.$admin': true } }, '"$admin"'],
    ['by another operator', { $inc: { 'data.$count': 1 } }, '"$count"'],
    ['in an upsert', { $setOnInsert: { $admin: true } }, '"$admin"'],
  ])('SECURITY-12 an update that sets a field whose name starts with $ is refused: %s', async (_, update, name) => {
    for (const method of ['updateOne', 'updateMany', 'findOneAndUpdate', 'upsert'] as const) {
      const call = User[method]({ email: 'user1@example.com' }, outside(update));
      await expect(call).rejects.toThrow(UsageError);
      await expect(User[method]({}, outside(update))).rejects.toThrow(name);
    }
    expect(database.sent()).toEqual([]);
  });

  it('positional paths are no such names', async () => {
    const filter = { email: 'user1@example.com', 'items.sku': 'k2' };
    await User.updateOne(filter, { $set: { 'items.$.note': 1 } });
    await User.updateOne(filter, { $set: { 'items.$[].sku': 'k' } });
    await User.updateOne(filter, { $set: { 'items.$[e].note': 2 } }, { arrayFilters: [{ 'e.note': 1 }] });
    const user = (await User.findOne({ email: 'user1@example.com' })) as User;
    expect(user.toObject().items).toEqual([{ sku: 'k' }, { sku: 'k', note: 1 }]);
  });
});

describe('literal()', () => {
  it.each<[string, object, string[]]>([
    ['a value', { email: literal('boss@example.com') }, ['boss@example.com']],
    ['an operator from outside', { email: literal({ $ne: null }) }, []],
    ['an expression from outside', { email: literal(/./) }, []],
    ['beside operators', { email: literal('boss@example.com'), role: { $ne: 'user' } }, ['boss@example.com']],
    ['in $ne', { email: { $ne: literal('boss@example.com') } }, ['user1@example.com', 'user2@example.com']],
    ['in $gte', { email: { $gte: literal('user2') } }, ['user2@example.com']],
    ['in $in', { email: { $in: [literal('boss@example.com'), literal(5)] } }, ['boss@example.com']],
    ['in $nin', { role: { $nin: [literal('user')] } }, ['boss@example.com']],
    ['in $not', { role: { $not: { $eq: literal('user') } } }, ['boss@example.com']],
    ['in $elemMatch', { items: { $elemMatch: { sku: literal('k1') } } }, ['user1@example.com']],
    ['in $elemMatch of values', { tags: { $elemMatch: { $eq: literal('x') } } }, ['user1@example.com']],
    ['in $or', { $or: [{ email: literal({ $ne: 1 }) }, { role: literal('admin') }] }, ['boss@example.com']],
    ['in an expression', { $expr: { $eq: ['$role', literal('$email')] } }, []],
    ['null', { hash: literal(null) }, []],
  ])('is compared: %s', async (_, filter, expected) => {
    expect(emails(await User.find(filter as never))).toEqual(expected);
  });

  it('takes strings of hexadecimal digits for ObjectIds where the schema does', async () => {
    const { _id } = (await User.findOne({ role: 'admin' })) as User;
    expect(emails(await User.find({ _id: literal(_id.toHexString()) }))).toEqual(['boss@example.com']);
    expect(() => User.find({ _id: literal('no id') })).toThrow('ObjectId');
  });

  it('refuses what would widen or change the filter', () => {
    expect(() => literal(undefined)).toThrow('undefined');
    expect(() => User.find({ email: { $in: [literal(/x/)] } })).toThrow('regular expression');
    expect(() => User.find({ email: { $in: [literal({ $gt: '' })] } })).toThrow(UsageError);
    expect(() => User.find({ tags: { $all: [literal('x')] } } as never)).toThrow(EncodeError);
    expect(() => User.find({ email: literal(() => 1) })).toThrow(EncodeError);
  });

  it.each<[string, (value: never) => unknown]>([
    ['inside a value', (value) => User.find({ data: { inner: value } })],
    ['of a literal', (value) => User.find({ email: literal(value) })],
    ['in an update', (value) => User.updateMany({}, { $set: { data: value } })],
    ['in a document', (value) => User.create({ email: 'x@example.com', data: value })],
  ])('elsewhere is refused, and told where it belongs: %s', async (_, call) => {
    const error: unknown = await Promise.resolve()
      .then(() => call(literal('hush') as never))
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EncodeError);
    expect((error as Error).message).toMatch(/literal\(\) belongs in a filter/);
    expect((error as Error).message).not.toContain('hush');
  });
});

describe('findBy() and findById()', () => {
  it('compare whatever comes from outside', async () => {
    expect(await User.findBy({ email: outside({ $ne: null }) })).toEqual([]);
    expect(await User.findBy({ email: outside(/./) })).toEqual([]);
    expect(() => User.findBy(outside({ $or: [{}] }))).toThrow(UsageError);
    expect(() => User.findBy({ email: outside(undefined) })).toThrow('undefined');
    expect(await User.findById(outside({ $ne: null }))).toBeNull();
    expect(await User.findById(outside(/./))).toBeNull();
  });
});

describe('with sanitizeFilters', () => {
  let connection: Connection;
  let Safe: typeof User;
  beforeAll(async () => {
    connection = await connect(database.uri, { sanitizeFilters: true });
    Safe = User.using(connection);
  });
  afterAll(() => connection.close());

  it.each<[string, object]>([
    ['an operator', { email: { $ne: null } }],
    ['an operator beside others', { role: 'user', hash: { $gt: '' } }],
    ['one of several members', { email: { a: 1, $gt: '' } }],
    ['an operator in a Map', { email: new Map([['$ne', null]]) }],
    ['an operator from toBSON', { email: { toBSON: () => ({ $ne: null }) } }],
    ['an operator inside $or', { $or: [{ email: 'x' }, { email: { $ne: null } }] }],
    ['an operator inside $and inside $nor', { $nor: [{ $and: [{ email: { $exists: true } }] }] }],
    ['an expression', { $expr: { $eq: [1, 1] } }],
    ['a search', { $text: { $search: 'x' } }],
    ['a schema', { $jsonSchema: {} }],
    ['an expression that is a text', { $expr: '$pin' }],
    ['an expression that is a number', { $expr: 1 }],
    ['a script', { $where: 'true' }],
    ['a comment', { $comment: 'x' }],
    ['$alwaysTrue', { $alwaysTrue: 1 }],
    ['an operator that nobody knows', { $future: null }],
    ['$nor that is no list', { $nor: 'x' }],
    ['$and that is an object', { $and: { role: 'admin' } }],
    ['$or around an operator that is a text', { $or: [{ $expr: '$pin' }] }],
    ['$nor around one deep inside', { $nor: [{ $or: [{ $and: [{ role: { $ne: 1 } }] }] }] }],
    ['$and inside of a condition', { role: { $and: [{ role: 'x' }] } }],
    ['an operator inside of a whole object', { data: { a: { $gt: 0 } } }],
    ['an operator in a list of values', { tags: ['x', { $gt: 0 }] }],
    ['an operator in a Map in a list', { data: [new Map([['a', { $gt: 0 }]])] }],
    ['an operator with a literal, whose key came from outside', { $expr: literal('x') }],
    ['an operator beside a trusted condition', { role: trusted({ $ne: 'x' }), $comment: 'x' }],
  ])('refuses %s', async (_, filter) => {
    expect(() => Safe.find(outside(filter))).toThrow('sanitizeFilters');
    await expect(Safe.deleteMany(outside(filter))).rejects.toThrow(UsageError);
    await expect(Safe.updateOne(outside(filter), { $set: { role: 'x' } })).rejects.toThrow('trusted()');
    expect(await User.count()).toBe(3);
  });

  it.each<[string, (filter: never) => unknown]>([
    ['match()', (filter) => Safe.aggregate().match(filter)],
    ['match() of what a group gives', (filter) => Safe.aggregate().group({ _id: '$role' }).match(filter)],
    ['bulk()', (filter) => Safe.bulk().updateMany(filter, { $set: { role: 'x' } })],
    ['watch()', (filter) => Safe.watch([{ $match: filter }])],
    ['count()', (filter) => Safe.count(filter)],
    ['upsert()', (filter) => Safe.upsert(filter, { $set: { role: 'x' } })],
    ['findOneAndDelete()', (filter) => Safe.findOneAndDelete(filter)],
    ['distinct()', (filter) => Safe.distinct('role', filter)],
  ])('does so in %s', async (_, call) => {
    for (const filter of [{ $expr: 'x' }, { role: { $ne: 1 } }, { $nor: [{ a: [{ $x: 1 }] }] }])
      await expect(Promise.resolve().then(() => call(outside(filter)))).rejects.toThrow('sanitizeFilters');
  });

  it('refuses operators in what $pull removes and in filters for elements', async () => {
    await expect(Safe.updateMany({}, { $pull: { tags: outside({ $ne: 'x' }) } })).rejects.toThrow('"$pull.tags"');
    await expect(Safe.updateMany({}, { $pull: { items: { sku: outside({ $ne: 'x' }) } } })).rejects.toThrow('$ne');
    const update = outside({ $set: { 'items.$[e].sku': 'k' } });
    await expect(Safe.updateMany({}, update, { arrayFilters: [{ 'e.sku': { $ne: 'x' } }] })).rejects.toThrow('$ne');
    await Safe.updateMany({}, { $pull: { tags: 'x', items: { sku: 'k1' } } });
    await Safe.updateMany({}, update, { arrayFilters: [{ 'e.sku': trusted({ $ne: 'x' }) }] });
    const user = (await User.findOne({ email: 'user1@example.com' })) as User;
    expect(user.toObject()).toMatchObject({ tags: ['y'], items: [{ sku: 'k' }] });
  });

  it.each<[string, object, string[]]>([
    ['values', { email: 'boss@example.com' }, ['boss@example.com']],
    ['whole objects', { data: { a: 1 } }, []],
    ['lists of filters', { $or: [{ role: 'admin' }, { email: 'x' }] }, ['boss@example.com']],
    ['a comment that is trusted', trusted({ role: 'admin', $comment: 'why' }), ['boss@example.com']],
    ['a trusted condition deep inside', { data: { a: trusted({ $literally: 1 }) } }, []],
    ['regular expressions of the program', { email: /^boss/ }, ['boss@example.com']],
    ['what literal() compares', { email: literal({ $ne: null }) }, []],
    ['a condition that is trusted', { role: trusted({ $ne: 'user' }) }, ['boss@example.com']],
    ['a filter that is trusted', trusted({ role: { $ne: 'user' } }), ['boss@example.com']],
    ['a list that is trusted', { $or: trusted([{ role: { $ne: 'user' } }]) }, ['boss@example.com']],
    ['a trusted filter in a list', { $or: [trusted({ role: { $ne: 'user' } })] }, ['boss@example.com']],
    ['an expression that is trusted', { $expr: trusted({ $eq: ['$role', 'admin'] }) }, ['boss@example.com']],
  ])('takes %s', async (_, filter, expected) => {
    expect(emails(await Safe.find(filter as never))).toEqual(expected);
  });

  it('takes what the mapper itself makes', async () => {
    const [user] = await Safe.findBy({ email: 'boss@example.com' });
    expect((await Safe.findById(user?._id as ObjectId))?.role).toBe('admin');
    user?.tags.push('z');
    await user?.save();
    expect((await User.findOne({ role: 'admin' }))?.tags).toEqual(['z']);
  });

  it('trusts nothing that is copied', () => {
    const filter = trusted({ role: { $ne: 'user' } });
    expect(() => Safe.find({ ...filter, email: 'x' })).toThrow('$ne');
    expect(() => trusted(outside('role'))).toThrow(UsageError);
  });

  it.each(['sanitizeFilters', 'allowServerJavaScript'])('%s is true or false', async (option) => {
    await expect(connect(database.uri, { [option]: 'yes' })).rejects.toThrow(`"${option}"`);
  });

  it('leaves other connections as they are', () => {
    expect(() => User.find({ email: { $ne: null } })).not.toThrow();
    expect(inspect(connection)).not.toContain('MongoClient');
  });
});

import { MongoServerError } from 'mongodb';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BulkSaveError,
  DuplicateKeyError,
  FieldNotLoadedError,
  model,
  stored,
  UsageError,
  ValidationError,
} from '../src/index.ts';
import { useDatabase } from './support/database.ts';

/** Its server asks for more than its schema does. */
class Member extends model(
  'members',
  {
    name: z.unknown(),
    age: z.unknown(),
    tags: z.unknown(),
    address: z.unknown(),
    city: stored('town', z.unknown()),
  },
  { unknown: 'keep' },
) {}

/** What its server checks is a filter. */
class Rated extends model('rated', { name: z.string(), stars: z.number().optional() }) {}

class Account extends model(
  'accounts',
  { email: z.string(), tenant: z.number().default(1), place: z.object({ zip: z.string() }).optional() },
  {
    indexes: [
      { key: { email: 1, tenant: -1 }, unique: true },
      { key: { 'place.zip': 1 }, unique: true, sparse: true, name: 'one per zip' },
    ],
  },
) {}

const rules = {
  bsonType: 'object',
  required: ['name'],
  properties: {
    name: { bsonType: 'string', minLength: 3 },
    age: { bsonType: ['int', 'null'], maximum: 150 },
    town: { enum: ['Rome', 'Oslo'] },
    tags: { bsonType: 'array', items: { bsonType: 'string' } },
    address: {
      bsonType: 'object',
      required: ['city'],
      additionalProperties: false,
      properties: { city: { bsonType: 'string' } },
    },
  },
};

const database = useDatabase();
beforeAll(async () => {
  await database.db.createCollection('members', { validator: { $jsonSchema: rules } });
  await database.db.createCollection('rated', { validator: { name: { $ne: 'nobody' }, stars: { $lte: 5 } } });
  await Account.ensureIndexes();
});
beforeEach(async () => {
  for (const name of ['members', 'rated', 'accounts']) await database.db.collection(name).deleteMany({});
});

async function rejection<E extends Error>(promise: Promise<unknown>, type: new (...args: never[]) => E): Promise<E> {
  const error: unknown = await promise.then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
  return error instanceof type ? error : expect.fail(`Expected ${type.name}, got ${String(error)}`);
}

describe('FieldNotLoadedError', () => {
  it('names the path, and what to do', () => {
    const error = new FieldNotLoadedError('address.zip', { model: 'users', id: 5 });
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_FIELD_NOT_LOADED', path: 'address.zip', model: 'users', id: 5 });
    expect(error.message).toContain('"address.zip" was not loaded');
    expect(error.message).toContain('select()');
  });
});

describe('BulkSaveError', () => {
  it('says how many were not saved and why; its results are for programs', () => {
    const results = [
      { document: {}, outcome: 'inserted' },
      { document: {}, outcome: 'failed', error: new UsageError('no') },
      { document: {}, outcome: 'conflict', error: new DuplicateKeyError('no') },
      { document: {}, outcome: 'clean' },
    ] as const;
    const error = new BulkSaveError(results, { model: 'users' });
    expect(error.message).toContain('2 of 4 documents were not saved (UsageError, DuplicateKeyError)');
    expect(error.results).toBe(results);
    expect(Object.keys(error)).not.toContain('results');
  });
});

describe('what the validator of a collection refuses', () => {
  const name = { path: 'name', keys: ['name'], message: "breaks the rule minLength 3 of the collection's validator" };
  const calls: [string, (id: unknown) => Promise<unknown>][] = [
    ['create()', () => Member.create({ name: 'Al' })],
    ['save()', async () => ((await Member.findOne()) as Member).set('name', 'Al').save()],
    ['save() with an operator', async () => ((await Member.findOne()) as Member).set('name', 'Al').$inc('age').save()],
    ['updateOne()', () => Member.updateOne({}, { $set: { name: 'Al' } })],
    ['updateMany()', () => Member.updateMany({}, { $set: { name: 'Al' } })],
    ['upsert()', () => Member.upsert({ age: 3 }, { $set: { name: 'Al' } })],
    ['replaceOne()', () => Member.replaceOne({}, { name: 'Al' })],
    ['findOneAndUpdate()', () => Member.findOneAndUpdate({}, { $set: { name: 'Al' } })],
    ['findOneAndReplace()', () => Member.findOneAndReplace({}, { name: 'Al' })],
  ];

  it.each(calls)('is a ValidationError of %s', async (_, call) => {
    const { _id } = await Member.create({ name: 'Ann', age: 1 });
    const error = await rejection(call(_id), ValidationError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_VALIDATION', model: 'members', issues: [name] });
    expect(error.issues[0]?.value).toBe('Al');
    expect(Object.keys(error.issues[0] ?? {})).not.toContain('value');
    expect(error.cause).toBeInstanceOf(MongoServerError);
    expect(error.cause).toMatchObject({ code: 121 });
    expect(await Member.find().lean()).toEqual([{ _id, name: 'Ann', age: 1 }]);
  });

  it('is reported for each document of insertMany()', async () => {
    const inputs = [{ name: 'Ann' }, { name: 'Al' }, { name: 'Bo' }];
    const first = await rejection(Member.insertMany(inputs), BulkSaveError);
    expect(first.cause).toMatchObject({ code: 'DATA_BRIDGE_VALIDATION', issues: [{ path: 'name' }] });
    const all = await rejection(Member.insertMany(inputs, { ordered: false }), BulkSaveError);
    expect(
      all.results.map(({ error }) => (error as ValidationError | undefined)?.issues.map(({ keys }) => keys)),
    ).toEqual([undefined, [['name']], [['name']]]);
  });

  it('is reported path by path, by the names of the program', async () => {
    const { issues, message } = await rejection(
      Member.create({ age: 'old', tags: ['a', 5], address: { zip: 5 }, city: 'Bern' }),
      ValidationError,
    );
    expect(Object.fromEntries(issues.map(({ path, message: each }) => [path, each]))).toEqual({
      name: "is required by the collection's validator",
      age: "must be of the type int or null by the collection's validator, got string",
      city: "breaks the rule enum of the collection's validator",
      'tags.1': "must be of the type string by the collection's validator, got int",
      'address.city': "is required by the collection's validator",
      'address.zip': "is no field of the collection's validator",
    });
    expect(message).toMatch(/^Validation failed for .*"tags.1": must be of the type string/);
  });

  it('is reported by path where it is a filter', async () => {
    const { issues } = await rejection(Rated.create({ name: 'nobody', stars: 9 }), ValidationError);
    expect(issues.map(({ path, message }) => [path, message])).toEqual([
      ['name', "breaks the rule $ne of the collection's validator"],
      ['stars', "breaks the rule $lte of the collection's validator"],
    ]);
  });

  it('leaves the document dirty, and may be mended', async () => {
    const member = await Member.create({ name: 'Ann' });
    member.name = 'Al';
    await expect(member.save()).rejects.toThrow(ValidationError);
    expect(member.isModified('name')).toBe(true);
    member.name = 'Bob';
    await member.save();
    expect(await Member.find().lean()).toMatchObject([{ name: 'Bob' }]);
  });
});

describe('a value that is unique and there already', () => {
  const other = { email: 'ann@example.com', tenant: 7 };
  const fields = ['email', 'tenant'];

  it.each<[string, () => Promise<unknown>]>([
    ['create()', () => Account.create(other)],
    ['save()', async () => ((await Account.findOne({ email: 'x' })) as Account).set('email', other.email).save()],
    ['updateOne()', () => Account.updateOne({ email: 'x' }, { $set: { email: other.email } })],
    ['upsert()', () => Account.upsert({ email: 'y' }, { $set: other })],
    ['findOneAndReplace()', () => Account.findOneAndReplace({ email: 'x' }, other)],
  ])('is reported by %s with its fields and the types of the values', async (_, call) => {
    await Account.create(other);
    await Account.create({ email: 'x', tenant: 7 });
    const error = await rejection(call(), DuplicateKeyError);
    expect(error).toMatchObject({ model: 'accounts', fields, values: other });
    expect(error.message).toContain('"email" (a string), "tenant" (a number)');
    expect(error.message).not.toContain('ann@');
    expect(Object.keys(error)).not.toContain('values');
    expect(error.cause).toMatchObject({ code: 11000 });
  });

  it('is reported by insertMany() with its fields', async () => {
    await Account.create(other);
    const { cause: error } = await rejection(Account.insertMany([{ email: 'z' }, other]), BulkSaveError);
    expect(error).toMatchObject({
      fields,
      message: expect.stringContaining('unique index on "email", "tenant"') as string,
    });
  });

  it('is reported with the name of an index that has one, where the fields are not known', async () => {
    await Account.create({ email: 'a', place: { zip: '1000' } });
    const { cause: error } = await rejection(
      Account.insertMany([{ email: 'b', place: { zip: '1000' } }]),
      BulkSaveError,
    );
    expect(error).toMatchObject({
      fields: [],
      message: expect.stringContaining('unique index "one per zip"') as string,
    });
    expect((error as DuplicateKeyError).values).toBeUndefined();
    const single = await rejection(Account.create({ email: 'b', place: { zip: '1000' } }), DuplicateKeyError);
    expect(single).toMatchObject({ fields: ['place.zip'], values: { 'place.zip': '1000' } });
  });

  it('may be an _id', async () => {
    const { _id } = await Account.create({ email: 'a' });
    const { cause: error } = await rejection(Account.insertMany([{ _id, email: 'b' }]), BulkSaveError);
    expect(error).toMatchObject({ fields: ['_id'] });
  });
});

describe('what saveAll() cannot save', () => {
  it('is reported document by document', async () => {
    const taken = await Account.create({ email: 'a' });
    const documents = [
      new Account({ email: 'b' }),
      new Account({ email: 'a' }),
      new Member({ name: 'Al' }),
      taken.set('tenant', 2),
    ];
    const { results, message } = await rejection(Account.saveAll(documents), BulkSaveError);
    expect(results.map(({ outcome }) => outcome)).toEqual(['inserted', 'failed', 'failed', 'updated']);
    expect(results[1]?.error).toMatchObject({ name: 'DuplicateKeyError', fields: ['email', 'tenant'] });
    expect(results[2]?.error).toMatchObject({ name: 'ValidationError', model: 'members', id: documents[2]?._id });
    expect(message).toContain('2 of 4 documents were not saved (DuplicateKeyError, ValidationError)');
  });
});

describe('what the server cannot do with an update', () => {
  beforeEach(() => database.db.collection('members').insertOne({ name: 'Ann', age: 1, tags: ['a'] }));

  it.each<[string, number, object]>([
    ['a number added to a text', 14, { $inc: { name: 1 } }],
    ['a text added to a number', 14, { $inc: { age: 'x' } }],
    ['an element pushed onto a text', 2, { $push: { name: 'x' } }],
    ['a path through a text', 28, { $set: { 'name.first': 'x' } }],
    ['two operators on one path', 40, { $set: { age: 1 }, $inc: { age: 1 } }],
    ['another _id', 66, { $set: { _id: 5 } }],
    ['an empty name', 56, { $set: { 'a..b': 1 } }],
    ['an unknown operator', 9, { $bogus: { age: 1 } }],
    ['a filter for elements that is missing', 2, { $set: { 'tags.$[each]': 'b' } }],
  ])('is a UsageError: %s', async (_, code, update) => {
    const error = await rejection(Member.updateOne({}, update as never), UsageError);
    expect(error).toMatchObject({ code: 'DATA_BRIDGE_USAGE', model: 'members', cause: { code } });
    expect(error.message).toMatch(new RegExp(`^The server refuses the call \\(code ${code}\\): .`));
  });
});

describe('what has no meaning of its own', () => {
  it('stays an error of the driver, with its class, code and labels', async () => {
    const update = [{ $set: { age: { $toInt: 'not a number' } } }];
    await Member.create({ name: 'Ann' });
    const error = await rejection(Member.updateOne({}, update as never), MongoServerError);
    expect(error.code).toBe(241);
    expect(error.hasErrorLabel('RetryableWriteError')).toBe(false);
    expect(error.message).toContain('Failed to parse number …');
  });
});

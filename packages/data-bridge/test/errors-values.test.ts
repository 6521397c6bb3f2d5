import { inspect } from 'node:util';
import { type } from 'arktype';
import { BSON, MongoServerError } from 'mongodb';
import * as v from 'valibot';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  BulkSaveError,
  connect,
  type Connection,
  literal,
  model,
  ObjectId,
  OutcomeUnknownError,
  ValidationError,
} from '../src/index.ts';
import { useProxiedDatabase } from './support/proxy.ts';

/** What must not be seen, and the pieces of it that would tell. */
const TEXT = 'TOP-"SECRET" it\'s {hush}';
const NUMBER = 424_242.5;
const TELLING = ['SECRET', 'hush', '424242'];

class Person extends model(
  'people',
  {
    email: z.string().max(50).optional(),
    pin: z.number().optional(),
    any: z.unknown().optional(),
    friend: z.instanceof(ObjectId).optional(),
  },
  { unknown: 'keep', indexes: [{ key: { email: 1, pin: 1 }, unique: true, sparse: true }] },
) {}

class Checked extends model('checked', { name: z.unknown() }, { unknown: 'keep' }) {}

class Zod extends model('zod', {
  text: z.email().optional(),
  number: z.number().max(5).optional(),
  choice: z.enum(['a', 'b']).optional(),
  nested: z.object({ kind: z.literal('x'), list: z.array(z.int()) }).optional(),
}) {}

class Valibot extends model('valibot', {
  text: v.optional(v.pipe(v.string(), v.email())),
  number: v.optional(v.pipe(v.number(), v.maxValue(5))),
  choice: v.optional(v.picklist(['a', 'b'])),
  nested: v.optional(v.object({ kind: v.literal('x'), list: v.array(v.pipe(v.number(), v.integer())) })),
}) {}

class Ark extends model('ark', {
  text: type('string.email').or('undefined'),
  number: type('number<5').or('undefined'),
  choice: type("'a'|'b'|undefined"),
  nested: type({ kind: "'x'", list: 'number.integer[]' }).or('undefined'),
}) {}

const { proxy, database } = useProxiedDatabase();
beforeAll(async () => {
  const rules = { properties: { name: { bsonType: 'string', maxLength: 5 }, list: { items: { enum: ['a'] } } } };
  await database.db.createCollection('checked', { validator: { $jsonSchema: rules, never: { $ne: TEXT } } });
  await Person.ensureIndexes();
});
beforeEach(async () => {
  await Person.deleteMany({});
  await Person.create({ email: TEXT, pin: NUMBER, any: TEXT });
});

/** Everything that a log could show of an error, and of what led to it. */
function shown(error: unknown): string {
  const texts = [inspect(error, { depth: 20, breakLength: Infinity }), JSON.stringify(error), String(error)];
  if (error instanceof Error) texts.push(error.stack ?? '', error.message, shown(error.cause));
  return texts.join('\n');
}

async function rejection(call: () => unknown): Promise<Error> {
  try {
    await call();
  } catch (error) {
    return error instanceof Error ? error : expect.fail('Expected an error');
  }
  return expect.fail('Expected an error');
}

function expectNoValue(error: Error): void {
  const text = shown(error);
  expect(TELLING.filter((piece) => text.includes(piece))).toEqual([]);
}

const duplicate = { email: TEXT, pin: NUMBER };
const found = async () => (await Person.findOne()) ?? expect.fail('Expected a document');

describe('no value is seen in the error', () => {
  it.each<[string, () => unknown]>([
    ['a duplicate in create()', () => Person.create(duplicate)],
    ['a duplicate in insertMany()', () => Person.insertMany([duplicate])],
    ['duplicates in an unordered insertMany()', () => Person.insertMany([duplicate, duplicate], { ordered: false })],
    ['a duplicate in saveAll()', () => Person.saveAll([new Person(duplicate), new Person({ any: TEXT })])],
    ['a duplicate in upsert()', () => Person.upsert({ any: 'x' }, { $set: duplicate })],
    ['a duplicate in replaceOne()', () => Person.replaceOne({ any: 'x' }, duplicate, { upsert: true })],
    ['a document that the validator of its collection refuses', () => Checked.create({ name: TEXT })],
    ['a type that it refuses', () => Checked.create({ name: NUMBER })],
    ['an element that it refuses', () => Checked.create({ list: [TEXT] } as never)],
    ['a filter of its that refuses', () => Checked.create({ never: TEXT } as never)],
    ['documents that it refuses', () => Checked.insertMany([{ name: TEXT }, { name: NUMBER }], { ordered: false })],
    ['a text that is no number', () => Person.updateMany({}, { $inc: { any: 1 } })],
    ['an operand that is no number', () => Person.updateMany({}, { $inc: { pin: TEXT } } as never)],
    ['a field that is no array', () => Person.updateMany({}, { $push: { any: TEXT } })],
    ['an operand that is no direction', () => Person.updateMany({}, { $pop: { any: TEXT } } as never)],
    ['a path through a text', () => Person.updateMany({}, { $set: { 'any.deep': TEXT } })],
    ['a conversion', () => Person.updateMany({}, [{ $set: { any: { $toInt: '$any' } } }] as never)],
    ['a list that is none', () => Person.find({ any: { $in: TEXT } })],
    ['an expression with a wrong operand', () => Person.find({ $expr: { $add: [TEXT, 1] } })],
    ['a filter that has undefined', () => Person.find({ any: { $in: [TEXT, undefined] } })],
    ['a filter that has a function', () => Person.find({ any: { a: TEXT, b: () => TEXT } })],
    ['a script', () => Person.find({ $where: TEXT } as never)],
    ['an expression with a script', () => Person.find({ $expr: { $function: { body: TEXT } } })],
    ['a regular expression in a list', () => Person.find({ any: { $in: [literal(/SECRET hush/)] } })],
    ['a string that is no ObjectId', () => Person.findById(TEXT)],
    ['an update without operators', () => Person.updateMany({}, { any: TEXT } as never)],
    ['a document that was deleted', async () => (await found()).set('any', `${TEXT}!`).delete().then(save)],
    ['what BSON cannot hold', () => Person.create({ any: { secret: TEXT, broken: () => TEXT } })],
    ['what is too large for BSON', () => Person.create({ any: TEXT.repeat(800_000) })],
    ['many that are too large', () => Person.insertMany([{ any: TEXT.repeat(800_000) }])],
    ['bytes that are no BSON', () => Person.hydrate(broken({ any: TEXT })).toObject()],
    ['an operator that does not fit', async () => (await found()).$inc('any')],
    ['another _id', async () => Object.assign(await found(), { _id: TEXT })],
    ['a page that cannot be', () => Person.find().limit(TEXT as never)],
  ])('%s', async (_, call) => {
    expectNoValue(await rejection(call));
  });

  const save = async () => {
    const person = await Person.create({ any: TEXT });
    await person.delete();
    await person.save();
  };
  const broken = (document: object) => BSON.serialize(document).fill(255, 5, 6);

  it.each([
    ['Zod', Zod],
    ['Valibot', Valibot],
    ['ArkType', Ark],
  ])('what a schema of %s refuses', async (_, Model) => {
    const nested = { kind: TEXT, list: [NUMBER, TEXT] };
    const inputs = [
      { text: TEXT, number: NUMBER, choice: TEXT, nested },
      { text: NUMBER, number: TEXT, choice: nested, nested: TEXT },
      { text: nested, number: nested, choice: NUMBER, nested: { kind: nested, list: TEXT } },
      { text: [TEXT], number: BigInt(424_242), choice: new Date(NUMBER), nested: { kind: NUMBER } },
    ];
    for (const input of inputs) {
      const error = await rejection(() => new Model(input as never).save());
      expect(error).toBeInstanceOf(ValidationError);
      expect((error as ValidationError).issues.length).toBeGreaterThan(3);
      expectNoValue(error);
    }
  });

  it.each(['insert', 'update', 'findAndModify', 'delete'])('a connection that breaks at %s', async (command) => {
    const person = command === 'insert' ? new Person({ any: TEXT }) : await found();
    if (command === 'update') person.any = [TEXT];
    if (command === 'findAndModify') person.$inc('pin');
    proxy.next(command, 'cutAfter');
    const error = await rejection(() => (command === 'delete' ? person.delete() : person.save()));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expectNoValue(error);
  });

  it.each(['update', 'findAndModify'])('a write concern that cannot be kept at %s', async (command) => {
    const person = await found();
    if (command === 'update') person.any = [TEXT];
    else person.$inc('pin');
    const writeConcernError = { code: 64, codeName: 'WriteConcernTimeout', errmsg: `waited for {x: "${TEXT}"}` };
    proxy.next(command, (reply) => ({ ...reply, writeConcernError }));
    const error = await rejection(() => person.save());
    expect(error).toMatchObject({ name: 'MongoWriteConcernError', code: 64 });
    expectNoValue(error);
  });

  it.each(['insert', 'update', 'find', 'findAndModify'])('what the server refuses %s for', async (command) => {
    const errmsg = `not authorized to execute command { find: "people", filter: { email: "${TEXT}" } } by 'SECRET'`;
    proxy.next(command, () => ({ ok: 0, code: 13, codeName: 'Unauthorized', errmsg, errorLabels: ['Label'] }));
    const calls: Record<string, () => unknown> = {
      insert: () => Person.create({ any: TEXT }),
      update: () => Person.updateMany({ any: TEXT }, { $set: { any: TEXT } }),
      find: () => Person.find({ any: TEXT }),
      findAndModify: () => Person.findOneAndDelete({ any: TEXT }),
    };
    const error = await rejection(calls[command] ?? expect.fail);
    expect(error).toBeInstanceOf(MongoServerError);
    expect(error).toMatchObject({ code: 13, codeName: 'Unauthorized', errorLabels: ['Label'] });
    expect(error.message).toBe('not authorized to execute command …');
    expectNoValue(error);
  });

  it('a query that MongoDB cannot plan', async () => {
    const errmsg = `error processing query: ns=a.people limit=1Tree: $and\n    pin $eq ${NUMBER}\n    email $eq "${TEXT}"\nSort: {}\nProj: {}\n planner returned error :: caused by :: hint provided does not correspond to an existing index`;
    proxy.next('find', { answer: { ok: 0, code: 2, codeName: 'BadValue', errmsg } });
    const error = await rejection(() => Person.find({ pin: NUMBER, email: TEXT }));
    expect(error.message).toContain('limit=1… planner returned error :: caused by :: hint provided does not');
    expectNoValue(error);
  });

  it('the documents of a bulk save', () => {
    const cause = new ValidationError([]);
    expectNoValue(new BulkSaveError([{ document: { any: TEXT }, outcome: 'failed', error: cause }]));
  });
});

describe('what programs need is there', () => {
  it('on the error itself', async () => {
    const error = await rejection(() => Person.create(duplicate));
    expect(error).toMatchObject({ values: duplicate });
    const invalid = await rejection(() => new Zod({ text: TEXT }).save());
    expect((invalid as ValidationError).issues[0]?.value).toBe(TEXT);
  });
});

describe('no password is seen', () => {
  let connection: Connection;
  afterAll(() => connection.close());

  it('in a connection', async () => {
    const [scheme = '', address = ''] = database.uri.split('//');
    const host = address.split('/')[0] ?? '';
    const noPassword = await connect(`${scheme}//${host}/app?directConnection=true`, { appName: 'test' });
    connection = noPassword;
    const text = inspect(connection, { depth: 20 });
    expect(text).toContain(connection.uri);
    expect(text).not.toContain('MongoClient');
    expect(JSON.stringify(connection)).toBe(JSON.stringify({ uri: connection.uri, isOpen: true }));
  });
});

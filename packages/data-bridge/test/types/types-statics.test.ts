import type { Binary, Collection, Decimal128, DeleteResult, ObjectId, UpdateResult } from 'mongodb';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { binary, type Connection, decimal, type Document, long, model, objectId, type Query } from '../../src/index.ts';

class User extends model(
  'users',
  {
    email: z.string(),
    age: z.int().optional(),
    role: z.enum(['admin', 'guest']).default('guest'),
    tags: z.array(z.string()).default([]),
    scores: z.array(z.array(z.number())).optional(),
    address: z.object({ city: z.string() }).optional(),
    nick: z.string().nullable().optional(),
    born: z.coerce.date().optional(),
    owner: objectId().optional(),
    balance: long().optional(),
    price: decimal().optional(),
    bytes: binary().optional(),
  },
  { timestamps: true },
) {
  shout(): string {
    return this.email.toUpperCase();
  }
}

class Page extends model('pages', { _id: z.string(), title: z.string() }) {}

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of statics', () => {
  it('documents are instances of the class, or null', () => {
    expectCompiled(async () => {
      expectTypeOf(User.create({ email: 'e' })).resolves.toEqualTypeOf<User>();
      expectTypeOf(User.findOne({ email: 'e' })).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.findById('a')).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.upsert({}, { $set: { age: 1 } })).resolves.toEqualTypeOf<User>();
      expectTypeOf(User.findOneAndUpdate({}, { $set: { age: 1 } })).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.findOneAndReplace({}, { email: 'e' })).resolves.toEqualTypeOf<User | null>();
      expectTypeOf(User.findOneAndDelete({})).resolves.toEqualTypeOf<User | null>();
      expectTypeOf((await User.findOneAndDelete({}))?.shout()).toEqualTypeOf<string | undefined>();
      expectTypeOf(await User.find()).toEqualTypeOf<User[]>();
      expectTypeOf(await User.findBy({ email: 'e' })).toEqualTypeOf<User[]>();
      expectTypeOf(User.findBy({ email: 'e' })).toEqualTypeOf<Query<User>>();
      expectTypeOf(User.insertMany([{ email: 'e' }])).resolves.toEqualTypeOf<User[]>();
      expectTypeOf(User.insertMany([], { return: 'ids' })).resolves.toEqualTypeOf<ObjectId[]>();
      expectTypeOf(Page.insertMany([], { return: 'ids' })).resolves.toEqualTypeOf<string[]>();
    });
  });

  it('results are those of the driver', () => {
    expectCompiled(() => {
      expectTypeOf(User.updateOne({}, { $inc: { age: 1 } })).resolves.toEqualTypeOf<UpdateResult>();
      expectTypeOf(User.updateMany({}, [{ $set: { age: 1 } }])).resolves.toEqualTypeOf<UpdateResult>();
      expectTypeOf(User.replaceOne({}, { email: 'e' })).resolves.toEqualTypeOf<UpdateResult>();
      expectTypeOf(User.deleteOne({})).resolves.toEqualTypeOf<DeleteResult>();
      expectTypeOf(User.deleteMany({})).resolves.toEqualTypeOf<DeleteResult>();
      expectTypeOf(User.count()).resolves.toEqualTypeOf<number>();
      expectTypeOf(User.exists()).resolves.toEqualTypeOf<boolean>();
      expectTypeOf(User.estimatedCount()).resolves.toEqualTypeOf<number>();
      expectTypeOf(User.ensureCollection()).resolves.toEqualTypeOf<boolean>();
      expectTypeOf(User.ensureIndexes()).resolves.toEqualTypeOf<string[]>();
      expectTypeOf<(typeof User)['collection']>().toEqualTypeOf<Collection>();
    });
  });

  it('CRUD-15 distinct() gives what the field holds: of an array its elements, null where it may be null', () => {
    expectCompiled(() => {
      expectTypeOf(User.distinct('email')).resolves.toEqualTypeOf<string[]>();
      expectTypeOf(User.distinct('age', { role: 'admin' })).resolves.toEqualTypeOf<number[]>();
      expectTypeOf(User.distinct('role')).resolves.toEqualTypeOf<('admin' | 'guest')[]>();
      expectTypeOf(User.distinct('tags')).resolves.toEqualTypeOf<string[]>();
      expectTypeOf(User.distinct('scores')).resolves.toEqualTypeOf<number[][]>();
      expectTypeOf(User.distinct('address')).resolves.toEqualTypeOf<{ city: string }[]>();
      expectTypeOf(User.distinct('nick')).resolves.toEqualTypeOf<(string | null)[]>();
      expectTypeOf(User.distinct('born')).resolves.toEqualTypeOf<Date[]>();
      expectTypeOf(User.distinct('owner')).resolves.toEqualTypeOf<ObjectId[]>();
      expectTypeOf(User.distinct('balance')).resolves.toEqualTypeOf<bigint[]>();
      expectTypeOf(User.distinct('price')).resolves.toEqualTypeOf<Decimal128[]>();
      expectTypeOf(User.distinct('bytes')).resolves.toEqualTypeOf<Uint8Array[]>();
      expectTypeOf(User.distinct('createdAt')).resolves.toEqualTypeOf<Date[]>();
      expectTypeOf(User.distinct('_id')).resolves.toEqualTypeOf<ObjectId[]>();
      expectTypeOf(Page.distinct('_id')).resolves.toEqualTypeOf<string[]>();
      // @ts-expect-error -- no such field
      void User.distinct('mail');
      // @ts-expect-error -- a method is no field
      void User.distinct('save');
      // @ts-expect-error -- the filter compares a number with a text
      void User.distinct('email', { age: 'x' });
    });
  });

  it('filters compare a field with values of its type', () => {
    expectCompiled(() => {
      void User.find({ email: 'e', age: { $gt: 1 }, tags: 'a', role: { $in: ['admin'] }, createdAt: new Date() });
      // @ts-expect-error -- a number for a text
      void User.find({ email: 5 });
      // @ts-expect-error -- a text for a number, in an operator
      void User.updateOne({ age: { $gt: 'x' } }, { $set: { age: 1 } });
      // @ts-expect-error -- none of the values of the field
      void User.deleteMany({ role: 'owner' });
      // @ts-expect-error -- deleting all must be said by {}
      void User.deleteMany();
      // @ts-expect-error -- deleting any must be said by {}
      void User.deleteOne();
      // @ts-expect-error -- updating all must be said by {}
      void User.updateMany(undefined, { $set: { age: 1 } });
      // @ts-expect-error -- a text is no filter
      void User.findOneAndDelete('e');
    });
  });

  it('findBy() takes values of the fields, and no operators', () => {
    expectCompiled(() => {
      void User.findBy({ email: 'e', tags: ['a'], _id: '507f1f77bcf86cd799439011' });
      // @ts-expect-error -- an operator is no text
      void User.findBy({ email: { $gt: '' } });
      // @ts-expect-error -- no such field
      void User.findBy({ mail: 'e' });
    });
  });

  it('updates write values of the type of the field', () => {
    expectCompiled(() => {
      void User.updateOne({}, { $set: { age: 1 }, $push: { tags: 'a' }, $unset: { nick: '' } });
      void User.upsert({}, { $setOnInsert: { role: 'admin' } });
      // @ts-expect-error -- a text for a number
      void User.updateOne({}, { $set: { age: 'x' } });
      // @ts-expect-error -- a text cannot be counted up
      void User.updateMany({}, { $inc: { email: 1 } });
      // @ts-expect-error -- a number for an element of texts
      void User.findOneAndUpdate({}, { $push: { tags: 5 } });
      // @ts-expect-error -- an update has operators
      void User.upsert({}, 'email');
    });
  });

  it('replacements are what create() takes', () => {
    expectCompiled(() => {
      void User.replaceOne({}, { email: 'e', owner: 'a', balance: 1, price: '1.5', bytes: null as unknown as Binary });
      // @ts-expect-error -- a field that every document has is missing
      void User.replaceOne({}, { age: 1 });
      // @ts-expect-error -- a text for a number
      void User.findOneAndReplace({}, { email: 'e', age: 'x' });
      // @ts-expect-error -- the model has an _id of its own, which is required
      void Page.replaceOne({}, { title: 't' });
    });
  });

  it('options that would change the result do not compile', () => {
    expectCompiled(() => {
      void User.updateOne({}, { $set: { age: 1 } }, { maxTimeMS: 5, comment: 'c', upsert: true, timestamps: false });
      void User.findOneAndUpdate({}, { $set: { age: 1 } }, { sort: { age: 1 }, returnDocument: 'after' });
      void User.replaceOne({}, { email: 'e' }, { validate: false, collation: { locale: 'simple' } });
      // @ts-expect-error -- a part of a document is no document
      void User.findOneAndUpdate({}, { $set: { age: 1 } }, { projection: { age: 1 } });
      // @ts-expect-error -- the driver's result is not the document
      void User.findOneAndDelete({}, { includeResultMetadata: true });
      // @ts-expect-error -- a plan is no result
      void User.deleteMany({}, { explain: true });
      // @ts-expect-error -- the connection says how values are read
      void User.distinct('age', {}, { promoteLongs: false });
      // @ts-expect-error -- upsert() gives the document after
      void User.upsert({}, { $set: { age: 1 } }, { returnDocument: 'before' });
      // @ts-expect-error -- upsert() inserts
      void User.upsert({}, { $set: { age: 1 } }, { upsert: false });
      // @ts-expect-error -- a deletion has no time
      void User.deleteOne({}, { timestamps: false });
      // @ts-expect-error -- the driver would leave it out
      void User.ensureIndexes({ maxTimeMS: 5 });
    });
  });

  it('using() gives the same model', () => {
    expectCompiled(() => {
      const connection = null as unknown as Connection;
      expectTypeOf(User.using(connection)).toEqualTypeOf<typeof User>();
      expectTypeOf(User.using(connection).findOne()).resolves.toEqualTypeOf<User | null>();
    });
  });
});

describe('the types of options', () => {
  it('timestamps are Dates that a program reads', () => {
    class Renamed extends model('x', { a: z.string() }, { timestamps: { createdAt: 'made', updatedAt: 'changed' } }) {}
    class Made extends model('x', { a: z.string() }, { timestamps: { createdAt: 'made' } }) {}
    class Untimed extends model('x', { a: z.string() }, { timestamps: false }) {}
    class Plain extends model('x', { a: z.string() }) {}
    expectCompiled(() => {
      expectTypeOf<Pick<User, 'createdAt' | 'updatedAt'>>().toEqualTypeOf<{
        readonly createdAt: Date;
        readonly updatedAt: Date;
      }>();
      expectTypeOf<Renamed['made' | 'changed']>().toEqualTypeOf<Date>();
      expectTypeOf<Made['made']>().toEqualTypeOf<Date>();
      expectTypeOf<Extract<keyof Renamed, 'createdAt' | 'updatedAt'>>().toEqualTypeOf<never>();
      expectTypeOf<Exclude<keyof Untimed, keyof Document<unknown>>>().toEqualTypeOf<'a' | '_id'>();
      expectTypeOf<Exclude<keyof Plain, keyof Document<unknown>>>().toEqualTypeOf<'a' | '_id'>();
      // @ts-expect-error -- the mapper writes the time
      new User({ email: 'e' }).createdAt = new Date();
    });
  });

  it('check is given the fields', () => {
    model(
      'x',
      { from: z.int(), to: z.int().optional() },
      {
        timestamps: true,
        check: (document) => {
          expectTypeOf(document.from).toEqualTypeOf<number>();
          expectTypeOf(document.to).toEqualTypeOf<number | undefined>();
          expectTypeOf(document._id).toEqualTypeOf<ObjectId>();
          return [{ path: 'to', message: 'm' }];
        },
      },
    );
    // @ts-expect-error -- an issue has a message
    expect(model('x', { a: z.int() }, { check: () => [{ path: 'a' }] })).toBeTypeOf('function');
    // @ts-expect-error -- issues are a list
    expect(model('x', { a: z.int() }, { check: () => true })).toBeTypeOf('function');
  });

  it('unknown options and values do not compile', () => {
    // @ts-expect-error -- no such option
    expect(() => model('x', { a: z.int() }, { timestamp: true })).toThrow('"timestamp"');
    // @ts-expect-error -- no such kind of concurrency
    expect(() => model('x', { a: z.int() }, { concurrency: 'wild' })).toThrow('"concurrency"');
    // @ts-expect-error -- a text is no list
    expect(() => model('x', { a: z.int() }, { shardKey: 'a' })).toThrow('"shardKey"');
    // @ts-expect-error -- an index has a key
    expect(() => model('x', { a: z.int() }, { indexes: [{ unique: true }] })).toThrow('"indexes"');
  });
});

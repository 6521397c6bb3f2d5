// Mongoose against the embedded server: the basic operations of another mapper, none of which knows of this one.
import { startServer } from '@data-bridge/embedded';
import mongoose, { type Connection, Schema, Types } from 'mongoose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let server: Awaited<ReturnType<typeof startServer>>;
let connection: Connection;

beforeAll(async () => {
  server = await startServer();
  connection = await mongoose.createConnection(server.uri).asPromise();
});

afterAll(async () => {
  await connection.close();
  await server.close();
});

beforeEach(async () => {
  for (const name of connection.modelNames()) connection.deleteModel(name);
  await connection.dropDatabase();
});

const userSchema = () =>
  new Schema(
    {
      name: { type: String, required: true },
      email: { type: String, unique: true, sparse: true },
      age: { type: Number, min: 0 },
      tags: [String],
      address: { city: String, zip: String },
      items: [{ sku: String, qty: { type: Number, required: true } }],
      settings: { type: Map, of: String },
    },
    { timestamps: true, optimisticConcurrency: true },
  );

describe('save', () => {
  it('inserts, then sends what changed', async () => {
    const User = connection.model('User', userSchema());
    const user = await User.create({ name: 'Ann', tags: ['a'], items: [{ sku: 'x', qty: 1 }], settings: { k: 'v' } });
    user.address = { city: 'Rome', zip: '1' };
    user.tags.push('b');
    for (const item of user.items) item.qty = 2;
    user.settings?.set('l', 'w');
    await user.save();
    const found = await User.findById(user._id).orFail();
    expect(found.toObject({ flattenMaps: true })).toMatchObject({
      name: 'Ann',
      tags: ['a', 'b'],
      address: { city: 'Rome', zip: '1' },
      items: [{ sku: 'x', qty: 2 }],
      settings: { k: 'v', l: 'w' },
    });
    expect(found.createdAt).toEqual(user.createdAt);
  });

  it('finds out that somebody else was faster', async () => {
    const User = connection.model('User', userSchema());
    const user = await User.create({ name: 'Ann', age: 1 });
    const other = await User.findById(user._id).orFail();
    await other.set({ age: 2 }).save();
    await expect(user.set({ age: 3 }).save()).rejects.toThrow(mongoose.Error.VersionError);
    expect(await User.findById(user._id).lean()).toMatchObject({ age: 2 });
  });

  it('is told of a unique index by the field and the value', async () => {
    const User = connection.model('User', userSchema());
    await User.init();
    await User.create({ name: 'Ann', email: 'ann@example.com' });
    await expect(User.create({ name: 'Bob', email: 'ann@example.com' })).rejects.toMatchObject({
      code: 11000,
      keyPattern: { email: 1 },
      keyValue: { email: 'ann@example.com' },
    });
    await User.create([{ name: 'Cid' }, { name: 'Dan' }]);
  });

  it('pulls, inserts at a place and pushes into arrays', async () => {
    const User = connection.model('User', userSchema());
    const user = await User.create({ name: 'Ann', items: [1, 2, 3].map((qty) => ({ sku: `s${qty}`, qty })) });
    const [first] = user.items;
    user.items.pull(first?._id);
    await user.save();
    user.items.push({ sku: 's4', qty: 4 });
    await user.save();
    expect((await User.findOne({ 'items.sku': 's4' }).orFail()).items.map(({ sku }) => sku)).toEqual([
      's2',
      's3',
      's4',
    ]);
  });

  it('of many goes in one bulkWrite', async () => {
    const User = connection.model('User', userSchema());
    const users = await User.insertMany([1, 2, 3].map((age) => ({ name: `u${age}`, age })));
    for (const user of users) user.age = (user.age ?? 0) * 10;
    await User.bulkSave(users);
    expect((await User.find().sort('age').lean()).map(({ age }) => age)).toEqual([10, 20, 30]);
  });
});

describe('queries', () => {
  it('update, count, take distinct values and iterate', async () => {
    const User = connection.model('User', userSchema());
    await User.insertMany([1, 2, 3, 4].map((age) => ({ name: age % 2 === 0 ? 'even' : 'odd', age, tags: ['x'] })));
    await User.updateMany({ age: { $gt: 2 } }, { $addToSet: { tags: 'y' }, $inc: { age: 10 } });
    const upserted = await User.findOneAndUpdate(
      { name: 'new' },
      { age: 99 },
      { upsert: true, returnDocument: 'after' },
    );
    expect(upserted).toMatchObject({ name: 'new', age: 99 });
    expect(await User.countDocuments({ tags: 'y' })).toBe(2);
    expect(new Set(await User.distinct('name'))).toEqual(new Set(['even', 'new', 'odd']));
    const ages: unknown[] = [];
    for await (const user of User.find({ age: { $exists: true } })
      .sort({ age: -1 })
      .batchSize(2))
      ages.push(user.age);
    expect(ages).toEqual([99, 14, 13, 2, 1]);
    expect(await User.deleteMany({ name: 'odd' })).toMatchObject({ deletedCount: 2 });
  });

  it('aggregate', async () => {
    const User = connection.model('User', userSchema());
    await User.insertMany([1, 2, 3, 4].map((age) => ({ name: age % 2 === 0 ? 'even' : 'odd', age })));
    const groups = await User.aggregate([{ $group: { _id: '$name', sum: { $sum: '$age' } } }, { $sort: { _id: 1 } }]);
    expect(groups).toEqual([
      { _id: 'even', sum: 6 },
      { _id: 'odd', sum: 4 },
    ]);
  });
});

describe('populate', () => {
  const models = () => {
    const authorSchema = new Schema({ name: String, fans: [{ type: Schema.Types.ObjectId, ref: 'Person' }] });
    authorSchema.virtual('books', { ref: 'Book', localField: '_id', foreignField: 'author' });
    return {
      Person: connection.model('Person', authorSchema),
      Book: connection.model(
        'Book',
        new Schema({ title: String, author: { type: Schema.Types.ObjectId, ref: 'Person' }, year: Number }),
      ),
    };
  };

  it('fetches references, those in lists and those of references', async () => {
    const { Person, Book } = models();
    const fan = await Person.create({ name: 'Fan' });
    const other = await Person.create({ name: 'Other' });
    const author = await Person.create({ name: 'Ann', fans: [other._id, fan._id] });
    await Book.create({ title: 'One', author: author._id });
    const book = await Book.findOne({ title: 'One' }).populate({ path: 'author', populate: 'fans' }).orFail();
    expect(book.toObject()).toMatchObject({ author: { name: 'Ann', fans: [{ name: 'Other' }, { name: 'Fan' }] } });
  });

  it('fetches what refers to a document, by a condition, sorted and cut', async () => {
    const { Person, Book } = models();
    const author = await Person.create({ name: 'Ann' });
    await Book.insertMany([2001, 2002, 2003].map((year) => ({ title: `B${year}`, year, author: author._id })));
    await Book.create({ title: 'by nobody', author: new Types.ObjectId() });
    const found = await Person.findById(author._id).populate({
      path: 'books',
      match: { year: { $gte: 2002 } },
      options: { sort: { year: -1 }, limit: 1 },
      select: 'title author -_id',
    });
    expect(found?.get('books')).toMatchObject([{ title: 'B2003' }]);
    expect(await Book.findOne({ title: 'by nobody' }).populate('author')).toMatchObject({ author: null });
  });
});

describe('discriminators', () => {
  it('share a collection, and each finds its own', async () => {
    const Event = connection.model('Event', new Schema({ at: Date }, { discriminatorKey: 'kind' }));
    const Click = Event.discriminator('Click', new Schema({ x: Number }));
    const Key = Event.discriminator('Key', new Schema({ code: String }));
    await Click.create({ x: 5 });
    await Key.create({ code: 'Enter' });
    await Event.create({ at: new Date(0) });
    expect(await Event.countDocuments()).toBe(3);
    expect(await Click.find().lean()).toMatchObject([{ kind: 'Click', x: 5 }]);
    const all = await Event.find().sort('_id');
    expect(all.map((event) => event.constructor === Click)).toEqual([true, false, false]);
    await Click.updateOne({ x: 5 }, { $inc: { x: 1 } });
    expect(await Event.findOne({ kind: 'Click' })).toMatchObject({ x: 6 });
    expect(await Key.deleteMany({})).toMatchObject({ deletedCount: 1 });
  });

  it('of embedded documents keep their kinds', async () => {
    const part = new Schema({ at: Number }, { discriminatorKey: 'kind', _id: false });
    const schema = new Schema({ parts: [part] });
    const parts = schema.path<mongoose.Schema.Types.DocumentArray>('parts');
    parts.discriminator('text', new Schema({ text: String }, { _id: false }));
    parts.discriminator('image', new Schema({ url: String }, { _id: false }));
    const Page = connection.model('Page', schema);
    const stored = [
      { kind: 'text', at: 1, text: 'hello' },
      { kind: 'image', at: 2, url: '/x.png' },
    ];
    const { _id } = await Page.create({ parts: stored });
    expect((await Page.findById(_id).lean())?.parts).toEqual(stored);
    expect(await Page.countDocuments({ parts: { $elemMatch: { kind: 'image', url: '/x.png' } } })).toBe(1);
  });
});

describe('transactions', () => {
  it('commit together or not at all', async () => {
    const Account = connection.model('Account', new Schema({ name: String, amount: { type: Number, min: 0 } }));
    await Account.create([
      { name: 'a', amount: 10 },
      { name: 'b', amount: 0 },
    ]);
    const move = (amount: number) =>
      connection.transaction(async (session) => {
        await Account.updateOne({ name: 'a' }, { $inc: { amount: -amount } }, { session });
        const to = await Account.findOne({ name: 'b' }).session(session).orFail();
        to.amount = (to.amount ?? 0) + amount;
        await to.save({ session });
        const from = await Account.findOne({ name: 'a' }).session(session).orFail();
        await from.validate();
      });
    await move(4);
    await expect(move(7)).rejects.toThrow(mongoose.Error.ValidationError);
    expect((await Account.find().sort('name').lean()).map(({ amount }) => amount)).toEqual([6, 4]);
  });
});

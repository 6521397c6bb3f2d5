import { connect } from 'data-bridge';
import { type AnyBulkWriteOperation, type Collection, MongoClient } from 'mongodb';
import type { Model } from 'mongoose';
import { BridgeUser } from './bridge-user.ts';
import { fixtures, type User } from './fixtures.ts';
import { startCannedServer } from './processes.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { connectMongoose } from './mongoose-user.ts';
import { atLeast, atMost, compare, type Row, timesOf } from './report.ts';

type Fields = Omit<User, '_id'>;

/** The rivals on one canned server. */
interface Clients {
  readonly collection: Collection<User>;
  readonly mongoose: Model<User>;
}

async function withClients<T>(work: (clients: Clients) => Promise<T>): Promise<T> {
  const server = await startCannedServer();
  const client = await new MongoClient(server.uri).connect();
  const bridge = await connect(server.uri);
  const mongoose = await connectMongoose(server.uri);
  try {
    return await work({ collection: client.db().collection<User>('users'), mongoose: mongoose.users });
  } finally {
    await Promise.all([client.close(), bridge.close(), mongoose.close()]);
    await server.stop();
  }
}

/** Values that none of the documents has had before. */
let fresh = 1_000_000;

/** What a program would write by hand that knows which field changed. */
function byHand(collection: Collection<User>): Contender {
  let users: User[] = [];
  return {
    name: 'driver',
    prepare: async () => {
      users = await collection.find().toArray();
    },
    pass: () => {
      const operations = users.map((user): AnyBulkWriteOperation<User> => {
        user.age = fresh++;
        return { updateOne: { filter: { _id: user._id }, update: { $set: { age: user.age } } } };
      });
      return collection.bulkWrite(operations, { ordered: false });
    },
  };
}

function byMongoose(users: Model<User>): Contender {
  let documents: Awaited<ReturnType<typeof users.find>> = [];
  return {
    name: 'Mongoose',
    prepare: async () => {
      documents = await users.find();
    },
    pass: () => {
      for (const user of documents) user.age = fresh++;
      return users.bulkSave(documents);
    },
  };
}

/** `saveAll()` of 1,000 documents that were just loaded, one field of each changed. */
export function saveAllTogether(effort: Effort): Promise<Row[]> {
  return withClients(async ({ collection, mongoose }) => {
    const bridge = (name: string, validate: boolean): Contender => {
      let users: BridgeUser[] = [];
      return {
        name,
        prepare: async () => {
          users = await BridgeUser.find();
        },
        pass: () => {
          for (const user of users) user.age = fresh++;
          return BridgeUser.saveAll(users, { validate });
        },
      };
    };
    const contenders: Contender[] = [
      byHand(collection),
      bridge('data-bridge', true),
      bridge('data-bridge, no validation', false),
      byMongoose(mongoose),
    ];
    const timings = await alternate(contenders, effort);
    const what = 'saveAll() of 1,000 documents with one change each';
    return [
      {
        what: `${what}, validated, against a bulkWrite by hand`,
        goal: atLeast(0.75),
        ...compare(timings, 'driver', 'data-bridge'),
      },
      { what: '  the same, not validated', ...compare(timings, 'driver', 'data-bridge, no validation') },
      {
        what: `${what}, validated, against Mongoose's bulkSave()`,
        goal: atLeast(5),
        ...compare(timings, 'Mongoose', 'data-bridge'),
      },
      ...timesOf(timings, ', per 1,000'),
    ];
  });
}

/** `insertMany()` of 1,000 new documents. */
export function insertManyTogether(effort: Effort): Promise<Row[]> {
  return withClients(async ({ collection, mongoose }) => {
    const inputs: Fields[] = fixtures.users().docs.map(({ _id, ...fields }) => fields);
    const anew = () => inputs.map((fields) => ({ ...fields }));
    const contenders: Contender[] = [
      { name: 'driver', pass: () => collection.insertMany(anew() as User[]) },
      {
        name: 'data-bridge, ids, no validation',
        pass: () => BridgeUser.insertMany(anew(), { validate: false, return: 'ids' }),
      },
      { name: 'data-bridge, ids', pass: () => BridgeUser.insertMany(anew(), { return: 'ids' }) },
      { name: 'data-bridge', pass: () => BridgeUser.insertMany(anew()) },
      { name: 'data-bridge, no validation', pass: () => BridgeUser.insertMany(anew(), { validate: false }) },
      { name: 'Mongoose', pass: () => mongoose.insertMany(anew()) },
    ];
    const timings = await alternate(contenders, effort);
    const what = 'insertMany() of 1,000 documents';
    return [
      {
        what: `${what}, validated, against the driver`,
        goal: atLeast(0.5),
        ...compare(timings, 'driver', 'data-bridge'),
      },
      { what: '  the same, not validated', ...compare(timings, 'driver', 'data-bridge, no validation') },
      {
        what: `${what} for their ids, not validated, against the driver: its share of time`,
        goal: atMost(1.2),
        ...compare(timings, 'data-bridge, ids, no validation', 'driver'),
      },
      {
        what: `${what}, validated, against Mongoose`,
        goal: atLeast(7),
        ...compare(timings, 'Mongoose', 'data-bridge'),
      },
      { what: '  the same for their ids alone', ...compare(timings, 'Mongoose', 'data-bridge, ids') },
      ...timesOf(timings, ', per 1,000'),
    ];
  });
}

/** How many a pass of `create()` makes, one after another. */
const created = 50;

/** `create()` of one document at a time. */
export function createOne(effort: Effort): Promise<Row[]> {
  return withClients(async ({ collection, mongoose }) => {
    const inputs: Fields[] = fixtures
      .users()
      .docs.slice(0, created)
      .map(({ _id, ...fields }) => fields);
    const each = (create: (fields: Fields) => Promise<unknown>) => async (): Promise<void> => {
      for (const fields of inputs) await create({ ...fields });
    };
    const contenders: Contender[] = [
      { name: 'driver', pass: each((fields) => collection.insertOne(fields as User)) },
      { name: 'data-bridge', pass: each((fields) => BridgeUser.create(fields)) },
      { name: 'data-bridge, no validation', pass: each((fields) => BridgeUser.create(fields, { validate: false })) },
      { name: 'Mongoose', pass: each((fields) => mongoose.create(fields)) },
    ];
    const timings = await alternate(contenders, effort);
    return [
      {
        what: 'create() of one document, validated, against the driver',
        goal: atLeast(0.8),
        ...compare(timings, 'driver', 'data-bridge'),
      },
      { what: '  the same, not validated', ...compare(timings, 'driver', 'data-bridge, no validation') },
      {
        what: 'create() of one document, validated, against Mongoose',
        goal: atLeast(3),
        ...compare(timings, 'Mongoose', 'data-bridge'),
      },
      ...timesOf(timings, `, per ${created}`),
    ];
  });
}

import { connect } from 'data-bridge';
import { MongoClient } from 'mongodb';
import { BridgeUser } from './bridge-user.ts';
import { setSize, type User } from './fixtures.ts';
import { startCannedServer } from './processes.ts';
import { alternate, type Contender, type Effort, type Timings } from './measure.ts';
import { connectMongoose } from './mongoose-user.ts';
import { readersFor } from './readers.ts';
import { atLeast, byNode, compare, type Row, timesOf } from './report.ts';

type Loader = () => PromiseLike<readonly Readonly<User>[]>;

/** Each client's way to all documents of the collection. */
interface Clients {
  readonly loaders: ReadonlyMap<string, Loader>;
  /** The driver without decoding: what the connection alone costs. */
  readonly raw: () => Promise<unknown>;
  close(): Promise<void>;
}

async function openClients(): Promise<Clients> {
  const server = await startCannedServer();
  const client = await new MongoClient(server.uri).connect();
  const collection = client.db().collection<User>('users');
  const mongoose = await connectMongoose(server.uri);
  const bridge = await connect(server.uri);
  const loaders = new Map<string, Loader>([
    ['data-bridge', () => BridgeUser.find()],
    ['driver', () => collection.find().toArray()],
    ['driver + structuredClone', () => findAndCopy(() => collection.find().toArray())],
    ['Mongoose', () => mongoose.users.find().exec()],
    ['data-bridge lean', () => BridgeUser.find().lean()],
    ['Mongoose lean', () => mongoose.users.find().lean<User[]>().exec()],
  ]);
  return {
    loaders,
    raw: () => client.db().collection('users').find({}, { raw: true }).toArray(),
    async close() {
      await Promise.all([client.close(), mongoose.close(), bridge.close()]);
      await server.stop();
    },
  };
}

/** Deep-copy tracking. The id never changes, so it is left out of the copy. */
async function findAndCopy(load: () => Promise<User[]>): Promise<readonly User[]> {
  const users = await load();
  const copies = users.map(({ _id, ...fields }) => structuredClone(fields));
  if (copies.length !== users.length) throw new Error('A copy is missing.');
  return users;
}

async function contenders(clients: Clients, reads: 'readThree' | 'readAll'): Promise<Contender[]> {
  const sums = new Set<number>();
  const reading: Contender[] = [];
  for (const [name, load] of clients.loaders) {
    const read = (await readersFor(name))[reads];
    sums.add(read(await load()));
    reading.push({ name, pass: async () => read(await load()) });
  }
  if (sums.size !== 1) throw new Error(`The clients read different values: ${[...sums].join(', ')}.`);
  return [...reading, { name: 'driver, raw, no read', pass: clients.raw }];
}

interface Goals {
  /** By CPU time. */
  readonly driver: number;
  /** By the wall clock. */
  readonly mongoose: number;
  readonly lean?: number;
}

function rows(timings: Timings, what: string, goals: Goals): Row[] {
  const against = (rival: string): Pick<Row, 'what' | 'measured' | 'wall' | 'unit'> => ({
    what: `find ${setSize}, ${what}, against ${rival}`,
    ...compare(timings, rival, 'data-bridge'),
  });
  const leanAgainst = (rival: string): Row => ({
    what: `the same, lean(), against ${rival}`,
    ...compare(timings, rival, 'data-bridge lean'),
  });
  return [
    { ...against('driver'), goal: atLeast(goals.driver) },
    { ...against('Mongoose'), goal: atLeast(goals.mongoose, 'wall') },
    against('driver + structuredClone'),
    { ...leanAgainst('driver'), ...(goals.lean === undefined ? {} : { goal: atLeast(goals.lean) }) },
    leanAgainst('Mongoose lean'),
    ...timesOf(timings),
  ];
}

async function measureFind(effort: Effort, reads: 'readThree' | 'readAll'): Promise<Timings> {
  const clients = await openClients();
  try {
    return await alternate(await contenders(clients, reads), effort);
  } finally {
    await clients.close();
  }
}

/** `find` of 1,000 documents over loopback, three fields of each read. */
export async function findAndReadThree(effort: Effort): Promise<Row[]> {
  const goals = { driver: byNode({ 20: 9, 24: 6.5 }), mongoose: 20 };
  return rows(await measureFind(effort, 'readThree'), 'read three fields', goals);
}

/** `find` of 1,000 documents over loopback, every field of each read. */
export async function findAndReadAll(effort: Effort): Promise<Row[]> {
  const goals = { driver: byNode({ 20: 3.5, 24: 2.5 }), mongoose: 9, lean: byNode({ 20: 4, 24: 2.5 }) };
  return rows(await measureFind(effort, 'readAll'), 'read every field', goals);
}

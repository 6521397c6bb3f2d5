import { connect } from 'data-bridge';
import { MongoClient } from 'mongodb';
import { BridgeUser } from './bridge-user.ts';
import { setSize, type User } from './fixtures.ts';
import { startCannedServer } from './loopback.ts';
import { alternate, ratio, timeOf, type Contender, type Effort, type Timings } from './measure.ts';
import { connectMongoose } from './mongoose-user.ts';
import { readersFor } from './readers.ts';
import { atLeast, type Row } from './report.ts';

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

function rows(timings: Timings, what: string, againstDriver: number, againstMongoose: number): Row[] {
  const against = (rival: string): Pick<Row, 'what' | 'measured' | 'unit'> => ({
    what: `find ${setSize}, ${what}, against ${rival}`,
    measured: ratio(timings, rival, 'data-bridge'),
    unit: '×',
  });
  const leanAgainst = (rival: string): Row => ({
    what: `the same, lean(), against ${rival}`,
    measured: ratio(timings, rival, 'data-bridge lean'),
    unit: '×',
  });
  return [
    { ...against('driver'), goal: atLeast(againstDriver) },
    { ...against('Mongoose'), goal: atLeast(againstMongoose) },
    against('driver + structuredClone'),
    leanAgainst('driver'),
    leanAgainst('Mongoose lean'),
    ...[...timings.keys()].map((name): Row => ({
      what: `  time of ${name}`,
      measured: timeOf(timings, name),
      unit: 'ms',
    })),
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
  return rows(await measureFind(effort, 'readThree'), 'read three fields', 5, 18);
}

/** `find` of 1,000 documents over loopback, every field of each read. */
export async function findAndReadAll(effort: Effort): Promise<Row[]> {
  return rows(await measureFind(effort, 'readAll'), 'read every field', 2.5, 9);
}

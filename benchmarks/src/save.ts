import { connect } from 'data-bridge';
import { isDeepStrictEqual } from 'node:util';
import { MongoClient, type Collection } from 'mongodb';
import { BridgeUser } from './bridge-user.ts';
import { fixtures, type User } from './fixtures.ts';
import { startCannedServer, type CannedServer } from './processes.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { readAll } from './read.ts';
import { atLeast, compare, exactly, type Row, timesOf } from './report.ts';
import { withoutNetwork } from './without-network.ts';

const documents = 100;

type Fields = Omit<User, '_id'>;

/** Other values for every field of the n-th document, made before anything is timed. Arrays have another length. */
function anew(): Fields[] {
  return others().map((fields) => ({
    ...fields,
    active: !fields.active,
    tags: [...fields.tags.slice(1), 'epsilon', 'zeta'],
    roles: ['admin', 'editor'],
    items: fields.items.slice(1).map((item) => ({ ...item, name: `New ${item.name}` })),
    bio: `${fields.bio}!`,
    settings: { theme: 'light', lang: 'it', notify: { email: false, sms: true } },
  }));
}

/** Every field changed a little: members of objects, each element of the arrays. */
function edited(): Fields[] {
  return others().map((fields) => ({
    ...fields,
    active: !fields.active,
    tags: [...fields.tags, 'new'],
    roles: ['admin'],
    items: fields.items.map((item) => ({ ...item, qty: item.qty + 1 })),
    bio: `${fields.bio}!`,
    settings: { ...fields.settings, lang: 'it' },
  }));
}

/** The fields of documents that are not among those loaded. */
function others(): Fields[] {
  const { docs } = fixtures.users();
  return docs.slice(documents, 2 * documents).map(({ _id, ...fields }) => fields);
}

function setAll(user: Fields, values: Fields): void {
  user.name = values.name;
  user.email = values.email;
  user.age = values.age;
  user.active = values.active;
  user.score = values.score;
  user.createdAt = values.createdAt;
  user.updatedAt = values.updatedAt;
  user.address = values.address;
  user.tags = values.tags;
  user.roles = values.roles;
  user.items = values.items;
  user.bio = values.bio;
  user.loginCount = values.loginCount;
  user.settings = values.settings;
}

/** Every document loaded, copied, overwritten, compared with its copy field by field, and its changes sent. */
async function byDeepCopy(collection: Collection<User>, values: readonly Fields[]): Promise<void> {
  const users = await collection.find().limit(documents).toArray();
  const copies = users.map(({ _id, ...fields }) => structuredClone(fields));
  for (const [i, user] of users.entries()) {
    const copy = copies[i];
    const next = values[i];
    if (copy === undefined || next === undefined) throw new Error('A document is missing.');
    setAll(user, next);
    const { _id, ...fields } = user;
    const changed = Object.entries(fields).filter(
      ([name, value]) => !isDeepStrictEqual(value, copy[name as keyof Fields]),
    );
    await collection.updateOne({ _id }, { $set: Object.fromEntries(changed) });
  }
}

async function byBridge(values: readonly Fields[], validate: boolean): Promise<void> {
  const users = await BridgeUser.find().limit(documents);
  for (const [i, user] of users.entries()) {
    const next = values[i];
    if (next === undefined) throw new Error('A document is missing.');
    setAll(user, next);
    await user.save({ validate });
  }
}

/** Gives the work a canned server and both clients, and closes all of them. */
async function withClients<T>(work: (server: CannedServer, collection: Collection<User>) => Promise<T>): Promise<T> {
  const server = await startCannedServer();
  const client = await new MongoClient(server.uri).connect();
  const bridge = await connect(server.uri);
  try {
    return await work(server, client.db().collection<User>('users'));
  } finally {
    await Promise.all([client.close(), bridge.close()]);
    await server.stop();
  }
}

/** What every field of each document is set to, and what the client-only save without validation has to reach. */
interface Work {
  readonly name: 'anew' | 'edited';
  readonly values: readonly Fields[];
  readonly goal: number;
}

/** Without a network the goals speak of CPU time; over loopback, of the wall clock. */
async function measureSaves(
  collection: Collection<User>,
  { name, values, goal }: Work,
  where: 'no network' | 'loopback',
  effort: Effort,
): Promise<Row[]> {
  const rival = 'deep copy + compare';
  const contenders: Contender[] = [
    { name: rival, pass: () => byDeepCopy(collection, values) },
    { name: 'data-bridge', pass: () => byBridge(values, true) },
    { name: 'data-bridge, no validation', pass: () => byBridge(values, false) },
  ];
  const measure = () => alternate(contenders, effort);
  const timings = await (where === 'no network' ? withoutNetwork(measure) : measure());
  const alone = where === 'no network';
  const what = `every field ${name === 'anew' ? 'set anew' : 'edited within'}, then save, ${where}`;
  return [
    {
      what: `${what}, against copy + compare + $set`,
      goal: alone ? atLeast(goal) : atLeast(1, 'wall'),
      ...compare(timings, rival, 'data-bridge, no validation'),
    },
    {
      what: `${what}, validated by Zod on our side only`,
      goal: alone ? atLeast(1) : atLeast(1, 'wall'),
      ...compare(timings, rival, 'data-bridge'),
    },
    ...timesOf(timings, `, ${name}, ${where}`),
  ];
}

/** Write-heavy work: load 100 documents, set every field, save each. */
export function saveAll(effort: Effort): Promise<Row[]> {
  const works: readonly Work[] = [
    { name: 'anew', values: anew(), goal: 1.3 },
    { name: 'edited', values: edited(), goal: 1.4 },
  ];
  return withClients(async (_, collection) => {
    const rows: Row[] = [];
    for (const work of works) {
      for (const where of ['no network', 'loopback'] as const) {
        rows.push(...(await measureSaves(collection, work, where, effort)));
      }
    }
    return rows;
  });
}

/** `save()` of documents that were read and not changed: what reaches the server, by the server's count. */
export function saveUnchanged(): Promise<Row[]> {
  return withClients(async (server) => {
    const users = await BridgeUser.find().limit(documents);
    readAll(users);
    const before = await server.commands();
    for (const user of users) await user.save();
    const after = await server.commands();
    return [
      {
        what: `save() of ${documents} unchanged documents`,
        goal: { sign: '=', value: 0 },
        measured: exactly(after - before),
        unit: 'commands',
      },
    ];
  });
}

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, MongoClient, ObjectId } from 'mongodb';
import { fixtures, setSize, type User } from './fixtures.ts';
import { messageOf, numberIn, startProcess } from './processes.ts';
import { alternate, type Contender, type Effort, ratio, spread, timeOf } from './measure.ts';
import { atLeast, atMost, type Row } from './report.ts';

const OURS = 'the embedded server';
const FOLDER = 'the embedded server with a folder';
const RIVAL = 'the other server';

const CLIENTS = 8;
const STARTS = 7;

interface Server {
  readonly uri: string;
  /** Milliseconds that it took to load its code, and then to start it. */
  readonly loading: number;
  readonly starting: number;
  stop(): Promise<void>;
}

/** In a process of its own, as the other server is. */
export async function startEmbedded(...args: string[]): Promise<Server> {
  const child = startProcess('./embedded-server.js', args);
  const message = await messageOf(child);
  const uri: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, 'uri') : undefined;
  if (typeof uri !== 'string') throw new Error('Expected a message with an address.');
  return {
    uri,
    loading: numberIn(message, 'loading'),
    starting: numberIn(message, 'starting'),
    async stop() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

type Fields = Omit<User, '_id'>;

const users = fixtures.users();

/** Ten of each user of the fixture, with ids and addresses of their own. */
const tenThousand: readonly User[] = Array.from({ length: 10 * setSize }, (_, number) => {
  const user = users.docs[number % setSize];
  if (user === undefined) throw new Error('The fixture is too small.');
  return { ...user, _id: new ObjectId(number.toString(16).padStart(24, '0')), email: `user${number}@example.com` };
});

function withoutIds(documents: readonly User[]): Fields[] {
  return documents.map(({ _id, ...fields }) => fields);
}

/** One server under test: 10,000 documents with an index on `email`, and a collection that is written to. */
class Subject {
  readonly #clients: readonly MongoClient[];
  readonly #name = `bench_${process.pid}`;
  #turn = 0;

  private constructor(clients: readonly MongoClient[]) {
    this.#clients = clients;
  }

  static async open(uri: string): Promise<Subject> {
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => new MongoClient(uri).connect()));
    const subject = new Subject(clients);
    await subject.#full().createIndex({ email: 1 });
    await subject.#full().insertMany(tenThousand.map((user) => ({ ...user })));
    return subject;
  }

  /** What is measured, by name. */
  get operations(): Readonly<Record<string, () => Promise<unknown>>> {
    return {
      insertOne: () => this.#written().insertOne({ ...this.#user() }),
      'insertMany of 10,000': () => this.#written().insertMany(withoutIds(tenThousand)),
      'findOne by _id': () => this.#full().findOne({ _id: this.#user()._id }),
      'findOne by an indexed field': () => this.#full().findOne({ email: this.#user().email }),
      'find that scans 10,000': () => this.#full().find({ loginCount: -1 }).toArray(),
      'find of all 10,000': () => this.#full().find({}, { raw: true }).toArray(),
      updateOne: () => this.#full().updateOne({ _id: this.#user()._id }, { $inc: { loginCount: 1 } }),
      [`${CLIENTS} clients at once`]: () => Promise.all(this.#clients.map((_, client) => this.#work(client))),
    };
  }

  async clear(): Promise<void> {
    await this.#written().drop();
  }

  async close(): Promise<void> {
    await this.#clients[0]?.db(this.#name).dropDatabase();
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  /** What each of several clients does: reads, updates, reads again. */
  async #work(client: number): Promise<void> {
    const users = this.#full(client);
    const { _id, email } = this.#user();
    await users.findOne({ _id });
    await users.updateOne({ _id }, { $inc: { loginCount: 1 } });
    await users.findOne({ email });
  }

  #full(client = 0): Collection<User> {
    return this.#collection<User>('full', client);
  }

  #written(): Collection<Fields> {
    return this.#collection<Fields>('written', 0);
  }

  #collection<T extends object>(name: string, client: number): Collection<T> {
    const found = this.#clients[client];
    if (found === undefined) throw new Error(`There is no client ${client}.`);
    return found.db(this.#name).collection<T>(name);
  }

  /** Another user with each call, near none of the last ones. */
  #user(): User {
    this.#turn = (this.#turn + 7919) % tenThousand.length;
    const user = tenThousand[this.#turn];
    if (user === undefined) throw new Error('There are no users.');
    return user;
  }
}

/** The embedded server against the server at an address, which should keep its data in memory, too. */
export async function embeddedServer(effort: Effort, uri: string | undefined): Promise<Row[]> {
  if (uri === undefined) throw new Error('This case needs the address of another server: --uri mongodb://….');
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const servers = [await startEmbedded(), await startEmbedded(folder)] as const;
  const addresses: readonly (readonly [string, string])[] = [
    [OURS, servers[0].uri],
    [FOLDER, servers[1].uri],
    [RIVAL, uri],
  ];
  const subjects = new Map<string, Subject>();
  try {
    for (const [name, address] of addresses) subjects.set(name, await Subject.open(address));
    return [...(await operationRows(subjects, effort)), ...(await startRows())];
  } finally {
    await Promise.all(Array.from(subjects.values(), (subject) => subject.close()));
    await Promise.all(servers.map((server) => server.stop()));
    rmSync(folder, { recursive: true });
  }
}

/** What takes a second or so at a time needs fewer rounds. */
const HEAVY = /10,000/;

function lighter({ rounds, sliceMs }: Effort): Effort {
  return { rounds: Math.ceil(rounds / 5), sliceMs };
}

async function operationRows(subjects: ReadonlyMap<string, Subject>, effort: Effort): Promise<Row[]> {
  const [first] = subjects.values();
  const rows: Row[] = [];
  for (const operation of Object.keys(first?.operations ?? {})) {
    const contenders = Array.from(subjects, ([name, { operations }]): Contender => {
      return { name, pass: () => operations[operation]?.() };
    });
    const timings = await alternate(contenders, HEAVY.test(operation) ? lighter(effort) : effort);
    await Promise.all(Array.from(subjects.values(), (subject) => subject.clear()));
    // Servers are compared, so the wall clock is what counts; the client's work is the same.
    const faster = (server: string) => ratio(timings, RIVAL, server, 'wall');
    rows.push(
      { what: `${operation}, against ${RIVAL}`, goal: atLeast(1), measured: faster(OURS), unit: '×' },
      { what: `  ${operation}, ${FOLDER}, against ${RIVAL}`, measured: faster(FOLDER), unit: '×' },
      { what: `  time of ${operation}, ${OURS}`, measured: timeOf(timings, OURS, 'wall'), unit: 'ms' },
    );
  }
  return rows;
}

/** Each time in another process. */
async function startRows(): Promise<Row[]> {
  const starts: Server[] = [];
  for (let i = 0; i < STARTS; i++) {
    const server = await startEmbedded();
    starts.push(server);
    await server.stop();
  }
  const measured = (part: 'loading' | 'starting') => spread(starts.map((server) => server[part]));
  return [
    { what: 'startServer()', goal: atMost(100), measured: measured('starting'), unit: 'ms' },
    { what: '  import of its code before that', measured: measured('loading'), unit: 'ms' },
  ];
}

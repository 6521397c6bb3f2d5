import { connect } from 'data-bridge';
import { BridgeUser } from './bridge-user.ts';
import { fixtures, type User } from './fixtures.ts';
import { startCannedServer } from './processes.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { connectMongoose } from './mongoose-user.ts';
import { readersFor } from './readers.ts';
import { compare, type Row, timesOf } from './report.ts';
import type { Change, Fields, Open, Rival } from './rival.ts';
import { checkRivals } from './rivals-check.ts';
import { loadRivals } from './rivals-folder.ts';

const OURS = 'data-bridge';
/** As those save and insert that leave validation to the server or to the program. */
const UNVALIDATED = 'data-bridge, no validation';

/** How many documents a pass of `save` finds, changes and saves, one after another. */
const saves = 50;

const openBridge: Open = async (uri) => {
  const bridge = await connect(uri);
  return { ...bridgeThat(true), close: () => bridge.close() };
};

/** On the connection that is open. */
function bridgeThat(validate: boolean): Rival {
  return {
    find: async () => BridgeUser.find(),
    async save({ email, age, lang }) {
      const user = await BridgeUser.find({ email }).first();
      if (user === null) throw new Error('There is no user.');
      user.age = age;
      user.settings.lang = lang;
      await user.save({ validate });
    },
    insert: (inputs) => BridgeUser.insertMany(inputs, { validate }),
    close: () => Promise.resolve(),
  };
}

const openMongoose: Open = async (uri) => {
  const { users, close } = await connectMongoose(uri);
  return {
    find: () => users.find().exec(),
    async save({ email, age, lang }) {
      const user = await users.findOne({ email }).orFail();
      user.age = age;
      user.settings.lang = lang;
      await user.save();
    },
    insert: (inputs) => users.insertMany(inputs),
    close,
  };
};

/** New values each time. */
function changes(): () => Change {
  let count = 1000;
  const [{ email } = { email: '' }] = fixtures.users().docs;
  return () => ({ email, age: ++count, lang: `l${count}` });
}

type Work = (rival: Rival, name: string) => Promise<() => Promise<unknown>>;

const sums = new Set<number>();

const works: Readonly<Record<string, Work>> = {
  find: async (rival, name) => {
    const { readFields } = await readersFor(name);
    sums.add(readFields(await rival.find()));
    return async () => readFields(await rival.find());
  },
  save: (rival) => {
    const next = changes();
    return Promise.resolve(async () => {
      for (let i = 0; i < saves; i++) await rival.save(next());
    });
  },
  insert: (rival) => {
    const inputs: Fields[] = fixtures.users().docs.map(({ _id, ...fields }: User) => fields);
    return Promise.resolve(() => rival.insert(inputs.map((fields) => ({ ...fields }))));
  },
};

/** `find`, a change of one document, and the insertion of many, by other mappers. */
export async function againstRivals(effort: Effort): Promise<Row[]> {
  const { open, left } = await loadRivals();
  const server = await startCannedServer();
  const rivals = new Map<string, Rival>();
  try {
    await checkRivals(open);
    for (const [name, start] of [[OURS, openBridge] as const, ['Mongoose', openMongoose] as const, ...open]) {
      rivals.set(name, await start(server.uri));
    }
    const unvalidated = bridgeThat(false);
    const rows: Row[] = [];
    for (const [name, work] of Object.entries(works)) {
      const contenders: Contender[] = [];
      for (const [rival, client] of rivals) contenders.push({ name: rival, pass: await work(client, rival) });
      if (name !== 'find') contenders.push({ name: UNVALIDATED, pass: await work(unvalidated, UNVALIDATED) });
      if (sums.size !== 1) throw new Error(`The clients read different values: ${[...sums].join(', ')}.`);
      const timings = await alternate(contenders, effort);
      const others = [...rivals.keys()].filter((rival) => rival !== OURS);
      rows.push(
        ...others.map((rival): Row => ({ what: `${name}, against ${rival}`, ...compare(timings, rival, OURS) })),
        ...timesOf(timings).map((row) => ({ ...row, what: `  ${name}: ${row.what.trim()}` })),
      );
    }
    if (left.length > 0) process.stdout.write(`Left out: ${left.join(', ')}.\n\n`);
    return rows;
  } finally {
    await Promise.all(Array.from(rivals.values(), (rival) => rival.close()));
    await server.stop();
  }
}

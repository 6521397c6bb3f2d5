import { once } from 'node:events';
import { ConflictError, connect, model } from 'data-bridge';
import mongoose from 'mongoose';
import { z } from 'zod';
import { BridgeUser, GuardedUser, VersionedUser } from './bridge-user.ts';
import { messageOf, startCannedServer, startProcess } from './processes.ts';
import { alternate, type Contender, type Effort, spread } from './measure.ts';
import { atMost, compare, exactly, type Row, timesOf } from './report.ts';

const DOCUMENTS = 100;

type Users = typeof BridgeUser | typeof GuardedUser | typeof VersionedUser;

const modes: Readonly<Record<string, Users>> = { merge: BridgeUser, fields: GuardedUser, version: VersionedUser };

/** Loads documents untimed; a pass saves each of them twice. */
function savingTwice(name: string, users: Users): Contender {
  let loaded: InstanceType<Users>[] = [];
  let count = 0;
  return {
    name,
    prepare: async () => {
      loaded = await users.find().limit(DOCUMENTS);
    },
    pass: async () => {
      for (let save = 0; save < 2; save += 1) {
        for (const user of loaded) {
          user.name = `name ${(count += 1)}`;
          await user.save();
        }
      }
    },
  };
}

/** What a save costs the client that guards it. */
export async function saveGuarded(effort: Effort): Promise<Row[]> {
  const server = await startCannedServer();
  const bridge = await connect(server.uri);
  try {
    const contenders = Object.entries(modes).map(([name, users]) => savingTwice(name, users));
    const timings = await alternate(contenders, effort);
    return [
      ...['fields', 'version'].map((name): Row => ({
        what: `client CPU of a save with '${name}', against 'merge'`,
        goal: atMost(1.2),
        ...compare(timings, name, 'merge'),
      })),
      ...timesOf(timings, `, per ${2 * DOCUMENTS} saves`),
    ];
  } finally {
    await bridge.close();
    await server.stop();
  }
}

const WRITERS = 16;
const ADDITIONS = 50;
const names = Array.from({ length: WRITERS }, (_, i) => `f${i}`);

type Counters = Record<string, number>;

class Sheet extends model('sheets', { numbers: z.record(z.string(), z.number()) }, { concurrency: 'fields' }) {}

interface Outcome {
  readonly ms: number;
  readonly again: number;
}

async function timed(writers: readonly (() => Promise<number>)[]): Promise<Outcome> {
  const start = performance.now();
  const again = await Promise.all(writers.map((write) => write()));
  return { ms: performance.now() - start, again: again.reduce((sum, each) => sum + each, 0) };
}

async function byBridge(): Promise<Outcome> {
  const { _id } = await Sheet.create({ numbers: Object.fromEntries(names.map((name) => [name, 0])) });
  const copies = await Promise.all(names.map(() => Sheet.find({ _id }).one()));
  const outcome = await timed(
    copies.map((sheet, i) => async () => {
      let conflicts = 0;
      for (let n = 0; n < ADDITIONS; n += 1) {
        sheet.numbers[`f${i}`] = (sheet.numbers[`f${i}`] ?? 0) + 1;
        try {
          await sheet.save();
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          conflicts += 1;
          await sheet.save({ onConflict: 'mine' });
        }
      }
      return conflicts;
    }),
  );
  check((await Sheet.find({ _id }).one()).numbers);
  return outcome;
}

async function byMongoose(uri: string): Promise<Outcome> {
  const connection = await mongoose.createConnection(uri).asPromise();
  try {
    const fields = Object.fromEntries(names.map((name) => [name, Number]));
    const schema = new mongoose.Schema<{ numbers: Counters }>({ numbers: fields }, { optimisticConcurrency: true });
    const sheets = connection.model('MongooseSheet', schema);
    const { _id } = await sheets.create({ numbers: Object.fromEntries(names.map((name) => [name, 0])) });
    const outcome = await timed(
      names.map((name) => async () => {
        let retries = 0;
        for (let n = 0; n < ADDITIONS; n += 1) {
          for (;;) {
            const sheet = await sheets.findById(_id).orFail();
            sheet.set(`numbers.${name}`, Number(sheet.get(`numbers.${name}`)) + 1);
            try {
              await sheet.save();
              break;
            } catch (error) {
              if (!(error instanceof mongoose.Error.VersionError)) throw error;
              retries += 1;
            }
          }
        }
        return retries;
      }),
    );
    check((await sheets.findById(_id).orFail()).toObject().numbers);
    return outcome;
  } finally {
    await connection.close();
  }
}

function check(numbers: Counters): void {
  if (names.some((name) => numbers[name] !== ADDITIONS)) throw new Error('An addition was lost.');
}

/** Sixteen writers, each with a field of its own in one document. */
export async function sixteenWriters({ rounds }: Effort): Promise<Row[]> {
  const child = startProcess('./embedded-server.js', []);
  const message = await messageOf(child);
  const uri = String(typeof message === 'object' && message !== null ? Reflect.get(message, 'uri') : '');
  const bridge = await connect(uri);
  const ours: Outcome[] = [];
  const theirs: Outcome[] = [];
  try {
    for (let round = 0; round < Math.ceil(rounds / 5); round += 1) {
      ours.push(await byBridge());
      theirs.push(await byMongoose(uri));
    }
  } finally {
    await bridge.close();
    const exit = once(child, 'exit');
    child.disconnect();
    await exit;
  }
  const conflicts = ours.reduce((sum, { again }) => sum + again, 0);
  return [
    {
      what: `conflicts of ${WRITERS} writers of different fields with 'fields'`,
      goal: { sign: '=', value: 0 },
      measured: exactly(conflicts),
      unit: 'conflicts',
    },
    {
      what: '  retries of Mongoose with optimisticConcurrency, in a round',
      measured: spread(theirs.map(({ again }) => again)),
      unit: 'retries',
    },
    {
      what: `  Mongoose's time for ${WRITERS * ADDITIONS} additions, against ours`,
      measured: spread(theirs.map(({ ms }, round) => ms / (ours[round]?.ms ?? Number.NaN))),
      unit: '×',
    },
  ];
}

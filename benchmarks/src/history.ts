import { connect } from 'data-bridge';
import { BridgeUser, RecordedUser } from './bridge-user.ts';
import { startEmbedded } from './embedded.ts';
import { fixtures } from './fixtures.ts';
import { type Effort, spread } from './measure.ts';
import type { Row } from './report.ts';

const DOCUMENTS = 100;

type Users = typeof BridgeUser | typeof RecordedUser;

/** Milliseconds of this process's CPU time, and of the clock, for a save of each document. */
async function timeSaves(users: Users, round: number): Promise<readonly [cpu: number, clock: number]> {
  const loaded = await users.find();
  const [before, start] = [process.cpuUsage(), performance.now()];
  for (const user of loaded) {
    user.name = `round ${round}`;
    await user.save();
  }
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1000, performance.now() - start];
}

/** What a history costs: three commands for a save instead of one. Both kinds of documents take turns. */
export async function saveRecorded({ rounds }: Effort): Promise<Row[]> {
  const server = await startEmbedded();
  const bridge = await connect(server.uri);
  const plain: (readonly [number, number])[] = [];
  const recorded: (readonly [number, number])[] = [];
  try {
    const inputs = fixtures
      .users()
      .docs.slice(0, DOCUMENTS)
      .map(({ _id: _, ...input }) => input);
    await BridgeUser.insertMany(inputs, { return: 'ids' });
    await RecordedUser.insertMany(inputs, { return: 'ids' });
    for (let round = -5; round < rounds; round += 1) {
      const [ofPlain, ofRecorded] = [await timeSaves(BridgeUser, round), await timeSaves(RecordedUser, round)];
      if (round < 0) continue;
      plain.push(ofPlain);
      recorded.push(ofRecorded);
    }
  } finally {
    await bridge.close();
    await server.stop();
  }
  const ratios = (of: 0 | 1): number[] =>
    recorded.map((times, round) => times[of] / (plain[round]?.[of] ?? Number.NaN));
  const perSave = (series: typeof plain): number[] => series.map(([cpu]) => (cpu * 1000) / DOCUMENTS);
  return [
    { what: 'client CPU of a save with a history, against one without', measured: spread(ratios(0)), unit: '×' },
    { what: '  its time, the embedded server in another process', measured: spread(ratios(1)), unit: '×' },
    { what: '  CPU with a history, per save', measured: spread(perSave(recorded)), unit: 'µs' },
    { what: '  CPU without, per save', measured: spread(perSave(plain)), unit: 'µs' },
  ];
}

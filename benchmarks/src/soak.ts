import { connect } from 'data-bridge';
import { BridgeUser } from './bridge-user.ts';
import { bytesInUse } from './bytes-in-use.ts';
import { startCannedServer } from './processes.ts';
import { quick, type Effort } from './measure.ts';
import { atMost, exactly, type Row } from './report.ts';

/** Rounds before the first measurement: the code is optimised and pools have their size by then. */
const warmUp = 20_000;
/** Saves that are under way at once. */
const inFlight = 50;

/** One batch: every document loaded, changed in two ways, saved. Gives how many. */
async function batch(round: number): Promise<number> {
  const users = await BridgeUser.find();
  for (let start = 0; start < users.length; start += inFlight) {
    await Promise.all(
      users.slice(start, start + inFlight).map((user) => {
        user.loginCount = -1 - round;
        user.tags.push('seen');
        return user.save({ validate: false });
      }),
    );
  }
  return users.length;
}

async function run(rounds: number): Promise<void> {
  for (let done = 0; done < rounds;) done += await batch(done);
}

/** A million rounds of load, change and save: what the process keeps of them. */
export async function soak(effort: Effort): Promise<Row[]> {
  const rounds = effort === quick ? 20_000 : 1_000_000;
  const server = await startCannedServer();
  const bridge = await connect(server.uri, { maxPoolSize: inFlight });
  try {
    await run(warmUp);
    const before = await bytesInUse();
    const start = performance.now();
    await run(rounds);
    const seconds = (performance.now() - start) / 1000;
    const grown = (await bytesInUse()) - before;
    return [
      {
        what: `memory kept by ${rounds.toLocaleString('en')} rounds of load, change, save`,
        goal: atMost(1),
        measured: exactly(grown / rounds),
        unit: 'B per round',
      },
      { what: '  time of a round', measured: exactly((seconds * 1e6) / rounds), unit: 'µs' },
    ];
  } finally {
    await bridge.close();
    await server.stop();
  }
}

import { connect } from 'data-bridge';
import { BridgeUser } from './bridge-user.ts';
import { bytesInUse } from './bytes-in-use.ts';
import { startCannedServer } from './processes.ts';
import { quick, type Effort } from './measure.ts';
import { atMost, exactly, type Row } from './report.ts';

/** How often the memory is looked at. */
const every = 5000;

const megabyte = 1e6;

/** Reads so many documents one after another, a field of each, and gives the most memory that was seen in use. */
async function stream(documents: number): Promise<number> {
  let count = 0;
  let most = 0;
  let letters = 0;
  for await (const user of BridgeUser.find().batchSize(documents)) {
    letters += user.name.length;
    count += 1;
    if (count % every !== 0) continue;
    const { heapUsed, external } = process.memoryUsage();
    most = Math.max(most, heapUsed + external);
  }
  if (count !== documents || letters === 0) throw new Error(`Expected ${documents} documents, got ${count}.`);
  return most;
}

/** `for await` over a million documents of 1 KB: how much memory is in use at most, garbage included. */
export async function streamMillion(effort: Effort): Promise<Row[]> {
  const documents = effort === quick ? 100_000 : 1_000_000;
  const server = await startCannedServer();
  const bridge = await connect(server.uri);
  try {
    await stream(10_000);
    const base = await bytesInUse();
    const start = performance.now();
    const most = await stream(documents);
    const seconds = (performance.now() - start) / 1000;
    return [
      {
        what: `for await over ${documents.toLocaleString('en')} documents: most memory in use over the base`,
        goal: atMost(60),
        measured: exactly((most - base) / megabyte),
        unit: 'MB',
      },
      { what: '  time of a document', measured: exactly((seconds * 1e6) / documents), unit: 'µs' },
    ];
  } finally {
    await bridge.close();
    await server.stop();
  }
}

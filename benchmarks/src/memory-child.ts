/**
 * A process that keeps what one holder gives of a number of batches, and sends the bytes that this takes for each thing
 * kept. Arguments: the holder's name, the server's address, the number of batches.
 */
import { bytesInUse } from './bytes-in-use.ts';
import { holders, isHolderName } from './memory-holders.ts';

const [name, uri, batches] = process.argv.slice(2);
if (!isHolderName(name) || uri === undefined) throw new Error('Expected a holder and an address.');
const { load, close } = await holders[name](uri);

async function loadBatches(count: number): Promise<unknown[][]> {
  const kept: unknown[][] = [];
  for (let i = 0; i < count; i++) kept.push([...(await load())]);
  return kept;
}

// The first batches build the connection, caches and optimised code; they are dropped.
await loadBatches(5);
const before = await bytesInUse();
const kept = await loadBatches(Number(batches));
const after = await bytesInUse();
const count = kept.reduce((sum, batch) => sum + batch.length, 0);
process.send?.({ bytes: (after - before) / count });
await close();
process.disconnect();

import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Bytes in use after collecting: the heap and what it holds outside. `arrayBuffers` is part of `external` and is not
 * added again. Collects more than once, with turns of the event loop between, because buffers are freed behind the collector's back and
 * weak references are cleared a turn later.
 */
export async function bytesInUse(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('Memory is measured under node --expose-gc.');
  for (let i = 0; i < 6; i++) {
    globalThis.gc();
    await sleep(10);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How many commands of one call are under way at once: enough to hide the way to the server, few of the pool's connections. */
export const CONCURRENCY = 10;

/**
 * Does work on each item in order, on at most `limit` of them at once.
 *
 * @param work must not throw: what happens to one item is noted with it.
 */
export async function concurrently<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => void | Promise<void>,
): Promise<void> {
  const left = items.values();
  const worker = async (): Promise<void> => {
    for (const item of left) {
      const working = work(item);
      // Each wait costs, and for most documents there is nothing to wait for.
      if (working !== undefined) await working;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

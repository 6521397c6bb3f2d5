import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { IS_DEEP } from '../../../../scripts/case-count.ts';
import { startServer } from '../../src/index.ts';

/** A server that the conformance suite runs against. */
export interface Target {
  /** What it calls itself: `embedded`, `secantusdb`, `mongodb`. */
  readonly product: string;
  readonly name: string;
  /** Starts it, or finds it where it runs. */
  open(): Promise<{ readonly uri: string; close(): Promise<void> }>;
}

/** The embedded server always, in memory and in a folder, and the one at `MONGODB_URI` if there is one. */
export const targets: readonly [Target, ...Target[]] = [
  { product: 'embedded', name: 'embedded', open: () => startServer() },
  { product: 'embedded', name: 'embedded with a folder', open: openDurable },
  ...(await otherTarget(process.env['MONGODB_URI'])),
];

/**
 * Those that a suite of `engine/` or `values/` asks, whose answers do not depend on where records lie: one of each product.
 * `npm run test:deep` asks all.
 */
export const targetsOfEngine: readonly Target[] = targets.filter(({ open }) => IS_DEEP || open !== openDurable);

async function openDurable(): ReturnType<Target['open']> {
  const path = mkdtempSync(join(tmpdir(), 'embedded-'));
  const server = await startServer({ path });
  const close = async (): Promise<void> => {
    await server.close();
    rmSync(path, { recursive: true });
  };
  return { uri: server.uri, close };
}

async function otherTarget(uri: string | undefined): Promise<Target[]> {
  if (uri === undefined || uri === '') return [];
  const product = await productAt(uri);
  return [{ product, name: `${product} at MONGODB_URI`, open: async () => ({ uri, close: async () => {} }) }];
}

async function productAt(uri: string): Promise<string> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  try {
    const info = await client.db('admin').command({ buildInfo: 1 });
    return /secantus/i.test(JSON.stringify(info)) ? 'secantusdb' : 'mongodb';
  } finally {
    await client.close();
  }
}

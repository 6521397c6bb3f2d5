import { type Collection, type Db, type Document, type MongoClient, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { knownFault } from './known-faults.ts';
import { useDatabase } from './server.ts';
import { type Target, targets, targetsOfEngine } from './servers.ts';

/** Documents whose `_id` is whatever a case says. */
export type AnyDocument = Document & { _id?: string | number | boolean | object | null };

/** What a case works with. */
export interface Workbench {
  readonly product: string;
  readonly client: MongoClient;
  readonly uri: string;
  readonly db: Db;
  /** A collection of the case's own, not there yet. */
  readonly collection: Collection<AnyDocument>;
}

export type Case = (bench: Workbench) => Promise<void>;

/** As `conformance()`, for what is done the same whatever storage is below: most of all by the engine. */
export function conformanceOfEngine(area: string, cases: Readonly<Record<string, Case>>): void {
  conformance(area, cases, targetsOfEngine);
}

/** Registers cases for every server under test, each with its own database. */
export function conformance(
  area: string,
  cases: Readonly<Record<string, Case>>,
  servers: readonly Target[] = targets,
): void {
  describe.each(servers)(`${area} on $name`, (target) => {
    const { product } = target;
    const database = useDatabase(target);
    let count = 0;
    it.for(Object.entries(cases))('%s', async ([title, run], { skip }) => {
      skip(knownFault(product, area, title), 'a known fault of this server');
      expect.hasAssertions();
      count += 1;
      const { client, uri, db } = database;
      await run({ product, client, uri, db, collection: db.collection<AnyDocument>(`c${count}`) });
    });
  });
}

/** The server's error from something that must fail. */
export async function errorOf(attempt: Promise<unknown>): Promise<MongoServerError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof MongoServerError) return error;
    throw error;
  }
  throw new Error('Expected an error of the server, got none.');
}

import type { Connection, Page, Query } from 'data-bridge';
import type { Collection, Db } from 'mongodb';
import { MigrationError } from '../errors.ts';
import { changeAll } from './batch.ts';
import { diffText } from './diff-text.ts';
import type { BatchOptions, BatchResult, Migrated } from './migration.ts';

/** How many changed documents a dry run shows of each batch. */
const SHOWN = 3;

/** Reads documents until some were changed, shows what would be saved, and saves nothing. */
export async function showBatch<D extends Migrated>(
  query: Query<D>,
  each: (document: D) => unknown,
  { size = 500 }: BatchOptions,
  log: (text: string) => void,
): Promise<BatchResult> {
  let seen = 0;
  let after: string | null = null;
  do {
    const page: Page<D> = await query.page({ size, after });
    const changed = await changeAll(page, each, query.sortedBy);
    seen += page.items.length;
    for (const document of changed.slice(0, SHOWN)) log(diffText(document));
    if (changed.length > 0) {
      const more = page.next === null ? '' : ', and did not read on';
      log(`  ${changed.length} of the first ${seen} documents would change${more}`);
      return { seen, changed: changed.length };
    }
    after = page.next;
  } while (after !== null);
  log(`  none of ${seen} documents would change`);
  return { seen, changed: 0 };
}

/** Ends the transaction of a dry run. */
class TakenBack extends Error {}

/** Runs code in a transaction that is taken back: what models write in it is never stored. */
export async function takenBack(connection: Connection, code: () => Promise<void>): Promise<void> {
  try {
    await connection.transaction(async () => {
      await code();
      throw new TakenBack();
    });
  } catch (error) {
    if (!(error instanceof TakenBack)) throw error;
  }
}

const READS_OF_DATABASE = new Set(['collections', 'listCollections', 'stats']);
const READS_OF_COLLECTION = new Set([
  'aggregate',
  'count',
  'countDocuments',
  'distinct',
  'estimatedDocumentCount',
  'find',
  'findOne',
  'indexes',
  'indexExists',
  'indexInformation',
  'isCapped',
  'listIndexes',
  'listSearchIndexes',
  'options',
]);

/** The same database, whose methods that write are refused: they are no part of the transaction that is taken back. */
export function readOnly(db: Db, version: string): Db {
  return guarded(db, READS_OF_DATABASE, version, {
    collection: (...args: Parameters<Db['collection']>) =>
      guarded<Collection>(db.collection(...args), READS_OF_COLLECTION, version, {
        aggregate: (pipeline: readonly object[] = [], ...rest: never[]) => {
          if (pipeline.some((stage) => '$out' in stage || '$merge' in stage))
            throw refused('aggregate() with $out or $merge', version);
          return db.collection(...args).aggregate([...pipeline], ...rest);
        },
      }),
  });
}

function guarded<T extends object>(target: T, reads: ReadonlySet<string>, version: string, own: object): T {
  return new Proxy(target, {
    get(_, key) {
      if (typeof key === 'string' && Object.hasOwn(own, key)) return (own as Record<string, unknown>)[key];
      if (key === 'client') throw refused('the client', version);
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key === 'symbol' || key === 'constructor') return value;
      if (reads.has(key)) return value.bind(target);
      return () => {
        throw refused(`${key}()`, version);
      };
    },
  });
}

function refused(what: string, version: string): MigrationError {
  return new MigrationError(
    `In a dry run of migration ${version} nothing is written: ${what} of the driver is refused.`,
    version,
  );
}

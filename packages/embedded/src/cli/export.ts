import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Catalog } from '../catalog/catalog.ts';
import type { Collection } from '../catalog/collection.ts';
import { decode } from '../values/bson.ts';
import { STORE_FILE } from '../storage/lmdb-tables.ts';
import type { StoredRecord } from '../storage/storage.ts';
import type { ExportRequest } from './arguments.ts';
import { collectionLine, documentLine } from './lines.ts';
import { withCatalog } from './store.ts';

/** Documents that are read, and written, at a time. */
const CHUNK = 100;

/** Writes what a folder has as lines, in the order in which an import can make it again. */
export async function exportFolder(request: ExportRequest, output: NodeJS.WritableStream): Promise<void> {
  // case: opening a store would make one where there is none.
  if (!existsSync(join(request.path, STORE_FILE))) throw new Error(`There are no data in ${request.path}.`);
  await withCatalog(request.path, async (catalog) => {
    const lines = linesOf(catalog, wanted(catalog, request));
    await pipeline(Readable.from(lines, { objectMode: true, highWaterMark: 1 }), output, { end: false });
  });
}

/** The collections that are asked for. Throws where there are none. */
function wanted(catalog: Catalog, { path, database, collection }: ExportRequest): Collection[] {
  const databases = catalog.databases().filter((name) => database === undefined || name === database);
  const collections = databases
    .flatMap((name) => catalog.collections(name))
    .filter(({ name }) => collection === undefined || name === collection);
  if (database !== undefined && collections.length === 0) {
    const what = collection === undefined ? `database ${database}` : `collection ${database}.${collection}`;
    throw new Error(`There is no ${what} in ${path}.`);
  }
  return collections;
}

function* linesOf(catalog: Catalog, collections: readonly Collection[]): Generator<string> {
  for (const collection of collections) {
    yield collectionLine(collection);
    const records = collection.records.records();
    for (;;) {
      const lines = catalog.transaction(() => nextLines(collection, records));
      if (lines === '') break;
      yield lines;
    }
  }
}

function nextLines(collection: Collection, records: Iterator<StoredRecord, unknown>): string {
  let lines = '';
  for (let count = 0; count < CHUNK; count += 1) {
    const next = records.next();
    if (next.done === true) break;
    lines += documentLine(collection, decode(next.value.bytes));
  }
  return lines;
}

import { createInterface } from 'node:readline/promises';
import type { Catalog } from '../catalog/catalog.ts';
import type { Collection } from '../catalog/collection.ts';
import { checkDatabaseName } from '../catalog/namespace.ts';
import { collectionOptions } from '../commands/collections.ts';
import { Fields } from '../messages/fields.ts';
import { addIndexes } from '../commands/indexes.ts';
import { insertDocument } from '../commands/insert.ts';
import { type Line, readLine } from './lines.ts';
import { withCatalog } from './store.ts';

/** How much was imported. */
export interface Imported {
  readonly collections: number;
  readonly documents: number;
}

/**
 * Adds what the lines tell to a folder, all in one transaction. Throws an `Error` that names the line where one is
 * wrong or its collection is there already; then nothing is added. All lines are in memory meanwhile.
 */
export async function importFolder(path: string, input: NodeJS.ReadableStream): Promise<Imported> {
  const lines = await readLines(input);
  return withCatalog(path, async (catalog) => catalog.transaction(() => addAll(catalog, lines)));
}

/** Lines by their numbers. */
type Lines = ReadonlyMap<number, Line>;

async function readLines(input: NodeJS.ReadableStream): Promise<Lines> {
  const lines = new Map<number, Line>();
  let number = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (text.trim() !== '')
      lines.set(
        number,
        atLine(number, () => readLine(text)),
      );
  }
  return lines;
}

function addAll(catalog: Catalog, lines: Lines): Imported {
  const added = new Set<Collection>();
  let documents = 0;
  for (const [number, line] of lines) {
    atLine(number, () => add(catalog, line, added));
    if ('document' in line) documents += 1;
  }
  return { collections: added.size, documents };
}

function add(catalog: Catalog, line: Line, added: Set<Collection>): void {
  const { database, name } = line;
  checkDatabaseName(database);
  const existing = catalog.collection(database, name);
  if (existing !== undefined && !added.has(existing))
    throw new Error(`the collection ${existing.namespace} is there already`);
  if ('document' in line) {
    const collection = existing ?? catalog.create(database, name);
    added.add(collection);
    // As when it was first stored, perhaps before there was a rule.
    insertDocument(collection, { document: line.document }, false);
  } else {
    const fields = new Fields('create', line.options);
    const collection = catalog.create(database, name, collectionOptions(fields));
    added.add(collection);
    addIndexes(collection, line.indexes);
  }
}

/**
 * What goes wrong in one line ends the transaction, errors of the server too: not one of them is a `ServerError` then.
 */
function atLine<T>(number: number, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new Error(`Line ${number}: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause });
  }
}

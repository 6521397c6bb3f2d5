import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { BrokenFileError, checkHead, checkPages } from './lmdb-file.ts';
import { numberKey } from './lmdb-keys.ts';
import type { RecordTables, Table } from './lmdb-records.ts';
import { isOutOfSpace } from './lmdb-space.ts';
import { StoreError } from './store-error.ts';

/** How the tables are laid out. A larger number is a layout that this version cannot read. */
const FORMAT = 2;
const FORMAT_KEY = Buffer.from('format');

/** The file that LMDB makes in a folder, beside `lock.mdb`. */
export const STORE_FILE = 'data.mdb';

/** All that a store's file has. */
export interface Tables extends RecordTables {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** Collection → its description by the catalogue. */
  readonly collections: Table;
  /** Collection, index, key, record → nothing. Collection, index → what the index remembers. */
  readonly entries: Table;
  /** Name → what the server remembers under it. */
  readonly state: Table;
  /** Position → an entry of the log of changes. */
  readonly log: Table;
}

/** What is stored is for the user that runs the server. */
const FOLDER_MODE = 0o700;
const PRIVATE = { permissionsMode: 0o600 };

const BINARY = { encoding: 'binary', keyEncoding: 'binary' } as const;

/**
 * Opens the file in the folder `path`, and makes both if need be. Throws `StoreError` where the folder cannot be used,
 * another server uses it, or its file is not one that this version can read.
 */
export async function openTables(path: string): Promise<Tables> {
  const folder = usableFolder(path);
  check(folder, checkHead);
  const root = openFile(folder);
  try {
    checkAlone(root, folder);
    // Not before it is certain that no other server writes: a file between two states looks damaged.
    check(folder, checkPages);
    checkFormat(root, folder);
    const table = (name: string): Table => root.openDB({ name, ...BINARY });
    const tables: Tables = {
      root,
      collections: table('collections'),
      counters: table('counters'),
      records: table('records'),
      ids: table('ids'),
      entries: table('entries'),
      state: table('state'),
      log: table('log'),
    };
    // Opening tables has taken this process from the list of readers: from here on it stays there.
    checkAlone(root, folder);
    return tables;
  } catch (error) {
    await root.close();
    throw error instanceof StoreError
      ? error
      : unusable(folder, isOutOfSpace(error, folder, STORE_FILE) ? noSpace(error) : error);
  }
}

function noSpace(cause: unknown): Error {
  return new Error('there is no space left for them', { cause });
}

/** The folder by its only name: two names of one folder would be two stores to LMDB. */
function usableFolder(path: string): string {
  try {
    makeFolder(resolve(path));
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Makes a folder, and those above it, for this user alone. Those that are there stay as they are. */
function makeFolder(path: string): void {
  // Not `recursive`: where the system makes none, as in /proc, Node tries for ever.
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!existsSync(path)) throw error;
  }
}

function check(folder: string, checkFile: (path: string) => void): void {
  const file = join(folder, STORE_FILE);
  try {
    if (existsSync(file)) checkFile(file);
  } catch (error) {
    throw refusal(folder, error);
  }
}

function openFile(folder: string): RootDatabase<Buffer, Buffer> {
  try {
    return open<Buffer, Buffer>({ path: folder, noSubdir: false, ...BINARY, ...PRIVATE, overlappingSync: false });
  } catch (error) {
    throw refusal(folder, error);
  }
}

function refusal(folder: string, error: unknown): StoreError {
  if (!(error instanceof BrokenFileError)) return unusable(folder, error);
  return error.newer ? newerFormat(folder) : damaged(folder, error.message, error);
}

function unusable(path: string, cause: unknown): StoreError {
  return new StoreError('STORE_PATH', `Cannot keep data in ${path}: ${reasonOf(cause)}.`, { cause });
}

/** Writes the format down in a new file. */
function checkFormat(root: RootDatabase<Buffer, Buffer>, folder: string): void {
  root.transactionSync(() => {
    const format = root.get(FORMAT_KEY);
    if (format === undefined) {
      if (root.getKeysCount() > 0) throw damaged(folder, 'it has other tables');
      root.putSync(FORMAT_KEY, numberKey(FORMAT));
    } else if (format.length !== 4) {
      throw damaged(folder, 'its format cannot be read');
    } else if (format.readUInt32BE(0) > FORMAT) {
      throw newerFormat(folder);
    } else if (format.readUInt32BE(0) < FORMAT) {
      throw olderFormat(folder);
    }
  });
}

/**
 * Whoever has a file of LMDB open and has begun to read is in the list of its readers, as this process is from now on.
 * LMDB itself tells by a lock of the system which of them have died, so a killed server leaves nothing behind that
 * would have to be removed by hand. Two that start at the same moment may refuse each other.
 */
function checkAlone(root: RootDatabase<Buffer, Buffer>, folder: string): void {
  root.useReadTransaction().done();
  root.readerCheck();
  const readers = Array.from(root.readerList().matchAll(/^\s*(\d+)\s/gm), ([, pid]) => Number(pid));
  if (readers.length === 1) return;
  const other = readers.find((pid) => pid !== process.pid) ?? process.pid;
  const holder = other === process.pid ? 'another server of this process' : `process ${other}`;
  throw new StoreError(
    'STORE_LOCKED',
    `The data in ${folder} are in use by ${holder}: stop it first, or connect to its server.`,
  );
}

function newerFormat(folder: string): StoreError {
  return new StoreError(
    'STORE_FORMAT',
    `The data in ${folder} were written by a newer version of @data-bridge/embedded: update the package.`,
  );
}

function olderFormat(folder: string): StoreError {
  return new StoreError(
    'STORE_FORMAT',
    `The data in ${folder} were written by an older version of @data-bridge/embedded: ` +
      'export them with that version, and import them into an empty folder.',
  );
}

function damaged(folder: string, reason: string, cause?: unknown): StoreError {
  return new StoreError(
    'STORE_DAMAGED',
    `The file ${STORE_FILE} in ${folder} is damaged or no store of this server: ${reason}. ` +
      'Restore it from a copy, or use another folder.',
    { cause },
  );
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { arch, endianness } from 'node:os';

// The layout of LMDB's data files as lmdb 3.x writes them on 64-bit machines (source: liblmdb's mdb.c, data version 2:
// MDB_page, MDB_meta, MDB_db, MDB_node, MDB_ovpage). All numbers have the machine's byte order.
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_HEAD = 24;
const NODE_HEAD = 8;
const PAGE = { transaction: 8, flags: 18, lower: 20, upper: 22, count: 20 };
const META = {
  magic: 24,
  version: 28,
  address: 32,
  mapSize: 40,
  pageSize: 48,
  free: 48,
  main: 96,
  lastPage: 144,
  transaction: 152,
  end: 168,
};
const TREE = { flags: 4, depth: 6, entries: 32, root: 40, size: 48 };
/** The flags of the two trees that a head names: the keys of the first are numbers. */
const FREE_FLAGS = 0x08;
/** Beside the flags of the first tree: somebody else wrote the file in another mode. */
const OVERLAPPING_SYNC = 0x1000;
const MAIN_FLAGS = 0;
/** LMDB has no deeper trees. */
const MAX_DEPTH = 32;
/** No processor can map more bytes than that. */
const MAX_MAP_SIZE = 2n ** 47n;
const BRANCH = 0x01;
const LEAF = 0x02;
const OVERFLOW = 0x04;
const META_PAGE = 0x08;
const KINDS = BRANCH | LEAF | OVERFLOW | META_PAGE;
const BIG_DATA = 0x01;
const TREE_DATA = 0x02;
const DUPLICATES = 0x04;
const NO_PAGE = 0xffff_ffff_ffff_ffffn;
const FIRST_PAGE = 2;

/** Elsewhere the layout is another one, and files are taken as they are. */
const KNOWN_LAYOUT = endianness() === 'LE' && arch() !== 'arm' && arch() !== 'ia32';

/** Why LMDB had better not open a file. */
export class BrokenFileError extends Error {
  override readonly name = 'BrokenFileError';
  /** True where a newer LMDB may well be able to read it. */
  readonly newer: boolean;

  constructor(reason: string, newer = false) {
    super(reason);
    this.newer = newer;
  }
}

/** What a committed transaction left: how large pages are, and where its trees begin. */
interface Snapshot {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  readonly free: Tree;
  readonly main: Tree;
}

interface Tree {
  readonly depth: number;
  readonly entries: number;
  /** Undefined in an empty tree. */
  readonly root: number | undefined;
}

/**
 * Throws `BrokenFileError` where a file is not one of LMDB, or says of itself what cannot be. LMDB itself crashes the
 * process over some of them. A file without a byte is a new one. Another process may be writing to it.
 */
export function checkHead(path: string): void {
  withFile(path, (file, size) => {
    if (size > 0) readSnapshots(file, size);
  });
}

/**
 * Follows every tree of the file through all its pages and throws `BrokenFileError` where a page is not there or not
 * what it should be. LMDB maps the file into memory and believes what it reads, so that a truncated or overwritten one
 * ends the process. What is inside the values is not looked at: records have checksums. It reads the whole file once.
 */
export function checkPages(path: string): void {
  withFile(path, (file, size) => {
    if (size === 0) return;
    const snapshots = readSnapshots(file, size);
    checkSuccession(snapshots);
    const [first, second] = snapshots;
    new PageCheck(file, size, second.transaction > first.transaction ? second : first).run();
  });
}

function withFile(path: string, check: (file: number, size: number) => void): void {
  if (!KNOWN_LAYOUT) return;
  const file = openSync(path, 'r');
  try {
    check(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

/** There are two heads, written in turn: the one of the later transaction counts. */
function readSnapshots(file: number, size: number): readonly [Snapshot, Snapshot] {
  const first = readMeta(file, size, 0);
  const pageSize = first.readUInt32LE(META.pageSize);
  if (pageSize < 512 || pageSize > 65_536 || !Number.isInteger(Math.log2(pageSize))) throw damagedHead();
  const second = readMeta(file, size, pageSize);
  return [snapshotOf(first, 0, pageSize), snapshotOf(second, 1, pageSize)];
}

function readMeta(file: number, size: number, position: number): Buffer {
  if (position + META.end > size) throw new BrokenFileError('it is cut off');
  const head = Buffer.alloc(META.end);
  readSync(file, head, 0, META.end, position);
  if ((head.readUInt16LE(PAGE.flags) & KINDS) !== META_PAGE || head.readUInt32LE(META.magic) !== MAGIC) {
    throw new BrokenFileError('it is no file of LMDB');
  }
  const version = head.readUInt16LE(META.version);
  if (version !== VERSION) throw new BrokenFileError(`it is of version ${version} of LMDB's files`, version > VERSION);
  return head;
}

/** What a head says, once all of it can be. LMDB believes it before it has read a page. */
function snapshotOf(head: Buffer, page: number, pageSize: number): Snapshot {
  const lastPage = head.readBigUInt64LE(META.lastPage);
  const mapSize = head.readBigUInt64LE(META.mapSize);
  if (
    head.readBigUInt64LE(0) !== BigInt(page) ||
    head.readUInt16LE(PAGE.flags) !== META_PAGE ||
    head.readUInt32LE(META.version) !== VERSION ||
    head.readBigUInt64LE(META.address) !== 0n ||
    head.readUInt32LE(META.pageSize) !== pageSize ||
    mapSize > MAX_MAP_SIZE ||
    (lastPage + 1n) * BigInt(pageSize) > mapSize
  ) {
    throw damagedHead();
  }
  const snapshot: Snapshot = {
    pageSize,
    lastPage: Number(lastPage),
    transaction: head.readBigUInt64LE(META.transaction),
    free: readTree(head.subarray(META.free), FREE_FLAGS),
    main: readTree(head.subarray(META.main), MAIN_FLAGS),
  };
  for (const { root } of [snapshot.free, snapshot.main]) {
    if (root !== undefined && (root < FIRST_PAGE || root > snapshot.lastPage)) throw damagedHead();
  }
  return snapshot;
}

/**
 * Transactions write the heads by turns, those of even numbers the first. A head whose number was changed would make
 * what was stored before its last transaction, or before the one of the other head, count as the last.
 */
function checkSuccession([{ transaction: even }, { transaction: odd }]: readonly [Snapshot, Snapshot]): void {
  if (even === 0n && odd === 0n) return;
  if (even % 2n !== 0n || (odd !== even + 1n && odd !== even - 1n)) throw damagedHead();
}

function readTree(bytes: Buffer, flags: number): Tree {
  const root = bytes.readBigUInt64LE(TREE.root);
  const depth = bytes.readUInt16LE(TREE.depth);
  if (
    (bytes.readUInt16LE(TREE.flags) & ~OVERLAPPING_SYNC) !== flags ||
    depth > MAX_DEPTH ||
    (depth === 0) !== (root === NO_PAGE)
  ) {
    throw new BrokenFileError('the head of a tree is damaged');
  }
  return {
    depth,
    entries: Number(bytes.readBigUInt64LE(TREE.entries)),
    root: root === NO_PAGE ? undefined : Number(root),
  };
}

/** Where a key and its value lie in a page. */
interface Node {
  readonly start: number;
  readonly size: number;
}

class PageCheck {
  readonly #file: number;
  readonly #snapshot: Snapshot;
  /** Pages that are wholly in the file. */
  readonly #pages: number;
  /** One bit for each page that a tree has. */
  readonly #seen: Uint8Array;

  constructor(file: number, size: number, snapshot: Snapshot) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.#pages = Math.min(Math.floor(size / snapshot.pageSize), snapshot.lastPage + 1);
    this.#seen = new Uint8Array(this.#pages / 8 + 1);
  }

  run(): void {
    const { free, main, transaction } = this.#snapshot;
    // The keys of the tree of free pages are numbers, in another order.
    this.#tree(free, false);
    this.#tree(main, true);
    // Each transaction writes the root of the main tree anew.
    if (main.root !== undefined && this.#transactionOf(main.root) !== transaction) throw damagedHead();
  }

  #tree({ root, depth, entries }: Tree, ordered: boolean): void {
    const found = root === undefined ? 0 : this.#branch(root, depth, ordered);
    if (found !== entries) throw new BrokenFileError(`a tree has ${found} entries instead of ${entries}`);
  }

  /** Checks a page and all below it. @returns the number of entries */
  #branch(page: number, depth: number, ordered: boolean): number {
    const bytes = this.#read(page, depth > 1 ? BRANCH : LEAF);
    const room = this.#snapshot.pageSize - PAGE_HEAD;
    const count = bytes.readUInt16LE(PAGE.lower) >> 1;
    const free = bytes.readUInt16LE(PAGE.upper);
    if (count === 0 || 2 * count > free || free > room) throw damagedPage(page);
    let previous: Buffer | undefined;
    let entries = 0;
    const nodes: Node[] = [];
    for (let position = 0; position < count; position += 1) {
      const start = bytes.readUInt16LE(PAGE_HEAD + 2 * position);
      if (start < free || start + NODE_HEAD > room) throw damagedPage(page);
      const node = bytes.subarray(PAGE_HEAD + start);
      const keyEnd = NODE_HEAD + node.readUInt16LE(6);
      if (keyEnd > node.length) throw damagedPage(page);
      // The first key of a page of branches is not used.
      const key = depth > 1 && position === 0 ? undefined : node.subarray(NODE_HEAD, keyEnd);
      if (ordered && key && previous && Buffer.compare(previous, key) >= 0) throw damagedPage(page);
      previous = key;
      if (depth > 1) {
        entries += this.#branch(childOf(node), depth - 1, ordered);
        nodes.push({ start, size: keyEnd });
      } else {
        entries += 1;
        nodes.push({ start, size: this.#leaf(page, node, keyEnd) });
      }
    }
    if (!fill(nodes, free, room)) throw damagedPage(page);
    return entries;
  }

  /** @returns how many bytes the node has */
  #leaf(page: number, node: Buffer, dataStart: number): number {
    const size = node.readUInt32LE(0);
    const flags = node.readUInt16LE(4);
    const stored = (flags & BIG_DATA) === 0 ? size : 24;
    if (flags & DUPLICATES || dataStart + stored > node.length) throw damagedPage(page);
    const data = node.subarray(dataStart, dataStart + stored);
    if (flags & BIG_DATA) this.#overflow(data, size);
    if (flags & TREE_DATA) {
      if (size !== TREE.size) throw damagedPage(page);
      this.#tree(readTree(data, MAIN_FLAGS), true);
    }
    return dataStart + stored;
  }

  /** A large value has pages of its own, of which only the first has a head. */
  #overflow(place: Buffer, size: number): void {
    const page = Number(place.readBigUInt64LE(0));
    const pages = Number(place.readBigUInt64LE(16));
    const bytes = this.#read(page, OVERFLOW);
    if (bytes.readUInt32LE(PAGE.count) !== pages || PAGE_HEAD + size > pages * this.#snapshot.pageSize)
      throw damagedPage(page);
    for (let next = page + 1; next < page + pages; next += 1) this.#claim(next);
  }

  #read(page: number, kind: number): Buffer {
    this.#claim(page);
    const { pageSize } = this.#snapshot;
    const bytes = Buffer.allocUnsafe(pageSize);
    readSync(this.#file, bytes, 0, pageSize, page * pageSize);
    if (
      bytes.readBigUInt64LE(0) !== BigInt(page) ||
      bytes.readUInt16LE(PAGE.flags) !== kind ||
      // LMDB takes a page of a later transaction for one of its own, and writes to it where it lies.
      bytes.readBigUInt64LE(PAGE.transaction) > this.#snapshot.transaction
    ) {
      throw damagedPage(page);
    }
    return bytes;
  }

  /** The transaction that wrote a page. */
  #transactionOf(page: number): bigint {
    const bytes = Buffer.alloc(PAGE_HEAD);
    readSync(this.#file, bytes, 0, PAGE_HEAD, page * this.#snapshot.pageSize);
    return bytes.readBigUInt64LE(PAGE.transaction);
  }

  /** A page belongs to one place of one tree: otherwise trees would be walked for ever. */
  #claim(page: number): void {
    if (page < FIRST_PAGE || page >= this.#pages) throw new BrokenFileError(`page ${page} is missing`);
    const bit = 1 << (page & 7);
    const before = this.#seen[page >> 3] ?? 0;
    if (before & bit) throw damagedPage(page);
    this.#seen[page >> 3] = before | bit;
  }
}

/** True where nodes lie side by side, each at an even place, from `start` to `end`: they are moved when one goes. */
function fill(nodes: Node[], start: number, end: number): boolean {
  let next = start;
  for (const node of nodes.sort((a, b) => a.start - b.start)) {
    if (node.start !== next) return false;
    next += node.size + (node.size & 1);
  }
  return next === end;
}

function childOf(node: Buffer): number {
  return node.readUIntLE(0, 6);
}

function damagedHead(): BrokenFileError {
  return new BrokenFileError('its head is damaged');
}

function damagedPage(page: number): BrokenFileError {
  return new BrokenFileError(`page ${page} is damaged`);
}

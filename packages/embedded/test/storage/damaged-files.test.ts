// A store whose bytes have changed is refused, or served as far as it is whole. It never ends the process.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseCount, IS_DEEP } from '../../../../scripts/case-count.ts';
import { useBuilt } from '../support/built.ts';
import { withServer } from '../support/server.ts';

const script = fileURLToPath(new URL('../support/open-damaged.mjs', import.meta.url));
/** Some hundred starts of a server, one after another. */
const LONG = { timeout: 600_000 };
const DOCUMENTS = 257;
const PAGE = 4_096;
/** Behind that, a page of a head has no use. */
const HEAD = 168;

/** Bytes to write into a file: place and value. */
type Change = readonly (readonly [place: number, byte: number])[];

interface Outcome {
  readonly outcome: 'refused' | 'served' | 'failed' | 'dead';
  readonly code?: string;
  readonly message?: string;
  readonly documents?: number;
  readonly valid?: boolean;
}

const built = useBuilt();
let whole: string;
let folder: string;

beforeAll(async () => {
  whole = mkdtempSync(join(tmpdir(), 'embedded-'));
  folder = mkdtempSync(join(tmpdir(), 'embedded-'));
  await withServer(
    async (client) => {
      const items = client.db('shop').collection('items');
      await items.createIndex({ email: 1 });
      for (let batch = 0; batch < 5; batch += 1) {
        const numbers = Array.from({ length: 60 }, (_, n) => 60 * batch + n);
        await items.insertMany(
          numbers.map((n) => ({ n, email: `user${n}@x`, text: 'x'.repeat(n % 50 === 0 ? 9_000 : 200) })),
        );
      }
      await items.deleteMany({ n: { $mod: [7, 0] } });
    },
    { path: whole },
  );
});

afterAll(() => {
  for (const path of [whole, folder]) rmSync(path, { recursive: true });
});

/** What becomes of the store with each of the changes to one of its files. */
function outcomes(name: string, changes: readonly Change[]): Outcome[] {
  for (const file of ['data.mdb', 'lock.mdb']) copyFileSync(join(whole, file), join(folder, file));
  const list = join(folder, 'changes.json');
  writeFileSync(list, JSON.stringify(changes));
  const found: Outcome[] = [];
  const args = [script, built.index, whole, folder, name];
  while (found.length < changes.length) {
    const before = found.length;
    // A process that dies of a change has said which one it was at, and another one goes on behind that.
    const { stdout, stderr } = spawnSync(process.execPath, [...args, String(before), list], { encoding: 'utf8' });
    for (const line of stdout.split('\n').filter((text) => text !== '')) {
      const { at, ...outcome } = JSON.parse(line) as Outcome & { at: number };
      found[at] = outcome;
    }
    if (found.length === before) throw new Error(stderr);
  }
  return found;
}

/** Each change with what became of it, for messages. */
function unexpected(changes: readonly Change[], found: readonly Outcome[], isRight: (outcome: Outcome) => boolean) {
  return found.flatMap((outcome, at) => (isRight(outcome) ? [] : [{ change: changes[at], ...outcome }]));
}

const isRefused = ({ outcome, code, message = '' }: Outcome): boolean =>
  outcome === 'refused' &&
  (code === 'STORE_DAMAGED' || code === 'STORE_FORMAT') &&
  message.includes(folder) &&
  /Restore it from a copy|update the package|export them/.test(message);
const isServedWhole = ({ outcome, documents, valid }: Outcome): boolean =>
  outcome === 'served' && documents === DOCUMENTS && valid === true;
/** What has a checksum of its own is told when it is read. */
const isToldLater = ({ outcome, message = '' }: Outcome): boolean =>
  outcome === 'failed' && message.includes('is damaged');

/** A byte with one bit changed, or with all. */
function flip(bytes: Buffer, place: number, bits: number): readonly [number, number] {
  return [place, bytes.readUInt8(place) ^ bits];
}

/** Numbers that look random and are the same each time. */
function* numbers(): Generator<number> {
  for (let state = 7; ; state = (state * 48_271) % 0x7fff_ffff) yield state;
}

describe('a store of which a byte has changed', () => {
  it('is refused, or has lost nothing, whichever byte of its two heads that is', LONG, () => {
    const bytes = readFileSync(join(whole, 'data.mdb'));
    const changes: Change[] = [];
    for (const page of [0, PAGE]) {
      for (let place = page; place < page + HEAD; place += IS_DEEP ? 1 : 5) {
        const bit = 1 << (place % 8);
        const bits = IS_DEEP ? [0xff, bit] : [place % 2 === 0 ? 0xff : bit];
        for (const one of bits) changes.push([flip(bytes, place, one)]);
      }
      const stride = IS_DEEP ? 64 : 1_600;
      for (let place = page + HEAD; place < page + PAGE; place += stride) changes.push([flip(bytes, place, 0xff)]);
    }
    const found = outcomes('data.mdb', changes);
    expect(unexpected(changes, found, (outcome) => isRefused(outcome) || isServedWhole(outcome))).toEqual([]);
    expect(found.filter(isRefused).length).toBeGreaterThan(IS_DEEP ? 100 : 20);
  });

  it('is refused, or tells of it when it is read, wherever in its pages that is', LONG, () => {
    const bytes = readFileSync(join(whole, 'data.mdb'));
    const random = numbers();
    const next = (below: number): number => Number(random.next().value) % below;
    const pages = bytes.length / PAGE - 2;
    const changes = Array.from({ length: caseCount(400) }, (_, at): Change => {
      // More often among the numbers that a page begins with than in its contents.
      const place = (2 + next(pages)) * PAGE + next(at % 3 === 0 ? PAGE : 64);
      return [flip(bytes, place, 1 << next(8))];
    });
    const found = outcomes('data.mdb', changes);
    expect(found.filter(({ outcome }) => outcome === 'dead')).toEqual([]);
    // Keys of indexes have no checksum: `validate` tells of those.
    const isFound = ({ outcome, valid }: Outcome): boolean => outcome === 'served' && valid === false;
    const isKnown = (outcome: Outcome): boolean =>
      isRefused(outcome) || isServedWhole(outcome) || isToldLater(outcome) || isFound(outcome);
    expect(unexpected(changes, found, isKnown)).toEqual([]);
  });

  it('is served, whatever its file of locks says', LONG, () => {
    const bytes = readFileSync(join(whole, 'lock.mdb'));
    const stride = IS_DEEP ? 3 : 17;
    const changes: Change[] = [];
    for (let place = 0; place < 400; place += stride) changes.push([flip(bytes, place, 0xff)], [flip(bytes, place, 1)]);
    const found = outcomes('lock.mdb', changes);
    expect(unexpected(changes, found, isServedWhole)).toEqual([]);
  });
});

import { deserialize, type Document, Long, serialize, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import type { Context } from '../../src/dispatch/command.ts';
import { runCommand } from '../../src/commands/run-command.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { CLIENT, contextOver, expectContextConsistent, withLmdbStorage } from '../support/in-process.ts';

const DUPLICATE = 11_000;
const CONFLICT = 112;
const TIME_IS_OVER = 50;

interface Stored {
  readonly _id: number;
  readonly u?: string;
  readonly n: number;
}

type Documents = ReadonlyMap<number, Stored>;

/** A write to one document, by what it makes of it; undefined where it writes nothing. */
type Write =
  | { readonly kind: 'insert'; readonly id: number; readonly u: string | undefined }
  | { readonly kind: 'update'; readonly id: number; readonly u: string | undefined }
  | { readonly kind: 'increment'; readonly id: number }
  | { readonly kind: 'delete'; readonly id: number };

/** Who does it: one of three transactions, which begins if it is not there, or somebody outside of them. */
type Step = { readonly who: number; readonly what: Write | { readonly [K in Other]: { readonly kind: K } }[Other] };

type Other = 'read' | 'commit' | 'abort';

const OUTSIDE = 3;
const id = fc.integer({ min: 0, max: 4 });
const u = fc.constantFrom('a', 'b', 'c', undefined);
const what: fc.Arbitrary<Step['what']> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('insert' as const), id, u }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('update' as const), id, u }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('increment' as const), id }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'read' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'abort' as const }) },
);
const steps = fc.array(fc.record({ who: fc.integer({ min: 0, max: OUTSIDE }), what }), {
  minLength: 10,
  maxLength: 40,
});

/** What a write makes of a document. */
function result(write: Write, before: Stored | undefined): Stored | undefined {
  switch (write.kind) {
    case 'insert':
      return { _id: write.id, ...(write.u !== undefined && { u: write.u }), n: 0 };
    case 'update':
      return before && { _id: write.id, ...(write.u !== undefined && { u: write.u }), n: before.n };
    case 'increment':
      return before && { ...before, n: before.n + 1 };
    case 'delete':
      return undefined;
  }
}

/** Snapshot isolation in a few lines: whoever writes first to a document, or to a value of `u`, wins. */
class Model {
  stored: Documents = new Map();
  /** Document or value of `u` → how many commits there were when it was last changed. */
  readonly #changed = new Map<string, number>();
  readonly #open = new Map<
    number,
    { view: Map<number, Stored>; writes: Map<number, Write[]>; keys: Set<string>; since: number }
  >();
  #commits = 0;

  isOpen(who: number): boolean {
    return this.#open.has(who);
  }

  begin(who: number): void {
    this.#open.set(who, { view: new Map(this.stored), writes: new Map(), keys: new Set(), since: this.#commits });
  }

  view(who: number): Documents {
    return this.#open.get(who)?.view ?? this.stored;
  }

  /** The error that a write must meet; undefined where it is done. */
  write(who: number, write: Write): number | undefined {
    const own = this.#open.get(who);
    const view = this.view(who);
    const before = view.get(write.id);
    if (before === undefined && write.kind !== 'insert') return undefined;
    const after = result(write, before);
    if (write.kind === 'update' && before?.u === after?.u) return undefined;
    const taken = after?.u !== undefined && (write.kind === 'insert' || after.u !== before?.u) ? `u ${after.u}` : '';
    const error = this.#error(who, write, taken);
    if (error !== undefined) {
      this.#open.delete(who);
      return error === CONFLICT && own === undefined ? TIME_IS_OVER : error;
    }
    const keys = [
      `_id ${write.id}`,
      ...(taken === '' ? [] : [taken]),
      ...(before?.u !== undefined && before.u !== after?.u ? [`u ${before.u}`] : []),
    ];
    if (own === undefined) {
      this.#commits += 1;
      this.#store(new Map(this.stored), write.id, after, keys);
      return undefined;
    }
    if (after === undefined) own.view.delete(write.id);
    else own.view.set(write.id, after);
    for (const key of keys) own.keys.add(key);
    own.writes.set(write.id, []);
    return undefined;
  }

  commit(who: number): void {
    const own = this.#open.get(who);
    this.#open.delete(who);
    this.#commits += 1;
    for (const written of own?.writes.keys() ?? []) {
      this.#store(new Map(this.stored), written, own?.view.get(written), own?.keys ?? []);
    }
  }

  abort(who: number): void {
    this.#open.delete(who);
  }

  /** The `_id` comes first, then the values of `u`. */
  #error(who: number, write: Write, taken: string): number | undefined {
    const others = [...this.view(who).values()].filter((other) => other._id !== write.id);
    if (this.#conflicts(who, `_id ${write.id}`)) return CONFLICT;
    if (write.kind === 'insert' && this.view(who).has(write.id)) return DUPLICATE;
    if (taken === '') return undefined;
    if (this.#conflicts(who, taken)) return CONFLICT;
    return others.some((other) => `u ${other.u}` === taken) ? DUPLICATE : undefined;
  }

  #conflicts(who: number, key: string): boolean {
    const own = this.#open.get(who);
    if (own?.keys.has(key) === true) return false;
    if (own !== undefined && (this.#changed.get(key) ?? 0) > own.since) return true;
    return [...this.#open].some(([other, { keys }]) => other !== who && keys.has(key));
  }

  #store(stored: Map<number, Stored>, written: number, after: Stored | undefined, keys: Iterable<string>): void {
    if (after === undefined) stored.delete(written);
    else stored.set(written, after);
    this.stored = stored;
    for (const key of keys) this.#changed.set(key, this.#commits);
  }
}

/** A server without a network, and three sessions that each have a transaction at times. */
class Server {
  readonly #context: Context;
  readonly #ids = [0, 1, 2].map(() => ({ id: new UUID() }));
  readonly #numbers = [0, 0, 0];

  constructor(storage: Storage) {
    this.#context = contextOver(storage);
  }

  /** Begins the next transaction of a session, and takes its snapshot. */
  async begin(who: number): Promise<void> {
    this.#numbers[who] = (this.#numbers[who] ?? 0) + 1;
    await this.run(who, { find: 'c', filter: { _id: -1 }, startTransaction: true });
  }

  /** Runs a command, outside of transactions if it is not one of the three that asks. */
  async run(who: number, command: Document): Promise<Document> {
    const lsid = this.#ids[who];
    const part = lsid && { lsid, txnNumber: Long.fromNumber(this.#numbers[who] ?? 0), autocommit: false };
    const body = serialize({ ...command, $db: command['$db'] ?? 'test', ...part });
    return deserialize(await runCommand(this.#context, CLIENT, { body, sequences: new Map() }));
  }

  expectConsistent(): Promise<void> {
    return expectContextConsistent(this.#context);
  }

  async find(who: number, rest: Document): Promise<Document[]> {
    const reply = await this.run(who, { find: 'c', ...rest });
    return reply['cursor']?.firstBatch;
  }

  /** The number of the error that a write meets. */
  async write(who: number, write: Write): Promise<number | undefined> {
    // Outside of transactions a write waits for those that are in its way.
    const limit = who === OUTSIDE ? { maxTimeMS: 1 } : {};
    const reply = await this.run(who, { ...commandOf(write), ...limit });
    return reply['code'] ?? reply['writeErrors']?.[0].code;
  }
}

function commandOf(write: Write): Document {
  const q = { _id: write.id };
  switch (write.kind) {
    case 'insert':
      return { insert: 'c', documents: [result(write, undefined)] };
    case 'update':
      return {
        update: 'c',
        updates: [{ q, u: write.u === undefined ? { $unset: { u: 1 } } : { $set: { u: write.u } } }],
      };
    case 'increment':
      return { update: 'c', updates: [{ q, u: { $inc: { n: 1 } } }] };
    case 'delete':
      return { delete: 'c', deletes: [{ q, limit: 1 }] };
  }
}

/** The documents, by a scan and by each index. */
async function expectSeen(server: Server, who: number, documents: Documents): Promise<void> {
  const expected = [...documents.values()].sort((a, b) => a._id - b._id);
  const scanned = await server.find(who, {});
  expect(scanned.sort((a, b) => a['_id'] - b['_id'])).toEqual(expected);
  const byId = await server.find(who, { filter: { _id: { $gte: 0 } }, sort: { _id: -1 } });
  expect(byId).toEqual(expected.toReversed());
  const withU = expected.filter((document) => document.u !== undefined);
  const byU = await server.find(who, { filter: { u: { $gte: '' } }, sort: { u: 1 } });
  expect(byU).toEqual(withU.sort((a, b) => ((a.u ?? '') < (b.u ?? '') ? -1 : 1)));
}

async function check(server: Server, taken: readonly Step[]): Promise<void> {
  const indexes = [{ key: { u: 1 }, name: 'u', unique: true, sparse: true }];
  await server.run(OUTSIDE, { createIndexes: 'c', indexes });
  const model = new Model();
  for (const { who, what: step } of taken) {
    if (who !== OUTSIDE && !model.isOpen(who)) {
      await server.begin(who);
      model.begin(who);
    }
    if (step.kind === 'read') {
      await expectSeen(server, who, model.view(who));
    } else if (step.kind === 'commit' || step.kind === 'abort') {
      if (who === OUTSIDE) continue;
      expect(await server.run(who, { [`${step.kind}Transaction`]: 1, $db: 'admin' })).toMatchObject({ ok: 1 });
      model[step.kind](who);
    } else {
      const expected = model.write(who, step);
      expect(await server.write(who, step)).toBe(expected);
    }
  }
  for (const who of [0, 1, 2, OUTSIDE]) {
    if (who === OUTSIDE || model.isOpen(who)) await expectSeen(server, who, model.view(who));
  }
  await server.expectConsistent();
}

describe('transactions of random steps', () => {
  it('read and write in memory as snapshot isolation has it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => check(new Server(new MemoryStorage()), taken)),
      { numRuns: caseCount(100) },
    );
  });

  it('read and write in a folder as snapshot isolation has it', async () => {
    await fc.assert(
      fc.asyncProperty(steps, (taken) => withLmdbStorage((storage) => check(new Server(storage), taken))),
      { numRuns: caseCount(5) },
    );
  });
});

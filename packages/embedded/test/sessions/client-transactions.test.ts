import { type Document, deserialize, Long, serialize, UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import type { Context } from '../../src/dispatch/command.ts';
import { runCommand } from '../../src/commands/run-command.ts';
import { MemoryStorage } from '../../src/storage/memory.ts';
import { CLIENT, contextOver } from '../support/in-process.ts';

async function run(context: Context, command: Document): Promise<Document> {
  const body = serialize({ ...command, $db: command['$db'] ?? 'test' });
  return deserialize(await runCommand(context, CLIENT, { body, sequences: new Map() }));
}

/** What the commands of one transaction have in common. */
function part(number: number, lsid = { id: new UUID() }): Document {
  return { lsid, txnNumber: Long.fromNumber(number), autocommit: false };
}

const insert = { insert: 'c', documents: [{ _id: 1 }] };
const commit = { commitTransaction: 1, $db: 'admin' };
const abort = { abortTransaction: 1, $db: 'admin' };
const start = { startTransaction: true };

describe('a transaction', () => {
  it('is over when its time is', async () => {
    const context = contextOver(new MemoryStorage(), 0);
    const one = part(1);
    expect(await run(context, { ...insert, ...one, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...commit, ...one })).toMatchObject({
      ok: 0,
      code: 251,
      codeName: 'NoSuchTransaction',
      errorLabels: ['TransientTransactionError'],
    });
    expect(await run(context, { count: 'c' })).toMatchObject({ n: 0 });
  });

  it('lets those go on who wait for it when its time is over', async () => {
    const context = contextOver(new MemoryStorage(), 0);
    expect(await run(context, { ...insert, ...part(1), ...start })).toMatchObject({ ok: 1 });
    const waiting = run(context, insert);
    context.transactions.removeExpired();
    expect(await waiting).toMatchObject({ ok: 1, n: 1 });
  });

  it('has a number that is later than those before', async () => {
    const context = contextOver(new MemoryStorage());
    const lsid = { id: new UUID() };
    const [four, five, six] = [4, 5, 6].map((number) => part(number, lsid));
    expect(await run(context, { ...insert, ...five, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...insert, ...four, ...start })).toMatchObject({ ok: 0, code: 225 });
    expect(await run(context, { ...insert, ...six })).toMatchObject({ ok: 0, code: 251 });
    expect(await run(context, { ...insert, ...five, ...start })).toMatchObject({ ok: 0, code: 117 });
    expect(await run(context, { ...commit, ...five })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...commit, ...five })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...abort, ...five })).toMatchObject({ ok: 0, code: 256 });
    expect(await run(context, { ...insert, ...five })).toMatchObject({ ok: 0, code: 256 });
  });

  it('ends when the session begins another', async () => {
    const context = contextOver(new MemoryStorage());
    const lsid = { id: new UUID() };
    expect(await run(context, { ...insert, ...part(1, lsid), ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { find: 'c', ...part(2, lsid), ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, insert)).toMatchObject({ ok: 1 });
    expect(await run(context, { ...commit, ...part(1, lsid) })).toMatchObject({ ok: 0, code: 225 });
  });

  it.each(['killSessions', 'killAllSessions'])('ends by %s, which names none', async (kill) => {
    const context = contextOver(new MemoryStorage());
    const [one, other] = [part(1), part(1)];
    await run(context, { create: 'c' });
    expect(await run(context, { ...insert, ...one, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { find: 'c', ...other, ...start })).toMatchObject({ ok: 1 });
    const dropping = run(context, { drop: 'c' });
    expect(await run(context, { [kill]: [{ user: 'ann', db: 'admin' }] })).toMatchObject({ ok: 0 });
    expect(await run(context, { [kill]: [] })).toMatchObject({ ok: 1 });
    expect(await dropping).toMatchObject({ ok: 1 });
    for (const each of [one, other]) expect(await run(context, { ...commit, ...each })).toMatchObject({ code: 251 });
  });

  it('ends when the session writes outside of it', async () => {
    const context = contextOver(new MemoryStorage());
    const lsid = { id: new UUID() };
    expect(await run(context, { ...insert, ...part(1, lsid), ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...insert, lsid, txnNumber: Long.fromNumber(2) })).toMatchObject({ ok: 1, n: 1 });
  });

  it('that was aborted is not there any more', async () => {
    const context = contextOver(new MemoryStorage());
    const one = part(1);
    expect(await run(context, { ...insert, ...one, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...abort, ...one })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...abort, ...one })).toMatchObject({ ok: 0, code: 251 });
    expect(await run(context, { ...commit, ...one })).toMatchObject({ ok: 0, code: 251 });
  });

  it.each<[string, Document, number]>([
    ['no number', { lsid: { id: new UUID() }, autocommit: false }, 72],
    ['no session', { txnNumber: Long.ONE, autocommit: false, startTransaction: true }, 72],
    ['autocommit', { ...part(1), autocommit: true }, 72],
    ['a start that is none', { ...part(1), startTransaction: false }, 72],
    ['a start without autocommit', { lsid: { id: new UUID() }, txnNumber: Long.ONE, startTransaction: true }, 72],
    ['a number of another type', { ...part(1), txnNumber: 1 }, 14],
  ])('with %s is refused', async (_name, fields, code) => {
    const context = contextOver(new MemoryStorage());
    expect(await run(context, { ...insert, ...fields })).toMatchObject({ ok: 0, code });
  });

  it('has no change streams', async () => {
    const context = contextOver(new MemoryStorage());
    const watch = { aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} };
    expect(await run(context, { ...watch, ...part(1), ...start })).toMatchObject({ ok: 0, code: 263 });
  });

  it('is needed to end one', async () => {
    const context = contextOver(new MemoryStorage());
    expect(await run(context, commit)).toMatchObject({ ok: 0, code: 125 });
  });
});

/** Transactions that use a collection, and commands that change the collection itself. */
describe('a collection that a transaction uses', () => {
  const one = part(1);
  const limit = { maxTimeMS: 1 };
  const rename = { renameCollection: 'test.c', to: 'test.d', $db: 'admin' };
  const replaceIt = { renameCollection: 'test.other', to: 'test.c', dropTarget: true, $db: 'admin' };

  async function inUse(): Promise<Context> {
    const context = contextOver(new MemoryStorage());
    await run(context, { insert: 'other', documents: [{ _id: 'other' }] });
    await run(context, insert);
    const update = { update: 'c', updates: [{ q: { _id: 1 }, u: { $set: { a: 1 } } }] };
    expect(await run(context, { ...update, ...one, ...start })).toMatchObject({ ok: 1, n: 1 });
    return context;
  }

  async function documents(context: Context, name: string): Promise<Document> {
    return (await run(context, { find: name }))['cursor'].firstBatch;
  }

  it.each<[string, Document]>([
    ['dropped', { drop: 'c' }],
    ['renamed', rename],
    ['replaced', replaceIt],
    ['dropped with its database', { dropDatabase: 1 }],
  ])('is there still when it could not be %s in time', async (_name, command) => {
    const context = await inUse();
    expect(await run(context, { ...command, ...limit })).toMatchObject({ ok: 0, code: 50 });
    expect(await documents(context, 'other')).toEqual([{ _id: 'other' }]);
    expect(await documents(context, 'c')).toEqual([{ _id: 1 }]);
    expect(await run(context, { ...commit, ...one })).toMatchObject({ ok: 1 });
    expect(await documents(context, 'c')).toEqual([{ _id: 1, a: 1 }]);
  });

  it.each<[string, Document, Document]>([
    ['dropped', { drop: 'c' }, { c: [], other: [{ _id: 'other' }] }],
    ['renamed', rename, { c: [], d: [{ _id: 1, a: 1 }] }],
    ['replaced', replaceIt, { c: [{ _id: 'other' }], other: [] }],
    ['dropped with its database', { dropDatabase: 1 }, { c: [], other: [] }],
  ])('is %s once the transaction has ended', async (_name, command, after) => {
    const context = await inUse();
    const waiting = run(context, command);
    expect(await run(context, { ...commit, ...one })).toMatchObject({ ok: 1 });
    expect(await waiting).toMatchObject({ ok: 1 });
    for (const [name, expected] of Object.entries(after)) expect(await documents(context, name)).toEqual(expected);
  });
});

describe('a name that a transaction has given to a new collection', () => {
  it.each<[string, Document]>([
    ['by a rename', { renameCollection: 'test.other', to: 'test.made', $db: 'admin' }],
    ['by a database whose name differs by case', { create: 'x', $db: 'TEST' }],
  ])('is not taken %s', async (_name, command) => {
    const context = contextOver(new MemoryStorage());
    const one = part(1);
    const other = { insert: 'other', documents: [{ _id: 1 }], $db: command['$db'] === 'TEST' ? 'elsewhere' : 'test' };
    expect(await run(context, other)).toMatchObject({ ok: 1 });
    expect(await run(context, { insert: 'made', documents: [{ _id: 1 }], ...one, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...command, maxTimeMS: 1 })).toMatchObject({ ok: 0, code: 50 });
    const waiting = run(context, command);
    expect(await run(context, { ...commit, ...one })).toMatchObject({ ok: 1 });
    expect(await waiting).toMatchObject({ ok: 0 });
    expect(await run(context, { count: 'made' })).toMatchObject({ n: 1 });
  });

  it('is not one that it could not keep itself', async () => {
    const context = contextOver(new MemoryStorage());
    const one = part(1);
    expect(await run(context, { ...insert, ...one, ...start })).toMatchObject({ ok: 1 });
    expect(await run(context, { ...insert, ...one, $db: 'TEST' })).toMatchObject({ ok: 0, code: 13297 });
    expect(await run(context, { ...commit, ...one })).toMatchObject({ ok: 0, code: 251 });
    expect(await run(context, { count: 'c' })).toMatchObject({ n: 0 });
  });
});

// What waits: https://www.mongodb.com/docs/manual/reference/command/getMore/
import { type Document, Long, UUID } from 'bson';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type RunningServer, startServer } from '../../src/index.ts';
import { body, opMsg, RawClient } from '../support/raw-client.ts';

/** Longer than any test takes: what waits that long is woken by something else. */
const LONG = 3_600_000;

describe('a getMore of a change stream', () => {
  let server: RunningServer;
  let reader: RawClient;
  let other: RawClient;

  beforeEach(async () => {
    server = await startServer();
    reader = await RawClient.connect(server.uri);
    other = await RawClient.connect(server.uri);
  });

  afterEach(async () => {
    reader.close();
    other.close();
    await server.close();
  });

  /** Opens a stream on the collection `c`. */
  async function open(fields: Document = {}): Promise<Long> {
    const pipeline = [{ $changeStream: {} }];
    const reply = await reader.command({ aggregate: 'c', pipeline, cursor: {}, $db: 'd', ...fields });
    expect(reply).toMatchObject({ ok: 1, cursor: { firstBatch: [], ns: 'd.c', postBatchResumeToken: {} } });
    return Long.fromValue(reply?.['cursor'].id);
  }

  const more = (id: Long, fields: Document = {}): Document => ({
    getMore: id,
    collection: 'c',
    maxTimeMS: LONG,
    $db: 'd',
    ...fields,
  });

  const insert = (name = 'c'): Document => ({ insert: name, documents: [{}], $db: 'd' });

  /** Sends a `getMore`, and comes back when the server waits for it: it refuses another one of the same cursor. */
  async function startWaiting(
    id: Long,
    fields: Document = {},
  ): Promise<{ readonly reply: Promise<Document | undefined> }> {
    const reply = reader.command(more(id, fields));
    await vi.waitFor(async () => {
      expect(await other.command(more(id, { ...fields, maxTimeMS: 1 }))).toMatchObject({ code: 12051 });
    });
    return { reply };
  }

  it('waits for what happens, and is answered then', async () => {
    const id = await open();
    const reply = reader.command(more(id));
    expect(await other.command(insert('elsewhere'))).toMatchObject({ ok: 1 });
    expect(await other.command(insert())).toMatchObject({ ok: 1 });
    expect(await reply).toMatchObject({ ok: 1, cursor: { nextBatch: [{ operationType: 'insert' }], ns: 'd.c' } });
  });

  it('is answered at once where something has happened', async () => {
    const id = await open();
    await other.command(insert());
    expect(await reader.command(more(id))).toMatchObject({ cursor: { nextBatch: [{ operationType: 'insert' }] } });
  });

  it('is answered by nothing when its time is over, with a token to go on from', async () => {
    const id = await open();
    const first = await reader.command(more(id, { maxTimeMS: 1 }));
    expect(first).toMatchObject({ ok: 1, cursor: { nextBatch: [], postBatchResumeToken: {} } });
    const before = first?.['cursor'].postBatchResumeToken._data as string;
    await other.command(insert('elsewhere'));
    const second = await reader.command(more(id, { maxTimeMS: 1 }));
    expect(second?.['cursor'].postBatchResumeToken._data > before).toBe(true);
  });

  it('keeps the order of the answers on its connection', async () => {
    const id = await open();
    const ping = opMsg([body({ ping: 1, $db: 'd' })], { requestId: 8 });
    reader.send(opMsg([body(more(id))], { requestId: 7 }), ping, ping);
    await other.command(insert());
    const answer = await reader.receive();
    expect(answer).toMatchObject({ responseTo: 7, document: { ok: 1 } });
    expect(String(answer?.document['cursor'].id)).toBe(String(id));
    expect(await reader.receive()).toMatchObject({ responseTo: 8 });
    expect(await reader.receive()).toMatchObject({ responseTo: 8 });
  });

  it('ends when its cursor is killed', async () => {
    const id = await open();
    const { reply } = await startWaiting(id);
    const killed = await other.command({ killCursors: 'c', cursors: [id], $db: 'd' });
    expect(killed?.['cursorsKilled'].map(String)).toEqual([String(id)]);
    expect(await reply).toMatchObject({ ok: 0, code: 237, codeName: 'CursorKilled' });
    expect(await reader.command(more(id))).toMatchObject({ code: 43 });
  });

  it('ends with its session', async () => {
    const lsid = { id: new UUID() };
    const id = await open({ lsid });
    const { reply } = await startWaiting(id, { lsid });
    expect(await other.command({ endSessions: [lsid], $db: 'admin' })).toMatchObject({ ok: 1 });
    expect(await reply).toMatchObject({ ok: 0, code: 237 });
  });

  it('ends with its connection, and so does its cursor', async () => {
    const id = await open();
    await startWaiting(id);
    reader.close();
    await vi.waitFor(async () => {
      expect(await other.command(more(id, { maxTimeMS: 1 }))).toMatchObject({ code: 43 });
    });
  });

  it('ends with the server', async () => {
    const id = await open();
    const { reply } = await startWaiting(id);
    await server.close();
    expect(await reply).toBe(undefined);
  });

  it('is refused a time where there is nothing to wait for', async () => {
    await other.command({ insert: 'c', documents: [{}, {}, {}], $db: 'd' });
    const found = await reader.command({ find: 'c', batchSize: 1, $db: 'd' });
    const id = Long.fromValue(found?.['cursor'].id);
    expect(await reader.command(more(id))).toMatchObject({ code: 2 });
    expect(await reader.command(more(id, { maxTimeMS: undefined }))).toMatchObject({ ok: 1 });
  });
});

describe('a cursor that nobody asks for', () => {
  it('is closed after a time, which is a parameter, unless it was opened without one', async () => {
    const server = await startServer();
    const client = await RawClient.connect(server.uri);
    const parameter = { getParameter: 1, cursorTimeoutMillis: 1, $db: 'admin' };
    expect(await client.command(parameter)).toMatchObject({ cursorTimeoutMillis: 600_000 });
    const change = { setParameter: 1, cursorTimeoutMillis: 20, $db: 'admin' };
    expect(await client.command(change)).toMatchObject({ ok: 1, was: 600_000 });
    expect(await client.command(parameter)).toMatchObject({ cursorTimeoutMillis: 20 });
    await client.command({ insert: 'c', documents: [{}, {}], $db: 'd' });
    const open = { find: 'c', batchSize: 1, $db: 'd' };
    await client.command(open);
    await client.command({ aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {}, $db: 'd' });
    const kept = await client.command({ ...open, noCursorTimeout: true });
    await vi.waitFor(
      async () => {
        const status = await client.command({ serverStatus: 1, $db: 'admin' });
        expect(status?.['metrics'].cursor.open.total).toBe(1);
      },
      { timeout: 20_000, interval: 50 },
    );
    const more = { getMore: Long.fromValue(kept?.['cursor'].id), collection: 'c', $db: 'd' };
    expect(await client.command(more)).toMatchObject({ ok: 1 });
    expect(await client.command({ setParameter: 1, quiet: true, $db: 'admin' })).toMatchObject({ code: 40415 });
    expect(await client.command({ setParameter: 1, cursorTimeoutMillis: 'x', $db: 'admin' })).toMatchObject({
      code: 14,
    });
    client.close();
    await server.close();
  });
});

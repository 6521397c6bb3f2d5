import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { header, RawClient } from './support/raw-client.ts';
import { useServer } from './support/server.ts';

const server = useServer();
const clients: RawClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function open(count: number): Promise<RawClient[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => RawClient.connect(server.uri)));
  clients.push(...opened);
  return opened;
}

const PING = { ping: 1, $db: 'admin' };

describe('connections', () => {
  it('are served by the hundred at once', async () => {
    const many = await open(200);
    const replies = await Promise.all(
      many.map(async (client, number) => {
        await client.command({ insert: 'many', documents: [{ _id: number }], $db: 'connections' });
        return client.command({ find: 'many', filter: { _id: number }, $db: 'connections' });
      }),
    );
    expect(replies).toMatchObject(many.map((_, _id) => ({ cursor: { firstBatch: [{ _id }] } })));
    const [witness] = many;
    expect(await witness?.command({ count: 'many', $db: 'connections' })).toMatchObject({ n: 200 });
    expect(await witness?.command({ serverStatus: 1, $db: 'admin' })).toMatchObject({
      connections: { current: 200 },
    });
  });

  it('that begin a message and never end it keep nobody waiting', async () => {
    const stuck = await open(50);
    for (const client of stuck) client.send(header(48_000_000, 2013), Buffer.alloc(10_000));
    const [witness] = await open(1);
    expect(await witness?.command(PING)).toMatchObject({ ok: 1 });
    expect(stuck.filter(({ closed }) => closed)).toEqual([]);
  });

  it('that send without end are closed at the end of the first message', async () => {
    const [flood, witness] = await open(2);
    if (flood === undefined || witness === undefined) throw new Error('Expected two clients.');
    const gone = new Promise((resolve) => flood.socket.once('close', resolve));
    flood.send(header(48_000_000, 2013));
    const zeros = Buffer.alloc(1_000_000);
    let sent = 0;
    while (!flood.closed && sent < 200) {
      sent += 1;
      if (flood.socket.write(zeros)) continue;
      await Promise.race([gone, new Promise((resolve) => flood.socket.once('drain', resolve))]);
    }
    expect(flood.closed).toBe(true);
    expect(await witness.command(PING)).toMatchObject({ ok: 1 });
  });

  it('come from this machine only', async () => {
    const { port } = new URL(server.uri);
    const addresses = Object.values(networkInterfaces())
      .flat()
      .filter((address) => address?.internal === false && address.family === 'IPv4')
      .map((address) => address?.address ?? '');
    for (const host of addresses) {
      const socket = connect({ host, port: Number(port) });
      const outcome = await new Promise((resolve) => {
        socket.once('connect', () => resolve('connected'));
        socket.once('error', () => resolve('refused'));
      });
      socket.destroy();
      expect(outcome).toBe('refused');
    }
    expect(new URL(server.uri).hostname).toBe('127.0.0.1');
  });
});

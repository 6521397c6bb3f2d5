import { type Document, serialize, type Timestamp } from 'bson';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import { body, header, opMsg, opQuery, RawClient, sequence } from '../support/raw-client.ts';
import { useServer } from '../support/server.ts';

const server = useServer();
const clients: RawClient[] = [];

afterAll(() => {
  for (const client of clients) client.close();
});

async function connect(): Promise<RawClient> {
  const client = await RawClient.connect(server.uri);
  clients.push(client);
  return client;
}

const PING = { ping: 1, $db: 'admin' };

describe('the handshake', () => {
  it.each(['isMaster', 'ismaster', 'hello'])('answers %s as OP_QUERY by OP_REPLY', async (name) => {
    const client = await connect();
    client.send(opQuery('admin.$cmd', { [name]: 1, helloOk: true, client: { driver: { name: 'x' } } }, 42));
    const reply = await client.receive();
    expect(reply).toMatchObject({ opCode: 1, responseTo: 42 });
    expect(reply?.document).toMatchObject({ ok: 1, helloOk: true, maxWireVersion: 25, maxBsonObjectSize: 16_777_216 });
    expect(reply?.document).toMatchObject({ setName: 'rs0', secondary: false });
  });

  it('presents the primary of a replica set of one', async () => {
    const client = await connect();
    const { host } = new URL(server.uri);
    expect(await client.command({ hello: 1, $db: 'admin' })).toMatchObject({
      setName: 'rs0',
      hosts: [host],
      primary: host,
      me: host,
      isWritablePrimary: true,
      secondary: false,
      logicalSessionTimeoutMinutes: 30,
    });
  });

  it('tells the time with every reply, which goes on with every change', async () => {
    const client = await connect();
    const timeOf = (reply: Document | undefined) => {
      expect(reply).toMatchObject({ $clusterTime: { clusterTime: reply?.['operationTime'], signature: {} } });
      return reply?.['operationTime'] as Timestamp;
    };
    const insert = { insert: 'times', documents: [{}], $db: 'protocol' };
    const first = timeOf(await client.command(insert));
    expect(timeOf(await client.command(PING))).toEqual(first);
    expect(timeOf(await client.command({ noSuchThing: 1, $db: 'protocol' }))).toEqual(first);
    expect(timeOf(await client.command(insert)).greaterThan(first)).toBe(true);
    const causal = { find: 'times', readConcern: { afterClusterTime: first }, $db: 'protocol' };
    expect(await client.command(causal)).toMatchObject({ ok: 1 });
  });

  it('says whether it is hello or the older name that was asked', async () => {
    const client = await connect();
    expect(await client.command({ hello: 1, $db: 'admin' })).toMatchObject({ isWritablePrimary: true });
    expect(await client.command({ isMaster: 1, $db: 'admin' })).toMatchObject({ ismaster: true });
  });

  it('takes fields of a hello that it does not know, and offers no compression', async () => {
    const client = await connect();
    const reply = await client.command({ hello: 1, $db: 'admin', compression: ['zlib'], speculative: { x: 1 } });
    expect(reply).toMatchObject({ ok: 1 });
    expect(reply).not.toHaveProperty('compression');
  });

  it('names what it truly is', async () => {
    const client = await connect();
    expect(await client.command({ hello: 1, $db: 'admin' })).toMatchObject({ product: /@data-bridge\/embedded/ });
  });

  it('refuses other commands as OP_QUERY and goes on', async () => {
    const client = await connect();
    client.send(opQuery('admin.$cmd', { ping: 1 }));
    expect((await client.receive())?.document).toMatchObject({ ok: 0, code: 352 });
    expect(await client.command(PING)).toMatchObject({ ok: 1 });
  });
});

describe('messages', () => {
  it('are answered in order when they come all at once', async () => {
    const client = await connect();
    const ids = Array.from({ length: 200 }, (_, index) => index + 1);
    client.send(...ids.map((requestId) => opMsg([body(PING)], { requestId })));
    const answered: unknown[] = [];
    for (const _ of ids) answered.push((await client.receive())?.responseTo);
    expect(answered).toEqual(ids);
  });

  it('may come byte by byte', async () => {
    const client = await connect();
    client.socket.setNoDelay(true);
    for (const byte of opMsg([body(PING)])) {
      client.send(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    expect((await client.receive())?.document).toMatchObject({ ok: 1 });
  });

  it('may carry documents in a sequence', async () => {
    const client = await connect();
    const insert = { insert: 'sequences', $db: 'protocol' };
    client.send(opMsg([sequence('documents', [{ _id: 1 }, { _id: 2 }, { _id: 1 }]), body(insert)]));
    expect((await client.receive())?.document).toMatchObject({ n: 2, writeErrors: [{ index: 2, code: 11000 }] });
    client.send(opMsg([body(insert), sequence('nonsense', [{}])]));
    expect((await client.receive())?.document).toMatchObject({ ok: 0, code: 40415 });
    client.send(opMsg([body({ ...insert, documents: [{}] }), sequence('documents', [{}])]));
    expect((await client.receive())?.document).toMatchObject({ ok: 0, code: 40413 });
    client.send(opMsg([body(PING), sequence('documents', [{}])]));
    expect((await client.receive())?.document).toMatchObject({ ok: 0, code: 40415 });
  });

  it('may carry a checksum', async () => {
    const client = await connect();
    client.send(opMsg([body(PING)], { checksum: true }));
    expect((await client.receive())?.document).toMatchObject({ ok: 1 });
    client.send(opMsg([body(PING)], { checksum: 0 }));
    expect(await client.receive()).toBeUndefined();
  });

  it('with moreToCome are done and not answered, errors neither', async () => {
    const client = await connect();
    const insert = { insert: 'quiet', documents: [{ _id: 1 }], $db: 'protocol' };
    client.send(opMsg([body(insert)], { flags: 2, requestId: 1 }));
    client.send(opMsg([body({ noSuchThing: 1, $db: 'protocol' })], { flags: 2, requestId: 2 }));
    client.send(opMsg([body({ count: 'quiet', $db: 'protocol' })], { requestId: 3 }));
    expect(await client.receive()).toMatchObject({ responseTo: 3, document: { n: 1 } });
  });

  it('with exhaustAllowed are answered once', async () => {
    const client = await connect();
    client.send(opMsg([body(PING)], { flags: 1 << 16, requestId: 9 }));
    expect(await client.receive()).toMatchObject({ responseTo: 9, flags: 0 });
    expect(await client.command(PING)).toMatchObject({ ok: 1 });
  });

  it('of 48,000,000 bytes are taken', async () => {
    const client = await connect();
    const chunk = { bytes: Buffer.alloc(15_999_000) };
    const documents = [chunk, chunk, chunk];
    const message = opMsg([body({ insert: 'large', $db: 'protocol' }), sequence('documents', documents)]);
    expect(message.length).toBeLessThan(48_000_000);
    client.send(message);
    expect((await client.receive())?.document).toMatchObject({ n: 3, ok: 1 });
    await client.command({ drop: 'large', $db: 'protocol' });
  });

  it('are not taken from a client that does not read its answers', async () => {
    const [client, witness] = [await connect(), await connect()];
    await client.command({ insert: 'slow', documents: [{ text: 'x'.repeat(1_000_000) }], $db: 'protocol' });
    client.socket.pause();
    const rounds = 60;
    for (let round = 0; round < rounds; round += 1) {
      client.send(opMsg([body({ find: 'slow', $db: 'protocol' })]));
      client.send(opMsg([body({ insert: 'marks', documents: [{}], $db: 'protocol' })]));
    }
    const marks = async () => (await witness.command({ count: 'marks', $db: 'protocol' }))?.['n'];
    // What was sent before this question is in the server's hands when it is answered, as far as the server took it.
    expect(await marks()).toBeLessThan(rounds);
    client.socket.resume();
    for (let answer = 0; answer < 2 * rounds; answer += 1) await client.receive();
    expect(await marks()).toBe(rounds);
  });
});

describe('commands', () => {
  it('need a database', async () => {
    const client = await connect();
    expect(await client.command({ ping: 1 })).toMatchObject({ ok: 0, code: 40571 });
    expect(await client.command({ ping: 1, $db: 'a.b' })).toMatchObject({
      ok: 0,
      code: 73,
      codeName: 'InvalidNamespace',
    });
    expect(await client.command({ ping: 1, $db: 5 })).toMatchObject({ ok: 0, code: 14 });
  });

  it('of BSON that is framed but broken inside get error 22', async () => {
    const client = await connect();
    const broken = Buffer.from(serialize({ ping: 1, $db: 'admin' }));
    broken[4] = 0x7e; // no such type
    client.send(opMsg([Buffer.concat([Buffer.of(0), broken])]));
    expect((await client.receive())?.document).toMatchObject({ ok: 0, code: 22 });
    expect(await client.command(PING)).toMatchObject({ ok: 1 });
  });

  it('of no name are not found', async () => {
    const client = await connect();
    expect(await client.command({})).toMatchObject({ ok: 0, code: 59 });
    expect(await client.command({ constructor: 1, $db: 'a' })).toMatchObject({ ok: 0, code: 59 });
    expect(await client.command({ __proto__: null, toString: 1, $db: 'a' })).toMatchObject({ ok: 0, code: 59 });
  });

  it('of MongoDB that this server lacks are refused by name', async () => {
    const client = await connect();
    for (const name of ['mapReduce', 'replSetGetStatus', 'saslStart']) {
      const reply = await client.command({ [name]: 1, $db: 'admin' });
      expect(reply).toMatchObject({ ok: 0, code: 115, codeName: 'CommandNotSupported' });
      expect(reply?.['errmsg']).toContain(`'${name}'`);
    }
  });

  it.each<[string, Record<string, unknown>, number]>([
    ['a session without its id', { find: 'c', lsid: {} }, 40414],
    ['a session of another kind', { find: 'c', lsid: { id: 1 } }, 14],
    ['a snapshot', { find: 'c', readConcern: { level: 'snapshot' } }, 238],
    ['an unknown read concern', { find: 'c', readConcern: { level: 'x' } }, 2],
    ['reads at a time that never comes', { find: 'c', readConcern: { afterClusterTime: 1 } }, 72],
    ['write concern 2', { insert: 'c', documents: [{}], writeConcern: { w: 2 } }, 100],
    ['a write concern by tag', { insert: 'c', documents: [{}], writeConcern: { w: 'dc' } }, 79],
    ['a strict API', { ping: 1, apiVersion: '1', apiStrict: true }, 238],
    ['another API version', { ping: 1, apiVersion: '2' }, 322],
    ['a collation by all bits', { find: 'c', collation: { locale: 'de', strength: 5 } }, 238],
    ['a collation without punctuation', { find: 'c', collation: { locale: 'de', alternate: 'shifted' } }, 238],
    ['a collation that is none', { find: 'c', collation: { locale: 'none of them' } }, 2],
    ['a collation with an unknown option', { find: 'c', collation: { locale: 'de', x: 1 } }, 40415],
    ['a tailable cursor', { find: 'c', tailable: true }, 238],
    ['min and max', { find: 'c', min: { a: 1 } }, 238],
    ['explain of an aggregation', { aggregate: 'c', pipeline: [], explain: true }, 238],
    ['an aggregation on no collection', { aggregate: 1, pipeline: [], cursor: {} }, 73],
    ['a capped collection', { create: 'x', capped: true, size: 1000 }, 238],
    ['a view', { create: 'x', viewOn: 'c', pipeline: [] }, 238],
    ['a time series', { create: 'x', timeseries: { timeField: 't' } }, 238],
    ['a collection with a wrong collation', { create: 'x', collation: { locale: 'de', strength: 9 } }, 2],
    ['a text index', { createIndexes: 'c', indexes: [{ key: { a: 'text' }, name: 'x' }] }, 238],
    ['a hashed index', { createIndexes: 'c', indexes: [{ key: { a: 'hashed' }, name: 'x' }] }, 238],
    ['a wildcard index', { createIndexes: 'c', indexes: [{ key: { '$**': 1 }, name: 'x' }] }, 238],
    [
      'an index with a wrong collation',
      { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'x', collation: { locale: 5 } }] },
      14,
    ],
    ['a field of a statement', { update: 'c', updates: [{ q: {}, u: {}, foo: 1 }] }, 40415],
    ['a statement without its filter', { delete: 'c', deletes: [{ limit: 1 }] }, 40414],
    ['$where', { find: 'c', filter: { $where: 'true' } }, 238],
  ])('that ask for %s are refused', async (_name, command, code) => {
    const client = await connect();
    const reply = await client.command({ ...command, $db: 'protocol' });
    const [failed = reply] = (reply?.['writeErrors'] ?? []) as unknown[];
    expect(failed).toMatchObject({ code, errmsg: expect.stringMatching(/./) });
    expect(await client.command({ listCollections: 1, filter: { name: 'x' }, $db: 'protocol' })).toMatchObject({
      cursor: { firstBatch: [] },
    });
  });

  it('may ask for what is the default', async () => {
    const client = await connect();
    const command = { find: 'c', tailable: false, collation: { locale: 'simple' }, $db: 'protocol' };
    expect(await client.command(command)).toMatchObject({ ok: 1 });
  });

  it('end when their time is over', async () => {
    const client = await connect();
    const documents = Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'some text to be looked at' }));
    client.send(opMsg([body({ insert: 'long', $db: 'protocol' }), sequence('documents', documents)]));
    await client.receive();
    const find = { find: 'long', filter: { text: /nothing of the kind/ }, $db: 'protocol' };
    expect(await client.command({ ...find, maxTimeMS: 1 })).toMatchObject({
      ok: 0,
      code: 50,
      codeName: 'MaxTimeMSExpired',
    });
    expect(await client.command({ ...find, maxTimeMS: 60_000 })).toMatchObject({ ok: 1 });
    // No timer waits that long: it would go off at once.
    expect(await client.command({ ...find, maxTimeMS: 2 ** 31 })).toMatchObject({ ok: 0, code: 51024 });
  });
});

describe('hostile bytes', () => {
  const ping = opMsg([body(PING)]);

  /** Sends bytes, then tells whether the server closed the connection; it must never hang or fall. */
  async function provoke(bytes: Buffer): Promise<'closed' | 'answered'> {
    const client = await connect();
    client.send(bytes);
    client.socket.end();
    const reply = await client.receive();
    client.close();
    return reply === undefined ? 'closed' : 'answered';
  }

  it.each<[string, Buffer]>([
    ['a length of 0', header(0, 2013)],
    ['a negative length', header(-5, 2013)],
    ['a length beyond the limit', header(48_000_001, 2013)],
    ['the largest length', header(0x7fffffff, 2013)],
    ['an unknown opcode', header(16, 1234)],
    ['an old opcode', header(16, 2002)],
    ['compression', header(16, 2012)],
    ['an OP_MSG without content', header(16, 2013)],
    ['an OP_QUERY that is no command', opQuery('a.b', {})],
    ['words', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
  ])('with %s close the connection and nothing else', async (_name, bytes) => {
    const witness = await connect();
    expect(await provoke(bytes)).toBe('closed');
    expect(await witness.command(PING)).toMatchObject({ ok: 1 });
  });

  it('by the hundred, random or damaged, leave the server well', async () => {
    const witness = await connect();
    const insert = opMsg([
      body({ insert: 'damaged', $db: 'protocol' }),
      sequence('documents', [{ a: 'x', b: [1, 2] }]),
    ]);
    const damaged = fc
      .tuple(fc.constantFrom(ping, insert), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([message, changes]) => {
        const bytes = Buffer.from(message);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    const random = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes));
    const property = fc.asyncProperty(fc.oneof(damaged, random), async (bytes) => {
      await provoke(bytes);
      expect(await witness.command(PING)).toMatchObject({ ok: 1 });
    });
    await fc.assert(property, { numRuns: caseCount(300) });
    expect(await witness.command({ find: 'damaged', $db: 'protocol' })).toMatchObject({ ok: 1 });
  });

  it('that are cut off at any byte leave the server well', async () => {
    const witness = await connect();
    for (let length = 1; length < ping.length; length += 1)
      expect(await provoke(ping.subarray(0, length))).toBe('closed');
    expect(await witness.command(PING)).toMatchObject({ ok: 1 });
  });
});

import { deserialize, serialize } from 'bson';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../src/wire/crc32c.ts';
import { FrameReader, MAX_MESSAGE_SIZE, ProtocolError } from '../../src/wire/frame.ts';
import { parseOpMsg } from '../../src/wire/op-msg.ts';
import { parseOpQuery } from '../../src/wire/op-query.ts';
import { body, header, opMsg, opQuery, sequence } from '../support/raw-client.ts';

function frameOf(bytes: Buffer) {
  const reader = new FrameReader();
  reader.add(bytes);
  const frame = reader.next();
  if (frame === undefined) throw new Error('The message is not whole.');
  return frame;
}

describe('crc32c', () => {
  it('gives the check value of the algorithm and the examples of RFC 3720, B.4', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });
});

describe('FrameReader', () => {
  const messages = [
    opMsg([body({ ping: 1 })]),
    opMsg([body({ hello: 1 })], { requestId: 2 }),
    opQuery('a.$cmd', {}, 3),
  ];
  const stream = Buffer.concat(messages);

  it.each([1, 2, 3, 7, 15, 16, 17, 40, stream.length])('cuts the stream into the same messages by %i bytes', (step) => {
    const reader = new FrameReader();
    const cut: Buffer[] = [];
    for (let at = 0; at < stream.length; at += step) {
      reader.add(stream.subarray(at, at + step));
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) cut.push(frame.bytes);
    }
    expect(cut).toEqual(messages);
  });

  it('tells the id and the opcode', () => {
    expect(frameOf(opMsg([body({})], { requestId: 77 }))).toMatchObject({ requestId: 77, opCode: 2013 });
  });

  it.each([-1, 0, 15, MAX_MESSAGE_SIZE + 1, 0x7fffffff])('refuses the length %i', (length) => {
    expect(() => frameOf(header(length, 2013))).toThrow(ProtocolError);
  });

  it('waits for the rest of the largest message without taking memory for it', () => {
    const reader = new FrameReader();
    reader.add(header(MAX_MESSAGE_SIZE, 2013));
    expect(reader.next()).toBeUndefined();
  });
});

describe('parseOpMsg', () => {
  it('takes body and document sequences apart, in any order', () => {
    const documents = [{ _id: 1 }, { _id: 2 }];
    for (const sections of [
      [body({ insert: 'c' }), sequence('documents', documents)],
      [sequence('documents', documents), body({ insert: 'c' })],
    ]) {
      const { body: parsed, sequences, moreToCome } = parseOpMsg(frameOf(opMsg(sections)));
      expect(deserialize(parsed)).toEqual({ insert: 'c' });
      expect(sequences.get('documents')?.map((bytes) => deserialize(bytes))).toEqual(documents);
      expect(moreToCome).toBe(false);
    }
  });

  it('reads the flags: moreToCome counts, optional ones are ignored, unknown required ones are refused', () => {
    expect(parseOpMsg(frameOf(opMsg([body({})], { flags: 2 }))).moreToCome).toBe(true);
    expect(parseOpMsg(frameOf(opMsg([body({})], { flags: 1 << 16 }))).moreToCome).toBe(false);
    for (let bit = 2; bit < 16; bit += 1) {
      expect(() => parseOpMsg(frameOf(opMsg([body({})], { flags: 1 << bit })))).toThrow(ProtocolError);
    }
  });

  it('verifies the checksum', () => {
    expect(deserialize(parseOpMsg(frameOf(opMsg([body({ a: 1 })], { checksum: true }))).body)).toEqual({ a: 1 });
    expect(() => parseOpMsg(frameOf(opMsg([body({ a: 1 })], { checksum: 1 })))).toThrow(/checksum/);
  });

  const document = serialize({ a: 1 });
  it.each<[string, Uint8Array[]]>([
    ['no section', []],
    ['only a sequence', [sequence('documents', [])]],
    ['two bodies', [body({}), body({})]],
    ['two sequences of one name', [body({}), sequence('a', []), sequence('a', [])]],
    ['an unknown kind of section', [body({}), Buffer.of(2, 0, 0)]],
    ['a body that is cut off', [Buffer.of(0), document.subarray(0, -1)]],
    ['a body without its last NUL', [Buffer.of(0), Buffer.concat([document.subarray(0, -1), Buffer.of(1)])]],
    ['a body of length 4', [Buffer.of(0, 4, 0, 0, 0)]],
    ['a body of negative length', [Buffer.of(0, 0xff, 0xff, 0xff, 0xff, 0)]],
    ['a sequence without size', [body({}), Buffer.of(1, 9)]],
    ['a sequence of size 0', [body({}), Buffer.of(1, 0, 0, 0, 0)]],
    ['a sequence that is too long', [body({}), Buffer.of(1, 99, 0, 0, 0, 97, 0)]],
    ['a sequence whose name has no end', [body({}), Buffer.of(1, 6, 0, 0, 0, 97, 98)]],
    ['a sequence of a broken document', [body({}), Buffer.of(1, 11, 0, 0, 0, 97, 0, 6, 0, 0, 0, 0)]],
  ])('refuses %s', (_name, sections) => {
    expect(() => parseOpMsg(frameOf(opMsg(sections)))).toThrow(ProtocolError);
  });

  it('refuses a flood of documents', () => {
    const flood = Array.from({ length: 200_001 }, () => ({}));
    expect(() => parseOpMsg(frameOf(opMsg([body({}), sequence('documents', flood)])))).toThrow(/documents/);
  });
});

describe('parseOpQuery', () => {
  it('reads the namespace and the command', () => {
    const { namespace, query } = parseOpQuery(frameOf(opQuery('admin.$cmd', { isMaster: 1 })));
    expect(namespace).toBe('admin.$cmd');
    expect(deserialize(query)).toEqual({ isMaster: 1 });
  });

  it('refuses every message that is cut off', () => {
    const whole = opQuery('admin.$cmd', { isMaster: 1 });
    for (let length = 16; length < whole.length; length += 1) {
      const cut = Buffer.from(whole.subarray(0, length));
      cut.writeInt32LE(length, 0);
      expect(() => parseOpQuery(frameOf(cut))).toThrow(ProtocolError);
    }
  });
});

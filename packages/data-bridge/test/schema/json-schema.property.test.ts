import fc from 'fast-check';
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp, UUID } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { caseCount } from '../../../../scripts/case-count.ts';
import { binary, decimal, long, objectId, regex, timestamp, uuid } from '../../src/schema/bson-types.ts';
import { useDatabase } from '../support/database.ts';
import { validatedCollection } from '../support/validated-collection.ts';

describe('a collection with the $jsonSchema of a model', () => {
  const database = useDatabase();

  it('every BSON type is taken in its own field only', async () => {
    const fields = {
      objectId: objectId(),
      decimal: decimal(),
      long: long(),
      binary: binary(),
      uuid: uuid(),
      timestamp: timestamp(),
      regex: regex(),
      date: z.date(),
      map: z.map(z.string(), z.unknown()),
    };
    const valid = {
      objectId: new ObjectId(),
      decimal: Decimal128.fromString('1.5'),
      long: 5n,
      binary: new Uint8Array([1]),
      uuid: new UUID(),
      timestamp: new Timestamp({ t: 1, i: 1 }),
      regex: new BSONRegExp('a', 'x'),
      date: new Date(),
      map: new Map([['a', 1]]),
    };
    const accepts = await validatedCollection(database.db, fields);
    expect(await accepts(valid)).toBe(true);
    for (const name of Object.keys(fields)) {
      const taken = await accepts({ ...valid, [name]: 'text' });
      expect({ name, taken }).toEqual({ name, taken: false });
    }
    expect(await accepts({ ...valid, long: new Int32(5), date: Long.ONE })).toBe(false);
    expect(await accepts({ ...valid, binary: new Binary(new Uint8Array([1]), 5), unknown: 1 })).toBe(true);
  });

  it('every string format of Zod is taken as a validator, and takes what Zod takes', async () => {
    const fields = {
      email: z.email(), guid: z.guid(), uuid: z.uuid(), url: z.url(), httpUrl: z.httpUrl(), hostname: z.hostname(),
      emoji: z.emoji(), base64: z.base64(), base64url: z.base64url(), hex: z.hex(), nanoid: z.nanoid(), cuid2: z.cuid2(),
      ulid: z.ulid(), ipv4: z.ipv4(), ipv6: z.ipv6(), cidrv4: z.cidrv4(), cidrv6: z.cidrv6(), e164: z.e164(),
      date: z.iso.date(), time: z.iso.time(), datetime: z.iso.datetime({ offset: true }), duration: z.iso.duration(),
      template: z.templateLiteral(['v', z.int()]), lower: z.string().lowercase(), includes: z.string().includes('.'),
    }; // prettier-ignore
    const id = '6f1c9d2e-8a3b-4c5d-9e7f-0a1b2c3d4e5f';
    const valid = {
      email: "o'neil+x@mail.example.com", guid: id, uuid: id, url: 'ftp://a', httpUrl: 'https://example.com', hostname: 'a-b.example',
      emoji: '🎉', base64: 'aGk=', base64url: 'aGk', hex: '0aF', nanoid: 'V1StGXR8_Z5jdHi6B-myT', cuid2: 'tz4a98xxat96iws9zmbrgj3a',
      ulid: '01ARZ3NDEKTSV4RRFFQ69G5FAV', ipv4: '10.0.0.1', ipv6: 'fe80::1', cidrv4: '10.0.0.0/8', cidrv6: 'fe80::/10', e164: '+4912345678',
      date: '2024-02-29', time: '12:30:00', datetime: '2024-02-29T12:30:00+01:00', duration: 'P1DT2H',
      template: 'v12', lower: 'abc ü', includes: 'a.b',
    }; // prettier-ignore
    expect(z.object(fields).safeParse(valid).error).toBeUndefined();
    const accepts = await validatedCollection(database.db, fields);
    expect(await accepts(valid)).toBe(true);
    expect(await accepts({ ...valid, email: 'nobody' })).toBe(false);
    expect(await accepts({ ...valid, ipv4: '10.0.0.256' })).toBe(false);
  });

  it('keeps its rules for what other writers store', async () => {
    const accepts = await validatedCollection(database.db, {
      address: z.object({ city: z.string(), zip: z.string().default('') }).optional(),
      point: z.tuple([z.number(), z.number()]).optional(),
      counts: z.record(z.string(), z.int()).optional(),
      shape: z
        .discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('circle'), radius: z.number().positive() }),
          z.strictObject({ kind: z.literal('square'), side: z.number() }),
        ])
        .optional(),
    });
    expect(await accepts({ legacy: true, address: { city: 'Rome', old: 1 } })).toBe(true);
    expect(await accepts({ address: { zip: '1' } })).toBe(false);
    expect(await accepts({ point: [1, 2.5] })).toBe(true);
    expect(await accepts({ point: [1] })).toBe(false);
    expect(await accepts({ counts: { 'a.b': 1, c: new Double(2) } })).toBe(true);
    expect(await accepts({ counts: { a: 1.5 } })).toBe(false);
    expect(await accepts({ shape: { kind: 'circle', radius: 1 } })).toBe(true);
    expect(await accepts({ shape: { kind: 'circle', radius: 0 } })).toBe(false);
    expect(await accepts({ shape: { kind: 'square', side: 1, radius: 1 } })).toBe(false);
  });

  it('never refuses what the validators take', async () => {
    const leaf = () => z.union([z.string().max(3), z.int().multipleOf(2), z.date(), z.null(), z.boolean()]);
    const fields = {
      text: z.string().min(1).regex(/^[^a]*$/).optional(),
      integer: z.int().optional(),
      number: z.number().gt(-5).lte(100).optional(),
      list: z.array(leaf()).max(3).optional(),
      tuple: z.tuple([leaf()], leaf()).optional(),
      record: z.record(z.string(), leaf()).optional(),
      nested: z.object({ a: leaf().default(2), b: leaf().optional(), c: z.array(z.object({ d: leaf() })).default([]) }).optional(),
      either: z.union([z.strictObject({ a: z.int() }), z.strictObject({ a: z.string(), b: z.int() }), z.int()]).optional(),
      joined: z.intersection(z.object({ a: leaf() }), z.looseObject({ b: leaf().optional() })).optional(),
      anything: z.json().optional(),
    }; // prettier-ignore
    const scalar = fc.oneof(
      fc.string({ maxLength: 4 }),
      fc.integer({ min: -6, max: 101 }),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
      fc.boolean(),
      fc.constant(null),
    );
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'x.y', '$z');
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ depthSize: 'small' }, scalar, fc.array(tie('any'), { maxLength: 3 }), tie('object')),
      object: fc.dictionary(key, tie('any'), { maxKeys: 4 }),
    })).any;
    const accepts = await validatedCollection(database.db, fields);
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(fields) as (keyof typeof fields)[])),
        value,
        async (name, given) => {
          const parsed = fields[name].safeParse(given);
          if (!parsed.success) return;
          taken++;
          expect(await accepts({ [name]: parsed.data })).toBe(true);
          // Changed in place, a document keeps what the validator strips and lacks what it would add. (Zod takes a Date
          // for an object without members; the mapper would store the output in its place.)
          if (given instanceof Date && !(parsed.data instanceof Date)) return;
          expect(await accepts({ [name]: given })).toBe(true);
        },
      ),
      { numRuns: caseCount(500) },
    );
    expect(taken).toBeGreaterThan(0);
  });
});

import { AssertionError } from 'node:assert';
import { createRequire } from 'node:module';
import { stripVTControlCharacters } from 'node:util';
import { expect as jest } from 'expect';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decimal, hidden, long, model } from '../../src/index.ts';
import { assertDocument, documentEquality, sameDocument } from '../../src/testing/document-equality.ts';
import { useOwnEqualityTesters } from '../support/equality-testers.ts';

/** How vitest tells of an error. The package is its own, so it is looked for from there. */
const { processError } = (await import(
  createRequire(import.meta.resolve('vitest')).resolve('@vitest/utils/error')
)) as { processError(error: unknown): unknown };

function messageOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return stripVTControlCharacters((error as Error).message);
  }
  throw new Error('It did not throw.');
}

class User extends model('users', {
  name: z.string(),
  age: z.number().optional(),
  tags: z.array(z.string()).default([]),
  balance: decimal().optional(),
  visits: long().optional(),
  address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
}) {}

const _id = new ObjectId();
const ann = () => User.hydrate({ _id, name: 'Ann', age: new Int32(30), visits: Long.fromNumber(5), tags: ['a'] });
const plain = { tags: ['a'], _id: new ObjectId(_id.id), name: 'Ann', age: 30, visits: 5n };

describe('sameDocument', () => {
  it('compares what documents hold', () => {
    expect(sameDocument(ann(), ann())).toBe(true);
    expect(sameDocument(ann(), plain)).toBe(true);
    expect(sameDocument(plain, ann())).toBe(true);
    expect(sameDocument(ann(), { ...plain, address: undefined })).toBe(true);
    expect(sameDocument(ann(), { ...plain, name: 'Bob' })).toBe(false);
    expect(sameDocument(ann(), { ...plain, extra: 1 })).toBe(false);
  });

  it('compares by BSON: numbers by value, wrappers by type', () => {
    const wrapped = User.hydrate({ _id, name: 'Ann', balance: Decimal128.fromString('1.0') });
    expect(sameDocument(wrapped, { _id, name: 'Ann', tags: [], balance: Decimal128.fromString('1.0') })).toBe(true);
    expect(sameDocument(wrapped, { _id, name: 'Ann', tags: [], balance: Decimal128.fromString('1') })).toBe(false);
    expect(sameDocument(ann(), { ...plain, age: new Double(30), visits: 5 })).toBe(true);
  });

  it('sees defaults, and changes that are not saved', () => {
    const user = new User({ _id, name: 'Ann', tags: [] });
    expect(sameDocument(user, { _id, name: 'Ann', tags: [] })).toBe(true);
    user.tags.push('b');
    expect(sameDocument(user, { _id, name: 'Ann', tags: ['b'] })).toBe(true);
  });

  it('is false for what is no document', () => {
    for (const other of [null, undefined, 5, 'Ann', [plain], new Map(Object.entries(plain)), new Date()])
      expect(sameDocument(ann(), other)).toBe(false);
  });
});

describe('documentEquality', () => {
  useOwnEqualityTesters();
  beforeAll(() => {
    expect.addEqualityTesters([documentEquality]);
  });

  it('makes toEqual and toStrictEqual compare documents', () => {
    expect(ann()).toEqual(plain);
    expect(plain).toEqual(ann());
    expect(ann()).toStrictEqual(plain);
    expect(ann()).toEqual(ann());
    expect(ann()).not.toEqual({ ...plain, name: 'Bob' });
    expect(ann()).not.toEqual(User.hydrate({ _id, name: 'Bob' }));
    expect(ann()).not.toEqual(null);
    expect([1]).not.toEqual(ann());
  });

  it('works inside other values', () => {
    expect([ann(), { user: ann() }]).toEqual([plain, { user: plain }]);
    expect(new Map([['ann', ann()]])).toEqual(new Map([['ann', plain]]));
    expect([ann()]).toContainEqual(plain);
  });

  it('lets matchers work beside values that are equal to BSON', () => {
    expect(ann()).toEqual({
      ...plain,
      _id: expect.any(ObjectId),
      age: new Int32(30),
      tags: expect.arrayContaining(['a']),
    });
    expect(ann()).toEqual(expect.objectContaining({ name: 'Ann' }));
    expect(ann()).not.toEqual({ ...plain, name: expect.any(Number) });
  });

  it('leaves other values alone', () => {
    expect({ a: 1 }).toEqual({ a: 1 });
    expect({ a: new Int32(1) }).not.toEqual({ a: 1 });
  });

  it('has toMatchObject compare a document with another one, and a plain object in part as ever', () => {
    expect(ann()).toMatchObject(ann());
    expect(ann()).toMatchObject({ name: 'Ann' });
    expect(ann()).not.toMatchObject({ name: 'Bob' });
    expect(() => expect(ann()).toMatchObject(User.hydrate({ _id, name: 'Bob' }))).toThrow('match object');
    expect(() => expect({ users: [ann()] }).toMatchObject({ users: [User.hydrate({ _id, name: 'Bob' })] })).toThrow(
      'match object',
    );
  });

  it.each([
    ['a plain object', () => ({ ...plain, name: 'Bob' })],
    ['a document', () => User.hydrate({ _id, name: 'Bob', age: 30, visits: 5n, tags: ['a'] })],
  ])('shows the fields where a document and %s differ', async (_what, other) => {
    const error = await Promise.resolve()
      .then(() => expect([ann()]).toEqual([other()]))
      .catch((caught: Error) => caught);
    const { diff } = processError(error) as { diff: string };
    const lines = stripVTControlCharacters(diff)
      .split('\n')
      .map((line) => line.replaceAll(/ +/g, ' '));
    expect(lines).toContain('- "name": "Bob",');
    expect(lines).toContain('+ "name": "Ann",');
    expect(lines).toContain(' "age": 30,');
    expect(lines).toContain(` "_id": "${_id.toHexString()}",`);
  });

  it('does so in jest, too', () => {
    jest.addEqualityTesters([documentEquality]);
    jest(ann()).toEqual(plain);
    jest(ann()).toMatchObject({ name: 'Ann' });
    const message = messageOf(() => jest([ann()]).toEqual([{ ...plain, name: 'Bob' }]));
    expect(message).toMatch(/^-\s+"name": "Bob",$/m);
    expect(message).toMatch(/^\+\s+"name": "Ann",$/m);
  });
});

describe('assertDocument', () => {
  it('says nothing where two are the same', () => {
    expect(assertDocument(ann(), plain)).toBeUndefined();
  });

  it('throws an AssertionError that shows the fields', () => {
    expect(() => assertDocument(ann(), { ...plain, name: 'Bob' })).toThrow(AssertionError);
    expect(() => assertDocument(ann(), { ...plain, name: 'Bob' })).toThrow(/-\s+name: 'Bob'|\+\s+name: 'Ann'/);
    expect(() => assertDocument(ann(), null)).toThrow(AssertionError);
    const message = messageOf(() => assertDocument(ann(), { ...plain, _id: new ObjectId('5'.repeat(24)) }));
    expect(message).toContain("new ObjectId('555555555555555555555555')");
    expect(message).not.toContain('i0');
  });

  it('says of hidden fields that they differ, and shows none', () => {
    class Login extends model('logins', { hash: hidden(z.string()), n: z.int() }) {}
    const _id = new ObjectId();
    const [one, two] = [new Login({ _id, hash: 'secret', n: 1 }), new Login({ _id, hash: 'other', n: 1 })];
    expect(sameDocument(one, two)).toBe(false);
    expect(sameDocument(one, new Login({ _id, hash: 'secret', n: 1 }))).toBe(true);
    // A plain object is compared with what a document shows.
    expect(sameDocument(one, { _id, n: 1 })).toBe(true);
    expect(one).not.toEqual(two);
    const message = messageOf(() => assertDocument(one, two));
    expect(message).toBe('The documents differ in fields that are hidden().');
    two.n = 2;
    expect(messageOf(() => assertDocument(one, two))).not.toMatch(/hidden|secret|other/);
  });
});

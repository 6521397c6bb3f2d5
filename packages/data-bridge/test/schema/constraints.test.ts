import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, ValidationError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';

class Account extends model('accounts', {
  name: z.string().min(3).max(50).optional(),
  email: z.email().optional(),
  website: z.httpUrl().optional(),
  price: z.number().min(0.01).max(9999.99).optional(),
  quantity: z.int().min(0).max(1_000_000).optional(),
}) {}

class Unchecked extends model('unchecked', { name: z.string().min(3), email: z.email() }, { validate: false }) {}

type AccountInput = ConstructorParameters<typeof Account>[0];

const database = useDatabase();

const expectSaved = async (input: AccountInput): Promise<void> => {
  const account = await new Account(input).save();
  expect((await Account.findById(account._id))?.toObject()).toEqual({ _id: account._id, ...input });
};

const refusal = async (input: AccountInput): Promise<ValidationError> => {
  const account = new Account(input);
  const error: unknown = await account.save().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ValidationError);
  expect(await Account.count({ _id: account._id })).toBe(0);
  return error as ValidationError;
};

const expectRefused = async (input: AccountInput, path: string, text: RegExp): Promise<void> => {
  const { issues, message } = await refusal(input);
  expect(issues.map((issue) => issue.path)).toEqual([path]);
  expect(issues[0]?.message).toMatch(text);
  expect(message).toContain(`"${path}"`);
};

describe('the length of a text', () => {
  it('CONSTRAINT-33 within the limits is stored', () => expectSaved({ name: 'Alice' }));
  it('CONSTRAINT-34 below the least is too short', () => expectRefused({ name: 'Al' }, 'name', /too small|short/i));
  it('CONSTRAINT-35 of exactly the greatest is stored', () => expectSaved({ name: 'x'.repeat(50) }));
  it('CONSTRAINT-36 one over the greatest is too long', () =>
    expectRefused({ name: 'x'.repeat(51) }, 'name', /too big|long/i));
});

describe('the form of a text', () => {
  it.each(['user@example.com', 'test.user@example.co.uk', 'user+tag@example.com', 'user_name@example.com'])(
    'CONSTRAINT-37 %s is an address',
    (email) => expectSaved({ email }),
  );

  it.each(['not-an-email', '@example.com', 'user@', 'user@.com', 'user space@example.com'])(
    'CONSTRAINT-38 %s is no address',
    (email) => expectRefused({ email }, 'email', /email/i),
  );

  it.each([
    'https://example.com',
    'http://example.com/path/to/page',
    'https://example.com/search?q=1',
    'https://sub.example.com',
  ])('CONSTRAINT-39 %s is a URL', (website) => expectSaved({ website }));

  it.each(['not-a-url', 'example.com', 'https://'])('CONSTRAINT-40 %s is no URL', (website) =>
    expectRefused({ website }, 'website', /url/i),
  );

  it('CONSTRAINT-41 a URL of a misspelt scheme is refused', () =>
    expectRefused({ website: 'htp://example.com' }, 'website', /url/i));
});

describe('the limits of a number', () => {
  it('CONSTRAINT-42 the lower bounds are stored', () => expectSaved({ price: 0.01, quantity: 0 }));
  it('CONSTRAINT-43 a price below its bound is too small', () => expectRefused({ price: 0 }, 'price', /too small/i));
  it('CONSTRAINT-44 a quantity below its bound is refused', () =>
    expectRefused({ quantity: -1 }, 'quantity', /too small/i));
  it('CONSTRAINT-45 the upper bounds are stored', () => expectSaved({ price: 9999.99, quantity: 1_000_000 }));
  it('CONSTRAINT-46 a price over its bound is too big', () => expectRefused({ price: 10_000 }, 'price', /too big/i));
  it('CONSTRAINT-47 a quantity over its bound is refused', () =>
    expectRefused({ quantity: 1_000_001 }, 'quantity', /too big/i));
});

describe('validation', () => {
  it('CONSTRAINT-48 that is switched off stores and reads what the schema refuses', async () => {
    const { _id } = await new Unchecked({ name: 'A', email: 'not-an-email' }).save();
    const found = await Unchecked.findById(_id);
    expect([found?.name, found?.email]).toEqual(['A', 'not-an-email']);
    await expect(new Unchecked({ name: 'A', email: 'x' }).save({ validate: true })).rejects.toThrow(ValidationError);
  });

  it('CONSTRAINT-49 lists every issue with its path', async () => {
    const { issues } = await refusal({ name: 'Al', email: 'x', quantity: -1 });
    expect(issues.map(({ keys }) => keys)).toEqual([['name'], ['email'], ['quantity']]);
    expect(issues.map(({ path }) => path)).toEqual(['name', 'email', 'quantity']);
  });

  it('CONSTRAINT-50 names the limit', async () => {
    const { issues } = await refusal({ name: 'AB' });
    expect(issues[0]?.message).toContain('3');
  });

  it('the values stand on the issues, out of sight of logs', async () => {
    const error = await refusal({ name: 'AB', email: 'my-secret' });
    expect(error.issues.map(({ value }) => value)).toEqual(['AB', 'my-secret']);
    expect(JSON.stringify(error)).not.toContain('my-secret');
    expect(error.message).not.toContain('my-secret');
  });

  it('CONSTRAINT-51 that refuses sends nothing', async () => {
    const account = await Account.create({ name: 'Alice' });
    database.sent();
    await expect(new Account({ name: 'Al' }).save()).rejects.toThrow(ValidationError);
    account.name = 'Al';
    await expect(account.save()).rejects.toThrow(ValidationError);
    await expect(Account.replaceOne({}, { name: 'Al' })).rejects.toThrow(ValidationError);
    await expect(Account.findOneAndReplace({}, { name: 'Al' })).rejects.toThrow(ValidationError);
    expect(database.sent()).toEqual([]);
    expect(account.isModified('name')).toBe(true);
  });

  class OfZod extends model('libraries', { name: z.string().min(3) }) {}
  class OfValibot extends model('libraries', { name: v.pipe(v.string(), v.minLength(3)) }) {}
  class OfArkType extends model('libraries', { name: type('string >= 3') }) {}

  it.each([
    ['Zod', OfZod],
    ['Valibot', OfValibot],
    ['ArkType', OfArkType],
  ] as const)('CONSTRAINT-52 is a ValidationError, whatever the library: %s', async (_library, Named) => {
    const error: unknown = await new Named({ name: 'Al' }).save().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({
      name: 'ValidationError',
      code: 'DATA_BRIDGE_VALIDATION',
      model: 'libraries',
      issues: [{ path: 'name', keys: ['name'] }],
    });
    expect(await Named.count()).toBe(0);
  });
});

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, type Connection, literal, model, UsageError } from '../../src/index.ts';
import { useDatabase } from '../support/database.ts';
import { runs } from '../support/arbitrary.ts';

const fields = { name: z.string(), pin: z.number().optional(), tags: z.any(), data: z.any() };
class User extends model('users', fields) {}

const database = useDatabase();
let connections: Connection[];
let Safe: typeof User;
let Scripted: typeof User;
beforeAll(async () => {
  connections = [
    await connect(database.uri, { sanitizeFilters: true }),
    await connect(database.uri, { sanitizeFilters: true, allowServerJavaScript: true }),
  ];
  [Safe, Scripted] = connections.map((connection) => User.using(connection)) as [typeof User, typeof User];
  await User.insertMany([
    { name: 'a', pin: 1, tags: ['x'], data: { a: 1 } },
    { name: 'b', pin: 2, tags: ['x', 'y'], data: { a: { b: 1 } } },
  ]);
});
afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
});

const key = fc.oneof(
  fc.constantFrom('name', 'pin', 'tags', 'data', 'data.a', 'a', '', '$', 'a.$gt'),
  fc.constantFrom('$and', '$or', '$nor', '$not', '$eq', '$ne', '$gt', '$in', '$nin', '$all', '$elemMatch', '$exists'),
  fc.constantFrom('$expr', '$where', '$comment', '$text', '$jsonSchema', '$alwaysTrue', '$alwaysFalse', '$regex', '$x'),
);
const { filter, value } = fc.letrec<{ filter: Record<string, unknown>; value: unknown }>((tie) => ({
  filter: fc.dictionary(key, tie('value'), { maxKeys: 3 }),
  value: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'json' },
    fc.constantFrom<unknown>('a', 'x', '$pin', 1, 0, true, null, ''),
    fc.array(tie('value'), { maxLength: 3, depthIdentifier: 'json' }),
    fc.array(tie('filter'), { maxLength: 3, depthIdentifier: 'json' }),
    fc.dictionary(key, tie('value'), { maxKeys: 2, depthIdentifier: 'json' }),
  ),
}));

/** What comes as JSON is plain, with no prototype of its own. */
const json = filter.map((each) => JSON.parse(JSON.stringify(each)) as Record<string, unknown>);

/** The rule, told from the text: no key begins with "$" but those that join filters, each of which follows the rule. */
function isPlain(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  return Object.entries(given).every(([name, inner]) => {
    const isJoining = ['$and', '$or', '$nor'].includes(name) && Array.isArray(inner);
    return isJoining ? inner.every(isPlain) : !/"\$[^"]*":/.test(JSON.stringify({ [name]: inner }));
  });
}

describe('sanitizeFilters, given any JSON', () => {
  it('takes what has no operators, and refuses all else in every method', () => {
    let taken = 0;
    fc.assert(
      fc.property(json, (given) => {
        for (const users of [Safe, Scripted]) {
          if (isPlain(given)) {
            taken++;
            expect(() => users.find(given as never)).not.toThrow();
          } else expect(() => users.find(given as never)).toThrow(UsageError);
        }
      }),
      runs(20_000),
    );
    expect(taken).toBeGreaterThan(0);
  });

  it('has a condition from outside compare and nothing else, and writes nothing by it', async () => {
    const all = await User.find().sort('name').lean();
    await fc.assert(
      fc.asyncProperty(value, async (given) => {
        const sent = JSON.parse(JSON.stringify(given)) as never;
        const refusedAs = (error: unknown): [] => {
          expect(error).toBeInstanceOf(UsageError);
          return [];
        };
        const find = async (): Promise<unknown[]> => Safe.find({ pin: sent }).sort('name').lean();
        const found = await find().catch(refusedAs);
        expect(found).toEqual(all.filter(({ pin }) => pin === sent));
        expect(await Safe.find({ pin: literal(sent) }).lean()).toEqual(found);
        const filter = { pin: sent, name: 'nobody' };
        await Safe.updateMany(filter, { $set: { name: 'changed' } }).catch(refusedAs);
        await Safe.deleteMany(filter).catch(refusedAs);
      }),
      runs(300),
    );
    expect(await User.find().sort('name').lean()).toEqual(all);
  });
});

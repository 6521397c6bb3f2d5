import fc from 'fast-check';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { z } from 'zod';
import { model } from '../src/index.ts';
import { runs } from './support/arbitrary.ts';
import { openDatabase, type TestDatabase } from './support/database.ts';
import { anyTrace, deepCopy, deepEqual, Model, mutate, own, put, type Step } from './support/traces.ts';

class Any extends model('any', { a: z.unknown(), b: z.unknown(), name: z.unknown() }, { unknown: 'keep' }) {}

let database: TestDatabase;
beforeAll(async () => {
  database = await openDatabase();
});
afterAll(() => database.close());

/** Does a step to a document and to its model; a reset is a save. */
async function take(step: Step, any: Any, expected: Model): Promise<void> {
  const state = any.$state as unknown as {
    get(name: string): unknown;
    set(name: string, value: unknown): void;
    rollback(name: string): void;
  };
  switch (step.kind) {
    case 'set':
      state.set(step.name, deepCopy(step.value));
      put(expected.current, step.name, deepCopy(step.value));
      break;
    case 'delete':
      state.set(step.name, undefined);
      delete expected.current[step.name];
      break;
    case 'mutate':
      mutate(state.get(step.name), step.path, step.change);
      mutate(own(expected.current, step.name), step.path, step.change);
      break;
    case 'rollback':
      state.rollback(step.name);
      expected.rollback(step.name);
      break;
    case 'rollbackAll':
      any.rollback();
      expected.current = deepCopy(expected.original);
      break;
    case 'reset':
      await any.save();
      expected.original = deepCopy(expected.current);
      break;
    case 'look':
      await any.reload();
      expected.current = deepCopy(expected.original);
  }
}

function agree(what: string, actual: unknown, expected: unknown): void {
  if (!deepEqual(actual, expected)) throw new Error(`${what}: expected ${inspect(expected)}, got ${inspect(actual)}`);
}

describe('a document', () => {
  it('is stored as it is in memory after any trace of changes, saves, reloads and rollbacks', async () => {
    await fc.assert(
      fc.asyncProperty(anyTrace, async ([document, steps]) => {
        const any = new Any(deepCopy(document));
        await any.save();
        const expected = new Model({ ...document, _id: any._id });
        for (const step of steps) if (!('name' in step && step.name === '_id')) await take(step, any, expected);
        agree('in memory', any.$state.toObject(), expected.current);
        await any.save();
        agree('stored', (await Any.findById(any._id))?.$state.toObject(), expected.current);
        agree('in memory after the save', any.$state.toObject(), expected.current);
        database.sent();
        await any.save();
        agree('commands of the second save', database.sent(), []);
      }),
      runs(100),
    );
  });
});

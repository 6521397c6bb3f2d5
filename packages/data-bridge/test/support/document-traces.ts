import { z } from 'zod';
import { model } from '../../src/index.ts';
import { deepCopy, type Model, mutate, own, put, type Step } from './traces.ts';

/** A document that may hold anything. */
export class Any extends model('any', { a: z.unknown(), b: z.unknown(), name: z.unknown() }, { unknown: 'keep' }) {}

/** Does a step to a document and to its model; a reset is a save. */
export async function take(step: Step, any: Any, expected: Model): Promise<void> {
  const state = any.$state as unknown as {
    get(name: string): unknown;
    set(name: string, value: unknown): void;
    rollback(name: string): void;
  };
  // The _id stays.
  if ('name' in step && step.name === '_id') return;
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
      if (any.$isNew) break;
      await any.reload();
      expected.current = deepCopy(expected.original);
  }
}

import { Layout } from '../../src/bson/layout.ts';
import { ModelDefinition } from '../../src/definition/model-definition.ts';
import { operate } from '../../src/document/atomic-methods.ts';
import { DocumentState } from '../../src/document/document-state.ts';
import { StateTracker } from '../../src/tracking/state-tracker.ts';
import type { AtomicOperation } from './laws-atomics.ts';
import type { Members } from './laws-documents.ts';
import type { Random } from './laws-random.ts';
import { reread } from './laws-store.ts';
import { declared } from './laws-trees.ts';
import { type Operation, perform } from './laws-writers.ts';

const definition = new ModelDefinition('documents', {}, {});

/** What the mapper keeps of a document that was read from these bytes. */
export function loadedState(bytes: Uint8Array): DocumentState {
  const layout = new Layout({}, [], undefined, declared);
  return new DocumentState(definition, StateTracker.fromBson<never>(bytes, { layout }), {}, false);
}

/** Does to the document what a program does: changes by assignment and in place, and then atomic operators. */
export function act(state: DocumentState, operations: readonly Operation[], atomics: readonly AtomicOperation[]): void {
  const { baseline } = state;
  for (const operation of operations) {
    const [name, ...inner] = operation.parents;
    if (typeof name === 'string') perform(baseline.get(name) as Members, [{ ...operation, parents: inner }], reread);
    else if ('key' in operation) baseline.set(operation.key, reread(operation.value));
  }
  const root = {
    stored: (path: string) => path,
    has: () => false,
    get: (name: string) => baseline.get(name),
    set: (name: string, value: unknown) => baseline.set(name, value),
  };
  for (const { keys, operator, operand } of atomics) operate(state, root, operator, keys.join('.'), operand);
}

/** A value of another shape, as another writer may leave it in the place of any. */
export function anyOtherShape(random: Random): unknown {
  return random.pick<unknown>([null, 'x', 5, [], {}, [{}], new Date(0), { new: 1 }]);
}

import fc from 'fast-check';
import { BSON } from 'mongodb';
import { inspect } from 'node:util';
import { describe, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { StateTracker } from '../../src/tracking/state-tracker.ts';
import { anyDocument, anyOptions, runs } from '../support/arbitrary.ts';
import {
  agree,
  anyTrace,
  deepCopy,
  type Members,
  membersOf,
  Model,
  mutate,
  own,
  present,
  put,
  type Step,
} from '../support/traces.ts';

function take(step: Step, tracker: StateTracker, model: Model): void {
  switch (step.kind) {
    case 'set':
      tracker.set(step.name, deepCopy(step.value));
      put(model.current, step.name, deepCopy(step.value));
      break;
    case 'delete':
      tracker.delete(step.name);
      delete model.current[step.name];
      break;
    case 'mutate':
      mutate(tracker.get(step.name), step.path, step.change);
      mutate(own(model.current, step.name), step.path, step.change);
      break;
    case 'rollback':
      tracker.rollback(step.name);
      model.rollback(step.name);
      break;
    case 'rollbackAll':
      tracker.rollback();
      model.current = deepCopy(model.original);
      break;
    case 'reset':
      tracker.reset();
      model.original = deepCopy(model.current);
      break;
    case 'look':
      look(tracker);
  }
}

/** Reads all there is to read. */
function look(tracker: StateTracker): void {
  for (const name of tracker.keys()) {
    tracker.get(name);
    tracker.getOriginal(name);
  }
  tracker.toObject();
  JSON.stringify(tracker);
  inspect(tracker);
  inspect(tracker.toObject(), { depth: null });
  tracker.changes();
}

function compare(tracker: StateTracker, model: Model): void {
  const changed = model.changed();
  agree('isModified()', tracker.isModified(), changed.length > 0);
  agree('changedFields()', tracker.changedFields().toSorted(), changed.toSorted());
  agree('toUpdate() is null', tracker.toUpdate() === null, changed.length === 0);
  agree('changes() is empty', tracker.changes().length === 0, changed.length === 0);
  agree('keys()', tracker.keys().toSorted(), present(model.current).toSorted());
  agree('toObject()', tracker.toObject(), model.current);
  agree(
    'getChanges()',
    tracker.getChanges(),
    membersOf(changed.map((name) => [name, own(model.current, name)] as const)),
  );
  for (const name of new Set([...present(model.original), ...present(model.current), 'constructor', 'absent'])) {
    agree(`isModified(${name})`, tracker.isModified(name), changed.includes(name));
    agree(`has(${name})`, tracker.has(name), own(model.current, name) !== undefined);
    agree(`getOriginal(${name})`, tracker.getOriginal(name), own(model.original, name));
  }
}

/** A layout that learned as many names as it can. */
function fullLayout(): Layout {
  return new Layout(
    {},
    Array.from({ length: Layout.maxNames }, (_, i) => `name${i}`),
  );
}

/** The seed that a failure printed, to repeat it. */

describe('StateTracker', () => {
  const serialize = (document: Members) => BSON.serialize(document, { ignoreUndefined: true });

  it.each<[string, (document: Members) => StateTracker]>([
    ['a plain object', (document) => new StateTracker(deepCopy(document))],
    ['bytes', (document) => StateTracker.fromBson(serialize(document))],
    ['bytes under a full layout', (document) => StateTracker.fromBson(serialize(document), { layout: fullLayout() })],
  ])('over %s agrees with deep copies and deep comparisons', (_, make) => {
    const shared = fc.property(anyTrace, ([document, steps]) => {
      const tracker = make(document);
      const model = new Model(document);
      for (const step of steps) {
        take(step, tracker, model);
        compare(tracker, model);
      }
    });
    fc.assert(shared, { ...runs(400) });
  });

  it('obeys law 0: reading changes nothing, for any document and any options', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, (bytes, options) => {
        const tracker = StateTracker.fromBson(Buffer.from(bytes), options);
        look(tracker);
        agree('isModified()', tracker.isModified(), false);
        agree('toUpdate()', tracker.toUpdate(), null);
        tracker.reset();
        tracker.rollback();
        look(tracker);
        agree('isModified() after rollback()', tracker.isModified(), false);
      }),
      { ...runs(1000) },
    );
  });

  it('obeys law 0 also when every field is set to a copy of what it is', () => {
    fc.assert(
      fc.property(anyDocument, anyOptions, (bytes, options) => {
        const tracker = StateTracker.fromBson(Buffer.from(bytes), options);
        const copy = tracker.toObject();
        for (const name of tracker.keys()) tracker.set(name, copy[name]);
        agree('changedFields()', tracker.changedFields(), []);
        agree('toUpdate()', tracker.toUpdate(), null);
      }),
      { ...runs(1000) },
    );
  });
});

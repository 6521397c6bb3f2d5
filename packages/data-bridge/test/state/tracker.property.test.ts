import fc from 'fast-check';
import { Binary, BSON, ObjectId } from 'mongodb';
import { inspect } from 'node:util';
import { describe, it } from 'vitest';
import { Layout } from '../../src/bson/layout.ts';
import { StateTracker } from '../../src/state/tracker.ts';
import { anyDocument, anyName, anyOptions, runs } from '../support/arbitrary.ts';

/*
 * Traces of what a program does to a tracker, beside a model that tracks by what the tracker avoids: a deep copy of the
 * document at each reset, and a deep comparison at each question.
 */

type Members = Record<string, unknown>;

/** One thing that a program does. Values are made by functions, since the tracker and the model each need their own. */
type Step =
  | { readonly kind: 'set'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'delete' | 'rollback'; readonly name: string }
  | { readonly kind: 'mutate'; readonly name: string; readonly path: readonly number[]; readonly change: Mutation }
  | { readonly kind: 'look' | 'reset' | 'rollbackAll' };

type Mutation =
  | { readonly kind: 'put'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'push' | 'replace'; readonly value: unknown }
  | { readonly kind: 'pop' | 'shift' | 'reverse' | 'clear' };

// case: an own `_bsontype` cannot be stored; an object with `$ref` reads as a DBRef
const anyKey = anyName.filter((name) => name !== '_bsontype' && name !== '$ref');
const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -0, 1, Number.NaN, '', 'text', 2 ** 31, 2 ** 53),
  fc.double(),
  fc.string({ maxLength: 5 }),
  fc.integer().map((time) => new Date(time)),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((bytes) => new Binary(Buffer.from(bytes))),
  fc.constantFrom(...Array.from({ length: 3 }, () => new ObjectId())),
);
const { value: anyLive } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(anyKey, tie('value')), { maxLength: 3 }).map(membersOf),
  ),
}));
const anyMembers = fc.array(fc.tuple(anyKey, anyLive), { maxLength: 6 }).map(membersOf);
const maybe = fc.oneof({ weight: 6, arbitrary: anyLive }, { weight: 1, arbitrary: fc.constant(undefined) });

const anyMutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key: anyKey, value: maybe }),
  fc.record({ kind: fc.constantFrom('push' as const, 'replace' as const), value: maybe }),
  fc.record({ kind: fc.constantFrom('pop' as const, 'shift' as const, 'reverse' as const, 'clear' as const) }),
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), name: anyKey, value: maybe }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'rollback' as const), name: anyKey }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('mutate' as const),
      name: anyKey,
      path: fc.array(fc.nat(), { maxLength: 3 }),
      change: anyMutation,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('look' as const, 'reset' as const, 'rollbackAll' as const) }),
  },
);
const anyTrace = fc.tuple(anyMembers, fc.array(anyStep, { maxLength: 20 }));

// ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────────

function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
}

function membersOf(entries: readonly (readonly [string, unknown])[]): Members {
  const members = {};
  for (const [key, value] of entries) put(members, key, value);
  return members;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function present(members: Members): string[] {
  return Object.keys(members).filter((key) => members[key] !== undefined);
}

function deepCopy<V>(value: V): V;
function deepCopy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element: unknown) => deepCopy(element));
  if (isMembers(value)) return membersOf(Object.keys(value).map((key) => [key, deepCopy(value[key])] as const));
  if (value instanceof Date) return new Date(value);
  if (value instanceof Binary) return new Binary(Buffer.from(value.value()), value.sub_type);
  return value;
}

function deepEqual(a: unknown, b: unknown): boolean {
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((each, i) => deepEqual(each ?? null, b[i] ?? null));
  }
  if (isMembers(a)) {
    if (!isMembers(b) || present(a).length !== present(b).length) return false;
    return present(a).every((key) => Object.hasOwn(b, key) && deepEqual(a[key], b[key]));
  }
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof ObjectId) return b instanceof ObjectId && a.equals(b);
  if (a instanceof Binary) return b instanceof Binary && Buffer.compare(a.value(), b.value()) === 0;
  return Object.is(a, b);
}

/** Follows a path of random numbers to a container below, and changes it. */
function mutate(value: unknown, path: readonly number[], change: Mutation): void {
  if (typeof value !== 'object' || value === null) return;
  const below = Object.values(value).filter((each) => Array.isArray(each) || isMembers(each) || each instanceof Date);
  const [first, ...rest] = path;
  if (first !== undefined && below.length > 0) mutate(below[first % below.length], rest, change);
  else if (Array.isArray(value)) mutateArray(value, change);
  else if (value instanceof Date) value.setTime(value.getTime() + 1);
  else if (value instanceof Binary) value.buffer[0] = ((value.buffer[0] ?? 0) + 1) % 256;
  else if (isMembers(value)) mutateMembers(value, change);
}

function mutateArray(array: unknown[], change: Mutation): void {
  if (change.kind === 'clear') array.length = 0;
  else if (change.kind === 'put' || change.kind === 'push') array.push(deepCopy(change.value));
  else if (change.kind === 'replace') array.splice(0, 1, deepCopy(change.value));
  else array[change.kind]();
}

function mutateMembers(members: Members, change: Mutation): void {
  if (change.kind === 'put') put(members, change.key, deepCopy(change.value));
  else if (change.kind === 'push') put(members, 'pushed', deepCopy(change.value));
  else if (change.kind === 'replace')
    for (const key of Object.keys(members).slice(0, 1)) put(members, key, deepCopy(change.value));
  else for (const key of Object.keys(members).slice(0, change.kind === 'clear' ? Infinity : 1)) delete members[key];
}

class Model {
  original: Members;
  current: Members;

  constructor(document: Members) {
    this.original = deepCopy(document);
    this.current = deepCopy(document);
  }

  changed(): string[] {
    const names = new Set([...present(this.original), ...present(this.current)]);
    return [...names].filter((name) => !deepEqual(own(this.original, name), own(this.current, name)));
  }

  rollback(name: string): void {
    const original = own(this.original, name);
    if (original === undefined) delete this.current[name];
    else put(this.current, name, deepCopy(original));
  }
}

function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

// ── the traces ──────────────────────────────────────────────────────────────────────────────────────────────────────

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

function agree(what: string, actual: unknown, expected: unknown): void {
  if (!deepEqual(actual, expected)) throw new Error(`${what}: expected ${inspect(expected)}, got ${inspect(actual)}`);
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
const seeded = process.env['FC_SEED'] === undefined ? {} : { seed: Number(process.env['FC_SEED']) };

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
    fc.assert(shared, { ...runs(400), ...seeded });
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
      { ...runs(1000), ...seeded },
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
      { ...runs(1000), ...seeded },
    );
  });
});

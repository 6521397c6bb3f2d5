import fc from 'fast-check';
import { Binary, ObjectId } from 'mongodb';
import { anyName } from './arbitrary.ts';
import { inspect } from 'node:util';

/*
 * What a program does to a document, and a model of the document that tracks by what the mapper avoids: a deep copy at
 * each reset, and a deep comparison at each question.
 */

export type Members = Record<string, unknown>;

/** One thing that a program does. Values are made by functions, since the tracker and the model each need their own. */
export type Step =
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
export const anyTrace = fc.tuple(anyMembers, fc.array(anyStep, { maxLength: 20 }));

// ── the model ───────────────────────────────────────────────────────────────────────────────────────────────────────

export function put(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true });
}

export function membersOf(entries: readonly (readonly [string, unknown])[]): Members {
  const members = {};
  for (const [key, value] of entries) put(members, key, value);
  return members;
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function present(members: Members): string[] {
  return Object.keys(members).filter((key) => members[key] !== undefined);
}

export function deepCopy<V>(value: V): V;
export function deepCopy(value: unknown): unknown {
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
export function mutate(value: unknown, path: readonly number[], change: Mutation): void {
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

/** What a tracker knows, known the dear way: a copy of the original beside the current values. */
export class Model {
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

export function own(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** @throws Error where they differ. */
export function agree(what: string, actual: unknown, expected: unknown): void {
  if (!deepEqual(actual, expected)) throw new Error(`${what}: expected ${inspect(expected)}, got ${inspect(actual)}`);
}

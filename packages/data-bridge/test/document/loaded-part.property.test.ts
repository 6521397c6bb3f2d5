import fc from 'fast-check';
import { type BSON, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DataBridgeError, FieldNotLoadedError, model, UsageError } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

class Any extends model('any', { a: z.unknown(), b: z.unknown(), c: z.unknown() }) {}

const database = useDatabase();

type Json = Record<string, unknown>;

const key = fc.constantFrom('x', 'y', 'z');
const leaf = fc.constantFrom<unknown>(1, 2, 'text', null, true);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.dictionary(key, tie('value'), { maxKeys: 3 }),
    fc.array(fc.oneof(leaf, fc.dictionary(key, tie('value'), { maxKeys: 2 })), { maxLength: 3 }),
  ),
}));
const stored = fc.record({ a: value, b: value, c: value }, { requiredKeys: [] });

const path = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.array(key, { maxLength: 2 }))
  .map(([head, inner]) => [head, ...inner].join('.'));
const selection = fc.record({
  method: fc.constantFrom('select' as const, 'omit' as const),
  paths: fc.array(path, { minLength: 1, maxLength: 3 }),
});

const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), path, value }),
  fc.record({ kind: fc.constant('unset' as const), path }),
  fc.record({ kind: fc.constant('member' as const), path, key, value }),
  fc.record({ kind: fc.constant('remove' as const), path, key }),
  fc.record({
    kind: fc.constant('push' as const),
    path,
    value: fc.oneof(leaf, fc.dictionary(key, leaf, { maxKeys: 2 })),
  }),
  fc.record({ kind: fc.constant('pop' as const), path }),
);
type AnyChange = typeof change extends fc.Arbitrary<infer C> ? C : never;

const isObject = (container: unknown): container is Json =>
  typeof container === 'object' && container !== null && !Array.isArray(container) && !(container instanceof ObjectId);

/** Changes the document as a program would, through its paths or in place. */
function apply(document: Any, step: AnyChange): void {
  if (step.kind === 'set') document.set(step.path, structuredClone(step.value));
  else if (step.kind === 'unset') document.unset(step.path);
  else {
    const container = document.get(step.path);
    if (step.kind === 'member' && isObject(container)) container[step.key] = structuredClone(step.value);
    if (step.kind === 'remove' && isObject(container)) delete container[step.key];
    if (step.kind === 'push' && Array.isArray(container)) container.push(structuredClone(step.value));
    if (step.kind === 'pop' && Array.isArray(container)) container.pop();
  }
}

/** Does it throw one of the two errors that guard what was not loaded? Other errors go through. */
async function isRefused(act: () => unknown): Promise<boolean> {
  try {
    await act();
    return false;
  } catch (error) {
    if (!(error instanceof FieldNotLoadedError || error instanceof UsageError)) throw error;
    expect(error).toBeInstanceOf(DataBridgeError);
    return true;
  }
}

/** Without containers that hold nothing, since a new member makes its parents, and without elements that arrays did not have before. */
function pruned(given: unknown, before: unknown): unknown {
  const old = (before ?? {}) as Json;
  if (Array.isArray(given)) {
    const left = given.slice(0, Array.isArray(before) ? before.length : 0).map((each, i) => pruned(each, old[i]));
    return left.length === 0 ? undefined : left;
  }
  if (!isObject(given)) return given;
  const members = Object.entries(given).map(([name, member]) => [name, pruned(member, old[name])] as const);
  const left = members.filter(([, member]) => member !== undefined);
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** What a projection shows of a value. Of the elements that were added to an array loaded in part, memory shows more. */
function shown(given: unknown, paths: readonly string[], only: boolean): unknown {
  if (paths.includes('')) return only ? given : undefined;
  if (paths.length === 0) return only ? undefined : given;
  if (Array.isArray(given))
    return given.map((element) => shown(element, paths, only)).filter((element) => element !== undefined);
  if (!isObject(given)) return only ? undefined : given;
  const members = Object.entries(given).map(([name, member]) => {
    const below = paths.filter((each) => `${each}.`.startsWith(`${name}.`)).map((each) => each.slice(name.length + 1));
    return [name, shown(member, below, only)] as const;
  });
  return Object.fromEntries(members.filter(([, member]) => member !== undefined));
}

/** Is there a value on the way that is no object? A member that is set below it takes its place. */
function isBlocked(fields: Json, dotted: string): boolean {
  const keys = dotted.split('.').slice(0, -1);
  return keys.some((_, i) => {
    const at = keys
      .slice(0, i + 1)
      .reduce<unknown>((outer, each) => (isObject(outer) ? outer[each] : undefined), fields);
    return at !== undefined && !isObject(at) && !Array.isArray(at);
  });
}

async function read(_id: ObjectId, projection: BSON.Document = {}): Promise<BSON.Document> {
  const found = await Any.collection.findOne({ _id }, { projection });
  return found ?? {};
}

describe('a part-loaded document', () => {
  it('writes what was loaded and changed, and nothing else', async () => {
    const scenario = fc.record({ stored, selection, changes: fc.array(change, { maxLength: 5 }) });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ stored: fields, selection: { method, paths }, changes }) => {
        // Below unknown fields the types have any path, as literals only.
        const typed = paths as `a.${string}`[];
        fc.pre(!paths.some((each) => isBlocked(fields, each)));
        const _id = new ObjectId();
        await Any.collection.insertOne({ ...structuredClone(fields), _id });
        const query = Any.find({ _id });
        const document = (await (method === 'select' ? query.select(...typed) : query.omit(...typed)).one()) as Any;
        database.sent();
        // A whole field that was not loaded may be set: another test's.
        const isLeftOut = (name: string): boolean =>
          method === 'select' ? !paths.some((each) => `${each}.`.startsWith(`${name}.`)) : paths.includes(name);
        for (const step of changes)
          if (step.kind !== 'set' || !isLeftOut(step.path)) await isRefused(() => apply(document, step));
        const before = await read(_id);
        if (await isRefused(() => document.save())) {
          expect(await read(_id)).toEqual(before);
          return;
        }
        const widest = paths.filter((each) => !paths.some((other) => each.startsWith(`${other}.`)));
        const named = Object.fromEntries(widest.map((each) => [each, 1]));
        const others = Object.fromEntries(widest.map((each) => [each, 0]));
        const [loaded, rest] = method === 'select' ? [named, others] : [others, named];
        const memory = shown(
          document.toObject(),
          method === 'select' ? [...widest, '_id'] : widest,
          method === 'select',
        );
        expect(memory).toEqual(await read(_id, loaded));
        const complement = { ...rest, ...(method === 'omit' ? { _id: 1 } : {}) };
        const after = await read(_id, complement);
        await Any.collection.replaceOne({ _id }, before);
        const untouched = await read(_id, complement);
        expect(pruned(after, untouched)).toEqual(pruned(untouched, untouched));
      }),
      runs(60),
    );
  });
});

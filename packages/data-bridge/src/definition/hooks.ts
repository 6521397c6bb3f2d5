import { UsageError } from '../errors.ts';
import { noteClass } from './classes.ts';
import { HOOK_NAMES, type HookName } from './hook-names.ts';
import { definitionKey } from './model-definition.ts';

/*
 * Hooks: the program's own code around the writes of documents. Those of a class are found once.
 */

/** Code that is called with the document. */
export type HookCall = (document: object) => unknown;

/** The calls of a class around one kind of write, each list in its order. */
interface Around {
  readonly before: readonly HookCall[];
  readonly after: readonly HookCall[];
}

/** What is called around the writes of a class's documents. */
export interface ClassHooks {
  readonly insert: Around;
  readonly update: Around;
  readonly delete: Around;
  /** A document that replaces a stored one is checked before it is sent. No document in memory stands for it afterwards. */
  readonly replace: Around;
  readonly validate: Around;
  readonly commit: Around;
}

/** The moments at which each kind of write calls hooks, in order. */
const MOMENTS: Readonly<
  Record<keyof ClassHooks, { readonly before: readonly HookName[]; readonly after: readonly HookName[] }>
> = {
  insert: { before: ['beforeValidate', 'beforeSave', 'beforeInsert'], after: ['afterInsert', 'afterSave'] },
  update: { before: ['beforeValidate', 'beforeSave', 'beforeUpdate'], after: ['afterUpdate', 'afterSave'] },
  delete: { before: ['beforeDelete'], after: ['afterDelete'] },
  replace: { before: ['beforeValidate', 'beforeSave'], after: [] },
  validate: { before: ['beforeValidate'], after: [] },
  commit: { before: [], after: ['afterCommit'] },
};

/** What an extension may have. */
interface Hooked {
  readonly on?: Readonly<Record<string, unknown>>;
}

interface Listener {
  readonly name: HookName;
  readonly call: HookCall;
}

/** The hooks that were found of a class. They are out of date once some are added or taken away. */
interface Found {
  readonly hooks: ClassHooks | null;
  readonly generation: number;
}

/** The hooks that were added, by the prototype of their class. */
const listeners = new WeakMap<object, readonly Listener[]>();
const found = new WeakMap<object, Found>();
let generation = 0;

/** Adds a hook to a class and all that extend it. Gives the function that takes it away again. */
export function addHook(prototype: object, name: HookName, call: HookCall, model: string): () => void {
  if (!HOOK_NAMES.includes(name))
    throw new UsageError(`on() knows no hook of that name. There are: ${HOOK_NAMES.join(', ')}.`, { model });
  if (typeof call !== 'function') throw new UsageError(`on("${name}") takes a function.`, { model });
  const listener: Listener = { name, call };
  listeners.set(prototype, [...(listeners.get(prototype) ?? []), listener]);
  generation += 1;
  return () => {
    const others = listeners.get(prototype) ?? [];
    listeners.set(
      prototype,
      others.filter((each) => each !== listener),
    );
    generation += 1;
  };
}

/** The hooks of a document's class; null where it has none, as most have. */
export function hooksOf(document: object): ClassHooks | null {
  const prototype = Object.getPrototypeOf(document) as object;
  const known = found.get(prototype);
  if (known?.generation === generation) return known.hooks;
  const hooks = findHooks(document);
  found.set(prototype, { hooks, generation });
  return hooks;
}

/**
 * True where a class has hooks, as far as its prototype tells: a function in a class field, which only documents have, is
 * known since the first of them.
 */
export function hasHooks(prototype: object): boolean {
  const known = found.get(prototype);
  if (known?.generation === generation) return known.hooks !== null;
  return findHooks(Object.create(prototype) as object) !== null;
}

function findHooks(document: object): ClassHooks | null {
  noteClass(Object.getPrototypeOf(document) as object);
  // Those that a class inherits come before its own.
  const chain: object[] = [];
  for (let each = document; each !== Object.prototype && each !== null; each = Object.getPrototypeOf(each) as object)
    chain.unshift(each);
  const given = [...extendedHooks(document), ...chain.flatMap((each) => listeners.get(each) ?? [])];
  const callsOf = (name: HookName): HookCall[] => {
    const calls = given.filter((each) => each.name === name).map(({ call }) => call);
    return hasMethod(chain, name) ? [...calls, callMethod(name)] : calls;
  };
  const around = ([kind, { before, after }]: [string, (typeof MOMENTS)[keyof ClassHooks]]) =>
    [kind, { before: before.flatMap(callsOf), after: after.flatMap(callsOf) }] as const;
  const hooks = Object.fromEntries(Object.entries(MOMENTS).map(around)) as unknown as ClassHooks;
  return Object.values(hooks).some(({ before, after }: Around) => before.length + after.length > 0) ? hooks : null;
}

/** The hooks of the extensions of a document's model. */
function extendedHooks(document: object): Listener[] {
  const { [definitionKey]: definition } = document as {
    readonly [definitionKey]?: { readonly extensions: readonly Hooked[] };
  };
  return (definition?.extensions ?? []).flatMap(({ on = {} }) =>
    Object.entries(on).map(([name, call]) => ({ name: name as HookName, call: call as HookCall })),
  );
}

/** True for a method, or a function in a class field. The accessor of a field that has such a name is none. */
function hasMethod(chain: readonly object[], name: HookName): boolean {
  const owner = chain.findLast((each) => Object.hasOwn(each, name));
  return owner !== undefined && typeof Object.getOwnPropertyDescriptor(owner, name)?.value === 'function';
}

/** A method follows JavaScript: the most derived one is called, and calls `super` where it wants. */
function callMethod(name: HookName): HookCall {
  return (document) => (document as Readonly<Record<HookName, () => unknown>>)[name]();
}

import { customInspect } from '../bson/inspect.ts';
import { RefNotLoadedError } from '../errors.ts';
import { type BackLink, backLinkOf } from './back-link.ts';
import { countsOf, rankedIds } from './back-ranks.ts';
import { referencesAt } from './collect.ts';
import { definitionOf, keyOf, type Linked } from './linked.ts';
import { gatherFor, withSiblings } from './siblings.ts';
import type { Range } from './link-tree.ts';
import { amongIds, type Asking, CHUNK } from './load-targets.ts';

/** What is known of the documents that refer to one. */
interface Known {
  list: readonly Linked[] | null;
  count: number | null;
  /** True where a query was asked for them: then JSON shows them. */
  isShown: boolean;
  pending: Promise<void> | null;
  unloaded: object | null;
}

const known = new WeakMap<Linked, Map<string, Known>>();

function knownOf(document: Linked, name: string): Known {
  const all = known.get(document) ?? new Map<string, Known>();
  known.set(document, all);
  const found = all.get(name) ?? { list: null, count: null, isShown: false, pending: null, unloaded: null };
  all.set(name, found);
  return found;
}

/** What a document has under the name of its back references: a list, or what stands for one that was not loaded. */
export function readBack(document: Linked, name: string): object {
  const state = knownOf(document, name);
  return state.list ?? (state.unloaded ??= unloaded(document, name, state));
}

/** Members of both. */
function membersOf(document: Linked, name: string) {
  return {
    $load: async (): Promise<readonly Linked[]> => loadSiblings(document, name),
    $count: async (): Promise<number> => countSiblings(document, name),
  };
}

/** Reads nothing but its own members: an empty list would be a lie. */
function unloaded(document: Linked, name: string, state: Known): object {
  const own = { ...membersOf(document, name), [customInspect]: () => `BackRef of ${name}, not loaded` };
  return new Proxy(own, {
    get(target, key) {
      if (key === '$isLoaded') return state.list !== null;
      if (Object.hasOwn(target, key)) return Reflect.get(target, key) as unknown;
      if (state.list !== null) return Reflect.get(state.list, key) as unknown;
      // A promise asks for `then`, a test runner and `JSON.stringify` for others: none of them is a member of a list.
      if (!(key in Array.prototype) && !/^\d+$/.test(String(key))) return undefined;
      const text = `"${name}" was not loaded: ask for it by with("${name}"), or await its $load().`;
      throw new RefNotLoadedError(text, definitionOf(document).context);
    },
  });
}

function listOf(document: Linked, name: string, found: readonly Linked[]): readonly Linked[] {
  const members = { ...membersOf(document, name), $isLoaded: true };
  const hidden = Object.entries(members).map(([key, value]) => [key, { value }] as const);
  return Object.freeze(Object.defineProperties([...found], Object.fromEntries(hidden)));
}

/** The documents of one result whose list, or count, is neither known nor being loaded. */
function waitingWith(document: Linked, name: string, isKnown: (state: Known) => boolean): Linked[] {
  return withSiblings(document).filter((each) => {
    const state = knownOf(each, name);
    return !isKnown(state) && state.pending === null;
  });
}

async function loadSiblings(document: Linked, name: string): Promise<readonly Linked[]> {
  const state = knownOf(document, name);
  if (state.list === null) await together(document, name, ({ list }) => list !== null, loadBacks);
  return state.list ?? [];
}

async function countSiblings(document: Linked, name: string): Promise<number> {
  const state = knownOf(document, name);
  if (state.list !== null) return state.list.length;
  if (state.count === null) await together(document, name, ({ count }) => count !== null, countBacks);
  return state.count ?? 0;
}

async function together(
  document: Linked,
  name: string,
  isKnown: (state: Known) => boolean,
  work: (documents: readonly Linked[], name: string) => Promise<void>,
): Promise<void> {
  const state = knownOf(document, name);
  while (!isKnown(state)) {
    if (state.pending === null) {
      const all = waitingWith(document, name, isKnown);
      const pending = work(all, name).finally(() => {
        for (const each of all) knownOf(each, name).pending = null;
      });
      for (const each of all) knownOf(each, name).pending = pending;
    }
    await state.pending;
  }
}

async function countBacks(documents: readonly Linked[], name: string): Promise<void> {
  for (const { chunk, link } of chunksOf(documents, name)) {
    const counts = await countsOf(definitionOf(chunk[0] as Linked), link, idsOf(chunk));
    for (const each of chunk) knownOf(each, name).count = counts.get(keyOf(each.$id)) ?? 0;
  }
}

/** The documents that refer here and are to be loaded, and how. */
export interface BackAsking extends Asking {
  readonly isShown?: boolean;
  /** The range that is loaded for each document; null for all of them. */
  readonly range?: Range | null;
}

/** Loads the documents that refer to these. */
export async function loadBacks(
  documents: readonly Linked[],
  name: string,
  { ask, options, isShown = false, range = null }: BackAsking = {},
): Promise<void> {
  for (const { chunk, link } of chunksOf(documents, name)) {
    const ids = idsOf(chunk);
    const ranks = range && (await rankedIds(definitionOf(chunk[0] as Linked), link, ids, range, options));
    const filter =
      ranks === null ? amongIds(link.field, ids.flatMap(link.stored)) : amongIds('_id', [...ranks.values()].flat());
    const targets = link.source.find(filter, options);
    const found = await (ask ? ask(targets) : targets);
    gatherFor(chunk, found);
    const lists = grouped(chunk, found, link);
    const order = ranks && new Map(found.map((each) => [keyOf(each.$id), each]));
    for (const each of chunk) {
      const state = knownOf(each, name);
      const key = keyOf(each.$id);
      // One that was deleted meanwhile is in no list.
      const ranked = order && ranks?.get(key)?.flatMap((id) => order.get(keyOf(id)) ?? []);
      state.list = listOf(each, name, ranked ?? lists.get(key) ?? []);
      if (isShown) state.isShown = true;
    }
  }
}

/** Those that refer to each of the documents, by its id. Their references hold that document. */
function grouped(
  documents: readonly Linked[],
  found: readonly Linked[],
  { field, stored }: BackLink,
): Map<string, Linked[]> {
  const byStored = new Map(documents.flatMap((each) => stored(each.$id).map((value) => [keyOf(value), each])));
  const lists = new Map<string, Linked[]>();
  for (const each of found) {
    for (const reference of referencesAt(each, field)) {
      const document = byStored.get(keyOf(reference.toBSON()));
      if (document === undefined) continue;
      const key = keyOf(document.$id);
      if (!reference.$isLoaded) reference.settle(document);
      const list = lists.get(key) ?? [];
      lists.set(key, list);
      if (list.at(-1) !== each) list.push(each);
    }
  }
  return lists;
}

function chunksOf(documents: readonly Linked[], name: string): { chunk: readonly Linked[]; link: BackLink }[] {
  const chunks = [];
  for (let from = 0; from < documents.length; from += CHUNK) {
    const chunk = documents.slice(from, from + CHUNK);
    const link = backLinkOf(definitionOf(chunk[0] as Linked), name);
    if (link !== undefined) chunks.push({ chunk, link });
  }
  return chunks;
}

function idsOf(documents: readonly Linked[]): unknown[] {
  return documents.map(({ $id }) => $id);
}

/** What was loaded under the name; null where nothing was. */
export function loadedBacks(document: Linked, name: string): readonly Linked[] | null {
  return known.get(document)?.get(name)?.list ?? null;
}

/** The lists that JSON shows, since a query was asked for them. */
export function shownBacks(document: Linked): [string, readonly Linked[]][] {
  return [...(known.get(document) ?? [])].flatMap(([name, { list, isShown }]) =>
    list !== null && isShown ? [[name, list] as [string, readonly Linked[]]] : [],
  );
}

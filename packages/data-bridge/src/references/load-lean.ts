import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import type { Place } from '../schema/schema-shape.ts';
import type { ReferenceTarget } from '../schema/schema-library.ts';
import { isContainerAt, targetAt } from '../schema/references-in.ts';
import { fittingShapes, stepInto } from '../schema/structure.ts';
import { type BackLink, backLinkOf } from './back-link.ts';
import { rankedIds } from './back-ranks.ts';
import { boundLike } from '../definition/bound-like.ts';
import { keyOf, type LinkedModel, type Targets } from './linked.ts';
import { type LinkNode, nodesOf } from './link-tree.ts';
import { amongIds, CHUNK } from './load-targets.ts';
import type { Loading } from './load-tree.ts';
import { idIn, knownModelIn } from './targets.ts';

/** An id in a plain object, and a function that puts something in its place. */
interface Spot {
  readonly id: unknown;
  /** The same as it is stored. */
  readonly stored: unknown;
  readonly target: ReferenceTarget;
  readonly put: (found: object | null) => void;
}

/** A query for plain objects. */
interface LeanTargets {
  lean(): Targets;
}

/** Puts plain objects in the place of ids at the paths of a tree; null where there is nothing of that id. */
export async function loadLean(
  objects: readonly object[],
  definition: ModelDefinition,
  tree: LinkNode,
  loading: Loading,
): Promise<void> {
  for (const [name, node] of tree.members) {
    const link = backLinkOf(definition, name);
    if (link !== undefined) {
      await loadLeanBacks(objects, name, definition, link, node, loading);
      continue;
    }
    const place = definition.fields.get(definition.storedPath(name))?.place;
    const found = new Map<LinkNode, Spot[]>();
    for (const object of objects as readonly Record<string, unknown>[])
      collect(object[name], node, place, found, (value) => setOwn(object, name, value));
    for (const [at, spots] of found) await loadSpots(spots, definition, at, loading);
  }
}

function collect(
  value: unknown,
  node: LinkNode,
  place: Place | undefined,
  into: Map<LinkNode, Spot[]>,
  put: (value: unknown) => void,
): void {
  if (value === undefined || value === null || place === undefined) return;
  const target = targetAt(place);
  if (target !== undefined && !(typeof value === 'object' && isContainerAt(place, value))) {
    const list = into.get(node) ?? [];
    into.set(node, list);
    list.push({ id: idIn(target, value), stored: value, target, put });
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++)
      collect(value[i], node, stepInto(place, i, value), into, (found) => (value[i] = found));
  } else if (value instanceof Map) {
    for (const [key, member] of value as Map<string, unknown>)
      collect(member, node, stepInto(place, key, value), into, (found) => value.set(key, found));
  } else if (isPlainObject(value)) {
    const isRecord = fittingShapes(place, value).some(({ type }) => type === 'record');
    for (const key of isRecord ? Object.keys(value) : node.members.keys()) {
      const below = isRecord ? node : node.members.get(key);
      if (below !== undefined)
        collect(value[key], below, stepInto(place, key, value), into, (found) => setOwn(value, key, found));
    }
  }
}

async function loadSpots(
  spots: readonly Spot[],
  owner: ModelDefinition,
  node: LinkNode,
  loading: Loading,
): Promise<void> {
  const byModel = new Map<LinkedModel, Spot[]>();
  for (const spot of spots) {
    const model = boundLike(knownModelIn(spot.target, spot.stored, undefined), owner);
    const list = byModel.get(model);
    if (list === undefined) byModel.set(model, [spot]);
    else list.push(spot);
  }
  for (const [model, list] of byModel) {
    const found = await leanTargets(model, list, node, loading);
    await loadLean([...found.values()], model.prototype[definitionKey], node, loading);
    for (const { id, put } of list) put(found.get(keyOf(id)) ?? null);
  }
}

/** Puts lists of plain objects under the name of back references. */
async function loadLeanBacks(
  objects: readonly object[],
  name: string,
  definition: ModelDefinition,
  link: BackLink,
  node: LinkNode,
  loading: Loading,
): Promise<void> {
  const { source, field, stored } = link;
  const other = source.prototype[definitionKey];
  for (let from = 0; from < objects.length; from += CHUNK) {
    const chunk = objects.slice(from, from + CHUNK);
    const ids = chunk.map(idOf);
    const ranks = node.range && (await rankedIds(definition, link, ids, node.range, loading.options));
    const filter = ranks === null ? amongIds(field, ids.flatMap(stored)) : amongIds('_id', [...ranks.values()].flat());
    const found = await askedLean(source.find(filter, loading.options), node);
    const lists = ranks === null ? byTargets(found, other, field) : null;
    const order = new Map(found.map((each) => [keyOf(idOf(each)), each]));
    for (const object of chunk) {
      const key = keyOf(idOf(object));
      const list =
        lists === null
          ? ranks?.get(key)?.flatMap((id) => order.get(keyOf(id)) ?? [])
          : stored(idOf(object)).flatMap((each) => lists.get(keyOf(each)) ?? []);
      setOwn(object, name, list ?? []);
    }
    await loadLean(found, other, node, loading);
  }
}

/** Plain objects by what they have stored at a path. */
function byTargets(objects: readonly object[], definition: ModelDefinition, path: string): Map<string, object[]> {
  const [name = '', ...names] = path.split('.');
  const { root, leaf } = nodesOf(names);
  const place = definition.fields.get(definition.storedPath(name))?.place;
  const lists = new Map<string, object[]>();
  for (const object of objects as readonly Record<string, unknown>[]) {
    const found = new Map<LinkNode, Spot[]>();
    collect(object[name], root, place, found, () => {});
    for (const key of new Set(found.get(leaf)?.map((spot) => keyOf(spot.stored)))) {
      const list = lists.get(key);
      if (list === undefined) lists.set(key, [object]);
      else list.push(object);
    }
  }
  return lists;
}

function idOf(object: object): unknown {
  return (object as { readonly _id?: unknown })._id;
}

async function askedLean(targets: Targets, { ask }: LinkNode): Promise<readonly object[]> {
  return ((ask === null ? targets : ask(targets)) as unknown as LeanTargets).lean();
}

/** Finds each object once: the same one stands wherever its id did. */
async function leanTargets(
  model: LinkedModel,
  spots: readonly Spot[],
  node: LinkNode,
  loading: Loading,
): Promise<Map<string, object>> {
  const ids = [...new Map(spots.map(({ id }) => [keyOf(id), id])).values()];
  const found = new Map<string, object>();
  for (let from = 0; from < ids.length; from += CHUNK) {
    const targets = model.find(amongIds('_id', ids.slice(from, from + CHUNK)), loading.options);
    for (const object of await askedLean(targets, node)) found.set(keyOf(idOf(object)), object);
  }
  return found;
}

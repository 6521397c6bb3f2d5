import { currentAttempt } from '../connection/transaction-attempt.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import type { Place } from '../schema/schema-shape.ts';
import { fittingShapes, stepInto } from '../schema/structure.ts';
import { definitionOf, fieldOf, type Linked, type LinkedModel } from './linked.ts';
import type { LinkNode } from './link-tree.ts';
import { loadTargets } from './load.ts';
import { Reference } from './reference.ts';

/** How a tree is loaded. */
export interface Loading {
  /** True where the documents are shown by JSON, since a query was asked for them. */
  readonly isShown: boolean;
  /** Options of the query that goes first, which hold for those after it, too. */
  readonly options?: { readonly session?: object | undefined };
}

/** Loads what these documents refer to at the paths of a tree: one query for each model and path, in chunks. */
export async function loadTree(documents: readonly Linked[], tree: LinkNode, loading: Loading): Promise<void> {
  const [first] = documents;
  if (first === undefined) return;
  const tasks = [...tree.members].map(
    ([name, node]) =>
      () =>
        loadField(documents, definitionOf(first), name, node, loading),
  );
  await eachOf(tasks, loading);
}

/** A session takes one command at a time. */
async function eachOf(tasks: readonly (() => Promise<void>)[], { options }: Loading): Promise<void> {
  if (currentAttempt() === undefined && options?.session === undefined) {
    await Promise.all(tasks.map((task) => task()));
    return;
  }
  for (const task of tasks) await task();
}

async function loadField(
  documents: readonly Linked[],
  definition: ModelDefinition,
  name: string,
  node: LinkNode,
  loading: Loading,
): Promise<void> {
  const place = definition.fields.get(definition.storedPath(name))?.place;
  const found = new Map<LinkNode, Reference[]>();
  for (const document of documents) collect(fieldOf(document, name), node, place, found);
  const tasks = [...found].map(
    ([at, references]) =>
      () =>
        loadReferences(references, at, loading),
  );
  await eachOf(tasks, loading);
}

/** The references at a node, and at those inside of it; arrays and records are passed. */
function collect(value: unknown, node: LinkNode, place: Place | undefined, into: Map<LinkNode, Reference[]>): void {
  if (value instanceof Reference) {
    const list = into.get(node);
    if (list === undefined) into.set(node, [value]);
    else list.push(value);
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) collect(value[i], node, stepInto(place, i, value), into);
  } else if (value instanceof Map) {
    for (const [key, member] of value as Map<string, unknown>) collect(member, node, stepInto(place, key, value), into);
  } else if (isPlainObject(value)) {
    const isRecord = fittingShapes(place, value).some(({ type }) => type === 'record');
    for (const key of isRecord ? Object.keys(value) : node.members.keys()) {
      const below = isRecord ? node : node.members.get(key);
      if (below !== undefined) collect(value[key], below, stepInto(place, key, value), into);
    }
  }
}

async function loadReferences(references: readonly Reference[], node: LinkNode, loading: Loading): Promise<void> {
  const byModel = new Map<LinkedModel, Reference[]>();
  for (const reference of references) {
    if (loading.isShown) reference.isShown = true;
    if (reference.$isLoaded) continue;
    const { model } = reference;
    const list = byModel.get(model);
    if (list === undefined) byModel.set(model, [reference]);
    else list.push(reference);
  }
  const tasks = [...byModel].map(
    ([model, list]) =>
      () =>
        loadTargets(model, list, { ask: node.ask, options: loading.options }),
  );
  await eachOf(tasks, loading);
  if (node.members.size === 0) return;
  const byDefinition = new Map<ModelDefinition, Set<Linked>>();
  for (const { $doc } of references) {
    if ($doc === null) continue;
    const definition = definitionOf($doc);
    byDefinition.set(definition, (byDefinition.get(definition) ?? new Set()).add($doc));
  }
  await eachOf(
    [...byDefinition.values()].map((set) => () => loadTree([...set], node, loading)),
    loading,
  );
}

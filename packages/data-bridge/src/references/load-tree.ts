import { currentAttempt } from '../connection/transaction-attempt.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { loadBacks, loadedBacks } from './back-reference.ts';
import { collectIn } from './collect.ts';
import { definitionOf, type Linked, type LinkedModel } from './linked.ts';
import type { LinkNode } from './link-tree.ts';
import { loadTargets } from './load-targets.ts';
import type { Reference } from './reference.ts';

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
  if (definition.backRefs.has(name)) {
    await loadBacks(documents, name, { ...node, ...loading });
    const found = new Set(documents.flatMap((each) => loadedBacks(each, name) ?? []));
    if (node.members.size > 0) await loadEach(found, node, loading);
    return;
  }
  const found = new Map<LinkNode, Reference[]>();
  for (const document of documents) collectIn(document, name, node, found);
  const tasks = [...found].map(
    ([at, references]) =>
      () =>
        loadReferences(references, at, loading),
  );
  await eachOf(tasks, loading);
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
  const documents = new Set<Linked>();
  for (const { $doc } of references) if ($doc !== null) documents.add($doc);
  await loadEach(documents, node, loading);
}

/** Documents of several models: those of one hierarchy together. */
async function loadEach(documents: ReadonlySet<Linked>, node: LinkNode, loading: Loading): Promise<void> {
  const byModel = new Map<unknown, Linked[]>();
  for (const each of documents) {
    const model = definitionOf(each).kin.root;
    const list = byModel.get(model);
    if (list === undefined) byModel.set(model, [each]);
    else list.push(each);
  }
  await eachOf(
    [...byModel.values()].map((list) => () => loadTree(list, node, loading)),
    loading,
  );
}

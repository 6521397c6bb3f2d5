import type { BSON } from 'mongodb';
import { typeName } from '../schema/bson-types.ts';
import { addPath, newNode } from '../references/link-tree.ts';
import type { Linked, Targets } from '../references/linked.ts';
import { loadLean } from '../references/load-lean.ts';
import { loadTree } from '../references/load-tree.ts';
import { Selection } from '../tracking/selection.ts';
import { type QuerySpec, refuse } from './query-spec.ts';

/** Options of a query that hold for what its documents refer to. */
const SHARED = ['session', 'readPreference', 'readConcern', 'signal', 'comment'] as const;

/**
 * The same query, of documents with what the references at these paths refer to.
 *
 * @param ask what the program makes of the query for what the last reference refers to.
 * @throws UsageError for a path that leads to no reference, and where the query leaves the reference out.
 */
export function withLinks(
  spec: QuerySpec<unknown>,
  paths: readonly unknown[],
  ask: ((targets: Targets) => Targets) | null,
): QuerySpec<unknown> {
  const { definition, finish, isLean } = spec;
  if (spec.isMapped) refuse(spec, 'with() comes before map(), whose function gets what was loaded.');
  if (paths.length === 0) refuse(spec, 'with() takes the paths of references, got none.');
  const tree = newNode();
  const added = paths.map((path) => addPath(tree, definition, path, 'with'));
  if (ask !== null) {
    for (const { node, models } of added) {
      node.ask = ask;
      // A mistake in what is asked is told here, not when there are documents.
      for (const model of models) ask(model.find({}));
    }
  }
  const links = async (documents: readonly unknown[], options: BSON.Document): Promise<readonly unknown[]> => {
    const all = finish === null ? documents : await finish(documents, options);
    const shared = SHARED.filter((name) => options[name] !== undefined).map((name) => [name, options[name]] as const);
    const loading = { isShown: true, options: Object.fromEntries(shared) };
    if (isLean) await loadLean(all as readonly object[], definition, tree, loading);
    else await loadTree(all as readonly Linked[], tree, loading);
    return all;
  };
  const selection = selectionWith(
    spec,
    added.map(({ first }) => first),
  );
  return { ...spec, selection, finish: links, isLinked: true };
}

/** What is loaded of the documents: the references that were named, too. */
function selectionWith(spec: QuerySpec<unknown>, references: readonly string[]): Selection | null {
  const { selection, definition } = spec;
  if (selection === null) return null;
  if (selection.isOnly) return Selection.of([...selection.paths, ...references]).withId(selection.hasId);
  const missing = references.find((path) => selection.at(path.split('.')) !== 'whole');
  if (missing !== undefined)
    refuse(spec, `with("${definition.programPath(missing.split('.'))}") needs what omit() leaves out.`);
  return selection;
}

/** What each method of a query would do to one that finds what many documents refer to. */
const WHY_NOT =
  'one query finds what all documents refer to, so it can have neither sort(), skip() nor limit(), and gives documents: no lean(), no map()';

/** @throws UsageError for a query for what is referred to that is not for all of it. */
export function checkAsked(asked: QuerySpec<unknown> | null, targets: QuerySpec<unknown>, given: unknown): void {
  if (asked === null)
    refuse(
      targets,
      `The function of with() gives the query that it was given, asked more closely; got ${typeName(given)}.`,
    );
  if (asked.definition !== targets.definition || asked.filter !== targets.filter)
    refuse(targets, 'The function of with() gives the query that it was given, asked more closely; got another query.');
  const { sort, skip, limit } = asked.options;
  if (sort !== undefined || skip || limit || asked.isLean || asked.isMapped)
    refuse(targets, `In the function of with() ${WHY_NOT}.`);
  if (asked.selection?.hasId === false) refuse(targets, 'In the function of with() omit() cannot leave out the _id.');
}

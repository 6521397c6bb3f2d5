import type { BSON } from 'mongodb';
import { typeName } from '../schema/bson-types.ts';
import { addPath, newNode, type Range } from '../references/link-tree.ts';
import type { Linked, Targets } from '../references/linked.ts';
import { loadLean } from '../references/load-lean.ts';
import { loadTree } from '../references/load-tree.ts';
import { Selection } from '../tracking/selection.ts';
import { type QuerySpec, refuse } from './query-spec.ts';

/** A query for what is referred to, as the program asked it, and the part of it that each document gets; null for all. */
export interface Asked {
  readonly targets: Targets;
  readonly range: Range | null;
}

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
  ask: ((targets: Targets, back: string | null) => Asked) | null,
): QuerySpec<unknown> {
  const { definition, finish, isLean } = spec;
  if (spec.isMapped) refuse(spec, 'with() comes before map(), whose function gets what was loaded.');
  if (paths.length === 0) refuse(spec, 'with() takes the paths of references, got none.');
  if (ask !== null && paths.length > 1) refuse(spec, 'with() takes one path and a function, or paths alone.');
  const tree = newNode();
  const added = paths.map((path) => addPath(tree, definition, path, 'with'));
  if (ask !== null) {
    for (const { node, models, back } of added) {
      node.ask = (targets) => ask(targets, back).targets;
      // A mistake in what is asked is told here, not when there are documents.
      for (const model of models) node.range = ask(model.find({}), back).range;
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

/**
 * A query for what is referred to, as the program asked it, and the part of it that each document gets.
 *
 * @param given what the function of the program gave; `asked` is null where that is no query.
 * @param back the field that refers back; null where references are followed.
 * @throws UsageError for a query that is not for all of what is referred to.
 */
export function askedMore(
  asked: QuerySpec<unknown> | null,
  targets: QuerySpec<unknown>,
  given: unknown,
  back: string | null,
): { readonly asked: QuerySpec<unknown>; readonly range: Range | null } {
  const wrong = (text: string): never => refuse(targets, `In the function of with() ${text}.`);
  if (asked === null || asked.definition !== targets.definition || asked.filter !== targets.filter) {
    const got = asked === null ? typeName(given) : 'another query';
    return wrong(`the query that is given is asked more closely, and that is returned; got ${got}`);
  }
  const { sort, skip, limit, collation } = asked.options;
  if (asked.isLean || asked.isMapped) wrong('a query gives documents: no lean(), no map()');
  if (asked.selection?.hasId === false) wrong('omit() cannot leave out the _id');
  if (back === null) {
    if (sort !== undefined || skip || limit)
      wrong('one query finds what all documents refer to: no sort(), skip() or limit()');
    return { asked, range: null };
  }
  // By the field that refers back is known what belongs to which document.
  const selection = selectionWith(asked, [asked.definition.storedPath(back)]);
  if (!skip && !limit) return { asked: { ...asked, selection }, range: null };
  const order = sort as ReadonlyMap<string, unknown> | undefined;
  if ([...(order?.values() ?? [])].some((direction) => typeof direction === 'object'))
    wrong('a range cannot follow the score of a text search');
  const { sort: _sort, skip: _skip, limit: _limit, ...options } = asked.options;
  return {
    asked: { ...asked, selection, options },
    range: { sort: order, skip, limit, collation, unscoped: asked.unscoped },
  };
}

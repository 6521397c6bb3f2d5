import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import type { Unscoped } from '../definition/extension.ts';
import { UsageError } from '../errors.ts';
import type { Place } from '../schema/schema-shape.ts';
import { membersAt, pathsToReferences, targetsAt } from '../schema/references-in.ts';
import { typeName } from '../schema/bson-types.ts';
import { backLinkOf } from './back-link.ts';
import { boundLike } from '../definition/bound-like.ts';
import type { LinkedModel, Targets } from './linked.ts';

/** The references to load below a document, an object or a reference, by the program's names. */
export interface LinkNode {
  readonly members: Map<string, LinkNode>;
  /** Changes the query for what is referred to here, as the program asked. */
  ask: ((targets: Targets) => Targets) | null;
  /** The range of back references that is loaded for each document; null for all of them. */
  range: Range | null;
}

/** A range of documents in an order. */
export interface Range {
  /** By stored paths. */
  readonly sort?: ReadonlyMap<string, unknown> | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly collation?: object | undefined;
  readonly unscoped?: Unscoped | undefined;
}

export function newNode(): LinkNode {
  return { members: new Map(), ask: null, range: null };
}

/** A tree of one path through members. */
export function nodesOf(names: readonly string[]): { readonly root: LinkNode; readonly leaf: LinkNode } {
  const root = newNode();
  return { root, leaf: names.reduce(memberOf, root) };
}

/**
 * Adds a path to what is to be loaded.
 *
 * @param method how errors call what asks for it.
 * @returns the models that it leads to, the field that refers back where it ends with back references, and the stored path of the first reference on it.
 * @throws UsageError for a path that leads to no reference.
 */
export function addPath(
  root: LinkNode,
  definition: ModelDefinition,
  path: unknown,
  method: string,
): {
  readonly node: LinkNode;
  readonly models: readonly LinkedModel[];
  readonly first: string;
  readonly back: string | null;
} {
  if (typeof path !== 'string')
    throw new UsageError(`${method}() takes paths of references, got ${typeName(path)}.`, definition.context);
  let node = root;
  let definitions: readonly ModelDefinition[] = [definition];
  let models: readonly LinkedModel[] = [];
  let first: string | null = null;
  let back: string | null = null;
  /** Inside a field where references are still to come. */
  let places: readonly Place[] | null = null;
  const walked: string[] = [];
  for (const name of path.split('.')) {
    node = memberOf(node, name);
    walked.push(name);
    const owners: readonly ModelDefinition[] = definitions;
    const backs = places === null ? owners.flatMap((each) => backLinkOf(each, name) ?? []) : [];
    back = backs[0]?.field ?? null;
    places = places === null ? fieldsCalled(definitions, name) : places.flatMap((place) => membersAt(place, name));
    models = [...backs.map(({ source }) => source), ...places.flatMap((place) => modelsAt(place, owners))];
    if (models.length === 0) continue;
    first ??= back !== null ? '_id' : definition.storedPath(walked.join('.'));
    definitions = models.map((model) => model.prototype[definitionKey]);
    places = null;
  }
  if (places !== null || first === null) refusePath(definition, path, method);
  return { node, models, first, back };
}

function memberOf(node: LinkNode, name: string): LinkNode {
  const known = node.members.get(name) ?? newNode();
  node.members.set(name, known);
  return known;
}

function fieldsCalled(definitions: readonly ModelDefinition[], name: string): Place[] {
  return definitions.flatMap((each) => each.references?.get(each.storedPath(name))?.place ?? []);
}

function modelsAt(place: Place, owners: readonly ModelDefinition[]): LinkedModel[] {
  return targetsAt(place).flatMap((target) =>
    owners.flatMap((owner) => target.models().map((model) => boundLike(model as LinkedModel, owner))),
  );
}

function refusePath(definition: ModelDefinition, path: string, method: string): never {
  const inFields = [...(definition.references?.values() ?? [])].flatMap(({ place, programName }) =>
    pathsToReferences(place, programName),
  );
  const known = [...inFields, ...definition.backRefs.keys()];
  const there = known.length === 0 ? 'it has none' : `there are ${known.map((each) => `"${each}"`).join(', ')}`;
  throw new UsageError(
    `${method}() takes paths of references, and "${path}" leads to none: ${there}.`,
    definition.context,
  );
}

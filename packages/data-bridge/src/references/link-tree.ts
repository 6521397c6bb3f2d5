import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import type { Place } from '../schema/schema-shape.ts';
import { membersAt, pathsToReferences, targetsAt } from '../schema/references-in.ts';
import { typeName } from '../schema/bson-types.ts';
import { boundLike, type LinkedModel, type Targets } from './linked.ts';

/** What is to be loaded below a document, an object or a reference, by the program's names. */
export interface LinkNode {
  readonly members: Map<string, LinkNode>;
  /** What the program makes of the query for what is referred to here. */
  ask: ((targets: Targets) => Targets) | null;
}

export function newNode(): LinkNode {
  return { members: new Map(), ask: null };
}

/**
 * Adds a path to what is to be loaded.
 *
 * @param method how errors call what asks for it.
 * @returns the models that it leads to, and the stored path of the first reference on it.
 * @throws UsageError for a path that leads to no reference.
 */
export function addPath(
  root: LinkNode,
  definition: ModelDefinition,
  path: unknown,
  method: string,
): { readonly node: LinkNode; readonly models: readonly LinkedModel[]; readonly first: string } {
  if (typeof path !== 'string')
    throw new UsageError(`${method}() takes paths of references, got ${typeName(path)}.`, definition.context);
  let node = root;
  let definitions: readonly ModelDefinition[] = [definition];
  let models: readonly LinkedModel[] = [];
  let first: string | null = null;
  /** Inside a field where references are still to come. */
  let places: readonly Place[] | null = null;
  const walked: string[] = [];
  for (const name of path.split('.')) {
    node = memberOf(node, name);
    walked.push(name);
    places = places === null ? fieldsCalled(definitions, name) : places.flatMap((place) => membersAt(place, name));
    const owners: readonly ModelDefinition[] = definitions;
    models = places.flatMap((place) => modelsAt(place, owners));
    if (models.length === 0) continue;
    first ??= definition.storedPath(walked.join('.'));
    definitions = models.map((model) => model.prototype[definitionKey]);
    places = null;
  }
  if (places !== null || first === null) refusePath(definition, path, method);
  return { node, models, first };
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
  return targetsAt(place).flatMap((target) => owners.map((owner) => boundLike(target.model() as LinkedModel, owner)));
}

function refusePath(definition: ModelDefinition, path: string, method: string): never {
  const known = [...(definition.references?.values() ?? [])].flatMap(({ place, programName }) =>
    pathsToReferences(place, programName),
  );
  const there = known.length === 0 ? 'it has none' : `there are ${known.map((each) => `"${each}"`).join(', ')}`;
  throw new UsageError(
    `${method}() takes paths of references, and "${path}" leads to none: ${there}.`,
    definition.context,
  );
}

import { isPlainObject } from '../bson/plain-object.ts';
import type { Place } from '../schema/schema-shape.ts';
import { fittingShapes, stepInto } from '../schema/structure.ts';
import { definitionOf, fieldOf, type Linked } from './linked.ts';
import { type LinkNode, nodesOf } from './link-tree.ts';
import { Reference } from './reference.ts';

/** Collects the references in a field of a document, by the nodes that lead to them, also through arrays and records. */
export function collectIn(document: Linked, name: string, node: LinkNode, into: Map<LinkNode, Reference[]>): void {
  const definition = definitionOf(document);
  collect(fieldOf(document, name), node, definition.fields.get(definition.storedPath(name))?.place, into);
}

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

/** The references of a document at a path. */
export function referencesAt(document: Linked, path: string): Reference[] {
  const [name = '', ...names] = path.split('.');
  const { root, leaf } = nodesOf(names);
  const found = new Map<LinkNode, Reference[]>();
  collectIn(document, name, root, found);
  return found.get(leaf) ?? [];
}

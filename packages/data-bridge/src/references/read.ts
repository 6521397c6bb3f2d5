import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { isContainerAt, leadsToReference, targetAt } from '../schema/references-in.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import type { Place as SchemaPlace } from '../schema/schema-shape.ts';
import { stepInto } from '../schema/structure.ts';
import type { ReferenceTarget } from '../schema/schema-library.ts';
import { definitionOf, isLinked, type Linked } from './linked.ts';
import { type Place, Reference } from './reference.ts';
import { storedAs } from './targets.ts';

/**
 * The value of a field with references in the place of ids and documents. Containers stay the same ones: to BSON nothing
 * changes in them.
 */
export function withReferences(owner: Linked, field: SchemaField, value: unknown): unknown {
  if (value instanceof Reference) return value.standingAt(targetAt(field.place), { owner, field: field.programName });
  return wrapAt(field.place, value, { owner, field: field.programName });
}

function wrapAt(schema: SchemaPlace | undefined, value: unknown, place: Place): unknown {
  if (value === null || value === undefined || schema === undefined || !leadsToReference(schema)) return value;
  const target = targetAt(schema);
  if (value instanceof Reference) return value.standingAt(target, place);
  if (isLinked(value)) return target === undefined ? value : referenceToDocument(target, place, value);
  if (typeof value === 'object' && (target === undefined || isContainerAt(schema, value))) {
    wrapInside(schema, value, place);
    return value;
  }
  return target === undefined ? value : new Reference(target, value, place);
}

function referenceToDocument(target: ReferenceTarget, place: Place, document: Linked): Reference {
  const { collectionName } = definitionOf(document);
  return new Reference(target, storedAs(target, collectionName, document.$id), place, document);
}

function wrapInside(schema: SchemaPlace, value: object, place: Place): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const wrapped = wrapAt(stepInto(schema, i, value), value[i], place);
      if (wrapped !== value[i]) value[i] = wrapped;
    }
  } else if (value instanceof Map) {
    for (const [key, member] of value as Map<string, unknown>) {
      const wrapped = wrapAt(stepInto(schema, key, value), member, place);
      if (wrapped !== member) value.set(key, wrapped);
    }
  } else if (isPlainObject(value)) {
    for (const key of Object.keys(value)) {
      const member = value[key];
      const wrapped = wrapAt(stepInto(schema, key, value), member, place);
      if (wrapped !== member) setOwn(value, key, wrapped);
    }
  }
}

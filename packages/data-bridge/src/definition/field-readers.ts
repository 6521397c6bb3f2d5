import type { Reader } from '../bson/level.ts';
import type { ShowDefaults } from '../bson/shown-defaults.ts';
import { readerOf } from '../schema/deep-readers.ts';
import { defaultsOf } from '../schema/nested-defaults.ts';
import type { SchemaField } from '../schema/schema-field.ts';

/** By stored name what makes of a decoded value what the program reads, for fields whose schema fixes it. */
export function readersOf(fields: Iterable<SchemaField>): Map<string, Reader> {
  return present(fields, readerOf);
}

/** By stored name what sets the defaults of what a stored value lacks. */
export function shownDefaults(fields: Iterable<SchemaField>): Map<string, ShowDefaults> {
  return present(fields, defaultsOf);
}

function present<T>(fields: Iterable<SchemaField>, of: (place: SchemaField['place']) => T | null): Map<string, T> {
  const found = new Map<string, T>();
  for (const { name, place } of fields) {
    const one = of(place);
    if (one !== null) found.set(name, one);
  }
  return found;
}

import type { Collection } from '../catalog/collection.ts';
import { fromEjson } from '../extended-json/reader.ts';
import { toEjson } from '../extended-json/writer.ts';
import { type Document, documentOf, isArray, isDocument, type Value } from '../values/value.ts';

/** A line of an exported file: a collection, or a document of one. */
export type Line = CollectionLine | DocumentLine;

export interface CollectionLine {
  readonly database: string;
  readonly name: string;
  /** As `create` takes them. */
  readonly options: Document;
  /** As `createIndexes` takes them; without that on `_id`. */
  readonly indexes: readonly Document[];
}

export interface DocumentLine {
  readonly database: string;
  readonly name: string;
  readonly document: Document;
}

/** A collection without its documents, as `{"ns": …, "options": …, "indexes": […]}`. */
export function collectionLine({ namespace, options, indexes }: Collection): string {
  const specifications = Array.from(indexes, ({ definition }) => definition.specification);
  return `${toEjson(documentOf(['ns', namespace], ['options', options], ['indexes', specifications]))}\n`;
}

/** A document, as `{"ns": …, "document": …}`. */
export function documentLine({ namespace }: Collection, document: Document): string {
  return `${toEjson(documentOf(['ns', namespace], ['document', document]))}\n`;
}

/** Reads what the other two have written. Throws an `Error` that says what is wrong. */
export function readLine(text: string): Line {
  const line = fromEjson(text);
  const [, database, name] = /^([^.]+)\.(.+)$/s.exec(namespaceOf(line)) ?? [];
  if (!isDocument(line) || database === undefined || name === undefined) {
    throw new Error('expected an object whose member "ns" names a database and a collection');
  }
  const document = line.get('document');
  if (line.size === 2 && isDocument(document)) return { database, name, document };
  const options = line.get('options');
  const indexes = line.get('indexes');
  if (line.size === 3 && isDocument(options) && isArray(indexes) && indexes.every(isDocument)) {
    return { database, name, options, indexes };
  }
  throw new Error('expected an object with "ns" and "document", or with "ns", "options" and "indexes"');
}

function namespaceOf(line: Value): string {
  const namespace = isDocument(line) ? line.get('ns') : undefined;
  return typeof namespace === 'string' ? namespace : '';
}

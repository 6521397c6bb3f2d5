// The field at a path through documents, as stages that add one see it.
import { type Document, isDocument, type Value } from '../../values/value.ts';

/** The value at a path; an array on the way ends it. */
export function fieldAt(document: Document, path: readonly string[]): Value | undefined {
  return path.reduce<Value | undefined>((value, name) => (isDocument(value) ? value.get(name) : undefined), document);
}

/** A copy with another value at a path, `undefined` to remove it. What is no document on the way is replaced by one. */
export function withField(
  document: Document,
  [name = '', ...rest]: readonly string[],
  value: Value | undefined,
): Document {
  const copy: Document = new Map(document);
  const inner = document.get(name);
  const replaced = rest.length === 0 ? value : withField(isDocument(inner) ? inner : new Map(), rest, value);
  if (replaced === undefined) copy.delete(name);
  else copy.set(name, replaced);
  return copy;
}

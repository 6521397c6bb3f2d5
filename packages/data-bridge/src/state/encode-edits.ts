import { encodeDocument } from '../bson/encode.ts';
import { elementsOf } from '../bson/splice.ts';
import type { EditTree } from './edits.ts';

/** The elements that a tree sent, by name; null for those that it removed. */
export function encodeEdits(tree: EditTree): Map<string, Uint8Array | null> {
  const values = new Map<string, unknown>();
  const elements = new Map<string, Uint8Array | null>();
  for (const [name, edit] of tree.children) {
    if (edit.kind === 'delete') elements.set(name, null);
    else values.set(name, edit.value);
  }
  // One call encodes all values; a call for each would cost several times as much.
  const encoded = elementsOf(encodeDocument(values));
  for (const [i, name] of [...values.keys()].entries()) elements.set(name, encoded[i] as Uint8Array);
  return elements;
}

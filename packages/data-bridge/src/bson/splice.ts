import { nameEnd, terminator, valueEnd } from './bytes.ts';
import type { Layout } from './layout.ts';
import { locate } from './locate.ts';

/** The elements of an encoded document (type, name, value each), in its order. */
export function elementsOf(document: Uint8Array): Uint8Array[] {
  const limit = terminator(document, 0, 0, document.length);
  const elements: Uint8Array[] = [];
  for (let at = 4; at < limit;) {
    const end = valueEnd(document, 0, document[at] as number, nameEnd(document, 0, at + 1, limit) + 1, limit);
    elements.push(document.subarray(at, end));
    at = end;
  }
  return elements;
}

/**
 * A document's bytes with some top-level elements replaced, left out (`null`) or added at the end. The others are copied
 * as they are, whole runs at once.
 *
 * @param elements encoded elements (type, name, value) by name.
 */
export function splice(
  layout: Layout,
  bytes: Uint8Array,
  start: number,
  elements: ReadonlyMap<string, Uint8Array | null>,
): Uint8Array {
  const limit = terminator(bytes, start, start, bytes.length);
  const replaced: { readonly at: number; readonly element: Uint8Array | null }[] = [];
  const added: Uint8Array[] = [];
  for (const [name, element] of elements) {
    const at = locate(layout, bytes, start, layout.field(name));
    if (at >= 0) replaced.push({ at, element });
    else if (element !== null) added.push(element);
  }
  replaced.sort((a, b) => a.at - b.at);
  const parts: Uint8Array[] = [];
  let from = start + 4;
  for (const { at, element } of replaced) {
    parts.push(bytes.subarray(from, at));
    if (element !== null) parts.push(element);
    from = valueEnd(bytes, start, bytes[at] as number, nameEnd(bytes, start, at + 1, limit) + 1, limit);
  }
  parts.push(bytes.subarray(from, limit), ...added);
  return join(parts);
}

function join(elements: readonly Uint8Array[]): Uint8Array {
  const size = elements.reduce((sum, element) => sum + element.length, 5);
  const document = Buffer.allocUnsafeSlow(size);
  document.writeInt32LE(size, 0);
  let at = 4;
  for (const element of elements) {
    document.set(element, at);
    at += element.length;
  }
  document[at] = 0;
  return document;
}

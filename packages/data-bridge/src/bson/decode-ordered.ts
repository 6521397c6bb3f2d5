import { nameEnd, terminator, valueEnd } from './bytes.ts';
import { isPlainObject } from './plain-object.ts';
import { decodeExactValue } from './decode.ts';
import { utf8 } from './text.ts';

/**
 * A stored element's value as `decodeExact` gives it, but objects as Maps: JavaScript moves keys such as '2' and '1' of
 * its own objects, and to the server `{ 2: …, 1: … }` and `{ 1: …, 2: … }` are different values.
 *
 * @param at the offset of the element.
 */
export function decodeOrdered(bytes: Uint8Array, start: number, at: number): unknown {
  const limit = terminator(bytes, start, start, bytes.length);
  return decodeValue(bytes, start, bytes[at] as number, nameEnd(bytes, start, at + 1, limit) + 1, limit);
}

/** Names and values from `at` to `limit`. */
function decodeElements(bytes: Uint8Array, start: number, at: number, limit: number): [string, unknown][] {
  const elements: [string, unknown][] = [];
  for (let here = at; here < limit;) {
    const end = nameEnd(bytes, start, here + 1, limit);
    const type = bytes[here] as number;
    elements.push([utf8(bytes, start, here + 1, end), decodeValue(bytes, start, type, end + 1, limit)]);
    here = valueEnd(bytes, start, type, end + 1, limit);
  }
  return elements;
}

function decodeValue(bytes: Uint8Array, start: number, type: number, from: number, limit: number): unknown {
  const value = decodeExactValue(bytes, start, type, from, limit);
  // A DBRef is an object of a class, and keeps its order.
  if (!Array.isArray(value) && !isPlainObject(value)) return value;
  const members = decodeElements(bytes, start, from + 4, terminator(bytes, start, from, limit));
  return Array.isArray(value) ? members.map(([, member]) => member) : new Map(members);
}

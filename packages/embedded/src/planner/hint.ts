import { toSafeInteger } from '../values/number.ts';
import { equals } from '../values/order.ts';
import { show } from '../values/text.ts';
import { type Document, isDocument, type Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { type ScannableIndex, SecondaryIndex } from '../storage/secondary-index.ts';

/** What a client says of the way to the documents: by an index, or in natural order. */
export type Hint =
  | { readonly kind: 'natural'; readonly backwards: boolean; readonly index?: undefined }
  | { readonly kind: 'index'; readonly index: ScannableIndex };

/** Reads the option `hint`, or takes the server's own, which may be hidden. Throws 2 for an index that is not there. */
export function hintOf(collection: Collection, hint: Value | SecondaryIndex | undefined): Hint | undefined {
  if (hint instanceof SecondaryIndex) return { kind: 'index', index: hint };
  if (hint === undefined || (isDocument(hint) && hint.size === 0)) return undefined;
  if (isDocument(hint) && hint.has('$natural')) return { kind: 'natural', backwards: isBackwards(hint) };
  for (const index of [collection.ids, ...collection.indexes]) {
    if (!index.definition.hidden && isHint(hint, index)) return { kind: 'index', index };
  }
  throw new ServerError(
    2,
    `error processing query: ns=${collection.namespace} planner returned error :: caused by :: ` +
      'hint provided does not correspond to an existing index',
  );
}

/** True where a `{$natural: n}` asks for the last document first. */
export function isBackwards(natural: Document): boolean {
  const direction = toSafeInteger(natural.get('$natural'));
  if ((direction === 1 || direction === -1) && natural.size === 1) return direction === -1;
  throw new ServerError(2, `$natural must be 1 or -1 and stand alone, not ${show(natural)}`);
}

function isHint(hint: Value, { definition }: ScannableIndex): boolean {
  if (typeof hint === 'string') return hint === definition.name;
  // Key order is part of an index, and `equals` minds it.
  return isDocument(hint) && equals(hint, definition.pattern);
}

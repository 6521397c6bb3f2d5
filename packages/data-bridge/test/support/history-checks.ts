import { isDeepStrictEqual } from 'node:util';
import type { BSON, Db } from 'mongodb';
import { ABSENT } from '../../src/bson/encode.ts';
import { replacedAt } from '../../src/edits/stored-changes.ts';
import { canonical } from './laws-canonical.ts';

/** An entry as the driver reads it. */
interface Entry {
  readonly _id: { readonly doc: unknown; readonly rev: number };
  readonly kind: string;
  readonly why?: string;
  readonly changes: readonly { readonly keys: (string | number)[]; readonly from?: unknown; readonly to?: unknown }[];
}

/**
 * Follows a document's entries from the first to the last: the revisions have no gap, each change begins where the one
 * before ended, and the last leaves what is stored.
 *
 * @returns the reasons of the entries.
 */
export async function checkHistory(db: Db, collection: string, id: unknown): Promise<(string | undefined)[]> {
  const filter = { '_id.doc': id } as BSON.Document;
  const entries = await db.collection<Entry>(`${collection}_history`).find(filter).sort({ _id: 1 }).toArray();
  let fields: unknown = {};
  let isThere = false;
  for (const [i, { _id, kind, changes }] of entries.entries()) {
    const place = `revision ${_id.rev} of ${String(id)}, ${kind}`;
    if (_id.rev !== i + 1) throw new Error(`There is a gap before ${place}`);
    if (isThere === (kind === 'insert')) throw new Error(`Out of order: ${place}`);
    isThere = kind !== 'delete';
    for (const { keys, from } of changes)
      if (!isDeepStrictEqual(canonical(valueAt(fields, keys)), canonical(from)))
        throw new Error(`${keys.join('.')} does not begin where it was: ${place}`);
    for (const { keys, ...change } of changes) fields = replacedAt(fields, keys, 'to' in change ? change.to : ABSENT);
    if (kind === 'delete' && Object.keys(fields as object).length > 0) throw new Error(`Something is left: ${place}`);
  }
  const stored = await db.collection(collection).findOne({ _id: id } as BSON.Document);
  if (isThere !== (stored !== null)) throw new Error(`The document ${String(id)} is ${isThere ? 'gone' : 'there'}`);
  const { _id, _rev, _revId, ...rest }: BSON.Document = stored ?? { _rev: entries.length };
  if (_rev !== entries.length)
    throw new Error(`The document ${String(id)} is at ${_rev}, its history at ${entries.length}`);
  if (canonical(rest) !== canonical(fields)) throw new Error(`The history of ${String(id)} leaves other fields`);
  return entries.map(({ why }) => why);
}

function valueAt(value: unknown, keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>((outer, key) => (outer as Record<string | number, unknown> | undefined)?.[key], value);
}

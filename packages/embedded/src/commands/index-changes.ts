// What `collMod` changes of an index that is there.
// https://www.mongodb.com/docs/manual/reference/command/collMod/#change-index-properties
import type { Collection } from '../catalog/collection.ts';
import { ServerError } from '../errors.ts';
import { Fields } from '../messages/fields.ts';
import { documentOf } from '../messages/reply.ts';
import { ID_INDEX } from '../storage/id-index.ts';
import type { IndexDefinition, SecondaryIndex } from '../storage/secondary-index.ts';
import { decode } from '../values/bson.ts';
import { integer } from '../values/number.ts';
import { equals } from '../values/order.ts';
import { show } from '../values/text.ts';
import type { StoredRecord } from '../storage/storage.ts';
import type { Document, Value } from '../values/value.ts';
import { indexDefinition } from './index-definition.ts';

const CHANGEABLE = ['expireAfterSeconds', 'hidden', 'prepareUnique', 'unique'];
const KNOWN = new Set(['name', 'keyPattern', ...CHANGEABLE]);

/** A change that has been checked, and what is answered to it. */
export interface IndexChange {
  readonly index: SecondaryIndex;
  readonly definition: IndexDefinition;
  readonly reply: Document;
}

/** What is told of a change. */
type Changed = Readonly<Record<string, Value | undefined>>;

/**
 * Reads the option `index` of `collMod` and checks it against what is there. Changes nothing. `dryRun` asks only whether
 * an index could become unique. Throws 359, with the documents that are in the way, where it could not.
 */
export function indexChange(collection: Collection, option: Document, dryRun: boolean): IndexChange | undefined {
  const fields = new Fields('collMod.index', option);
  fields.check(KNOWN);
  const index = wantedIndex(collection, fields);
  if (CHANGEABLE.every((name) => fields.value(name) === undefined)) {
    throw new ServerError(72, 'no expireAfterSeconds, hidden, unique, or prepareUnique field');
  }
  if (dryRun && CHANGEABLE.some((name) => (fields.value(name) === undefined) === (name === 'unique'))) {
    throw new ServerError(72, 'dryRun can only be used with the index option unique, and with no other');
  }
  if (index === undefined) return refuseOfId(fields);
  const before = index.definition;
  const after: Document = new Map(before.specification);
  const reply = {
    ...changeExpiry(fields, before, after),
    ...changeFlag('hidden', before.hidden, fields, after),
    ...(before.unique ? {} : changeFlag('prepareUnique', before.prepareUnique, fields, after)),
    ...changeUnique(fields, collection, index, after, dryRun),
  };
  return { index, definition: indexDefinition(after), reply: documentOf(reply) };
}

/** The index that is named or described by its key; undefined for that on `_id`. */
function wantedIndex(collection: Collection, fields: Fields): SecondaryIndex | undefined {
  const name = fields.string('name');
  const pattern = fields.document('keyPattern');
  if (name !== undefined && pattern !== undefined) {
    throw new ServerError(72, 'Cannot specify both key pattern and name.');
  }
  const { namespace } = collection;
  if (name !== undefined) {
    const named = collection.index(name);
    if (named !== undefined || name === '_id_') return named;
    throw new ServerError(27, `cannot find index ${name} for ns ${namespace}`);
  }
  if (pattern === undefined) throw new ServerError(72, 'Must specify either index name or key pattern.');
  if (equals(pattern, ID_INDEX.get('key'))) return undefined;
  const found = [...collection.indexes].filter(({ definition }) => equals(definition.pattern, pattern));
  if (found.length === 0) throw new ServerError(27, `cannot find index ${show(pattern)} for ns ${namespace}`);
  if (found.length === 1) return found[0];
  const names = found.map(({ definition }) => definition.name).join(', ');
  throw new ServerError(
    181,
    `index keyPattern ${show(pattern)} matches ${found.length} indexes, must use index name. Conflicting indexes: ${names}`,
  );
}

/** The index on `_id` is always there, unique and visible. Throws for anything else. */
function refuseOfId(fields: Fields): undefined {
  if (fields.value('expireAfterSeconds') !== undefined) {
    throw new ServerError(72, 'the _id field does not support TTL indexes');
  }
  if (fields.value('hidden') !== undefined) throw new ServerError(2, "can't hide _id index");
  return undefined;
}

/** Seconds beyond this are never over. */
const MAX_EXPIRY = 2 ** 31 - 1;

function changeExpiry(fields: Fields, { pattern, expireAfter }: IndexDefinition, after: Document): Changed {
  const seconds = fields.integer('expireAfterSeconds');
  if (seconds === undefined) return {};
  if (Number.isNaN(seconds) || seconds < 0 || seconds > MAX_EXPIRY) {
    throw new ServerError(72, `TTL index 'expireAfterSeconds' option must be within the range 0 to ${MAX_EXPIRY}`);
  }
  if (pattern.size > 1) {
    throw new ServerError(72, 'TTL indexes are single-field indexes, compound indexes do not support TTL');
  }
  after.set('expireAfterSeconds', integer(seconds));
  return {
    expireAfterSeconds_old: expireAfter === undefined ? undefined : integer(expireAfter),
    expireAfterSeconds_new: integer(seconds),
  };
}

/** Setting what is so already changes nothing, and nothing is told of it. */
function changeFlag(name: 'hidden' | 'prepareUnique', before: boolean, fields: Fields, after: Document): Changed {
  if (fields.value(name) === undefined || fields.boolean(name) === before) return {};
  after.set(name, !before);
  return { [`${name}_old`]: before, [`${name}_new`]: !before };
}

function changeUnique(
  fields: Fields,
  collection: Collection,
  index: SecondaryIndex,
  after: Document,
  dryRun: boolean,
): Changed {
  if (fields.value('unique') === undefined) return {};
  if (!fields.boolean('unique')) throw new ServerError(2, 'collMod does not support making an index not unique');
  if (index.definition.unique) return {};
  if (!dryRun && !index.definition.prepareUnique) {
    throw new ServerError(72, 'Cannot make index unique before it was prepared by prepareUnique: true');
  }
  const violations = [...duplicates(collection, index)].map((ids) => documentOf({ ids }));
  if (violations.length > 0) {
    throw new ServerError(
      359,
      'Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.',
      { violations },
    );
  }
  after.delete('prepareUnique');
  after.set('unique', true);
  return { unique_new: true };
}

/** The `_id`s of documents that share a key of an index, a list for each such key. */
function* duplicates({ records }: Collection, index: SecondaryIndex): Generator<Value[]> {
  const idOf = ({ bytes }: StoredRecord): Value => decode(bytes).get('_id') ?? null;
  for (const record of records.records()) {
    for (const owners of index.sharing(decode(record.bytes))) {
      // Each list is given once, for the first of its documents.
      if (owners[0] === record.id) yield owners.flatMap((id) => records.get(id) ?? []).map(idOf);
    }
  }
}

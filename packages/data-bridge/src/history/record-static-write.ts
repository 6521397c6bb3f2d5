import {
  BSON,
  type FindOneAndDeleteOptions,
  type FindOneAndReplaceOptions,
  type FindOneAndUpdateOptions,
  type FindOptions,
  MongoServerError,
} from 'mongodb';
import { ownBytes } from '../bson/arena.ts';
import { ABSENT } from '../bson/encode.ts';
import type { SessionCollection } from '../connection/session-collection.ts';
import { REVISION, REVISION_ID } from '../definition/revision.ts';
import { serverCode } from '../connection/driver-error.ts';
import { HistoryError } from '../errors.ts';
import { givenValue } from '../filter/filter-equality.ts';
import type { BsonBaseline } from '../tracking/bson-baseline.ts';
import { changesBetween, type StoredChange } from '../edits/stored-changes.ts';
import { checkAnswered, type OneWrite, type SentFilter } from '../save/recorder.ts';
import { planEntry } from './entry.ts';
import { beforehand, nextRevision, record, type RecordedModel } from './record.ts';
import { fieldsOf, MAX_TRIES, revisionAfter, sameRevision, storedIn } from './record-save.ts';

/*
 * Writes of the first document that matches a filter, where a history is kept. The document is found first, so that it is
 * known which one is announced; the write then meets it only while nobody else wrote it.
 */

/** What came of it: the document's bytes before and after. */
export interface OneWritten {
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
}

/** Null where no document matches. */
export async function recordStaticWrite(
  definition: RecordedModel,
  filter: SentFilter,
  write: OneWrite,
  { upsert, ...options }: FindOneAndUpdateOptions,
): Promise<OneWritten | null> {
  checkAnswered(definition, options);
  let clash: MongoServerError | null = null;
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const found = await beforehand(definition, options, () =>
      definition.collection().findOne(filter, { ...findOptionsOf(options), raw: true }),
    );
    if (found !== null) {
      const before = ownBytes(found as unknown as Uint8Array);
      const written = await recordFound(definition, filter, before, write, options);
      if (written !== null) return written;
    } else if (upsert !== true || write.kind === 'delete') return null;
    else if (clash !== null) throw clash;
    else {
      try {
        return await recordUpsert(definition, filter, write, options);
      } catch (error) {
        // Somebody else inserted it: it is there now, or another document is in the way.
        if (!(error instanceof MongoServerError) || serverCode(error) !== 11000) throw error;
        clash = error;
      }
    }
  }
  const text = 'Other writers changed the document each time before the write reached it: try again.';
  throw new HistoryError(text, { problem: 'contended', ...definition.context });
}

/** The options of the driver that say which document is meant. */
function findOptionsOf(options: FindOneAndUpdateOptions): FindOptions {
  const names = ['sort', 'collation', 'hint', 'session', 'let', 'comment', 'maxTimeMS', 'timeoutMS'] as const;
  return Object.fromEntries(names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]));
}

/** Null where somebody else wrote the document meanwhile. */
async function recordFound(
  definition: RecordedModel,
  filter: object,
  before: Uint8Array,
  write: OneWrite,
  { sort: _sort, hint: _hint, ...options }: FindOneAndUpdateOptions,
): Promise<OneWritten | null> {
  const stored = storedIn(definition, before);
  const fields = storedFields(stored);
  const { rev, prev } = revisionAfter(stored);
  const doc = stored.ordered('_id');
  const values = Object.entries(fields).map(([name, from]): StoredChange => ({ keys: [name], from, to: ABSENT }));
  const known = { doc, base: rev - 1, seen: prev && { id: prev, rev: rev - 1 }, values, isWhole: true };
  const entry = planEntry(write.kind === 'delete' ? 'delete' : 'update');
  const where = { ...filter, _id: doc, ...sameRevision(stored) };
  let after: Uint8Array | null = null;
  const done = await record(definition, entry, known, options, async () => {
    const found = await perform(definition.collection(), where, write, { rev, id: entry.id }, options);
    if (found === null) return null;
    if (write.kind !== 'delete') after = ownBytes(found);
    const now = after === null ? {} : storedFields(storedIn(definition, after));
    return { doc, rev, prev, changes: changesBetween(fields, now, []) };
  });
  return done && { before, after };
}

/** A document that is not there is inserted; the filter asks for a `_revId` that no document has. */
async function recordUpsert(
  definition: RecordedModel,
  filter: SentFilter,
  write: Exclude<OneWrite, { kind: 'delete' }>,
  { sort: _sort, hint: _hint, ...options }: FindOneAndUpdateOptions,
): Promise<OneWritten> {
  const entry = planEntry('insert');
  const given = givenId(filter, write);
  const made = given === ABSENT ? { _id: new BSON.ObjectId() } : {};
  const doc = given === ABSENT ? made._id : given;
  const number = () => nextRevision(definition, doc, options);
  const rev = given === ABSENT ? 1 : await beforehand(definition, options, number);
  const where = { ...filter, ...made, [REVISION_ID]: entry.id };
  const known = { doc, base: 0, seen: null, values: [], isWhole: true };
  let after: Uint8Array | null = null;
  await record(definition, entry, known, options, async () => {
    const found = await perform(
      definition.collection(),
      where,
      write,
      { rev, id: entry.id },
      { ...options, upsert: true },
    );
    if (found === null) return null;
    after = ownBytes(found);
    return { doc, rev, prev: null, changes: changesBetween({}, storedFields(storedIn(definition, after)), []) };
  });
  return { before: null, after };
}

function storedFields(stored: BsonBaseline): object {
  return fieldsOf(stored, stored.names());
}

/** Gives the bytes of the document as it is then, of a deleted one as it was. */
async function perform(
  collection: SessionCollection,
  where: SentFilter,
  write: OneWrite,
  { rev, id }: { readonly rev: number; readonly id: BSON.ObjectId },
  options: FindOneAndUpdateOptions,
): Promise<Uint8Array | null> {
  const sent = { ...options, returnDocument: 'after', raw: true, includeResultMetadata: false } as const;
  const filter: Record<string, unknown> = where;
  const own = { [REVISION]: rev, [REVISION_ID]: id };
  const found: unknown =
    write.kind === 'delete'
      ? await collection.findOneAndDelete(filter, sent as FindOneAndDeleteOptions)
      : write.kind === 'replace'
        ? await collection.findOneAndReplace(filter, { ...write.replacement, ...own }, sent as FindOneAndReplaceOptions)
        : await collection.findOneAndUpdate(filter, withOwn(write.update, own), sent);
  return found as Uint8Array | null;
}

/** The update with the revision that it makes: it meets the document at the one before only. */
function withOwn(update: object, own: object): BSON.Document | BSON.Document[] {
  if (Array.isArray(update)) return [...(update as BSON.Document[]), { $set: own }];
  const { $set, ...others } = update as BSON.Document;
  return { ...others, $set: { ...$set, ...own } };
}

/** The `_id` that an upsert says its new document shall have, `ABSENT` where it says none. */
function givenId(filter: SentFilter, write: OneWrite): unknown {
  if (write.kind === 'replace' && write.replacement['_id'] !== undefined) return write.replacement['_id'];
  if (write.kind === 'update' && write.id !== undefined) return write.id;
  const { $set, $setOnInsert } = (write.kind === 'update' ? write.update : {}) as BSON.Document;
  const assigned: unknown = $set?._id ?? $setOnInsert?._id;
  return assigned === undefined ? givenValue(filter, '_id') : assigned;
}

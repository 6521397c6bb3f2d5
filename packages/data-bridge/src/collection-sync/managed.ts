import type { Collection, Db } from 'mongodb';
import type { PlannedCollection } from './plan-types.ts';

/** The collection in which the package keeps what it has to know of a database. */
const NAME = '_data_bridge';

/** What is the models' own of a collection: what an earlier `apply()` made or found as declared. */
export interface Managed {
  readonly indexes: readonly string[];
  readonly options: readonly string[];
}

const NOTHING: Managed = { indexes: [], options: [] };

interface Record_ extends Managed {
  readonly _id: string;
}

function records(db: Db): Collection<Record_> {
  return db.collection<Record_>(NAME);
}

function idOf(collection: string): string {
  return `collection:${collection}`;
}

/** Without this, what nobody here declared could not be told from what is no longer declared. */
export async function readManaged(db: Db, names: readonly string[]): Promise<(collection: string) => Managed> {
  const found = await records(db)
    .find({ _id: { $in: names.map(idOf) } })
    .toArray();
  const byId = new Map(found.map((each) => [each._id, each]));
  return (collection) => byId.get(idOf(collection)) ?? NOTHING;
}

/** Adds what is about to be made, so that whoever is interrupted knows its own. */
export async function announceManaged(
  db: Db,
  collection: string,
  { indexes, options }: PlannedCollection,
): Promise<void> {
  const update = { $addToSet: { indexes: { $each: [...indexes] }, options: { $each: [...options] } } };
  await records(db).updateOne({ _id: idOf(collection) }, update, { upsert: true });
}

/** Keeps what is the models' own once all steps are done. */
export async function keepManaged(db: Db, collection: string, { indexes, options }: PlannedCollection): Promise<void> {
  await records(db).updateOne({ _id: idOf(collection) }, { $set: { indexes, options } }, { upsert: true });
}

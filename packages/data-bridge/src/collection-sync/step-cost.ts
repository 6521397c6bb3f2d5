import type { BSON, Db } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { type IndexSpec, plain, revived } from './index-spec.ts';
import type { IndexStep } from './index-steps.ts';
import type { SampleIds, StepCost } from './plan-types.ts';

/** Of so many values that are in the way two documents are told. */
const VALUES = 5;
/** So many documents are told that break a validator. */
const DOCUMENTS = 3;

/** What a step costs; undefined where it reads no document. */
export async function costOf(
  db: Db,
  collection: string,
  step: IndexStep,
  documents: number,
): Promise<StepCost | undefined> {
  switch (step.do) {
    case 'createIndex':
    case 'makeUnique': {
      if (step.index.options['unique'] !== true || documents === 0) return { documents };
      return { documents, duplicates: await duplicatesOf(db, collection, step.index) };
    }
    case 'changeCollection': {
      const { validator } = step.options;
      if (!isPlainObject(validator) || Object.keys(validator).length === 0) return undefined;
      return { documents, broken: await brokenBy(db, collection, revived(validator)) };
    }
    default:
      return undefined;
  }
}

/** How many values more than one document has. Values themselves are not told. */
async function duplicatesOf(
  db: Db,
  collection: string,
  index: IndexSpec,
): Promise<NonNullable<StepCost['duplicates']>> {
  const { partialFilterExpression, sparse, collation } = revived(index.options);
  const paths = index.key.map(([path]) => path);
  const key = Object.fromEntries(paths.map((path, i) => [`k${i}`, { $ifNull: [`$${path}`, null] }]));
  const pipeline: BSON.Document[] = [
    ...(partialFilterExpression === undefined ? [] : [{ $match: partialFilterExpression }]),
    ...(sparse === true ? [{ $match: { $or: paths.map((path) => ({ [path]: { $exists: true } })) } }] : []),
    // Each element of an array is a key of its own.
    ...prefixesOf(paths).map((path) => ({ $unwind: { path: `$${path}`, preserveNullAndEmptyArrays: true } })),
    { $group: { _id: key, low: { $min: '$_id' }, high: { $max: '$_id' } } },
    // A document may have a value twice.
    { $match: { $expr: { $ne: ['$low', '$high'] } } },
    {
      $facet: {
        count: [{ $count: 'n' }],
        samples: [{ $sort: { low: 1 } }, { $limit: VALUES }, { $project: { _id: 0, ids: ['$low', '$high'] } }],
      },
    },
  ];
  const options = { allowDiskUse: true, ...(collation !== undefined && { collation: collation as never }) };
  const [found] = await db.collection(collection).aggregate(pipeline, options).toArray();
  const { count, samples } = found as { count: { n: number }[]; samples: { ids: unknown[] }[] };
  return { count: Number(count[0]?.n ?? 0), samples: samples.map(({ ids }) => ids.map(plain)) };
}

/** All paths that lead to those of an index, the shorter ones first. */
function prefixesOf(paths: readonly string[]): string[] {
  const prefixes = paths.flatMap((path) => {
    const keys = path.split('.');
    return keys.map((_, i) => keys.slice(0, i + 1).join('.'));
  });
  return [...new Set(prefixes)].filter((path) => path !== '_id').toSorted((a, b) => a.length - b.length);
}

async function brokenBy(
  db: Db,
  collection: string,
  validator: BSON.Document,
): Promise<NonNullable<StepCost['broken']>> {
  const filter = { $nor: [validator] };
  const count = await db.collection(collection).countDocuments(filter);
  if (count === 0) return { count, samples: [] };
  const some = await db
    .collection(collection)
    .find(filter, { projection: { _id: 1 }, limit: DOCUMENTS })
    .toArray();
  const samples: SampleIds = some.map(({ _id }) => plain(_id));
  return { count, samples };
}

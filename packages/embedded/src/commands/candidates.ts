import { hasOperators } from '../engine/match.ts';
import { keyOf } from '../engine/order.ts';
import { type Document, isArray, isDocument, isNullish, isRegExp, type Value } from '../engine/value.ts';
import type { Collection } from '../catalog.ts';
import type { SecondaryIndex } from '../storage/secondary-index.ts';
import type { RecordId, StoredRecord } from '../storage/storage.ts';

/** More combinations of values than that are not looked up one by one. */
const MAX_LOOKUPS = 1_000;

/** Records among which are all that a filter selects. */
export interface Candidates {
  readonly records: Iterable<StoredRecord>;
  /** Whether the filter selects every one of them, so that they need not be matched. */
  readonly exact: boolean;
}

/** What a field must equal one of, for the filter to match. */
type Points = ReadonlyMap<string, readonly Value[]>;

/** The cheapest way to the records of a filter: by `_id`, by an index all of whose fields it fixes, or all records. */
export function candidates(collection: Collection, filter: Document): Candidates {
  if (filter.size === 0) return { records: collection.records.records(), exact: true };
  const points = pointsOf(filter);
  const ids = points.get('_id');
  if (ids !== undefined) {
    return { records: byId(collection, ids), exact: filter.size === 1 && isPoint(filter.get('_id')) };
  }
  for (const index of collection.indexes) {
    const found = byIndex(index, points);
    if (found !== undefined) return { records: existing(collection, found), exact: false };
  }
  return { records: collection.records.records(), exact: false };
}

function byId({ records }: Collection, ids: readonly Value[]): StoredRecord[] {
  const found = new Map<RecordId, StoredRecord>();
  for (const id of ids) {
    const record = records.find(keyOf(id));
    if (record !== undefined) found.set(record.id, record);
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

function byIndex(index: SecondaryIndex, points: Points): RecordId[] | undefined {
  const choices: (readonly Value[])[] = [];
  for (const path of index.definition.pattern.keys()) {
    const values = points.get(path);
    if (values === undefined) return undefined;
    choices.push(values);
  }
  if (choices.reduce((product, values) => product * values.length, 1) > MAX_LOOKUPS) return undefined;
  const found = new Set<RecordId>();
  for (const values of combinations(choices)) {
    const ids = index.find(values);
    if (ids === undefined) return undefined;
    for (const id of ids) found.add(id);
  }
  return [...found].sort((a, b) => a - b);
}

function combinations(choices: readonly (readonly Value[])[]): Value[][] {
  return choices.reduce<Value[][]>(
    (made, values) => made.flatMap((key) => values.map((value) => [...key, value])),
    [[]],
  );
}

function* existing({ records }: Collection, ids: readonly RecordId[]): Generator<StoredRecord> {
  for (const id of ids) {
    const record = records.get(id);
    if (record !== undefined) yield record;
  }
}

/** The fields that a filter, and each `$and` in it, compares for equality with values that a look-up can find. */
function pointsOf(filter: Document, points = new Map<string, readonly Value[]>()): Points {
  for (const [name, condition] of filter) {
    if (name === '$and' && isArray(condition)) {
      for (const part of condition) if (isDocument(part)) pointsOf(part, points);
    } else if (!name.startsWith('$')) {
      const values = equalTo(condition);
      if (values?.every(isPoint)) points.set(name, values);
    }
  }
  return points;
}

/** The values that a condition allows, if it is or has an equality. */
function equalTo(condition: Value): readonly Value[] | undefined {
  if (!isOperators(condition)) return [condition];
  const equal = condition.get('$eq');
  if (equal !== undefined) return [equal];
  const within = condition.get('$in');
  return isArray(within) ? within : undefined;
}

function isOperators(condition: Value | undefined): condition is Document {
  return isDocument(condition) && hasOperators(condition);
}

/**
 * Whether equality with this value is what an index looks up. Null matches missing fields too, an array whole arrays as
 * well as elements, a regular expression strings.
 */
function isPoint(value: Value | undefined): value is Value {
  return !isNullish(value) && !isArray(value) && !isRegExp(value) && !isOperators(value);
}

import { deepStrictEqual } from 'node:assert';
import { isDeepStrictEqual } from 'node:util';
import { BSON } from 'mongodb';
import { Layout, StateTracker } from 'data-bridge';
import lodash from 'lodash';
import { encodeTogether, fixtures, type User } from './fixtures.ts';
import { alternate, keep, ratio, timeOf, type Contender, type Effort, type Timings } from './measure.ts';
import { atLeast, atMost, type Row } from './report.ts';

/**
 * The main fixture without its id, which nobody tracks: structuredClone would turn the ObjectId into a plain object, and
 * isDeepStrictEqual would call it changed.
 */
type Fields = Omit<User, '_id'>;

function fieldsOf(user: User): Fields {
  const { _id, ...fields } = user;
  return fields;
}

/** One change of one document, tracked by a deep copy: what a tracker is asked, by the same questions. */
function byDeepCopy(
  fields: Fields,
  copyOf: (fields: Fields) => Fields,
  equal: (a: unknown, b: unknown) => boolean,
): Partial<Fields> {
  const copy = copyOf(fields);
  keep(fields.name);
  fields.age += 1;
  const changed = Object.entries(fields).filter(([name, value]) => !equal(value, copy[name as keyof Fields]));
  return Object.fromEntries(changed);
}

function byTracker(tracker: StateTracker<Fields>): Partial<Fields> {
  keep(tracker.get('name'));
  tracker.set('age', tracker.get('age') + 1);
  keep(tracker.isModified());
  return tracker.getChanges();
}

function overObjects(): Contender[] {
  const { docs } = fixtures.users();
  const each = (work: (fields: Fields) => Partial<Fields>) => {
    const own = docs.map((doc) => fieldsOf(doc));
    for (const fields of own) deepStrictEqual(work(fields), { age: fields.age });
    return (): void => {
      for (const fields of own) keep(work(fields));
    };
  };
  return [
    { name: 'StateTracker', pass: each((fields) => byTracker(new StateTracker<Fields>(fields))) },
    { name: 'structuredClone', pass: each((fields) => byDeepCopy(fields, structuredClone, isDeepStrictEqual)) },
    { name: 'lodash', pass: each((fields) => byDeepCopy(fields, lodash.cloneDeep, lodash.isEqual)) },
  ];
}

function fromBytes(): Contender[] {
  const bytes = encodeTogether(fixtures.users().docs.map((doc) => fieldsOf(doc)));
  const layout = new Layout();
  const each = (work: (document: Buffer) => Partial<Fields>) => {
    for (const document of bytes) deepStrictEqual(work(document), { age: BSON.deserialize(document)['age'] + 1 });
    return (): void => {
      for (const document of bytes) keep(work(document));
    };
  };
  const decoded = (document: Buffer): Fields => BSON.deserialize(document) as Fields;
  return [
    { name: 'StateTracker', pass: each((document) => byTracker(StateTracker.fromBson<Fields>(document, { layout }))) },
    {
      name: 'structuredClone',
      pass: each((document) => byDeepCopy(decoded(document), structuredClone, isDeepStrictEqual)),
    },
    { name: 'lodash', pass: each((document) => byDeepCopy(decoded(document), lodash.cloneDeep, lodash.isEqual)) },
  ];
}

function rows(timings: Timings, source: string, goal: number): Row[] {
  const against = (rival: string, what: string): Row => ({
    what: `StateTracker ${source}, against ${what}`,
    goal: atLeast(goal),
    measured: ratio(timings, rival, 'StateTracker'),
    unit: '×',
  });
  return [
    against('structuredClone', 'structuredClone + isDeepStrictEqual'),
    against('lodash', 'lodash cloneDeep + isEqual'),
    { what: '  time of StateTracker, per 1,000', measured: timeOf(timings, 'StateTracker'), unit: 'ms' },
  ];
}

/** Construct, read one field, set one, `isModified()`, `getChanges()`, against deep copy and deep compare. */
export async function trackChanges(effort: Effort): Promise<Row[]> {
  return [
    ...rows(await alternate(overObjects(), effort), 'over objects', 50),
    ...rows(await alternate(fromBytes(), effort), 'from bytes', 20),
  ];
}

/** `isModified()` of 30 KB documents whose every field was handed out and none changed. */
export async function isModified(effort: Effort): Promise<Row[]> {
  const { bytes } = fixtures.orders();
  const layout = new Layout();
  const trackers = bytes.map((document) => StateTracker.fromBson(document, { layout }));
  for (const one of trackers) for (const name of one.keys()) keep(one.get(name));
  const timings = await alternate(
    [
      {
        name: 'isModified',
        pass: () => {
          for (const one of trackers) if (one.isModified()) throw new Error('Reading must change nothing.');
        },
      },
      {
        name: 'bson.deserialize',
        pass: () => {
          for (const document of bytes) keep(BSON.deserialize(document));
        },
      },
    ],
    effort,
  );
  return [
    {
      what: 'isModified(), 30 KB all read, against bson.deserialize',
      goal: atMost(0.5),
      measured: ratio(timings, 'isModified', 'bson.deserialize'),
      unit: '×',
    },
    { what: `  time of isModified(), per ${bytes.length}`, measured: timeOf(timings, 'isModified'), unit: 'ms' },
  ];
}

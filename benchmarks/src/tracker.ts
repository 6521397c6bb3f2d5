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

/** As a program without a layout of its own has it: top-level fields, then a nested one. */
export async function byDefault(effort: Effort): Promise<Row[]> {
  const bytes = fixtures.users().docs.map((doc) => BSON.serialize(fieldsOf(doc)));
  const each = (work: (document: Uint8Array) => unknown) => (): void => {
    for (const document of bytes) keep(work(document));
  };
  const top = await alternate(
    [
      { name: 'StateTracker', pass: each((document) => setOne(StateTracker.fromBson<Fields>(document))) },
      { name: 'copy', pass: each((document) => byDeepCopy(decoded(document), structuredClone, isDeepStrictEqual)) },
    ],
    effort,
  );
  return [
    {
      what: 'one field set, default options, against decode + structuredClone + compare',
      goal: atLeast(50),
      measured: ratio(top, 'copy', 'StateTracker'),
      unit: '×',
    },
    { what: '  time of StateTracker, per 1,000', measured: timeOf(top, 'StateTracker'), unit: 'ms' },
  ];
}

function decoded(document: Uint8Array): Fields {
  return BSON.deserialize(document) as Fields;
}

function setOne(tracker: StateTracker<Fields>): Partial<Fields> {
  keep(tracker.get('name'));
  tracker.set('age', -1);
  keep(tracker.isModified());
  return tracker.getChanges();
}

/** One member of an object changed in place, and `changes()` or `toUpdate()`. */
export async function editNested(effort: Effort): Promise<Row[]> {
  const bytes = fixtures.users().docs.map((doc) => BSON.serialize(fieldsOf(doc)));
  const pass = (work: (document: Uint8Array) => unknown) => (): void => {
    for (const document of bytes) keep(work(document));
  };
  const edited = (document: Uint8Array): StateTracker<Fields> => {
    const tracker = StateTracker.fromBson<Fields>(document);
    tracker.get('address').city = 'Rome';
    return tracker;
  };
  const timings = await alternate(
    [
      { name: 'changes', pass: pass((document) => edited(document).changes()) },
      { name: 'toUpdate', pass: pass((document) => edited(document).toUpdate()) },
      { name: 'copy', pass: pass(editByCopy) },
    ],
    effort,
  );
  return [
    {
      what: 'nested edit + changes(), default options, against decode + structuredClone + compare',
      goal: atLeast(5),
      measured: ratio(timings, 'copy', 'changes'),
      unit: '×',
    },
    { what: 'nested edit + toUpdate(), the same', measured: ratio(timings, 'copy', 'toUpdate'), unit: '×' },
    { what: '  time of changes(), per 1,000', measured: timeOf(timings, 'changes'), unit: 'ms' },
  ];
}

function editByCopy(document: Uint8Array): unknown {
  const fields = decoded(document);
  const copy = structuredClone(fields);
  fields.address.city = 'Rome';
  return Object.entries(fields).filter(([name, value]) => !isDeepStrictEqual(value, copy[name as keyof Fields]));
}

/** A document of 315 names and 27 KB, as imports of forms are. */
function wide(i: number): Record<string, unknown> {
  const kinds = [
    (k: number) => ({ a: k + i, b: `text of ${k}`, c: [1, 2, k] }),
    (k: number) => `a text of some length, number ${k} and more of it, to fill the document`,
    (k: number) => k * 1.5,
    (k: number) => new Date(1e12 + k),
    (k: number) => [`x${k}`, 'another text', 'a third', 'and a fourth one, longer than the others. '.repeat(5)],
  ];
  return Object.fromEntries(Array.from({ length: 315 }, (_, k) => [`field_${k}`, kinds[k % kinds.length]?.(k)]));
}

/** Documents with many names: reading all of them, and `isModified()` after that. */
export async function readWide(effort: Effort): Promise<Row[]> {
  const bytes = Array.from({ length: 20 }, (_, i) => BSON.serialize(wide(i)));
  const names = Object.keys(wide(0));
  const readAll = (document: Uint8Array): StateTracker => {
    const tracker = StateTracker.fromBson(document);
    for (const name of names) keep(tracker.get(name));
    return tracker;
  };
  const trackers = bytes.map(readAll);
  const each = <T>(list: readonly T[], work: (one: T) => unknown) => {
    return (): void => {
      for (const one of list) keep(work(one));
    };
  };
  const timings = await alternate(
    [
      { name: 'read', pass: each(bytes, readAll) },
      { name: 'isModified', pass: each(trackers, (tracker) => tracker.isModified()) },
      { name: 'bson.deserialize', pass: each(bytes, (document) => BSON.deserialize(document)) },
    ],
    effort,
  );
  const against = (name: string, what: string, goal: number): Row => ({
    what: `315 names, 27 KB, ${what}, against bson.deserialize`,
    goal: atMost(goal),
    measured: ratio(timings, name, 'bson.deserialize'),
    unit: '×',
  });
  return [against('read', 'read all', 0.5), against('isModified', 'isModified() all read', 0.3)];
}

/** An array of 1,000 objects of which one was edited, and a document of which every field was. */
export async function tellChanges(effort: Effort): Promise<Row[]> {
  const lines = Array.from({ length: 1000 }, (_, k) => ({ sku: `SKU-${k}`, qty: k + 1, price: 9.99 * (k + 1) }));
  const bytes = BSON.serialize({ lines });
  const long = StateTracker.fromBson<{ lines: { qty: number }[] }>(bytes);
  Object.assign(long.get('lines')[500] ?? {}, { qty: -1 });
  const users = fixtures.users().docs.map((doc) => fieldsOf(doc));
  const set = users.map((doc, i) => {
    const tracker = StateTracker.fromBson<Fields>(BSON.serialize(doc));
    for (const [name, value] of Object.entries(everyOther(users, i))) tracker.set(name as keyof Fields, value);
    return tracker;
  });
  const arrays = await alternate(
    [
      { name: 'changes', pass: () => long.changes() },
      { name: 'toUpdate', pass: () => long.toUpdate() },
      { name: 'bson.deserialize', pass: () => BSON.deserialize(bytes) },
    ],
    effort,
  );
  const whole = await alternate(
    [
      {
        name: 'toUpdate',
        pass: () => {
          for (const tracker of set) keep(tracker.toUpdate());
        },
      },
      {
        name: 'copy',
        pass: () => {
          for (const doc of users) keep(structuredClone(doc));
        },
      },
    ],
    effort,
  );
  return [
    {
      what: '1,000 elements, one edited: changes(), against bson.deserialize',
      measured: ratio(arrays, 'changes', 'bson.deserialize'),
      unit: '×',
    },
    { what: '  the same: toUpdate()', measured: ratio(arrays, 'toUpdate', 'bson.deserialize'), unit: '×' },
    {
      what: 'every field set: toUpdate(), against structuredClone',
      measured: ratio(whole, 'toUpdate', 'copy'),
      unit: '×',
    },
  ];
}

/** Another document, of which most fields differ. */
function everyOther(users: readonly Fields[], i: number): Fields {
  return users[(i + 7) % users.length] as Fields;
}

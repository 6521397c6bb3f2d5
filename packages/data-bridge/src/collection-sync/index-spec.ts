import { BSON, type IndexDescriptionInfo } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import type { ModelIndex } from '../definition/model-options.ts';

/** The options of an index that `collMod` changes in place. */
export interface IndexSettings {
  readonly expireAfterSeconds?: number;
  readonly hidden?: boolean;
  /** It takes no new duplicates, while there may be old ones. */
  readonly prepareUnique?: boolean;
}

/** An index as both sides have it, the models and the server: plain JSON. */
export interface IndexSpec {
  readonly name: string;
  /** The paths in their order, with 1, -1, or the kind of index: `'text'`, `'2dsphere'`. */
  readonly key: readonly (readonly [path: string, kind: number | string])[];
  /** The options that make it another index, as Extended JSON. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: IndexSettings;
}

/** The index on `_id`, which is always there. */
export const ID_INDEX = '_id_';

const SETTINGS = ['expireAfterSeconds', 'hidden', 'prepareUnique'] as const;

/** What is no option, and what servers add by themselves. */
const IGNORED = new Set<string>([
  ...SETTINGS,
  'v',
  'ns',
  'key',
  'name',
  'background',
  'textIndexVersion',
  '2dsphereIndexVersion',
]);

const COLLATION_DEFAULTS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['caseLevel', false],
  ['caseFirst', 'off'],
  ['strength', 3],
  ['numericOrdering', false],
  ['alternate', 'non-ignorable'],
  ['maxVariable', 'punct'],
  ['normalization', false],
  ['backwards', false],
]);

/**
 * An index as it is compared: without what servers add, and with what they would.
 *
 * @param collation the collection's own, which an index has that says nothing else.
 */
export function indexSpec(index: ModelIndex | IndexDescriptionInfo, collation?: unknown): IndexSpec {
  const given = entriesOf(index.key).map(
    ([path, kind]) => [path, typeof kind === 'string' ? kind : Number(kind)] as const,
  );
  const key = given.some(([, kind]) => kind === 'text') ? textKey(given) : given;
  const all = { ...(collation !== undefined && { collation }), ...index, ...textOptions(given, index) };
  const options = Object.entries(all)
    .filter(([name, value]) => !IGNORED.has(name) && value !== undefined && value !== false && value !== null)
    .map(([name, value]) => [name, name === 'collation' ? collationSpec(value) : plain(value)] as const)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { expireAfterSeconds, hidden, unique } = index;
  const { prepareUnique } = index as { readonly prepareUnique?: boolean };
  return {
    name: index.name ?? given.flat().join('_'),
    key,
    options: Object.fromEntries(options),
    // Of a unique index it says nothing more that it was prepared.
    settings: settingsSpec({ expireAfterSeconds, hidden, prepareUnique: prepareUnique === true && unique !== true }),
  };
}

/** Without what is so anyway. */
export function settingsSpec({ expireAfterSeconds, hidden, prepareUnique }: Loose<IndexSettings>): IndexSettings {
  return {
    ...(expireAfterSeconds !== undefined && { expireAfterSeconds: Number(expireAfterSeconds) }),
    ...(hidden === true && { hidden }),
    ...(prepareUnique === true && { prepareUnique }),
  };
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** What makes an index another one: a collection has only one of each. */
export function identityOf({ key, options }: Pick<IndexSpec, 'key' | 'options'>): string {
  return JSON.stringify([key, options]);
}

/** True where there is nothing to change in place. */
export function hasSameSettings(a: IndexSpec, b: IndexSpec): boolean {
  return SETTINGS.every((name) => a.settings[name] === b.settings[name]);
}

/** The index as `createIndexes` takes it. */
export function describeIndex({ name, key, options, settings }: IndexSpec): BSON.Document {
  // A Map keeps the order of paths that look like numbers. What servers call _fts is what the weights name.
  const weights = Object.keys((options['weights'] as object | undefined) ?? {});
  const paths = key.flatMap(([path, kind]) =>
    path === '_ftsx' ? [] : path === '_fts' ? weights.map((text) => [text, 'text'] as const) : [[path, kind] as const],
  );
  return { key: new Map<string, unknown>(paths), name, ...revived(options), ...settings };
}

/** A plain object of Extended JSON as BSON values. */
export function revived(options: Readonly<Record<string, unknown>>): BSON.Document {
  return BSON.EJSON.deserialize(options) as BSON.Document;
}

/** A value as Extended JSON. Numbers of all types are numbers, as servers compare them. */
export function plain(value: unknown): unknown {
  return BSON.EJSON.serialize(value, { relaxed: true });
}

export function entriesOf(key: object): (readonly [string, unknown])[] {
  return key instanceof Map ? [...(key as Map<string, unknown>)] : Object.entries(key);
}

/** Without what is so anyway; undefined for the comparison of bytes. */
export function collationSpec(collation: unknown): unknown {
  const settings = Object.entries(collation as object).filter(
    ([name, value]) => name !== 'version' && COLLATION_DEFAULTS.get(name) !== value,
  );
  const spec = Object.fromEntries(settings.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return spec['locale'] === 'simple' ? undefined : spec;
}

/** The fields of a text index stand as one in its key. */
function textKey(given: IndexSpec['key']): IndexSpec['key'] {
  if (given.some(([path]) => path === '_fts')) return given;
  const first = given.findIndex(([, kind]) => kind === 'text');
  const others = given.filter(([, kind]) => kind !== 'text');
  return [...others.slice(0, first), ['_fts', 'text'], ['_ftsx', 1], ...others.slice(first)];
}

/** The options that a text index has if none are given. */
function textOptions(given: IndexSpec['key'], index: ModelIndex | IndexDescriptionInfo): object {
  const texts = given.filter(([path, kind]) => kind === 'text' && path !== '_fts').map(([path]) => [path, 1] as const);
  const isText = given.some(([, kind]) => kind === 'text');
  if (!isText) return {};
  const { weights, default_language: language, language_override: override } = index as ModelIndex;
  const weighed = { ...Object.fromEntries(texts), ...(isPlainObject(weights) ? weights : {}) };
  return {
    weights: Object.fromEntries(Object.entries(weighed).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    default_language: language === 'english' ? undefined : language,
    language_override: override === 'language' ? undefined : override,
    collation: undefined,
  };
}

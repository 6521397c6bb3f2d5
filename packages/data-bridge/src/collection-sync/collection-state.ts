import { createHash } from 'node:crypto';
import type { BSON, Db, IndexDescriptionInfo } from 'mongodb';
import { serverCode } from '../connection/driver-error.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { collationSpec, ID_INDEX, type IndexSpec, indexSpec, plain, settingsSpec } from './index-spec.ts';
import type { StepAction } from './plan-types.ts';

const NAMESPACE_NOT_FOUND = 26;

/** A collection as it is compared. */
export interface CollectionState {
  readonly exists: boolean;
  /** Those options that models can declare, as Extended JSON; what a server takes for granted is left out. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly indexes: readonly IndexSpec[];
}

const MISSING: CollectionState = { exists: false, options: {}, indexes: [] };

/** Reads what is there of some collections: one command for all of them, and one for the indexes of each. */
export async function readStates(db: Db, names: readonly string[]): Promise<Map<string, CollectionState>> {
  const filter = { name: { $in: [...names] } };
  const found = (await db.listCollections(filter).toArray()) as { name: string; type?: string; options?: object }[];
  const there = new Map(found.map((each) => [each.name, each]));
  const read = async (name: string): Promise<[string, CollectionState]> => {
    const description = there.get(name);
    if (description === undefined) return [name, MISSING];
    const options = collectionSpec(description.options ?? {});
    return [name, { exists: true, options, indexes: await readIndexes(db, name, options['collation']) }];
  };
  return new Map(await Promise.all(names.map(read)));
}

async function readIndexes(db: Db, name: string, collation: unknown): Promise<IndexSpec[]> {
  try {
    const listed = (await db.collection(name).listIndexes().toArray()) as IndexDescriptionInfo[];
    return listed
      .filter((index) => index.name !== ID_INDEX)
      .map((index) => indexSpec(collation === undefined ? index : { collation: { locale: 'simple' }, ...index }));
  } catch (error) {
    // It was dropped meanwhile.
    if (serverCode(error) === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

/** The options of a collection that models can declare, without what is so anyway. */
export function collectionSpec(options: BSON.Document): Record<string, unknown> {
  const { validator, validationLevel = 'strict', validationAction = 'error', collation } = options;
  const images: unknown = options['changeStreamPreAndPostImages'];
  const isRuled = isPlainObject(validator) && Object.keys(validator).length > 0;
  const compared = collation === undefined ? undefined : collationSpec(collation);
  return {
    ...(isRuled && { validator: plain(validator), validationLevel, validationAction }),
    ...(isPlainObject(images) && images['enabled'] === true && { changeStreamPreAndPostImages: { enabled: true } }),
    ...(compared !== undefined && { collation: compared }),
  };
}

/** What is there after a step. */
export function afterStep(state: CollectionState, step: StepAction): CollectionState {
  const { indexes, options } = state;
  switch (step.do) {
    case 'createCollection':
      return { exists: true, options: collectionSpec(step.options), indexes };
    case 'changeCollection':
      return { ...state, options: collectionSpec({ ...options, ...step.options }) };
    case 'createIndex':
      return { ...state, exists: true, indexes: [...indexes, step.index] };
    case 'makeUnique':
      return { ...state, indexes: indexes.map((each) => (each.name === step.index.name ? step.index : each)) };
    case 'changeIndex':
    case 'hideIndex': {
      const set = step.do === 'hideIndex' ? { hidden: true } : step.set;
      const changed = (each: IndexSpec): IndexSpec => ({
        ...each,
        settings: settingsSpec({ ...each.settings, ...set }),
      });
      return { ...state, indexes: indexes.map((each) => (each.name === step.name ? changed(each) : each)) };
    }
    case 'dropIndex':
      return { ...state, indexes: indexes.filter((each) => each.name !== step.name) };
  }
}

/**
 * A short text that is the same for the same state. That an index is prepared to become unique is no other state: so a step that
 * was half done is done again.
 */
export function fingerprint({ exists, options, indexes }: CollectionState): string {
  const compared = indexes
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ settings: { prepareUnique: _, ...settings }, ...index }) => ({ ...index, settings }));
  return createHash('sha256').update(canonical({ exists, options, compared })).digest('base64url').slice(0, 22);
}

/** JSON with the members of objects in the order of their names. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isPlainObject(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

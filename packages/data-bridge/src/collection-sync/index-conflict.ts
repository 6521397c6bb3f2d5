import type { IndexDescriptionInfo } from 'mongodb';
import { equalValues } from '../bson/equal-values.ts';
import { serverCode } from '../connection/driver-error.ts';
import { safely } from '../connection/write-outcome.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import type { ModelIndex } from '../definition/model-options.ts';
import { UsageError } from '../errors.ts';

/** What the server says where an index is there with other options, and where its name is taken by another one. */
const OPTIONS_DIFFER = 85;
const KEY_DIFFERS = 86;

/** What the server adds to an index by itself. */
const OWN = new Set(['v', 'key', 'name', 'ns', 'background', 'textIndexVersion', '2dsphereIndexVersion']);

/**
 * The error for an index of the model that is there with another key or other options: which index, what differs, and what
 * to do. Undefined for other errors, and where the collection does not show why.
 */
export async function indexConflict(
  definition: ModelDefinition,
  wanted: readonly ModelIndex[],
  error: unknown,
): Promise<UsageError | undefined> {
  const code = serverCode(error);
  if (code !== OPTIONS_DIFFER && code !== KEY_DIFFERS) return undefined;
  // Whatever keeps the indexes from being listed, the first error says more.
  const existing = await definition
    .driverCollection()
    .listIndexes()
    .toArray()
    .catch(() => []);
  for (const index of wanted) {
    for (const there of existing as IndexDescriptionInfo[]) {
      const difference = differenceOf(index, there);
      if (difference === undefined) continue;
      const name = String(there.name);
      const text = `The index "${name}" is there with ${difference} than the model asks for (code ${code}): drop it by collection.dropIndex('${name}'), and call ensureIndexes() again.`;
      return new UsageError(text, { ...definition.context, cause: safely(error) });
    }
  }
  return undefined;
}

/** How an index that stands in the way of another one differs; undefined where it does not, or does not stand in the way. */
function differenceOf(wanted: ModelIndex, there: IndexDescriptionInfo): string | undefined {
  const isSameKey = keyText(wanted.key) === keyText(there.key);
  const isSameName = nameOf(wanted) === there.name;
  if (!isSameKey) return isSameName ? 'another key' : undefined;
  const named = isSameName ? [] : ['name'];
  const differing = [...named, ...differingOptions(wanted, there)].map((option) => `"${option}"`);
  return differing.length === 0 ? undefined : `another ${differing.join(' and ')}`;
}

function differingOptions(wanted: object, there: object): string[] {
  const options = new Set([...Object.keys(wanted), ...Object.keys(there)].filter((option) => !OWN.has(option)));
  return [...options].filter((option) => {
    const [asked, stored] = [memberOf(wanted, option), memberOf(there, option)];
    // A collation is stored with all of its settings.
    return option === 'collation'
      ? localeOf(asked) !== localeOf(stored)
      : !equalValues(asked ?? false, stored ?? false);
  });
}

function memberOf(object: object, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

function localeOf(collation: unknown): unknown {
  return (collation as { locale?: unknown } | undefined)?.locale;
}

function keyText(key: object): string {
  return JSON.stringify(entriesOf(key));
}

function entriesOf(key: object): (readonly [string, unknown])[] {
  return key instanceof Map ? [...(key as Map<string, unknown>)] : Object.entries(key);
}

/** The name that the driver gives to an index without one. */
/** The name of an index: what the server makes of its key where none is given. */
export function nameOf({ name, key }: ModelIndex): string {
  return name ?? entriesOf(key).flat().join('_');
}

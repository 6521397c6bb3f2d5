import { BSON } from 'mongodb';
import { isPlainObject } from './plain-object.ts';
import { isBson, isDate, isUint8Array } from './bson-classes.ts';

/** What a schema declares of the arrays in a value: what identifies their elements. */
export interface Identities {
  /** The member of the elements, where the value itself is such an array. */
  readonly key: string | undefined;
  /** True where it is an array of values, none of which is there twice. */
  readonly isUnique?: boolean;
  /** True where it is an array with a bound on its length, or one that says what stands at which place. */
  readonly isBound?: boolean;
  /** True where it is replaced as a whole, whatever its members. */
  readonly isWhole?: boolean;
  /** Of a member of the value, or of any of its elements. */
  at(step: string | number): Identities | undefined;
}

/** The member that identifies elements where a schema declares no other. */
const DEFAULT_KEY = '_id';

/** Which elements of an array are which of its original. */
export interface Pairing {
  /** The member that identifies them. */
  readonly key: string;
  /** For each element the index of the original that it was; -1 for a new one. */
  readonly origins: readonly number[];
}

/**
 * Pairs the elements of an array with their originals, wherever they are now, by a member that identifies them. That
 * works only where every element, before and now, is a plain object in which that member is a value that a server
 * compares as we do, and no two of one array have the same.
 *
 * @returns null where it does not work.
 */
export function pairElements(
  value: readonly unknown[],
  base: readonly unknown[],
  identities: Identities | undefined,
): Pairing | null {
  const key = identities?.key ?? DEFAULT_KEY;
  const originals = new Map<string, number>();
  const ids: string[] = [];
  for (const original of base) {
    const id = identityOf(original, key);
    if (id === null || originals.has(id)) return null;
    originals.set(id, ids.length);
    ids.push(id);
  }
  const origins: number[] = [];
  const added = new Set<string>();
  for (const element of value) {
    const at = origins.length;
    // Most elements are as they were: their identity is found once.
    const id = element === base[at] ? (ids[at] as string) : identityOf(element, key);
    if (id === null) return null;
    const origin = originals.get(id);
    if (origin === undefined ? added.has(id) : origin < 0) return null;
    origins.push(origin ?? -1);
    if (origin === undefined) added.add(id);
    else originals.set(id, -1);
  }
  return origins.length + base.length === 0 ? null : { key, origins };
}

/**
 * Tells the elements of an array apart by what they are themselves: texts, ObjectIds and UUIDs, none of them twice. Other
 * scalars only where that is declared: two equal numbers or dates of a list most often are two entries.
 *
 * @returns for each element the index of the original that it was, -1 for a new one; null where it does not work.
 */
export function pairValues(
  value: readonly unknown[],
  base: readonly unknown[],
  isUnique: boolean,
): readonly number[] | null {
  // A text is its own key, so that none has to be put together.
  const texts = new Map<string, number>();
  let others: Map<string, number> | null = null;
  for (let i = 0; i < base.length; i++) {
    const original = base[i];
    const places = typeof original === 'string' ? texts : (others ??= new Map());
    const id = typeof original === 'string' ? original : valueText(original, isUnique);
    if (id === null || places.has(id)) return null;
    places.set(id, i);
  }
  const origins: number[] = [];
  for (const element of value) {
    const places = typeof element === 'string' ? texts : (others ??= new Map());
    const id = typeof element === 'string' ? element : valueText(element, isUnique);
    if (id === null) return null;
    const origin = places.get(id) ?? -1;
    if (origin === TAKEN) return null;
    places.set(id, TAKEN);
    origins.push(origin);
  }
  return origins;
}

/** In the place of an original's index: an element had this identity before. */
const TAKEN = -2;

function valueText(value: unknown, isUnique: boolean): string | null {
  if (isBson(value, 'ObjectId')) return objectText(value);
  return isUnique || (isBson(value, 'Binary') && value.sub_type === BSON.Binary.SUBTYPE_UUID) ? textOf(value) : null;
}

/** A text that two elements share exactly when a server takes their members of this name for equal; null for no such value. */
export function identityOf(element: unknown, key: string): string | null {
  return isPlainObject(element) && Object.hasOwn(element, key) ? textOf(element[key]) : null;
}

function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
      return `s${value}`;
    case 'number':
      return numberText(value);
    case 'bigint':
      return `n${value}`;
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? null : objectText(value);
    default:
      return null;
  }
}

/** Equal numbers of all types share a text: 1, 1.0 and a Long of 1 are one identity. */
function numberText(value: number): string | null {
  if (!Number.isFinite(value)) return null;
  // case: a double beyond 2^53 may equal a Long, whose digits are exact
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? `n${BigInt(value)}` : `n${value}`;
}

function objectText(value: object): string | null {
  if (isBson(value, 'ObjectId')) return `o${latin1Of(value.id)}`;
  if (isDate(value)) return Number.isNaN(value.getTime()) ? null : `d${value.getTime()}`;
  if (isUint8Array(value)) return bytesText(0, value);
  if (isBson(value, 'Binary')) return bytesText(value.sub_type, value.value());
  if (isBson(value, 'Long')) return `n${value.toString()}`;
  if (isBson(value, 'Int32') || isBson(value, 'Double')) return numberText(value.value);
  // case: decimals whose difference a double cannot show count as one; where both are in an array, it has no identity
  return isBson(value, 'Decimal128') ? numberText(Number(value.toString())) : null;
}

function bytesText(subtype: number, bytes: Uint8Array): string {
  return `b${subtype}:${latin1Of(bytes)}`;
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

import { Binary } from 'mongodb';
import type { Reader } from '../bson/level.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { readAs } from './bson-types.ts';
import type { InnerKind, Place, Shape } from './schema-shape.ts';
import { fittingShapes, placesIn, someShape, stepInto } from './structure.ts';

/*
 * Types of JavaScript that BSON alone does not tell: a 64-bit integer may be a number or a bigint, an object may be a Map, bytes
 * a Binary or a Uint8Array. What a schema says of a place is read so, whatever the driver's options say.
 */

/** What a scalar of a kind is read as; a value of another type stays as it is. */
const READS: Readonly<Partial<Record<InnerKind, (value: unknown) => unknown>>> = {
  long: (value) => readAs('long', value),
  bigint: (value) => readAs('long', value),
  binary: (value) => readAs('binary', value),
  buffer: toBuffer,
};

function toBuffer(value: unknown): unknown {
  const isBytes = value instanceof Binary && value.sub_type === Binary.SUBTYPE_DEFAULT;
  return isBytes ? Buffer.from(value.value()) : value;
}

const readers = new WeakMap<Place, { readonly reader: Reader | null }>();

/** What makes of a decoded value at a place what the program reads; null where there is nothing to do, which is most often. */
export function readerOf(place: Place): Reader | null {
  const known = readers.get(place);
  if (known !== undefined) return known.reader;
  const reader = someShape(place, hasKind) ? newReader(place) : null;
  readers.set(place, { reader });
  return reader;
}

/** True for what has a JavaScript type of its own. */
function hasKind({ kind }: Shape): boolean {
  return kind === 'map' || (kind !== undefined && READS[kind] !== undefined);
}

function newReader(place: Place): Reader {
  const kind = place.shapes.length === 1 ? place.shapes[0]?.kind : undefined;
  const readScalar = kind === undefined ? undefined : READS[kind];
  const at = (step: string | number): Reader | null => {
    const inner = stepInto(place, step);
    return inner === undefined ? null : readerOf(inner);
  };
  return Object.assign(readScalar ?? readAny(place), { at });
}

/** Reads what may be of several types: each as those say that may hold such a value, where they agree. */
function readAny(place: Place): (value: unknown) => unknown {
  const ofInteger = agreedRead(place, holdsInteger);
  const ofBytes = agreedRead(place, holdsBytes);
  const isMap = place.shapes.every(
    ({ type, kind }) => kind === 'map' || (type !== 'object' && type !== 'record' && type !== 'unknown'),
  );
  return (value) => {
    if (isInteger(value)) return ofInteger(value);
    if (value instanceof Uint8Array || value instanceof Binary) return ofBytes(value);
    return readContainer(place, isMap, value);
  };
}

function agreedRead(place: Place, holds: (shape: Shape) => boolean): (value: unknown) => unknown {
  const [first, ...others] = new Set(place.shapes.filter(holds).map(({ kind }) => (kind === 'bigint' ? 'long' : kind)));
  const read = others.length === 0 && first !== undefined ? READS[first] : undefined;
  return read ?? ((value) => value);
}

/** A number of any type: one with a fraction stays as it is. */
function isInteger(value: unknown): boolean {
  const { _bsontype } = (value ?? {}) as { readonly _bsontype?: unknown };
  return typeof value === 'number' || typeof value === 'bigint' || NUMBERS.has(_bsontype);
}

const NUMBERS: ReadonlySet<unknown> = new Set(['Long', 'Int32', 'Double']);

function holdsInteger({ type, kind, holds }: Shape): boolean {
  if (type === 'unknown' || kind === 'long' || kind === 'bigint') return true;
  return type === 'scalar' && kind === undefined && holds !== 'text';
}

function holdsBytes({ type, kind, holds }: Shape): boolean {
  if (type === 'unknown' || kind === 'binary' || kind === 'buffer' || kind === 'uuid') return true;
  return type === 'scalar' && kind === undefined && holds === undefined;
}

function readContainer(place: Place, isMap: boolean, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return readElements(place, value);
  if (!isPlainObject(value)) return value;
  const [shape, another] = fittingShapes(place, value);
  if (isMap) return readMap(shape?.others, value);
  if (shape === undefined) return value;
  if (another === undefined && shape.others === undefined) return readNamed(shape, value);
  for (const key of Object.keys(value)) readMember(stepInto(place, key, value), value, key);
  return value;
}

function readElements(place: Place, value: unknown[]): unknown[] {
  for (let i = 0; i < value.length; i++) {
    const inner = stepInto(place, i, value);
    const read = inner === undefined ? null : readerOf(inner);
    if (read !== null) value[i] = read(value[i]);
  }
  return value;
}

function readMap(inner: Place | undefined, value: Record<string, unknown>): Map<string, unknown> {
  const read = inner === undefined ? null : readerOf(inner);
  const map = new Map<string, unknown>();
  for (const key of Object.keys(value)) map.set(key, read === null ? value[key] : read(value[key]));
  return map;
}

function readNamed({ members }: Shape, value: Record<string, unknown>): object {
  members?.forEach((inner, key) => {
    if (Object.hasOwn(value, key)) readMember(inner, value, key);
  });
  return value;
}

function readMember(inner: Place | undefined, value: Record<string, unknown>, key: string): void {
  const read = inner === undefined ? null : readerOf(inner);
  if (read === null) return;
  const before = value[key];
  const after = read(before);
  if (after !== before) setOwn(value, key, after);
}

/** Of readers by top-level names the one at a dotted path, in which numbers are places in arrays. */
export function readerAt(readers: ReadonlyMap<string, Reader>, path: string): Reader | undefined {
  const [name = '', ...steps] = path.split('.');
  let reader = readers.get(name) ?? null;
  for (const step of steps) {
    const inner = reader?.at?.(step) ?? null;
    reader = inner === null && /^\d+$/.test(step) ? (reader?.at?.(Number(step)) ?? null) : inner;
  }
  return reader ?? undefined;
}

/** What in a schema no document can hold, or give back as it was, and where. */
export function problemIn(place: Place): { readonly keys: readonly string[]; readonly problem: string } | undefined {
  if (!someShape(place, hasProblem)) return undefined;
  const seen = new Set<Place>();
  const find = (at: Place, keys: readonly string[]): ReturnType<typeof problemIn> => {
    // case: a schema that makes new ones without end
    if (seen.has(at) || keys.length > 50) return undefined;
    seen.add(at);
    for (const shape of at.shapes) {
      if (shape.problem !== undefined) return { keys, problem: shape.problem };
      const names = new Map([...(shape.members ?? [])].map(([key, inner]) => [inner, key]));
      for (const inner of placesIn(shape)) {
        const found = find(inner, [...keys, names.get(inner) ?? '*']);
        if (found !== undefined) return found;
      }
    }
    return undefined;
  };
  return find(place, []);
}

function hasProblem({ problem }: Shape): boolean {
  return problem !== undefined;
}

import type { BsonKind } from './bson-types.ts';
import { property, type ReferenceTarget } from './schema-library.ts';

/** What JavaScript type a scalar has that BSON alone does not tell, or that text stands for. */
export type InnerKind = BsonKind | 'bigint' | 'buffer' | 'date' | 'map';

/** A schema at its place in another one, with what its library tells of it: looked at when it is asked for, since schemas may be made later. */
export interface Place {
  readonly schema: unknown;
  /** What its output may be, wrappers looked through: one shape, or those of a union. None where nothing is known. */
  readonly shapes: readonly Shape[];
  /** True where something above the members may move, rename or replace them: a transform, a `catch`, an unknown library. */
  readonly isOpaque: boolean;
  /** Where a transform begins: what the program's values are judged by first. */
  readonly input: Place | undefined;
  /** Makes the value that stands for an absent one. */
  readonly makeDefault: (() => unknown) | undefined;
}

/** One thing that a value may be. */
export interface Shape {
  readonly type: 'object' | 'array' | 'record' | 'scalar' | 'unknown';
  readonly kind?: InnerKind | undefined;
  /** Of a reference: what it refers to. */
  readonly target?: ReferenceTarget | undefined;
  /** The members that are named. */
  readonly members?: ReadonlyMap<string, Place> | undefined;
  /** All others: of a record, a Map, a catchall. */
  readonly others?: Place | undefined;
  /** Of a tuple its elements. */
  readonly elements?: readonly Place[] | undefined;
  /** Of an array its elements, of a tuple those after the named ones. */
  readonly rest?: Place | undefined;
  /** True where keys that are not named stay, or are refused by the schema itself. */
  readonly keepsOthers?: boolean;
  /** True where the schema itself refuses them. */
  readonly refusesOthers?: boolean;
  /** By members which literals tell a choice of a union from the others. */
  readonly literals?: ReadonlyMap<string, readonly unknown[]> | undefined;
  /** Why BSON cannot hold it, or give it back. */
  readonly problem?: string | undefined;
}

/** The shape of a reference. Its type is that of its target's `_id`, which may not be made yet. */
export function referenceShape(schema: unknown): Shape {
  return {
    type: 'scalar',
    target: property(schema, '~target') as ReferenceTarget,
    get kind() {
      return property(schema, '~bson') as InnerKind | undefined;
    },
  };
}

export const SCALAR: Shape = { type: 'scalar' };
export const UNKNOWN: Shape = { type: 'unknown' };

/** What was found of one schema. */
export interface Found {
  readonly shapes: readonly Shape[];
  readonly isOpaque: boolean;
  readonly input?: unknown;
}

export const NOTHING: Found = { shapes: [], isOpaque: true };

export function shapes(...found: readonly Shape[]): Found {
  return { shapes: found, isOpaque: false };
}

export function opaque({ shapes: found }: Found, input?: unknown): Found {
  return { shapes: found, isOpaque: true, input };
}

/** The alternatives of a union as one. */
export function either(all: readonly Found[]): Found {
  return {
    shapes: all.flatMap((each) => each.shapes),
    isOpaque: all.some((each) => each.isOpaque),
    input: all.length === 1 ? all[0]?.input : undefined,
  };
}

/** What must hold for both: told of two objects. */
export function both(left: Found, right: Found): Found {
  const isOpaque = left.isOpaque || right.isOpaque;
  const [a, b] = [left.shapes[0], right.shapes[0]];
  const isOfTwo = left.shapes.length === 1 && right.shapes.length === 1 && a?.type === 'object' && b?.type === 'object';
  if (!isOfTwo) return { shapes: [UNKNOWN], isOpaque: true };
  const members = new Map([...(a.members ?? []), ...(b.members ?? [])]);
  // What one side strips the other may have.
  const keepsOthers = a.keepsOthers === true || b.keepsOthers === true;
  const refusesOthers = a.refusesOthers === true && b.refusesOthers === true;
  return { shapes: [{ ...a, members, others: a.others ?? b.others, keepsOthers, refusesOthers }], isOpaque };
}

/** Makes the place of a schema. @param given the default, where the schema around it tells it. */
export type PlaceOf = (schema: unknown, given?: () => unknown) => Place;

/** Schemas that wrap each other without end are left at this depth. */
export const MAX_WRAPPERS = 50;

export function impossible(what: string): Shape {
  return { type: 'scalar', problem: what };
}

import { copyInput } from '../bson/copy-input.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { arktypeFound } from './arktype-shape.ts';
import { withoutIdentity } from './identified.ts';
import { hasMember, memberAt, type Members } from './members.ts';
import { givenTo, property } from './schema-library.ts';
import {
  type Found,
  literalShapes,
  NOTHING,
  type Place,
  referenceShape,
  type Shape,
  shapes,
  UNKNOWN,
} from './schema-shape.ts';
import { valibotFound } from './valibot-shape.ts';
import { zodFound } from './zod-shape.ts';

/*
 * What schema libraries tell of what lies inside a value: members, elements, defaults, JavaScript types, and whether an output
 * lies member by member over the input. All of it is looked at, none of it imported. Of other libraries nothing is known.
 */

const places = new WeakMap<object, Place>();

/** The place of a schema: the same one each time, so that what is found out of it is found out once. */
export function placeOf(schema: unknown, given?: () => unknown): Place {
  if (given !== undefined) return new SchemaPlace(schema, given);
  if ((typeof schema !== 'object' || schema === null) && typeof schema !== 'function') return new SchemaPlace(schema);
  let place = places.get(schema);
  if (place === undefined) {
    place = new SchemaPlace(schema);
    places.set(schema, place);
  }
  return place;
}

class SchemaPlace implements Place {
  readonly schema: unknown;
  readonly #given: (() => unknown) | undefined;
  #found: Found | undefined;
  #input: { readonly place: Place | undefined } | undefined;
  #default: { readonly make: (() => unknown) | undefined } | undefined;

  constructor(schema: unknown, given?: () => unknown) {
    this.schema = schema;
    this.#given = given;
  }

  get shapes(): readonly Shape[] {
    return this.#look().shapes;
  }

  get isOpaque(): boolean {
    return this.#look().isOpaque;
  }

  get input(): Place | undefined {
    if (this.#input !== undefined) return this.#input.place;
    const { input } = this.#look();
    this.#input = { place: input === undefined ? undefined : placeOf(input) };
    return this.#input.place;
  }

  get makeDefault(): (() => unknown) | undefined {
    return (this.#default ??= { make: this.#findDefault() }).make;
  }

  #look(): Found {
    if (this.#found !== undefined) return this.#found;
    try {
      return (this.#found = foundOf(withoutIdentity(this.schema)));
    } catch {
      return NOTHING; // case: a getter names a schema that is not made yet
    }
  }

  /** As for fields, the default is what the schema gives for `undefined`, unless it turns anything into a value. */
  #findDefault(): (() => unknown) | undefined {
    const given = this.#given;
    if (given !== undefined) return given() === undefined ? undefined : given;
    const found = runSchema(this.schema, undefined);
    if (found === undefined || found.value === undefined) return undefined;
    const nonsense = Symbol('nonsense');
    const taken = runSchema(this.schema, nonsense);
    if (taken !== undefined && taken.value !== nonsense) return undefined;
    return () => copyInput(runSchema(this.schema, undefined)?.value);
  }
}

function foundOf(schema: unknown): Found {
  const vendor = property(property(schema, '~standard'), 'vendor');
  if (vendor === 'zod') return zodFound(schema, placeOf);
  if (property(schema, '~target') !== undefined) return referenceFound(schema);
  const literal = property(schema, '~literal');
  if (literal !== undefined) return literalShapes([literal]);
  const kind = property(schema, '~bson');
  if (kind !== undefined) return shapes({ type: 'scalar', kind } as Shape);
  if (vendor === 'valibot') return valibotFound(schema, placeOf);
  return vendor === 'arktype' ? arktypeFound(schema, placeOf) : NOTHING;
}

/** A reference to another model, or a list of some. */
function referenceFound(schema: unknown): Found {
  const one = referenceShape(schema);
  if (one.target?.isList !== true) return shapes(one);
  const rest: Place = { schema: undefined, shapes: [one], isOpaque: false, input: undefined, makeDefault: undefined };
  return shapes({ type: 'array', rest });
}

/** What a schema makes of a value at once; undefined where it refuses it, waits, or throws. */
export function runSchema(schema: unknown, value: unknown): { readonly value: unknown } | undefined {
  const validate = property(property(schema, '~standard'), 'validate');
  if (typeof validate !== 'function') return undefined;
  try {
    const result = (validate as (given: unknown) => object)(givenTo(schema, value)) as {
      value: unknown;
      issues?: unknown;
    };
    if ('then' in result) {
      void Promise.resolve(result).catch(() => {});
      return undefined;
    }
    return result.issues === undefined ? result : undefined;
  } catch {
    return undefined; // coercing a symbol throws
  }
}

// ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The place of a member or an element; none where the choices of a union disagree. */
export function stepInto(place: Place | undefined, step: string | number, value?: unknown): Place | undefined {
  let found: Place | undefined;
  for (const shape of fittingShapes(place, value)) {
    const inner = stepOf(shape, step);
    if (inner === undefined) continue;
    if (found !== undefined && found !== inner) return undefined;
    found = inner;
  }
  return found;
}

/** The place of a member or an element in values of one shape. */
export function stepOf(shape: Shape, step: string | number): Place | undefined {
  if (typeof step === 'number') return shape.elements?.[step] ?? shape.rest;
  return shape.members?.get(step) ?? shape.others;
}

/** The choices of a union that may hold for a value: its type and its literals tell. */
export function fittingShapes(place: Place | undefined, value: unknown): readonly Shape[] {
  const all = place?.shapes ?? [];
  if (all.length <= 1 || value === undefined) return all;
  const isArray = Array.isArray(value);
  const isMembers = isPlainObject(value);
  const fitting = all.filter(({ type }) => {
    if (isArray) return type === 'array';
    return (isMembers || value instanceof Map) && (type === 'object' || type === 'record');
  });
  if (fitting.length <= 1 || !isMembers) return fitting;
  return fitting.filter(({ literals }) => [...(literals ?? [])].every(([key, known]) => known.includes(value[key])));
}

/**
 * The places that a member or an element of what was loaded in part may have: of a union those of all choices that the loaded
 * literals allow. Null where nobody can tell: of an unknown library, and of what a transform makes of anything.
 */
export function placesInto(place: Place, step: string | number, value: unknown): readonly Place[] | null {
  const start = place.isOpaque ? (place.input ?? place) : place;
  if (start.isOpaque && (start.shapes.length === 0 || start.shapes.includes(UNKNOWN))) return null;
  const found = new Set<Place>();
  for (const shape of start.shapes) {
    const isArray = shape.type === 'array';
    if (isArray !== Array.isArray(value)) continue;
    const literals = [...(shape.literals ?? [])];
    if (!literals.every(([key, known]) => !hasMember(value, key) || known.includes(memberAt(value as Members, key))))
      continue;
    const inner = stepOf(shape, step);
    if (inner !== undefined) found.add(inner);
  }
  return [...found];
}

/** Places after which nothing more is looked for: a schema may make new ones without end. */
const MAX_PLACES = 2000;

/** True where a schema, or anything inside, is such a thing. */
export function someShape(place: Place, test: (shape: Shape) => boolean): boolean {
  return somePlace(place, ({ shapes: found }) => found.some(test));
}

/** True where the place, or one inside, is such a thing. */
export function somePlace(place: Place, test: (place: Place) => boolean): boolean {
  const all = new Set([place]);
  // A set gives what is added while it is gone through, too.
  for (const each of all) {
    if (test(each)) return true;
    for (const shape of each.shapes) if (all.size < MAX_PLACES) for (const inner of placesIn(shape)) all.add(inner);
  }
  return false;
}

/** The places of members and elements. */
export function placesIn({ members, others, elements, rest }: Shape): Place[] {
  return [...(members?.values() ?? []), others, ...(elements ?? []), rest].filter((each) => each !== undefined);
}

import { hasMember, isMembers, keysIn, memberAt, type Members } from './members.ts';
import { isWrittenAsync } from './schema-library.ts';
import type { Place, Shape } from './schema-shape.ts';
import { fittingShapes, runSchema, stepOf } from './structure.ts';

/*
 * Which keys a schema names, of values that are not validated: those that operators of an update write. The structure tells.
 * Where it leaves open what becomes of a key, as a transform does, the schema is asked what it keeps.
 */

/** A key that no schema names, by its way from where the search began. */
export interface Unnamed {
  readonly keys: readonly string[];
  /** True where the schema itself refuses such keys, whatever the model says. */
  readonly isRefused: boolean;
  /** True where a function that nobody looks into may have used it. */
  readonly mayBeUsed?: boolean;
}

/** Where a path leads: to what may stand there, none where that may be anything; or to a key that no schema names. */
export type Along = { readonly places: readonly Place[]; readonly unnamed?: undefined } | { readonly unnamed: Unnamed };

/**
 * @param keys below a field; numbers, `$`, `$[]` and `$[name]` are elements of arrays.
 * @param isThrough true where other keys are members of the elements, too, as in filters and indexes.
 */
export function placesAlong(place: Place, keys: readonly string[], isThrough = false): Along {
  let places: readonly Place[] = [place];
  for (const [i, key] of keys.entries()) {
    const told = new Told();
    for (const each of isThrough ? [...places, ...elementsOf(places)] : places)
      for (const layer of layersOf(each)) told.add(layer, layer.place.shapes, key);
    if (told.isOpen || told.isMade) return { places: [] };
    if (!told.isNamed) return { unnamed: { keys: keys.slice(0, i + 1), isRefused: told.isRefused } };
    places = told.inner;
  }
  return { places };
}

/** What the elements of arrays at these places may be. */
export function elementsOf(places: readonly Place[]): readonly Place[] {
  return places.flatMap(layersOf).flatMap(({ place }) => place.shapes.flatMap(allElements));
}

/**
 * The keys in a value that no schema names.
 *
 * @param places what it may be; none where that may be anything.
 * @param outputs what was made of it, where that is known; else schemas are asked.
 */
export function unnamedIn(
  places: readonly Place[],
  value: unknown,
  keys: readonly string[] = [],
  outputs?: readonly unknown[],
): Unnamed[] {
  // What is stored of a reference is one thing, which its schema judges.
  if (places.length === 0 || places.some(({ shapes }) => shapes.some(({ target }) => target?.isOneOf))) return [];
  if (isMembers(value)) return keysIn(value).flatMap((key) => unnamedAt(places, value, [...keys, key], outputs));
  if (!Array.isArray(value)) return [];
  const inner = elementsOf(places);
  if (inner.length === 0) return leftOut(value, outputs ?? madeOf(places, value), keys);
  // They may have moved.
  const elements = outputs?.filter(Array.isArray).flat() as unknown[] | undefined;
  return value.flatMap((element, i) => unnamedIn(elementAt(places, i), element, [...keys, String(i)], elements));
}

function unnamedAt(
  places: readonly Place[],
  value: Members,
  keys: readonly string[],
  outputs: readonly unknown[] | undefined,
): Unnamed[] {
  const key = keys.at(-1) as string;
  const member = memberAt(value, key);
  const told = new Told();
  for (const each of places) for (const layer of layersOf(each)) told.add(layer, shapesFor(layer, value), key);
  const isCertain = told.isOpen || (told.isNamed && !told.isMissing);
  const made = (outputs ?? (isCertain ? [] : madeOf(places, value))).filter(isMembers);
  const kept = made.filter((output) => hasMember(output, key)).map((output) => memberAt(output, key));
  const inside = (): Unnamed[] => unnamedIn(told.inner, member, keys, outputs && kept);
  if (isCertain) return inside();
  if (kept.length > 0) return told.isNamed ? inside() : leftOut(member, kept, keys);
  // What a transform begins with, it may have used. What no schema takes is judged by the structure alone.
  const isUsed = made.length > 0 ? told.isTaken : told.isNamed || isUntold(places, told);
  return isUsed ? inside() : [{ keys, isRefused: told.isRefused, mayBeUsed: places.some(beginsUntold) }];
}

/** True where a function, or an unknown library, sees the value first. */
export function beginsUntold({ isOpaque, input }: Place): boolean {
  return isOpaque && input === undefined;
}

/** True where nobody can say: of a library that tells nothing, and of what is made later. */
function isUntold(places: readonly Place[], told: Told): boolean {
  return !told.isMissing || (told.isMade && places.some(({ schema }) => isWrittenAsync(schema)));
}

/** What the schemas told of one key. */
class Told {
  readonly inner: Place[] = [];
  isNamed = false;
  /** One of them does not name it. */
  isMissing = false;
  /** Anything may stand there. */
  isOpen = false;
  /** A transform, or an unknown library, decides what stands there. */
  isMade = false;
  /** A transform begins with it. */
  isTaken = false;
  isRefused = false;

  add({ place, isInput }: Layer, shapes: readonly Shape[], key: string): void {
    if (shapes.length === 0 && place.isOpaque) this.isMade = true;
    for (const shape of shapes) {
      if (shape.type === 'unknown') {
        if (place.isOpaque) this.isMade = true;
        else this.isOpen = true;
        continue;
      }
      const inner = stepsOf(shape, key);
      this.isNamed ||= inner !== null;
      this.isTaken ||= inner !== null && isInput;
      this.isMissing ||= inner === null;
      this.isOpen ||= inner?.length === 0;
      this.isRefused ||= inner === null && shape.refusesOthers === true;
      this.inner.push(...(inner ?? []));
    }
  }
}

/** What a key of a shape leads to: to nothing where it is not named, to no place where anything may stand. */
function stepsOf(shape: Shape, key: string): readonly Place[] | null {
  const { type, members, others, keepsOthers, refusesOthers } = shape;
  if (type === 'array') {
    if (shape.rest === undefined && shape.elements === undefined) return [];
    if (key.startsWith('$')) return allElements(shape);
    const element = /^\d+$/.test(key) ? stepOf(shape, Number(key)) : undefined;
    return element === undefined ? null : [element];
  }
  const inner = members?.get(key) ?? (refusesOthers === true ? undefined : others);
  if (inner !== undefined) return [inner];
  return keepsOthers === true && refusesOthers !== true ? [] : null;
}

function allElements({ elements = [], rest }: Shape): readonly Place[] {
  return rest === undefined ? elements : [...elements, rest];
}

function elementAt(places: readonly Place[], index: number): readonly Place[] {
  const shapes = places.flatMap(layersOf).flatMap(({ place }) => place.shapes);
  return shapes.flatMap((shape) => stepOf(shape, index) ?? []);
}

/** A place, or what its transform begins with. */
interface Layer {
  readonly place: Place;
  readonly isInput: boolean;
}

function layersOf(place: Place): readonly Layer[] {
  const layers: Layer[] = [{ place, isInput: false }];
  // case: what a schema overwrites begins with the schema itself
  for (let at = place.input; at !== undefined && layers.every((each) => each.place !== at); at = at.input)
    layers.push({ place: at, isInput: true });
  return layers;
}

/** Those of a union whose literals fit, all where none do. */
function shapesFor({ place }: Layer, value: unknown): readonly Shape[] {
  const fitting = fittingShapes(place, value);
  return fitting.length > 0 ? fitting : place.shapes;
}

/** What the schemas make of a value, each that takes it. */
function madeOf(places: readonly Place[], value: unknown): unknown[] {
  return places.flatMap(({ schema }) => {
    const made = runSchema(schema, value);
    return made === undefined ? [] : [made.value];
  });
}

/** The keys in a value that are in none of its outputs. */
export function leftOut(value: unknown, outputs: readonly unknown[], keys: readonly string[]): Unnamed[] {
  if (Array.isArray(value)) {
    const alike = outputs.filter((output) => Array.isArray(output) && output.length === value.length) as unknown[][];
    return value.flatMap((element, i) =>
      leftOut(
        element,
        alike.map((output) => output[i]),
        [...keys, String(i)],
      ),
    );
  }
  const alike = outputs.filter(isMembers);
  if (alike.length === 0 || !isMembers(value)) return [];
  return keysIn(value).flatMap((key) => {
    const inner = alike.filter((output) => hasMember(output, key)).map((output) => memberAt(output, key));
    const path = [...keys, key];
    return inner.length === 0
      ? [{ keys: path, isRefused: false, mayBeUsed: true }]
      : leftOut(memberAt(value, key), inner, path);
  });
}

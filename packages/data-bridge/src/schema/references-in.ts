import type { ReferenceTarget } from './schema-library.ts';
import type { Place, Shape } from './schema-shape.ts';
import { fittingShapes, placesIn, someShape } from './structure.ts';

/*
 * The places of a schema that hold references to other models. Only the schema knows them, as it does those of bigints and Maps:
 * BSON does not.
 */

const leads = new WeakMap<Place, boolean>();

/** True where a place is a reference, or there is one inside. All schemas must be made by then. */
export function leadsToReference(place: Place): boolean {
  const known = leads.get(place);
  if (known !== undefined) return known;
  const found = holdsReference(place);
  leads.set(place, found);
  return found;
}

/** The same while schemas are still being made. */
export function holdsReference(place: Place): boolean {
  return someShape(place, isReference);
}

function isReference({ target }: Shape): boolean {
  return target !== undefined;
}

/** The target of the reference at a place; undefined where none stands there. */
export function targetAt(place: Place | undefined): ReferenceTarget | undefined {
  return place?.shapes.find(isReference)?.target;
}

/** True for a value that consists of others, as one of the choices at the place has it: it is no id. */
export function isContainerAt(place: Place, value: object): boolean {
  return fittingShapes(place, value).some(({ type }) => type !== 'scalar' && type !== 'unknown');
}

/** The places of the members called so, through the elements of arrays and the values of records. */
export function membersAt(place: Place, name: string): Place[] {
  return elementsThrough(place).flatMap(({ shapes }) =>
    shapes.flatMap((shape) => (shape.type === 'object' ? (shape.members?.get(name) ?? []) : [])),
  );
}

/** The references at a place, through the elements of arrays and the values of records. */
export function targetsAt(place: Place): ReferenceTarget[] {
  return elementsThrough(place).flatMap((each) => targetAt(each) ?? []);
}

/** A place, and those that a path passes without naming them. */
function elementsThrough(place: Place): Place[] {
  const all = new Set([place]);
  // A set gives what is added while it is gone through, too.
  for (const each of all)
    for (const shape of each.shapes)
      if (shape.type === 'array' || shape.type === 'record') for (const inner of placesIn(shape)) all.add(inner);
  return [...all];
}

/** The dotted paths of the references at a place, as `with()` takes them: five levels of members at most. */
export function pathsToReferences(place: Place, path: string, depth = 0): string[] {
  if (!leadsToReference(place) || depth > 5) return [];
  const own = targetsAt(place).length > 0 ? [path] : [];
  const inside = elementsThrough(place).flatMap(({ shapes }) =>
    shapes.flatMap(({ type, members }) => (type === 'object' ? [...(members ?? [])] : [])),
  );
  const below = inside.flatMap(([name, inner]) => pathsToReferences(inner, `${path}.${name}`, depth + 1));
  return [...new Set([...own, ...below])];
}

const SIMPLE: ReadonlySet<Shape['type']> = new Set(['scalar', 'unknown']);
const OBJECTS: ReadonlySet<Shape['type']> = new Set(['scalar', 'unknown', 'object', 'record']);

/**
 * The keys that lead to a reference that shares its place with something that cannot be told from it, as the choices of a
 * union; undefined where there is no such place.
 */
export function ambiguityIn(place: Place): readonly string[] | undefined {
  const seen = new Set<Place>();
  const find = (at: Place, keys: readonly string[]): readonly string[] | undefined => {
    if (seen.has(at) || keys.length > 50) return undefined;
    seen.add(at);
    // One to several models is stored as an object.
    const others = at.shapes.some(({ target }) => target?.isOneOf) ? OBJECTS : SIMPLE;
    const isAlone = at.shapes.filter(({ type }) => others.has(type)).length < 2;
    if (at.shapes.some(isReference) && !isAlone) return keys;
    for (const shape of at.shapes) {
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

/** A step to all elements of an array, and one to all values of a record. */
export const ELEMENTS: unique symbol = Symbol('elements');
export const VALUES: unique symbol = Symbol('values');

/** A step to a member, to one element of a tuple, or to many. */
export type Step = string | number | typeof ELEMENTS | typeof VALUES;

/** A place of a reference with a delete rule, and how it is come to. */
export interface RulePlace {
  readonly target: ReferenceTarget;
  readonly place: Place;
  readonly steps: readonly Step[];
  /** True where the schema contains itself, so that there is no end of such places. */
  readonly isEndless: boolean;
}

/** The references with delete rules at a place, and inside of it. */
export function rulePlaces(place: Place, steps: readonly Step[] = [], above: readonly Place[] = []): RulePlace[] {
  if (!someShape(place, ({ target }) => target?.onDelete !== undefined)) return [];
  const target = targetAt(place);
  const isEndless = above.includes(place);
  const own = isEndless || target?.onDelete !== undefined ? [{ target, place, steps, isEndless }] : [];
  if (isEndless) return own as RulePlace[];
  const inside = place.shapes.flatMap((shape) =>
    stepsOf(shape).flatMap(([step, inner]) => rulePlaces(inner, [...steps, step], [...above, place])),
  );
  return [...(own as RulePlace[]), ...inside];
}

/** The places below a shape by the steps that lead there. */
function stepsOf({ members, others, elements, rest }: Shape): [Step, Place][] {
  const many: [Step, Place | undefined][] = [
    [VALUES, others],
    [ELEMENTS, rest],
  ];
  const all = [...(members ?? []), ...(elements?.entries() ?? []), ...many];
  return all.filter((each): each is [Step, Place] => each[1] !== undefined);
}

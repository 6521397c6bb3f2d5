import { copyValue } from '../bson/copy.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { noteShown, type ShowDefaults } from '../bson/shown-defaults.ts';
import type { Place, Shape } from './schema-shape.ts';
import { fittingShapes, someShape, stepInto } from './structure.ts';

/*
 * A document that was stored before a member of the schema existed lacks its default. It is set where the field is handed out,
 * and noted, so that it is the document's only when it is changed.
 */

const compiled = new WeakMap<Place, { readonly show: ShowDefaults | null }>();

/** What sets the defaults inside of a value; null where the schema has none, which is most often. */
export function defaultsOf(place: Place): ShowDefaults | null {
  const known = compiled.get(place);
  if (known !== undefined) return known.show;
  if (!someShape(place, hasDefaults)) {
    compiled.set(place, { show: null });
    return null;
  }
  // A schema may contain itself.
  const entry: { show: ShowDefaults | null } = { show: (value, isLoaded) => showInside(place, value, isLoaded, []) };
  compiled.set(place, entry);
  const [shape] = place.shapes;
  if (place.shapes.length === 1 && shape !== undefined) entry.show = quickly(shape, entry.show as ShowDefaults);
  return entry.show;
}

function hasDefaults({ members }: Shape): boolean {
  return members !== undefined && [...members.values()].some((member) => member.makeDefault !== undefined);
}

/** The same for whole documents and one shape, with what the schema says found out once: nearly all documents lack nothing. */
function quickly(shape: Shape, generally: ShowDefaults): ShowDefaults {
  const { type, members, others, elements, rest } = shape;
  if (type === 'array' && elements === undefined && rest !== undefined) {
    const element = new Inner('', rest);
    return (value, isLoaded) => {
      if (isLoaded !== null) return generally(value, isLoaded);
      const { show } = element;
      if (show !== null && Array.isArray(value)) for (let i = 0; i < value.length; i++) show(value[i], null);
    };
  }
  if (type !== 'object' || others !== undefined || members === undefined) return generally;
  const named = [...members]
    .filter(([, member]) => member.makeDefault !== undefined || someShape(member, hasDefaults))
    .map(([key, member]) => new Inner(key, member));
  return (value, isLoaded) => {
    if (isLoaded !== null) return generally(value, isLoaded);
    if (!isPlainObject(value)) return;
    for (let i = 0; i < named.length; i++) {
      const { key, place, show } = named[i] as Inner;
      if (!Object.hasOwn(value, key)) showDefault(value, key, place);
      else if (show !== null) show(value[key], null);
    }
  };
}

/** A member that has defaults, or is one. What lies inside is looked at when it is needed: a schema may make new ones without end. */
class Inner {
  readonly key: string;
  readonly place: Place;
  #show: ShowDefaults | null | undefined;

  constructor(key: string, place: Place) {
    this.key = key;
    this.place = place;
  }

  get show(): ShowDefaults | null {
    return this.#show === undefined ? (this.#show = defaultsOf(this.place)) : this.#show;
  }
}

function showInside(
  place: Place | undefined,
  value: unknown,
  isLoaded: ((keys: readonly string[]) => boolean) | null,
  keys: readonly string[],
): void {
  if (place === undefined || typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    value.forEach((element, i) => showInside(stepInto(place, i, value), element, isLoaded, [...keys, String(i)]));
  } else if (value instanceof Map) {
    for (const [key, member] of value as Map<string, unknown>)
      showInside(stepInto(place, key, value), member, isLoaded, [...keys, key]);
  } else if (isPlainObject(value)) showMembers(place, value, isLoaded, keys);
}

function showMembers(
  place: Place,
  value: Record<string, unknown>,
  isLoaded: ((keys: readonly string[]) => boolean) | null,
  keys: readonly string[],
): void {
  const [shape, another] = fittingShapes(place, value);
  // Of a union nothing is shown unless literals tell which of its types it is.
  if (shape === undefined || another !== undefined) return;
  const stored = Object.keys(value);
  shape.members?.forEach((member, key) => {
    if (!Object.hasOwn(value, key) && (isLoaded === null || isLoaded([...keys, key]))) showDefault(value, key, member);
  });
  for (const key of stored) showInside(shape.members?.get(key) ?? shape.others, value[key], isLoaded, [...keys, key]);
}

function showDefault(value: Record<string, unknown>, key: string, { makeDefault }: Place): void {
  const made = makeDefault?.();
  if (made === undefined) return;
  noteShown(value, key, copyValue(made));
  setOwn(value, key, made);
}

/** The defaults beside what an update writes inside of a field that may be absent: by dotted paths. */
export function siblingDefaults(place: Place, name: string, written: readonly string[]): [string, unknown][] {
  const found: [string, unknown][] = [];
  const visit = (at: Place, path: string): void => {
    const [shape, another] = at.shapes;
    const inside = written.filter((each) => each.startsWith(`${path}.`));
    if (inside.length === 0 || shape?.type !== 'object' || another !== undefined) return;
    shape.members?.forEach((member, key) => {
      const inner = `${path}.${key}`;
      const isNamed = written.some((each) => each === inner || each.startsWith(`${inner}.`));
      if (isNamed) visit(member, inner);
      else if (!/^$|^\$|\./.test(key)) {
        const made = member.makeDefault?.();
        if (made !== undefined) found.push([inner, made]);
      }
    });
  };
  visit(place, name);
  return found;
}

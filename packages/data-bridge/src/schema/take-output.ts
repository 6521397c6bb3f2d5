import { isMutable } from '../bson/copy.ts';
import { copyInput } from '../bson/copy-input.ts';
import { ABSENT } from '../bson/encode.ts';
import { equalValues, isShownDefault } from '../bson/equal-values.ts';
import { pairElements } from '../bson/identity.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { hasMember, isMembers, keysIn, memberAt, type Members, putMember, unfrozen } from './members.ts';
import { isAmong, isSame, likeness, MAX_PAIRS, pairAlike, whichAreAmong } from './pair-elements.ts';
import type { Place, Shape } from './schema-shape.ts';
import { runSchema, stepInto } from './structure.ts';
import { isLeft, keptOf, leftOut, mayNotBeTaken, unnamedBelow } from './take-unnamed.ts';
import type { Known, Spot, Taking } from './taking.ts';
import { putAt, removeAt, replaceElements, takeAllElements, takeMemberWhole } from './take-whole.ts';

/*
 * Lays what a schema made of a field over its value, in place: at every path whose value is neither what is stored nor what
 * was taken before. So each new value is transformed once, and what is stored never, however often a save fails.
 */

/** @returns the value to keep: the container itself, or a copy of the output where it cannot be laid over. */
export function takeOutput(taking: Taking, value: unknown, output: unknown, known: Known, spot: Spot): unknown {
  if (value === undefined || isAsGiven(value, output) || isKnown(value, known)) return value;
  if (Array.isArray(value) && Array.isArray(output)) return takeElements(taking, value, output, known, spot);
  if (isMembers(value) && isMembers(output) && value instanceof Map === output instanceof Map)
    return takeMembers(taking, value, output, known, spot);
  const { base } = known;
  const isStored = (Array.isArray(value) && Array.isArray(base)) || (isMembers(value) && isMembers(base));
  if (isStored && !spot.isWhole) {
    taking.untold.push(spot.keys);
    return value;
  }
  if (mayNotBeTaken(taking, value, output, spot)) return value;
  const alike = isMutable(value) && isMutable(output) && Object.getPrototypeOf(value) === Object.getPrototypeOf(output);
  if (alike && equalValues(value, output)) return value;
  taking.changed = true;
  return copyInput(output);
}

/** True where the schema changed nothing, and left nothing out. Most only look, and copy what they looked at. */
export function isAsGiven(value: unknown, output: unknown): boolean {
  if (Object.is(value, output)) return true;
  if (typeof output !== 'object' || output === null || !isMutable(value)) return false;
  if (Array.isArray(value)) return Array.isArray(output) && areElementsAsGiven(value, output);
  return isPlainObject(value) && isPlainObject(output) && areMembersAsGiven(value, output);
}

function areElementsAsGiven(value: readonly unknown[], output: readonly unknown[]): boolean {
  if (value.length !== output.length) return false;
  for (let i = 0; i < value.length; i++) if (!isAsGiven(value[i], output[i])) return false;
  return true;
}

function areMembersAsGiven(value: Record<string, unknown>, output: Record<string, unknown>): boolean {
  let left = 0;
  for (const key in value) {
    if (!hasOwnProperty.call(value, key)) continue;
    const member = value[key];
    if (hasOwnProperty.call(output, key)) {
      if (!isAsGiven(member, output[key])) return false;
      left++;
    } else if (member !== undefined) return false;
  }
  for (const key in output) if (hasOwnProperty.call(output, key)) left--;
  return left === 0;
}

// V8 knows that this holds for the keys of a for-in loop; for Object.hasOwn it looks every time.
const { hasOwnProperty } = Object.prototype;

function isKnown(value: unknown, { base, others }: Known): boolean {
  return (base !== ABSENT && isSame(value, base)) || isAmong(others, value);
}

// ── members ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeMembers(taking: Taking, given: Members, output: Members, known: Known, spot: Spot): Members {
  const value = unfrozen(given);
  const stored = [known.base, ...known.others].filter(isMembers);
  const { place } = spot;
  const isOpaque = place?.isOpaque !== false;
  if (stored.length === 0 && isOpaque) return takeNewMembers(taking, value, output, spot);
  const open = new OpenMembers(value, stored, place);
  for (const key of keysIn(value)) {
    const member = memberAt(value, key);
    if (isShownDefault(value, key, member)) continue;
    const mayHaveMoved = open.has(key);
    const inStored = mayHaveMoved
      ? open.everywhere
      : stored.filter((each) => hasMember(each, key)).map((each) => memberAt(each, key));
    const keys = [...spot.keys, key];
    if (!hasMember(output, key)) {
      if (member !== undefined && inStored.length === 0) leftOut(taking, value, key, { ...spot, keys }, isOpaque);
      continue;
    }
    const base = hasMember(known.base, key) ? memberAt(known.base as Members, key) : ABSENT;
    const inside = isOpaque ? stepInto(place?.input ?? place, key, value) : stepInto(place, key, value);
    const isNew = base === ABSENT && mayHaveMoved;
    const isFresh = isNew && inside?.isOpaque !== false && isNothingOf(member, open.everywhere, open.isNothingMissing);
    const inOthers = base === ABSENT || mayHaveMoved ? inStored : inStored.slice(1);
    const own = { base, others: isFresh ? [] : inOthers };
    // Under a transform of what is stored the members' own schemas say what becomes of new values.
    const made = isOpaque ? madeInside(inside, member, own) : undefined;
    const at = { place: inside, identities: spot.identities?.at(key), keys, isWhole: isNew };
    const taken = takeOutput(taking, member, made === undefined ? memberAt(output, key) : made.value, own, at);
    if (!Object.is(taken, member)) putAt(taking, value, key, taken);
  }
  if (stored.length > 0 && !spot.isWhole) return value;
  for (const key of keysIn(output)) {
    if (hasMember(value, key) && memberAt(value, key) !== undefined) continue;
    const added = memberAt(output, key);
    if (added !== undefined) putAt(taking, value, key, copyInput(added));
  }
  return value;
}

/** Members that no schema names one by one: those of a record, which may have moved as elements of an array do. */
class OpenMembers {
  readonly #value: Members;
  readonly #stored: readonly Members[];
  readonly #shapes: readonly Shape[];
  #everywhere: readonly unknown[] | undefined;

  constructor(value: Members, stored: readonly Members[], place: Place | undefined) {
    this.#value = value;
    this.#stored = stored;
    this.#shapes = place?.shapes ?? [];
  }

  has(key: string): boolean {
    return this.#shapes.some(({ type, others, members }) => {
      return type === 'record' || (others !== undefined && members?.has(key) !== true);
    });
  }

  /** What is stored under any key. */
  get everywhere(): readonly unknown[] {
    return (this.#everywhere ??= this.#stored.flatMap((each) => keysIn(each).map((key) => memberAt(each, key))));
  }

  /** True where every stored key is still there. */
  get isNothingMissing(): boolean {
    return this.#stored.every((each) => keysIn(each).every((key) => hasMember(this.#value, key)));
  }
}

/** What a transform left out of a new value it used; but what its own input does not name it never saw. */
function takeNewMembers(taking: Taking, value: Members, output: Members, spot: Spot): Members {
  const found = unnamedBelow(taking, value, output, spot);
  if (isLeft(taking, value, output, found, spot)) return value;
  const kept = keptOf(taking, value, output, found);
  for (const key of keysIn(value))
    if (!hasMember(output, key) && memberAt(value, key) !== undefined) removeAt(taking, value, key);
  for (const key of keysIn(output)) takeMemberWhole(taking, value, key, memberAt(output, key));
  for (const { holder, key, member } of kept) putMember(holder, key, member);
  return value;
}

// ── elements ────────────────────────────────────────────────────────────────────────────────────────────────────────

function takeElements(
  taking: Taking,
  given: unknown[],
  output: readonly unknown[],
  known: Known,
  spot: Spot,
): unknown[] {
  const value = unfrozen(given);
  const isOpaque = spot.place?.isOpaque !== false;
  const arrays = [known.base, ...known.others].filter(Array.isArray) as unknown[][];
  const mayHaveMoved = isOpaque || value.length !== output.length;
  if (arrays.length === 0 && mayHaveMoved)
    return mayNotBeTaken(taking, value, output, spot) ? value : takeAllElements(taking, value, output);
  const stored = arrays.flat();
  const { base, others } = known;
  const origins =
    Array.isArray(base) && others.length === 0 ? pairElements(value, base, spot.identities)?.origins : undefined;
  const isKept = mayHaveMoved || origins === undefined ? whichAreAmong(value, stored) : null;
  if (mayHaveMoved && isKept !== null && !isAligned(value, output, isKept)) {
    const next = sorted(value, output, isKept);
    if (next === null) return takeInside(taking, value, output, stored, spot);
    const found = unnamedBelow(taking, value, output, spot).filter(({ keys: [i] }) => isKept[Number(i)] !== true);
    return isLeft(taking, value, output, found, spot) ? value : replaceElements(taking, value, next);
  }
  if (isOpaque && isKept !== null) takeOrder(taking, value, output, isKept);
  const elements = new Elements(value, stored, isKept ?? []);
  const start = isOpaque ? (spot.place?.input ?? spot.place) : spot.place;
  for (let i = 0; i < value.length; i++) {
    if (origins === undefined && isKept?.[i] === true) continue;
    const origin = origins?.[i] ?? -1;
    const paired = origin >= 0 ? (base as unknown[])[origin] : ABSENT;
    const own = origins === undefined ? elements.partnerOf(i) : paired;
    takeElement(taking, elements, i, output[i], own, stepInto(start, i, value), spot);
  }
  return value;
}

/**
 * Puts elements that are not kept where a schema that orders a list has put what it made of them, so that each gets what is its
 * own: they are told by what they have in common.
 */
function takeOrder(taking: Taking, value: unknown[], output: readonly unknown[], isKept: readonly boolean[]): void {
  const places = [...value.keys()].filter((i) => isKept[i] !== true);
  const made = places.map((i) => output[i]);
  const pairs = pairAlike(
    places.map((i) => value[i]),
    [],
    made,
  );
  if (pairs.size < places.length) return;
  const next = [...value];
  for (const [from, each] of pairs) next[places[made.indexOf(each)] as number] = value[places[from] as number];
  replaceElements(taking, value, next);
}

/** The elements of an array and what was stored there: what is asked of them is found out when it is. */
class Elements {
  readonly values: unknown[];
  readonly stored: readonly unknown[];
  readonly #isKept: readonly boolean[];
  #missing: readonly unknown[] | undefined;
  #partners: Map<number, unknown> | undefined;

  constructor(values: unknown[], stored: readonly unknown[], isKept: readonly boolean[]) {
    this.values = values;
    this.stored = stored;
    this.#isKept = isKept;
  }

  /** What was stored and is there no longer. */
  get missing(): readonly unknown[] {
    if (this.#missing === undefined) {
      const isThere = whichAreAmong(this.stored, this.values);
      this.#missing = this.stored.filter((_, i) => isThere[i] !== true);
    }
    return this.#missing;
  }

  /** The missing one that an element is likest to, or `ABSENT`. */
  partnerOf(i: number): unknown {
    this.#partners ??= pairAlike(this.values, this.#isKept, this.missing);
    return this.#partners.has(i) ? this.#partners.get(i) : ABSENT;
  }
}

/** True where each element that was kept stands in the output where it stands in the value. */
function isAligned(value: readonly unknown[], output: readonly unknown[], isKept: readonly boolean[]): boolean {
  return (
    value.length === output.length && value.every((element, i) => isKept[i] !== true || isSame(element, output[i]))
  );
}

/**
 * The elements as a schema that sorts, filters or leaves out duplicates has them: what was kept must be there unaltered, and
 * what is not must come from what is new. Else null: nobody can tell which is which.
 */
function sorted(value: readonly unknown[], output: readonly unknown[], isKept: readonly boolean[]): unknown[] | null {
  const strange = output.filter((each) => !isAmong(value, each)).length;
  const isWhole = value.every((element, i) => isKept[i] !== true || isAmong(output, element));
  if (!isWhole || strange > isKept.filter((kept) => !kept).length) return null;
  const left = [...value];
  return output.map((each) => {
    const found = left.findIndex((element) => isSame(element, each));
    return found < 0 ? copyInput(each) : left.splice(found, 1)[0];
  });
}

/** Each new element becomes what its own schema makes of it. */
function takeInside(
  taking: Taking,
  value: unknown[],
  output: readonly unknown[],
  stored: readonly unknown[],
  spot: Spot,
): unknown[] {
  const isKept = whichAreAmong(value, stored);
  const elements = new Elements(value, stored, isKept);
  const start = spot.place?.input ?? spot.place;
  for (let i = 0; i < value.length; i++) {
    if (isKept[i] === true) continue;
    const inside = stepInto(start, i, value);
    const base = elements.partnerOf(i);
    const made = madeInside(inside, value[i], { base, others: stored });
    if (made !== undefined) takeElement(taking, elements, i, made.value, base, inside, spot);
    else if (!isAmong(output, value[i])) taking.untold.push([...spot.keys, String(i)]);
  }
  return value;
}

function takeElement(
  taking: Taking,
  elements: Elements,
  i: number,
  output: unknown,
  base: unknown,
  place: Place | undefined,
  spot: Spot,
): void {
  const element = elements.values[i];
  const isFresh = base === ABSENT && isNothingOf(element, elements.stored, elements.missing.length === 0);
  const others = isFresh && place?.isOpaque !== false ? [] : elements.stored;
  // One that replaces none is new as a whole, but for values that were stored in another one.
  const keys = [...spot.keys, String(i)];
  const at = { place, identities: spot.identities?.at(i), keys, isWhole: base === ABSENT };
  const taken = takeOutput(taking, element, output, { base, others }, at);
  if (Object.is(taken, element)) return;
  taking.changed = true;
  elements.values[i] = taken;
}

/** True where a value that replaces none is new altogether: nothing is missing that it could be, or it has nothing of what is stored. */
function isNothingOf(value: unknown, stored: readonly unknown[], isNothingMissing: boolean): boolean {
  return isNothingMissing || (stored.length < MAX_PAIRS && stored.every((each) => likeness(value, each) === 0));
}

/** What the schema of a place makes of a value that is not known already. */
function madeInside(place: Place | undefined, value: unknown, known: Known): { readonly value: unknown } | undefined {
  if (place === undefined || value === undefined) return undefined;
  return isKnown(value, known) ? { value } : runSchema(place.schema, value);
}

import { BSON } from 'mongodb';
import { canonical } from './laws-canonical.ts';
import type { Random } from './laws-random.ts';

/*
 * Arrays of values that are their own identity: what writers do to them, and what should be stored then. Values are compared
 * by their texts here, and nothing of the code under test is used.
 */

type Values = readonly unknown[];

const text = (value: unknown): string => canonical(value);
const has = (list: Values, value: unknown): boolean => list.some((each) => text(each) === text(value));
const same = (a: Values, b: Values): boolean => text(a) === text(b);

/** True where no value is twice in a list. */
export function isSet(list: Values): boolean {
  return new Set(list.map(text)).size === list.length;
}

/** True where each that is new took the place of another one. */
export function isInPlace(base: Values, mine: Values): boolean {
  return base.length === mine.length && base.every((each, i) => text(each) === text(mine[i]) || !has(mine, each));
}

/** True where a list only grew, at its end. */
export function isGrowth(base: Values, mine: Values): boolean {
  return mine.length > base.length && same(mine.slice(0, base.length), base);
}

/**
 * What is stored when `mine` was made of `base`, and another writer stored `theirs` meanwhile.
 *
 * @param isUnique where it is declared that no value is there twice.
 */
export function merged(base: Values, mine: Values, theirs: Values, isUnique: boolean): Values {
  if (same(base, mine)) return theirs;
  if (isGrowth(base, mine) && !isUnique) return [...theirs, ...mine.slice(base.length)];
  const stays = (value: unknown): boolean => has(base, value) && has(mine, value);
  if (base.length > 0 && mine.length > 0 && !base.some(stays)) return mine;
  if (isInPlace(base, mine) && !isUnique) return replaced(base, mine, theirs);
  const left = theirs.filter((each) => !has(base, each) || has(mine, each));
  const myOrder = mine.filter(stays);
  const isMoved = !same(myOrder, base.filter(stays));
  const fresh = mine.filter((each) => !has(base, each) && !has(left, each));
  if (isMoved) {
    const shown = mine.filter((each) => has(left, each) || has(fresh, each));
    return [...shown, ...left.filter((each) => !has(mine, each))];
  }
  const anchors = new Map<string, unknown[]>([['', []]]);
  const tail: unknown[] = [];
  let anchor = '';
  mine.forEach((each, i) => {
    if (stays(each)) anchor = text(each);
    else if (!has(fresh, each)) return;
    else if (mine.slice(i).some(stays)) anchors.set(anchor, [...(anchors.get(anchor) ?? []), each]);
    else tail.push(each);
  });
  const result = [...(anchors.get('') ?? [])];
  anchors.delete('');
  for (const each of left) {
    result.push(each, ...(anchors.get(text(each)) ?? []));
    anchors.delete(text(each));
  }
  return [...result, ...[...anchors.values()].flat(), ...tail];
}

function replaced(base: Values, mine: Values, theirs: Values): Values {
  const places = base.flatMap((each, i) => (text(each) === text(mine[i]) ? [] : [i]));
  if (places.every((i) => i < theirs.length && text(theirs[i]) === text(base[i])))
    return theirs.map((each, i) => (places.includes(i) ? mine[i] : each));
  const result = [...theirs];
  const added: unknown[] = [];
  for (const i of places) {
    const at = theirs.flatMap((each, j) => (text(each) === text(base[i]) ? [j] : []));
    for (const j of at) result[j] = mine[i];
    if (at.length > 0 || has(theirs, mine[i])) continue;
    if (theirs.length === base.length && !has(base, theirs[i])) result[i] = mine[i];
    else added.push(mine[i]);
  }
  return [...result, ...added];
}

// ── what writers do ─────────────────────────────────────────────────────────────────────────────────────────────────

const { ObjectId, UUID } = BSON;
const TEXTS: Values = ['a', 'A', 'b', 'c', '$a', '$$ROOT', '', '1', 'a.b', '__proto__', 'é'];
const IDS: Values = [1, 2].map((n) => new ObjectId(Buffer.alloc(12, n)));
const UUIDS: Values = [1, 2].map((n) => new UUID(`0123456789abcdef0123456789abcde${n}`));
export const OWN_IDENTITIES: Values = [...TEXTS, ...IDS, ...UUIDS];
export const SCALARS: Values = [...TEXTS, ...IDS, 1, 2, 2.5, true, new Date(1), BSON.Long.fromNumber(7)];

/** A list of different values. */
export function sampleOf(random: Random, pool: Values, most: number): unknown[] {
  const left = [...pool];
  return random.list(random.below(most + 1), () => left.splice(random.below(left.length), 1)[0]);
}

/** A few changes as programs make them. Some of what is new comes from `shared`, of which other writers take, too. */
export function changedBy(random: Random, list: Values, writer: string, shared: Values): unknown[] {
  let serial = 0;
  const fresh = (current: Values): unknown => {
    const candidates = shared.filter((each) => !has(current, each));
    serial += 1;
    return candidates.length > 0 && random.chance(0.2) ? random.pick(candidates) : `${writer}${serial}`;
  };
  const change = (current: Values): unknown[] => {
    const at = random.below(Math.max(1, current.length));
    const other = random.below(Math.max(1, current.length));
    const isEmpty = current.length === 0;
    return random.pick<() => unknown[]>([
      () => current.toSpliced(at, 1),
      () => current.filter(() => random.chance(0.6)),
      () => current.slice(1),
      () => current.slice(0, -1),
      () => [...current, fresh(current)],
      () => [...current, fresh(current)],
      () => [fresh(current), ...current],
      () => current.toSpliced(at, 0, fresh(current)),
      () => current.toSpliced(at, 0, fresh(current), `${writer}-${serial}`),
      () => (isEmpty ? [] : current.toSpliced(at, 1, fresh(current))),
      () => (isEmpty ? [] : current.toSpliced(at, 1, fresh(current))),
      () => (isEmpty ? [] : current.with(at, current[other]).with(other, current[at])),
      () => current.toReversed(),
      () => current.toSorted((a, b) => (text(a) < text(b) ? -1 : 1)),
      () => [...current.toSpliced(at, 1), ...current.slice(at, at + 1)],
    ])();
  };
  let result: unknown[] = [...list];
  for (let n = random.pick([1, 1, 1, 2, 3]); n > 0; n -= 1) result = change(result);
  return result;
}

/** What only other programs store: a value twice, or of another type. */
export function oddOne(random: Random, list: Values): unknown[] {
  const odd = random.pick<unknown>([list[0] ?? 'a', 5, 1, null, ['a'], { a: 1 }, /a/, list.at(-1) ?? 'b']);
  return list.toSpliced(random.below(list.length + 1), 0, odd);
}

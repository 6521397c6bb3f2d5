import { equalToServer } from './server-values.ts';
import type { PositionsEdit } from './edits.ts';
import type { ValuesEdit } from './values-edit.ts';

/*
 * What an update makes of an array of values that are told apart by what they are: the pipeline does the same. Values are
 * found wherever they are, and others' stay.
 */

type Values = readonly unknown[];

/** Removes mine, adds those that are not there, each behind the one that it was put behind, or puts mine in my order. */
export function mergeValues(edit: ValuesEdit, current: Values): unknown[] {
  const { value, removed, added, isMoved, first, inserted, last } = edit;
  const kept = notIn(current, removed);
  if (isMoved) {
    const mine = value.filter((each) => isIn(kept, each) || isIn(added, each));
    return [...mine, ...notIn(kept, value)];
  }
  let body = kept;
  for (const { p, v } of inserted) {
    const at = body.findIndex((each) => equalToServer(each, p));
    body = body.toSpliced(at < 0 ? body.length : at + 1, 0, ...notIn(v, body));
  }
  return [...notIn(first, kept), ...body, ...notIn(last, kept)];
}

/**
 * Replaces each of mine wherever it is now. Where another writer replaced it in its place, mine wins; where it is gone, mine
 * is added unless it is there.
 */
export function replaceValues({ base, value, children }: PositionsEdit, current: Values): unknown[] {
  const places = Array.from(children.keys(), (i) => {
    const isKnown = isIn(current, base[i]) || isIn(current, value[i]);
    const isReplaced = current.length === base.length && !isKnown && !isIn(base, current[i]);
    return { i, isKnown, isReplaced };
  });
  const replaced = current.map((each, at) => {
    const place = places.find(({ i, isReplaced }) => equalToServer(each, base[i]) || (i === at && isReplaced));
    return place === undefined ? each : value[place.i];
  });
  const gone = places.filter(({ isKnown, isReplaced }) => !isKnown && !isReplaced);
  return [...replaced, ...gone.map(({ i }) => value[i])];
}

export function isIn(values: Values, sought: unknown): boolean {
  return values.some((each) => equalToServer(each, sought));
}

function notIn(values: Values, others: Values): unknown[] {
  return others.length === 0 ? [...values] : values.filter((each) => !isIn(others, each));
}

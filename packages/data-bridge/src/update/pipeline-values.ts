import type { PositionsEdit } from '../edits/edits.ts';
import { element, type Expression, literal, valuesNotIn } from '../edits/expression.ts';
import type { Insertion, ValuesEdit } from '../edits/values-edit.ts';

/*
 * Arrays of values that are told apart by what they are, in a pipeline. `edits/merge-values.ts` says the same of values that
 * are known.
 */

/** An array in which values are found wherever they are now; those of others stay, and none is added that is there. */
export function mergeValues(edit: ValuesEdit, array: Expression): Expression {
  const { value, removed, added, isMoved, first, inserted, last } = edit;
  const kept = removed.length > 0 ? valuesNotIn(array, literal(removed)) : array;
  if (isMoved) return { $let: { vars: { l: kept }, in: inOrder(value, added) } };
  if (added.length === 0) return kept;
  const parts = [...fresh(first), inserted.length === 0 ? '$$l' : insert(inserted), ...fresh(last)];
  return { $let: { vars: { l: kept }, in: { $concatArrays: parts } } };
}

/** Those values that are not in the array. */
function fresh(values: readonly unknown[]): Expression[] {
  return values.length === 0 ? [] : [valuesNotIn(literal(values), '$$l')];
}

/** What is there of my values, and what is new, in my order; others' behind them. */
function inOrder(value: readonly unknown[], added: readonly unknown[]): Expression {
  const isMine = { $or: [{ $in: ['$$v', '$$l'] }, { $in: ['$$v', literal(added)] }] };
  const mine = { $filter: { input: literal(value), as: 'v', cond: isMine } };
  return { $concatArrays: [mine, valuesNotIn('$$l', literal(value))] };
}

/** Puts new values behind the one that they were put behind; where that is gone, at the end. */
function insert(inserted: readonly Insertion[]): Expression {
  const next = { $add: [{ $indexOfArray: ['$$value', '$$this.p'] }, 1] };
  const values = valuesNotIn('$$this.v', '$$value');
  const rest = { $slice: ['$$value', '$$n', { $size: '$$value' }] };
  const behind = { $concatArrays: [{ $slice: ['$$value', '$$n'] }, values, rest] };
  const place = { $cond: [{ $eq: ['$$n', 0] }, { $concatArrays: ['$$value', values] }, behind] };
  return { $reduce: { input: literal(inserted), initialValue: '$$l', in: { $let: { vars: { n: next }, in: place } } } };
}

/**
 * Elements that stand elsewhere now are replaced there. Where another writer replaced one in its place, mine wins; where it
 * is gone, mine is added unless it is there.
 */
export function replaceValues({ base, value, children }: PositionsEdit, array: Expression): Expression {
  const isSameLength = { $eq: [{ $size: '$$x' }, base.length] };
  const isIn = (each: Expression, list: Expression): Expression => ({ $in: [each, list] });
  const places = Array.from(children.keys(), (i) => {
    const isKnown = { $or: [isIn(literal(base[i]), '$$x'), isIn(literal(value[i]), '$$x')] };
    const isForeign = { $not: [isIn(element('$$x', i), literal(base))] };
    return { i, isKnown, isReplaced: { $and: [isSameLength, { $not: [isKnown] }, isForeign] } };
  });
  const current = { $arrayElemAt: ['$$x', '$$i'] };
  const branches = places.flatMap(({ i, isReplaced }) => [
    { case: { $eq: [current, literal(base[i])] }, then: literal(value[i]) },
    { case: { $and: [{ $eq: ['$$i', i] }, isReplaced] }, then: literal(value[i]) },
  ]);
  const indexes = { $range: [0, { $size: '$$x' }] };
  const replaced = { $map: { input: indexes, as: 'i', in: { $switch: { branches, default: current } } } };
  const added = places.map(({ i, isKnown, isReplaced }) => ({
    $cond: [{ $or: [isKnown, isReplaced] }, literal([]), literal([value[i]])],
  }));
  return { $let: { vars: { x: array }, in: { $concatArrays: [replaced, ...added] } } };
}

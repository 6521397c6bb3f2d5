import type { Collation } from '../values/collation.ts';
import { isSameCollation } from '../values/collation.ts';
import { hasOperators, matcher } from '../engine/match/compile.ts';
import { toNumber } from '../values/number.ts';
import { holdsText, keyAfter, reversedKey } from '../values/order-key.ts';
import { equals } from '../values/order.ts';
import { isIndex, splitPath } from '../values/path.ts';
import { type Document, isArray, isDocument, isNumeric, type Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ALL_KEYS, type KeyRange, rangeOf, storedKey, storedRange } from '../storage/key-range.ts';
import type { ScannableIndex } from '../storage/secondary-index.ts';
import { type Bounds, boundsOf, type FieldBounds, intersection } from './index-bounds.ts';
import type { Hint } from './hint.ts';

/** More ranges than that are not made by combining the values of several fields. */
const MAX_RANGES = 1_000;

/** What is wanted of a collection. */
export interface PlannedQuery {
  readonly filter: Document;
  readonly sort?: Document | undefined;
  readonly hint?: Hint | undefined;
  readonly collation?: Collation | undefined;
}

/** A way to the records that a filter selects. */
export type Plan = CollectionScan | IdLookup | IndexScan | Union;

interface AnyPlan {
  /** What a record on the way still has to pass; undefined where all of them are selected. */
  readonly filter: Document | undefined;
  /** True where they come in the order that is wanted. */
  readonly sorted: boolean;
}

/** All records in natural order. */
export interface CollectionScan extends AnyPlan {
  readonly kind: 'collection';
  readonly backwards: boolean;
}

/** At most one record. */
export interface IdLookup extends AnyPlan {
  readonly kind: 'id';
  readonly id: Value;
}

/** Some ranges of an index. */
export interface IndexScan extends AnyPlan {
  readonly kind: 'index';
  readonly index: ScannableIndex;
  /** In the order of the index. */
  readonly ranges: readonly KeyRange[];
  /** The bounds of the first fields of the index, which the ranges are made of. */
  readonly bounds: readonly Bounds[];
  readonly backwards: boolean;
  /** True where it may come to one record several times. */
  readonly repeats: boolean;
}

/** The alternatives of an `$or`, each by an index. */
export interface Union extends AnyPlan {
  readonly kind: 'union';
  readonly branches: readonly Plan[];
}

/** Chooses the way to the records of a query. */
export function planQuery(collection: Collection, query: PlannedQuery): Plan {
  const { filter, sort, hint, collation } = query;
  const everything = filter.size === 0;
  const scan: CollectionScan = {
    kind: 'collection',
    backwards: hint?.kind === 'natural' && hint.backwards,
    filter: everything ? undefined : filter,
    sorted: sort === undefined,
  };
  if (hint?.kind === 'natural' || (everything && sort === undefined && hint === undefined)) return scan;
  const hinted = hint?.index;
  const id = filter.get('_id');
  if (id !== undefined && (hinted === undefined || hinted === collection.ids) && isLookup(id, collection, collation)) {
    return { kind: 'id', id, filter: filter.size === 1 ? undefined : filter, sorted: true };
  }
  const bounds = boundsOf(filter, collation);
  const indexes = hinted === undefined ? [collection.ids, ...collection.indexes] : [hinted];
  const choice = new Choice(query, bounds);
  for (const index of indexes) choice.consider(index, hinted !== undefined);
  if (hinted === undefined && !choice.hasBounds) {
    const union = planUnion(collection, query);
    if (union !== undefined) return union;
  }
  return choice.best ?? scan;
}

/** True where an equality with `_id` is nothing but a look-up by its key. */
function isLookup(id: Value, { ids }: Collection, collation: Collation | undefined): boolean {
  if (isArray(id) || (isDocument(id) && hasOperators(id))) return false;
  if (typeof id === 'object' && id !== null && '_bsontype' in id) {
    if (id._bsontype === 'BSONRegExp' || id._bsontype === 'Undefined') return false;
  }
  return id !== null && (!holdsText(id) || (collation === undefined && ids.definition.collation === undefined));
}

/** Each branch of an `$or` by an index of its own; undefined where there is none or one of them cannot. */
function planUnion(collection: Collection, { filter, sort, collation }: PlannedQuery): Union | undefined {
  const { alternatives, rest } = alternativesOf(filter);
  if (alternatives === undefined) return undefined;
  const branches: Plan[] = [];
  for (const alternative of alternatives) {
    if (!isDocument(alternative) || alternative.size === 0) return undefined;
    const plan = planQuery(collection, { filter: alternative, collation });
    if (plan.kind === 'collection') return undefined;
    branches.push(plan);
  }
  return { kind: 'union', branches, filter: rest.size === 0 ? undefined : rest, sorted: sort === undefined };
}

/** The branches of the first `$or`, and what else records have to pass. */
function alternativesOf(filter: Document): { alternatives: Value[] | undefined; rest: Document } {
  const alternatives = filter.get('$or');
  if (isArray(alternatives)) {
    return { alternatives, rest: new Map([...filter].filter(([name]) => name !== '$or')) };
  }
  const parts = filter.get('$and');
  for (const part of isArray(parts) ? parts : []) {
    const nested = isDocument(part) ? part.get('$or') : undefined;
    if (isArray(nested)) return { alternatives: nested, rest: filter };
  }
  return { alternatives: undefined, rest: filter };
}

/** The best index so far. */
class Choice {
  best: IndexScan | undefined;
  hasBounds = false;
  readonly #query: PlannedQuery;
  readonly #filterBounds: FieldBounds;
  readonly #sort: readonly SortField[] | undefined;
  #score = 0;

  constructor(query: PlannedQuery, bounds: FieldBounds) {
    this.#query = query;
    this.#filterBounds = bounds;
    this.#sort = query.sort && sortFields(query.sort);
  }

  /** A hinted index is taken as it is: what it leaves out is left out. */
  consider(index: ScannableIndex, hinted: boolean): void {
    const { collation } = this.#query;
    const known = new IndexBounds(index, this.#filterBounds, collation);
    if (!hinted && !known.isComplete(this.#query.filter)) return;
    const direction = this.#sort && providedDirection(index, known.bounds, this.#sort, collation);
    const score = scoreOf(known.bounds) + (direction === undefined ? 0 : 1);
    if (!hinted && (score === 0 || score < this.#score)) return;
    if (score === this.#score && this.best !== undefined && sizeOf(index) >= sizeOf(this.best.index)) return;
    this.#score = score;
    this.hasBounds = known.bounds.length > 0;
    this.best = {
      kind: 'index',
      index,
      ranges: known.ranges(),
      bounds: known.bounds,
      backwards: direction === 'backwards',
      repeats: known.isMultikey,
      filter: known.isExact ? undefined : this.#query.filter,
      sorted: this.#query.sort === undefined || direction !== undefined,
    };
  }
}

/** Equalities count most, then a range. */
function scoreOf(bounds: readonly Bounds[]): number {
  return bounds.reduce((score, { points }) => score + (points ? 4 : 2), 0);
}

function sizeOf({ definition }: ScannableIndex): number {
  return definition.pattern.size;
}

/** What an index can make of the bounds of a filter. */
class IndexBounds {
  readonly isMultikey: boolean;
  /** Bounds of the first fields of the index, up to one that has none or a range. */
  readonly bounds: readonly Bounds[];
  readonly #index: ScannableIndex;
  readonly #filter: FieldBounds;

  constructor(index: ScannableIndex, filter: FieldBounds, collation: Collation | undefined) {
    this.#index = index;
    this.#filter = filter;
    const paths = [...index.definition.pattern.keys()];
    const sameTexts = isSameCollation(index.definition.collation, collation);
    const bounds: Bounds[] = [];
    let multikey = false;
    let combinations = 1;
    this.isMultikey = paths.some((_, field) => index.isMultikey(field));
    for (const [field, path] of paths.entries()) {
      // Two fields of one array may be met by different elements of it.
      if (isPositional(path) || (multikey && index.isMultikey(field))) break;
      multikey ||= index.isMultikey(field);
      const usable = (filter.fields.get(path) ?? []).filter(({ texts }) => sameTexts || !texts);
      const found = index.isMultikey(field) ? usable.toSorted(pointsFirst)[0] : common(usable);
      if (found === undefined) break;
      combinations *= found.intervals.length;
      if (field > 0 && combinations > MAX_RANGES) break;
      bounds.push(found);
      if (!found.points) break;
    }
    this.bounds = bounds;
  }

  /** True where the index has all documents that the filter selects. */
  isComplete(filter: Document): boolean {
    const { hidden, sparse, covers, pattern, specification } = this.#index.definition;
    if (hidden || [...pattern.keys()].some(isPositional)) return false;
    if (sparse && !this.#requiresField([...pattern.keys()])) return false;
    if (covers === undefined) return true;
    const partial = specification.get('partialFilterExpression');
    return isDocument(partial) && this.#implies(filter, partial);
  }

  /** True where every record of the ranges is one that the filter selects. */
  get isExact(): boolean {
    const { fields, complete } = this.#filter;
    return (
      complete &&
      fields.size === this.bounds.length &&
      this.bounds.every(({ exact, points }) => exact && points) &&
      [...fields.values()].every((all) => all.length === 1)
    );
  }

  ranges(): KeyRange[] {
    let prefixes = [''];
    for (const [field, { intervals, points }] of this.bounds.entries()) {
      const descending = this.#index.descending[field] === true;
      if (!points) {
        const ends = intervals.map(({ from, to }) => (descending ? reversed(from.key, to.key) : [from.key, to.key]));
        return prefixes
          .flatMap((prefix) => ends.map(([start = '', end = '']) => ({ start: prefix + start, end: prefix + end })))
          .map(storedRange)
          .sort(byStart);
      }
      const keys = intervals.map(({ from }) => (descending ? reversedKey(from.key) : from.key));
      prefixes = prefixes.flatMap((prefix) => keys.map((key) => prefix + key));
    }
    if (this.bounds.length === 0) return [ALL_KEYS];
    const whole = this.bounds.length === sizeOf(this.#index);
    return prefixes
      .map((prefix) => (whole ? rangeOf(storedKey(prefix)) : storedRange({ start: prefix, end: keyAfter(prefix) })))
      .sort(byStart);
  }

  #requiresField(paths: readonly string[]): boolean {
    return paths.some((path) => this.#filter.fields.get(path)?.some(({ missing }) => !missing));
  }

  /** True where all documents that `filter` selects pass the filter of a partial index, as far as is plain to see. */
  #implies(filter: Document, partial: Document): boolean {
    return [...partial].every(([name, condition]) => {
      if (name === '$and' && isArray(condition)) {
        return condition.every((part) => isDocument(part) && this.#implies(filter, part));
      }
      if (name.startsWith('$')) return false;
      return equals(filter.get(name), condition) || this.#impliesField(name, condition);
    });
  }

  #impliesField(path: string, condition: Value): boolean {
    const bounds = this.#filter.fields.get(path) ?? [];
    const isThere = isDocument(condition) && condition.size === 1 && condition.has('$exists');
    if (isThere) return bounds.some(({ missing }) => !missing);
    const passes = matcher(new Map([['value', condition]]));
    return bounds.some(
      ({ points, missing, intervals }) =>
        points && !missing && intervals.every(({ from }) => passes(new Map([['value', from.value ?? null]]))),
    );
  }
}

function common(bounds: readonly Bounds[]): Bounds | undefined {
  const [first, ...others] = bounds;
  return first && others.reduce(intersection, first);
}

function pointsFirst(a: Bounds, b: Bounds): number {
  return Number(b.points) - Number(a.points);
}

/** A filter on `a.0` also means members named "0" of the elements of `a`, which an index does not have. */
function isPositional(path: string): boolean {
  return splitPath(path).slice(1).some(isIndex);
}

/** The range of an interval in the opposite order. */
function reversed(from: string, to: string): [start: string, end: string] {
  return [keyAfter(reversedKey(to)) ?? '', keyAfter(reversedKey(from)) ?? ''];
}

function byStart(a: KeyRange, b: KeyRange): number {
  return a.start < b.start ? -1 : a.start > b.start ? 1 : 0;
}

interface SortField {
  readonly path: string;
  readonly descending: boolean;
}

function sortFields(sort: Document): SortField[] {
  return Array.from(sort, ([path, direction]) => ({
    path,
    descending: isNumeric(direction) && toNumber(direction) < 0,
  }));
}

/** In which direction an index gives the order of a sort, if it does: fields that have but one value do not matter. */
function providedDirection(
  index: ScannableIndex,
  bounds: readonly Bounds[],
  sort: readonly SortField[],
  collation: Collation | undefined,
): 'forwards' | 'backwards' | undefined {
  if (!index.hasOrder || collation !== undefined || index.definition.collation !== undefined) return undefined;
  const paths = [...index.definition.pattern.keys()];
  const isFixed = (field: number): boolean =>
    bounds[field]?.points === true && bounds[field].intervals.length === 1 && !index.isMultikey(field);
  const fixed = new Set(paths.filter((_, field) => isFixed(field)));
  const wanted = sort.filter(({ path }) => !fixed.has(path));
  let next = 0;
  let backwards: boolean | undefined;
  for (const [field, path] of paths.entries()) {
    const sought = wanted[next];
    if (sought === undefined) break;
    if (isFixed(field)) continue;
    const turned = sought.descending !== index.descending[field];
    if (path !== sought.path || index.isMultikey(field) || isPositional(path)) return undefined;
    if ((backwards ??= turned) !== turned) return undefined;
    next += 1;
  }
  if (next < wanted.length) return undefined;
  return backwards === true ? 'backwards' : 'forwards';
}

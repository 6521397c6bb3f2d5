import type { Collation } from '../values/collation.ts';
import { hasOperators } from '../engine/match/compile.ts';
import { holdsText, keyAfter, orderKey, rankKey, textPrefix } from '../values/order-key.ts';
import { rankOf } from '../values/order.ts';
import { BSON_TYPES } from '../values/types.ts';
import { type Document, isArray, isDocument, isRegExp, typeOf, UNDEFINED, type Value } from '../values/value.ts';

/** One side of an interval of values. */
interface Edge {
  readonly key: string;
  /** What the filter says; undefined where the interval goes as far as the type. */
  readonly value: Value | undefined;
  readonly included: boolean;
}

/** Values from one edge to another, as the keys from `from.key` to just before `to.key`. */
export interface Interval {
  readonly from: Edge;
  readonly to: Edge;
}

/** Where the values are that a filter allows for a field. There may be more of them there that it does not allow. */
export interface Bounds {
  /** Apart from each other, and in their order. */
  readonly intervals: readonly Interval[];
  /** True where each interval is a single value. */
  readonly points: boolean;
  /** True where a missing field may be allowed. */
  readonly missing: boolean;
  /** True where there are texts in it, which only an index of the same collation can find. */
  readonly texts: boolean;
  /** True where all that is there is allowed. */
  readonly exact: boolean;
}

/** What a filter says of the fields that it has bounds for. */
export interface FieldBounds {
  readonly fields: ReadonlyMap<string, readonly Bounds[]>;
  /** True where it says nothing else. */
  readonly complete: boolean;
}

/** Takes the bounds from a filter, from each `$and` in it, and from what it says of the elements of arrays. */
export function boundsOf(filter: Document, collation: Collation | undefined): FieldBounds {
  const reader = new BoundsReader(collation);
  reader.readFilter(filter, '');
  return reader;
}

class BoundsReader implements FieldBounds {
  readonly fields = new Map<string, Bounds[]>();
  complete = true;
  readonly #collation: Collation | undefined;

  constructor(collation: Collation | undefined) {
    this.#collation = collation;
  }

  /** `prefix` is the path of the array whose elements the filter is about, with a dot behind. */
  readFilter(filter: Document, prefix: string): void {
    for (const [name, condition] of filter) {
      if (name === '$and' && isArray(condition)) {
        for (const part of condition) if (isDocument(part)) this.readFilter(part, prefix);
      } else if (name.startsWith('$')) this.complete = false;
      else this.#readField(prefix + name, condition);
    }
  }

  #readField(path: string, condition: Value): void {
    if (!isDocument(condition) || !hasOperators(condition)) {
      this.#add(
        path,
        isRegExp(condition) ? this.#prefixOf(condition.pattern, condition.options) : this.#points([condition]),
      );
      return;
    }
    for (const [name, argument] of condition) this.#readOperator(path, name, argument, condition);
  }

  #readOperator(path: string, name: string, argument: Value, siblings: Document): void {
    if (name === '$elemMatch' && isDocument(argument)) {
      this.complete = false;
      if (hasOperators(argument)) this.#readField(path, argument);
      else this.readFilter(argument, `${path}.`);
    } else if (name === '$regex') {
      const options = siblings.get('$options') ?? '';
      if (typeof argument === 'string') this.#add(path, this.#prefixOf(argument, options));
      else this.#add(path, isRegExp(argument) ? this.#prefixOf(argument.pattern, argument.options) : undefined);
    } else this.#add(path, this.#boundsOf(name, argument));
  }

  #boundsOf(name: string, argument: Value): Bounds | undefined {
    switch (name) {
      case '$eq':
        return this.#points([argument]);
      case '$in':
        return isArray(argument) ? this.#points(argument) : undefined;
      case '$gt':
      case '$gte':
        return this.#range(argument, name === '$gte', true);
      case '$lt':
      case '$lte':
        return this.#range(argument, name === '$lte', false);
      default:
        return undefined;
    }
  }

  #add(path: string, bounds: Bounds | undefined): void {
    if (bounds?.exact !== true) this.complete = false;
    if (bounds === undefined) return;
    const known = this.fields.get(path);
    if (known === undefined) this.fields.set(path, [bounds]);
    else known.push(bounds);
  }

  /** Undefined where there is one among the values that is not looked up by its key: a whole array, or a pattern. */
  #points(values: readonly Value[]): Bounds | undefined {
    const intervals = new Map<string, Interval>();
    for (const value of values) {
      if (isArray(value) || isRegExp(value) || value === UNDEFINED) return undefined;
      if (isDocument(value) && hasOperators(value)) return undefined;
      const key = orderKey(value, this.#collation?.fold);
      if (!intervals.has(key)) intervals.set(key, { from: edge(key, value, true), to: edge(after(key), value, true) });
    }
    const missing = values.includes(null);
    const texts = values.some(holdsText);
    // Null is also what an index has for a field that is missing in an element of an array, which is no match.
    const exact = !missing && !(texts && this.#collation !== undefined);
    return { intervals: inOrder([...intervals.values()]), points: true, missing, texts, exact };
  }

  /** Everything on one side of a value, as far as its type goes. */
  #range(value: Value, included: boolean, upwards: boolean): Bounds | undefined {
    const type = typeOf(value);
    if (type === 'array' || type === 'minKey' || type === 'maxKey' || type === 'undefined') return undefined;
    const rank = rankOf(value);
    const texts = holdsText(value);
    const start = edge(rankKey(rank), undefined, true);
    const end = edge(rankKey(rank + 1), undefined, true);
    let interval: Interval = { from: start, to: end };
    // The keys of folded texts are in no order.
    if (!texts || this.#collation === undefined) {
      const key = orderKey(value);
      interval = upwards
        ? { from: edge(included ? key : after(key), value, included), to: end }
        : { from: start, to: edge(included ? after(key) : key, value, included) };
    }
    return { intervals: [interval], points: false, missing: type === 'null', texts, exact: false };
  }

  /** The texts that begin like the pattern, and patterns themselves. */
  #prefixOf(pattern: string, options: Value): Bounds | undefined {
    const prefix = options === '' && this.#collation === undefined ? literalPrefix(pattern) : '';
    if (prefix === '') return undefined;
    const [texts, patterns] = [BSON_TYPES.string.rank, BSON_TYPES.regex.rank];
    const key = rankKey(texts) + textPrefix(prefix);
    const beginning = { from: edge(key, prefix, true), to: edge(after(key), undefined, false) };
    const stored = {
      from: edge(rankKey(patterns), undefined, true),
      to: edge(rankKey(patterns + 1), undefined, false),
    };
    return { intervals: [beginning, stored], points: false, missing: false, texts: true, exact: false };
  }
}

/** What all texts begin with that a pattern such as `^abc` finds; empty where that is not plain to see. */
function literalPrefix(pattern: string): string {
  const [, literal = '', next = ''] = /^\^([\w\s\-/@:,;=#%&<>~"'!]*)(.?)/su.exec(pattern) ?? [];
  if (pattern.includes('|')) return '';
  // What may be there any number of times need not be there at all.
  return '*?{'.includes(next) && next !== '' ? literal.slice(0, -1) : literal;
}

/** What is in both. */
export function intersection(a: Bounds, b: Bounds): Bounds {
  const intervals: Interval[] = [];
  for (const x of a.intervals) {
    for (const y of b.intervals) {
      const from = x.from.key >= y.from.key ? x.from : y.from;
      const to = x.to.key <= y.to.key ? x.to : y.to;
      if (from.key < to.key) intervals.push({ from, to });
    }
  }
  return {
    intervals: inOrder(intervals),
    points: a.points || b.points,
    missing: a.missing && b.missing,
    texts: a.texts || b.texts,
    exact: a.exact && b.exact,
  };
}

function inOrder(intervals: Interval[]): Interval[] {
  return intervals.sort((a, b) => (a.from.key < b.from.key ? -1 : 1));
}

function edge(key: string, value: Value | undefined, included: boolean): Edge {
  return { key, value, included };
}

function after(key: string): string {
  const next = keyAfter(key);
  if (next === undefined) throw new RangeError('The key of a value begins with its rank.');
  return next;
}

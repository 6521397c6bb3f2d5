import type { BsonTypeName } from '../bson/types.ts';
import { setOwn } from '../bson/plain-object.ts';
import { ABSENT, memberOf } from '../bson/encode.ts';
import { ruleOf } from '../edits/atomic-operators.ts';
import {
  type Edit,
  type EditTree,
  type ElementsEdit,
  hasMembers,
  idsOf,
  type Keys,
  type SetEdit,
} from '../edits/edits.ts';
import type { ValuesEdit } from '../edits/values-edit.ts';
import { every, type GuardFilter } from './shape-guards.ts';
import { isIndex, isNameable } from './operators.ts';
import {
  element,
  type Expression,
  isArray,
  isMissing,
  isObject,
  isOfType,
  literal,
  member,
} from '../edits/expression.ts';
import { holdsString } from './plan.ts';

/** Gives the original of a field, BSON-typed, with its keys in their order: whole objects are compared with it. */
export type Originals = (name: string) => unknown;

/** What is asked of the paths that a tree changes: that they hold their originals, or only what can be changed so. */
type Asked = 'values' | 'kinds';

/**
 * The filter that matches exactly while every path that a tree sets or removes holds its original. Growth at an array's
 * end and atomic operators mean the same whatever others did, as long as there is an array, or a number: of them the
 * kind is asked; all but `$pop`, which removes what stands at an end.
 *
 * `{ path: original }` would match what it should not in dozens of ways: operators inside values, null and what is
 * missing, elements of arrays on the way. There is one exact form for each kind of original and of path: a plain one that
 * an index can serve for most, and an expression for arrays, for elements of arrays and for keys that no path can name.
 */
export function valueGuard(tree: EditTree, originals: Originals): GuardFilter {
  return guardOf(tree, originals, 'values');
}

/**
 * The filter that matches while every edit of a tree finds what it can be done to: objects where it sets members, arrays
 * where it adds elements, numbers where it counts. Then no pipeline writes what memory shows in the place of another kind.
 */
export function kindGuard(tree: EditTree, originals: Originals): GuardFilter {
  return guardOf(tree, originals, 'kinds');
}

function guardOf(tree: EditTree, originals: Originals, asked: Asked): GuardFilter {
  const guard: GuardFilter = {};
  const conditions: Expression[] = [];
  for (const [name, edit] of tree.children) {
    const place = { path: pathOf(null, name), parent: '$$ROOT', current: currentOf('$$ROOT', name), key: name };
    conditions.push(...conditionsOf(edit, originals(name), place, guard, asked));
  }
  if (conditions.length > 0) guard['$expr'] = every(conditions);
  return guard;
}

/** The tree that says "this path is as it was", for a path that is only read: its one leaf sets the original. */
export function unchangedAt([name, ...keys]: Keys, originals: Originals): EditTree {
  return { kind: 'object', children: new Map([[name, keep(originals(name), keys)]]) };
}

/** True where the value guard of a tree compares texts. */
export function valueGuardComparesText(tree: EditTree): boolean {
  return comparesText(tree, 'values');
}

/** True where the kind guard of a tree does. */
export function kindGuardComparesText(tree: EditTree): boolean {
  return comparesText(tree, 'kinds');
}

function comparesText(edit: Edit | EditTree, asked: Asked): boolean {
  switch (edit.kind) {
    case 'set':
    case 'delete':
      return asked === 'values' && holdsString(edit.base);
    case 'object':
      return [...edit.children.values()].some((child) => comparesText(child, asked));
    case 'positions':
      return [...edit.children.keys()].some((i) => holdsString(edit.base[i]));
    case 'values':
      return asked === 'values' && edit.hasTexts && isGuarded(edit);
    case 'elements': {
      const isCompared = holdsString(edit.removed) || idsOf([...edit.base, ...edit.added], edit.key).some(holdsString);
      return isCompared || [...edit.children.values()].some((child) => comparesText(child, asked));
    }
    case 'atomic':
      return asked === 'values' && !ruleOf(edit.operator).standsAlone && holdsString(edit.base);
    default:
      return false;
  }
}

/** Both filters in one. Conditions on one path come from one original, so they never differ. */
export function joinGuards(first: GuardFilter, second: GuardFilter): GuardFilter {
  const both: GuardFilter = {};
  for (const [path, condition] of [...Object.entries(first), ...Object.entries(second)]) {
    const other = Object.hasOwn(both, path) ? both[path] : undefined;
    if (other === undefined) setOwn(both, path, condition);
    else if (path === '$expr') both[path] = { $and: [other, condition] };
    else setOwn(both, path, { ...(other as object), ...(condition as object) });
  }
  return both;
}

/** A value in the stored document. */
interface Place {
  /** Dotted; null where a key on the way can be part of no path. */
  readonly path: string | null;
  readonly parent: Expression;
  readonly key: string;
  readonly current: Expression;
}

function pathOf(parent: string | null, key: string): string | null {
  if (!isNameable(key)) return null;
  return parent === null ? key : `${parent}.${key}`;
}

function currentOf(parent: Expression, key: string): Expression {
  return parent === '$$ROOT' && isNameable(key) ? `$${key}` : member(parent, key);
}

/** Adds to the guard what has a plain form, and gives conditions on `place.current` for the rest. */
function conditionsOf(edit: Edit, base: unknown, place: Place, guard: GuardFilter, asked: Asked): Expression[] {
  const { current } = place;
  switch (edit.kind) {
    case 'set':
    case 'delete':
      if (asked === 'values') return valueConditions(base, place, guard);
      askForParents(place, guard);
      return [];
    case 'push':
      return kindConditions(['array'], base, place, guard);
    case 'object': {
      const path = edit.isPart === true && base === ABSENT ? null : place.path;
      const below = [...edit.children].flatMap(([key, child]) => {
        // In an array such a key would be an index.
        if (path !== null && isIndex(key)) addTo(guard, path, NO_ARRAY);
        const inner = {
          path: path === null ? null : pathOf(path, key),
          parent: current,
          key,
          current: currentOf(current, key),
        };
        return conditionsOf(child, memberOf(base, key), inner, guard, asked);
      });
      // Of members with a path the guard says that they are in an object.
      const isSaid = path !== null && [...edit.children.keys()].every(isNameable);
      if (below.length === 0) return isSaid ? [] : [isObject(current)];
      const inObject = { $cond: [isObject(current), every(below), false] };
      // Whether it was there with other members was not loaded.
      return [path === place.path ? inObject : { $or: [isMissing(current), inObject] }];
    }
    case 'positions': {
      const elements = base as readonly unknown[];
      const same = Array.from(edit.children.keys(), (i) => ({ $eq: [element(current, i), literal(elements[i])] }));
      return [{ $cond: [isArray(current), every(same), false] }];
    }
    case 'values':
      if (asked === 'kinds' || !isGuarded(edit)) return kindConditions(['array'], base, place, guard);
      return edit.isUnique
        ? [{ $cond: [isArray(current), inSameOrder(base as readonly unknown[], current), false] }]
        : valueConditions(base, place, guard);
    case 'elements': {
      const conditions = elementConditions(edit, base as readonly unknown[], current, asked);
      return conditions.length === 0
        ? kindConditions(['array'], base, place, guard)
        : [{ $cond: [isArray(current), every(conditions), false] }];
    }
    case 'atomic': {
      const { types, standsAlone } = ruleOf(edit.operator);
      if (asked === 'values' && !standsAlone) return valueConditions(base, place, guard);
      if (types !== null) return kindConditions(types, base, place, guard);
      askForParents(place, guard);
      return [];
    }
  }
}

/**
 * Elements are found by their identities, wherever they are: an edited one must be there once, a removed one as it was, a
 * new one not yet. Where mine are in a new order, theirs must be in the old one.
 */
function elementConditions(
  edit: ElementsEdit,
  originals: readonly unknown[],
  array: Expression,
  asked: Asked,
): Expression[] {
  const { key, base, children, removed, added, isMoved } = edit;
  const found = (element: unknown): Expression => ({
    $filter: { input: array, as: 'g', cond: { $eq: [`$$g.${key}`, literal(memberOf(element, key))] } },
  });
  const ofEdited = [...children].flatMap(([i, child]) => {
    const elements = found(base[i]);
    const place = { path: null, parent: elements, key: String(i), current: element(elements, 0) };
    return [{ $eq: [{ $size: elements }, 1] }, ...conditionsOf(child, originals[i], place, {}, asked)];
  });
  const ofAdded = added.map((each) => ({ $eq: [{ $size: found(each) }, 0] }));
  if (asked === 'kinds') return [...ofEdited, ...ofAdded];
  const ofRemoved = removed.map((each) => ({ $eq: [found(each), literal([originals[base.indexOf(each)]])] }));
  return [...ofEdited, ...ofRemoved, ...ofAdded, ...(isMoved ? [isInOrder(idsOf(base, key), key, array)] : [])];
}

/**
 * What nobody declared to have no value twice is guarded as a list: two who each remove one of two owners must not end with
 * none. Of what is declared only an order can be in another's way.
 */
function isGuarded({ isUnique, isMoved }: ValuesEdit): boolean {
  return !isUnique || isMoved;
}

/** Of the original elements those that are still there stand in their order. */
function isInOrder(ids: readonly unknown[], key: string, array: Expression): Expression {
  return inSameOrder(ids, { $map: { input: array, as: 'g', in: `$$g.${key}` } });
}

function inSameOrder(ids: readonly unknown[], stored: Expression): Expression {
  const inBoth = (list: Expression, other: Expression): Expression => ({
    $filter: { input: list, as: 'g', cond: { $in: ['$$g', other] } },
  });
  return { $eq: [inBoth(stored, literal(ids)), inBoth(literal(ids), stored)] };
}

const NO_ARRAY = { $not: { $type: 'array' } };
const AN_OBJECT = { $type: 'object', ...NO_ARRAY };

/** That a value is of one of these types. Where there was none, that there still is none or that it is of one of them. */
function kindConditions(types: readonly BsonTypeName[], base: unknown, place: Place, guard: GuardFilter): Expression[] {
  const { path, current } = place;
  const isArrayAsked = types[0] === 'array';
  if (path !== null && base !== ABSENT && base !== undefined) {
    addToParents(guard, path, NO_ARRAY);
    addTo(guard, path, isArrayAsked ? { $type: 'array' } : { $type: types, ...NO_ARRAY });
    return [];
  }
  const isOfKind = isArrayAsked ? isArray(current) : isOfType(current, types);
  if (base !== ABSENT && base !== undefined) return [isOfKind];
  askForParents(place, guard);
  return [{ $or: [isMissing(current), isOfKind] }];
}

/** Adds to the guard that there is an object in which a member can be set. */
function askForParents({ path }: Place, guard: GuardFilter): void {
  if (path !== null) addToParents(guard, path, AN_OBJECT);
}

/** Adds a condition on each object on the way to a path. */
function addToParents(guard: GuardFilter, path: string, condition: object): void {
  const parents = path.split('.').slice(0, -1);
  parents.forEach((_, i) => addTo(guard, parents.slice(0, i + 1).join('.'), condition));
}

function valueConditions(base: unknown, { path, parent, key, current }: Place, guard: GuardFilter): Expression[] {
  if (path !== null && !Array.isArray(base)) {
    // A missing member is also missing where there is no object that could have it.
    addToParents(guard, path, base === ABSENT ? AN_OBJECT : NO_ARRAY);
    addTo(guard, path, plainForm(base));
    return [];
  }
  if (base !== ABSENT) return [{ $eq: [current, literal(base)] }];
  const keys = { $map: { input: { $objectToArray: parent }, as: 'm', in: '$$m.k' } };
  return [{ $not: [{ $in: [literal(key), keys] }] }];
}

function plainForm(base: unknown): object {
  if (base === ABSENT) return { $exists: false };
  if (base === null || base === undefined) return { $type: base === null ? 'null' : 'undefined', ...NO_ARRAY };
  return { $eq: base, ...NO_ARRAY };
}

function addTo(guard: GuardFilter, path: string, condition: object): void {
  setOwn(guard, path, Object.hasOwn(guard, path) ? { ...(guard[path] as object), ...condition } : condition);
}

/** An edit that changes nothing at those keys below a value; of a path that ends early, where it ends. */
function keep(base: unknown, keys: readonly string[]): Edit {
  const [key, ...inner] = keys;
  if (key !== undefined && hasMembers(base))
    return { kind: 'object', base, value: base, children: new Map([[key, keep(memberOf(base, key), inner)]]) };
  const index = Number(key);
  if (key !== undefined && Array.isArray(base) && index in base) {
    const whole: SetEdit = { kind: 'set', base: base[index], value: base[index] };
    return { kind: 'positions', base, value: base, children: new Map([[index, whole]]) };
  }
  return { kind: 'set', base, value: base };
}

import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import { bsonTag, isObject } from '../bson/bson-classes.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { equalValues } from '../bson/equal-values.ts';
import { comparedFields } from '../document/document-tag.ts';
import { Document } from '../save/document.ts';

/** What vitest and jest give a tester as `this`. */
export interface TesterContext {
  equals(a: unknown, b: unknown, customTesters?: Tester[], strictCheck?: boolean): boolean;
}

/** An equality tester of vitest and jest: `undefined` leaves two values to others. */
export type Tester = (this: TesterContext, a: unknown, b: unknown, customTesters: Tester[]) => boolean | undefined;

/**
 * True where two documents, or a document and a plain object, hold the same. They do when what `toObject()` gives is
 * equal to BSON: the order of keys does not count, `undefined` is absent, a number equals an Int32, Double or Long of
 * its value, and ObjectIds, Dates, decimals and bytes are compared by value. Of two documents so are fields that are
 * `hidden()`.
 */
export function sameDocument(a: unknown, b: unknown): boolean {
  const [left, right] = bothFields(a, b);
  return left !== undefined && right !== undefined && equalValues(left, right);
}

/**
 * Makes `toEqual` and `toStrictEqual` of vitest and jest compare documents by what they hold, with plain objects and
 * matchers too, also inside other values; and `toMatchObject` where it is given a document. Without it, documents are equal
 * to documents alone, and every document matches another one:
 *
 * ```ts
 * expect.addEqualityTesters([documentEquality]);
 * expect(await User.findById(id)).toEqual({ _id: id, name: 'Ann', createdAt: expect.any(Date) });
 * ```
 */
export function documentEquality(
  this: TesterContext,
  a: unknown,
  b: unknown,
  customTesters: Tester[] = [],
): boolean | undefined {
  if (!(a instanceof Document) && !(b instanceof Document)) return undefined;
  const [left, right] = bothFields(a, b);
  if (left === undefined || right === undefined) return false;
  // The runner compares the fields, so that its matchers work; what is equal to BSON is equal to it.
  return this.equals(left, right, [bsonEquality, ...customTesters]);
}

function bsonEquality(a: unknown, b: unknown): true | undefined {
  return equalValues(a, b) || undefined;
}

/**
 * The same for `node:assert` and runners without testers.
 *
 * @throws AssertionError that shows how the fields differ.
 */
export function assertDocument(actual: unknown, expected: unknown): void {
  if (sameDocument(actual, expected)) return;
  throw new AssertionError({
    actual: readable(fieldsOf(actual) ?? actual),
    expected: readable(fieldsOf(expected) ?? expected),
    operator: 'deepStrictEqual',
    stackStartFn: assertDocument,
    // With the operator above Node.js gives a message of its own.
    ...(sameShown(actual, expected) && {
      message: 'The documents differ in fields that are hidden().',
      operator: 'sameDocument',
    }),
  });
}

/** With ids, decimals and the like as one would write them, and not with the numbers that they are made of. */
function readable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readable);
  if (!isPlainObject(value)) return isObject(value) && bsonTag(value) !== undefined ? inspect(value) : value;
  const members = {};
  for (const [key, member] of Object.entries(value)) setOwn(members, key, readable(member));
  return members;
}

function sameShown(a: unknown, b: unknown): boolean {
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  return left !== undefined && right !== undefined && equalValues(left, right);
}

/** What is compared of two values. */
function bothFields(a: unknown, b: unknown): readonly [object | undefined, object | undefined] {
  if (a instanceof Document && b instanceof Document) return [comparedFields(a), comparedFields(b)];
  return [fieldsOf(a), fieldsOf(b)];
}

/** What a document or a plain object shows. */
function fieldsOf(value: unknown): object | undefined {
  if (value instanceof Document) return value.toObject();
  return isPlainObject(value) ? value : undefined;
}

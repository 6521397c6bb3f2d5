import { isPlainObject } from '../bson/plain-object.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import type { Fields } from '../schema/schema-field.ts';
import type { Kin } from './kin.ts';
import type { ModelIndex } from './model-options.ts';

/** What a class that extends another model says of itself. All else is the root's. */
export interface ExtendOptions {
  /** What its documents are stored with, so that they are known for its own. */
  readonly type: string;
  /** Gives the class itself, `() => Car`: JavaScript tells nobody who extends a class. */
  readonly class: unknown;
  /**
   * Indexes beside those of the model that it extends. A unique one is kept of its own documents alone.
   * @default []
   */
  readonly indexes?: readonly ModelIndex[];
  /**
   * The names of getters of the class that JSON shows beside the fields, and beside those of the model that it extends.
   * @default []
   */
  readonly json?: readonly string[];
}

/** The model that is extended. */
interface Extended {
  readonly collectionName: string;
  readonly kin: Kin;
  readonly names: ReadonlySet<string>;
  readonly bound: object | undefined;
  readonly namer: (stored: string) => string;
}

const KNOWN: ReadonlySet<string> = new Set(['type', 'class', 'indexes', 'json'] satisfies (keyof ExtendOptions)[]);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/**
 * Looks at what `extend()` was given.
 *
 * @throws UsageError for options that cannot be; SchemaError for a field that the extended model has, or needs for itself.
 */
export function checkExtend(model: Extended, fields: unknown, given: unknown): asserts given is ExtendOptions {
  const { collectionName, kin } = model;
  const refuse = (text: string): never => {
    throw new UsageError(text, { model: collectionName });
  };
  if (model.bound !== undefined) refuse('extend() is called of the class itself, not of what using() gave.');
  if (!isPlainObject(fields))
    return refuse(`extend() takes an object of fields and their schemas, got ${typeName(fields)}.`);
  if (!isPlainObject(given)) return refuse(`extend() takes { type, class } as its options, got ${typeName(given)}.`);
  const unknown = Object.keys(given).find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    refuse(
      `extend() takes the options ${[...KNOWN].join(', ')}, not "${unknown}": all else is said by the root's model().`,
    );
  const { type, class: claim, indexes, json } = given;
  if (!isText(type)) return refuse('extend() takes as "type" a text that is not empty.');
  if (typeof claim !== 'function') refuse('extend() takes as "class" a function that gives the class: () => Car.');
  if (
    indexes !== undefined &&
    !(Array.isArray(indexes) && indexes.every((each) => isPlainObject(each) && 'key' in each))
  )
    refuse('extend() takes as "indexes" a list of indexes { key: … }.');
  if (json !== undefined && !(Array.isArray(json) && json.every(isText)))
    refuse('extend() takes as "json" a list of the names of getters.');
  if (kin.find(type)?.isNamedAs(claim) === false) refuse(`Two classes of the hierarchy have the type "${type}".`);
  checkFields(model, fields as Fields);
}

function checkFields({ collectionName, names, namer }: Extended, fields: Fields): void {
  const taken = new Set([...names, ...[...names].map(namer)]);
  const again = Object.keys(fields).find((name) => taken.has(name));
  if (again === undefined) return;
  const text = `extend() adds fields, and "${again}" is one of the model that it extends, where it stays as it is.`;
  throw new SchemaError(text, { model: collectionName });
}

/** @throws SchemaError where a field has the name under which documents tell their class. */
export function checkTypeKey(model: string, { key }: Kin, taken: Iterable<string | undefined>): void {
  if (![...taken].includes(key)) return;
  const text = `Under "${key}" documents of a hierarchy tell their class, and a field has this name: choose another one by the root's option "typeKey".`;
  throw new SchemaError(text, { model });
}

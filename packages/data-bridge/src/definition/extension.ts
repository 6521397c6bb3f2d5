import { isPlainObject } from '../bson/plain-object.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import type { Fields } from '../schema/schema-field.ts';
import { HOOK_NAMES } from './hook-names.ts';

/** What several models have in common, as the mapper sees it. Programs see the types of `model/extension.ts`. */
export interface Extension {
  readonly name: string;
  readonly fields: Fields;
  readonly scope?: () => unknown;
  readonly stamp?: (kind: 'insert' | 'update') => unknown;
  readonly remove?: () => unknown;
  readonly on?: Readonly<Record<string, unknown>>;
}

/** Any extension, as the options of models take it. */
export interface AnyExtension {
  readonly name: string;
  readonly fields: object;
}

const extensions = new WeakSet<object>();

const MEMBERS: ReadonlySet<string> = new Set(['name', 'fields', 'scope', 'stamp', 'remove', 'on']);

/** @throws UsageError for what is no extension. */
export function makeExtension<E extends AnyExtension>(parts: E): E {
  const refuse = (text: string): never => {
    throw new UsageError(`extension() takes ${text}.`);
  };
  if (!isPlainObject(parts)) return refuse(`an object of its parts, got ${typeName(parts)}`);
  const given: Readonly<Record<string, unknown>> = { ...parts };
  const unknown = Object.keys(given).find((member) => !MEMBERS.has(member));
  if (unknown !== undefined) refuse(`${[...MEMBERS].join(', ')}, not "${unknown}"`);
  if (typeof given['name'] !== 'string' || given['name'] === '') refuse('a name that is not empty');
  if (!isPlainObject(given['fields'])) refuse('an object of fields and their schemas');
  for (const member of ['scope', 'stamp', 'remove'])
    if (given[member] !== undefined && typeof given[member] !== 'function') refuse(`a function as "${member}"`);
  const { on = {} } = given;
  if (!isPlainObject(on)) return refuse('an object of hooks as "on"');
  for (const [name, call] of Object.entries(on))
    if (!(HOOK_NAMES as readonly string[]).includes(name) || typeof call !== 'function')
      refuse(`functions by the names of hooks as "on": ${HOOK_NAMES.join(', ')}`);
  const made = Object.freeze({ ...parts });
  extensions.add(made);
  return made;
}

/** True for what `extension()` gave. */
export function isExtension(value: unknown): value is Extension {
  return typeof value === 'object' && value !== null && extensions.has(value);
}

/** @throws SchemaError where a model lacks a field of one of its extensions, or has one of them twice. */
export function checkExtensions(model: string, fields: Fields, list: readonly Extension[]): void {
  const names = new Set<string>();
  for (const { name, fields: needed } of list) {
    if (names.has(name)) throw new SchemaError(`The model has two extensions of the name "${name}".`, { model });
    names.add(name);
    const missing = Object.keys(needed).find((field) => !Object.hasOwn(fields, field));
    if (missing === undefined) continue;
    const text = `The extension "${name}" needs the field "${missing}": spread the extension's "fields" among those of the model.`;
    throw new SchemaError(text, { model });
  }
}

/** The extensions that a call leaves out: `true` for all that have a scope, or their names. */
export type Unscoped = boolean | readonly string[];

/** What calls of models with extensions take. */
export interface ScopeOptions {
  /**
   * The extensions whose scopes and stamps are left out: `true` for all that have a scope, or their names.
   * @default false
   */
  readonly unscoped?: Unscoped | undefined;
}

/** What calls that delete take. */
export interface HardOptions {
  /**
   * Whether documents are really deleted where an extension of the model makes something else of a deletion.
   * @default false
   */
  readonly hard?: boolean | undefined;
}

/** @throws UsageError for a name that none of the scopes has. */
export function checkUnscoped(list: readonly Extension[], unscoped: unknown, model: string): void {
  if (unscoped === undefined || typeof unscoped === 'boolean') return;
  const known = list.filter(({ scope }) => scope !== undefined).map(({ name }) => name);
  const isList = Array.isArray(unscoped) && unscoped.every((name) => typeof name === 'string');
  const wrong = isList ? unscoped.find((name) => !known.includes(name)) : undefined;
  if (isList && wrong === undefined) return;
  const what = wrong === undefined ? 'takes true, false or a list of names' : `knows no scope "${wrong}"`;
  const has = known.length === 0 ? 'The model has none.' : `The model has: ${known.join(', ')}.`;
  throw new UsageError(`The option "unscoped" ${what}. ${has}`, { model });
}

/** True where a call leaves this extension out. */
export function isLeftOut({ name, scope }: Extension, unscoped: Unscoped | undefined): boolean {
  if (scope === undefined || unscoped === undefined || unscoped === false) return false;
  return unscoped === true || unscoped.includes(name);
}

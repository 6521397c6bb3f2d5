import type { StandardSchemaV1 } from '@standard-schema/spec';
import { copyValue, isMutable } from '../bson/copy.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { equalValues } from '../bson/equal-values.ts';
import type { BsonKind } from './bson-types.ts';
import type { Identities } from '../bson/identity.ts';
import { SchemaError, type ValidationIssue } from '../errors.ts';
import { identitiesOf, withoutIdentity } from './identified.ts';
import {
  elementKindOf,
  isWrittenAsync,
  type JsonSchema,
  kindOf,
  libraryJsonSchema,
  negativeLength,
  type ReferenceTarget,
  runsNoCode,
  runWaiting,
  targetOf,
} from './schema-library.ts';

/** What stands as a field of a model: a validator of any library that has Standard Schema. Cheap on purpose, so that compilers need not look inside. */
export interface FieldSchema {
  // oxlint-disable-next-line no-explicit-any -- compared with every library's types; `unknown` would make compilers compare them whole
  readonly '~standard': { readonly version: 1; readonly types?: any };
}

/** The fields of a model by name. */
export type Fields = Record<string, FieldSchema>;

/** What a field's validator made of a value. */
export type Verdict =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly ValidationIssue[] };

/** One field of a model, with all that is asked of its schema found out once. */
export class SchemaField {
  /** The name under which it is stored. */
  readonly name: string;
  /** The name that the program uses. */
  readonly programName: string;
  /** True when the schema was seen to take its own output. */
  takesOutput = false;
  readonly #schema: StandardSchemaV1;
  readonly #declared: FieldSchema;
  /** Asked for when it is first used: Zod makes it then. */
  #standard: StandardSchemaV1['~standard'] | undefined;
  #waits: boolean | undefined;
  #onlyLooks: boolean | undefined;
  #hasDefault: boolean | undefined;
  #identities: { readonly found: Identities | undefined } | undefined;

  constructor(name: string, schema: FieldSchema, programName = name) {
    const standard: unknown = (schema as Partial<FieldSchema> | null | undefined)?.['~standard'];
    if (typeof (standard as { validate?: unknown } | undefined)?.validate !== 'function') {
      throw new SchemaError(
        `The field "${programName}" has no Standard Schema: expected a validator such as z.string() or objectId().`,
      );
    }
    this.name = name;
    this.programName = programName;
    this.#schema = withoutIdentity(schema) as StandardSchemaV1;
    this.#declared = schema;
    const negative = negativeLength(this.#schema);
    if (negative !== undefined)
      throw new SchemaError(`The field "${programName}" has a length limit below zero, ${negative}: use 0 or more.`);
  }

  /** Of the mapper's own BSON schemas, also inside the wrappers of Zod, and of references: theirs is known when the target is. */
  get kind(): BsonKind | undefined {
    return kindOf(this.#schema);
  }

  /** Of references: the model that they refer to. */
  get target(): ReferenceTarget | undefined {
    return targetOf(this.#schema);
  }

  /** True where the field is an ObjectId, or an array of some. */
  get holdsObjectIds(): boolean {
    return this.kind === 'objectId' || elementKindOf(this.#schema) === 'objectId';
  }

  /** True where the validator is written to wait. Other validators may wait too, and show it by a promise. */
  get isAsync(): boolean {
    return (this.#waits ??= isWrittenAsync(this.#schema));
  }

  /** True where no code of the program's runs when a value is validated. */
  get onlyLooks(): boolean {
    return (this.#onlyLooks ??= runsNoCode(this.#schema));
  }

  /** What is declared of the arrays in the field: found out when it is first asked for, since schemas may be made later. */
  get identities(): Identities | undefined {
    return (this.#identities ??= { found: identitiesOf(this.#declared) }).found;
  }

  /** The JSON Schema that the library gives for this field; `{}` where it gives none. */
  jsonSchema(side: 'input' | 'output'): JsonSchema {
    return libraryJsonSchema(this.#schema, side);
  }

  /** True where the schema refuses `undefined`. One that waits or throws does not say so. */
  refusesAbsence(): boolean {
    try {
      const result = this.#run(undefined);
      return !(result instanceof Promise) && result.issues !== undefined;
    } catch {
      return false;
    }
  }

  /** True where the schema has a default. */
  get hasDefault(): boolean {
    return (this.#hasDefault ??= this.#findDefault());
  }

  /** What an absent field reads as: a fresh value of the schema's default, `undefined` where there is none. */
  defaultValue(): unknown {
    return this.hasDefault ? copyValue(this.#try(undefined)?.value) : undefined;
  }

  /** Runs the validator. Gives a promise only where the schema does. */
  validate(value: unknown): Verdict | Promise<Verdict> {
    const result = this.#run(value, this.isAsync);
    if (!(result instanceof Promise)) return this.#verdict(result);
    this.#waits = true;
    return quiet(result.then((settled) => this.#verdict(settled)));
  }

  #run(value: unknown, waits = false): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
    const result = waits
      ? runWaiting(this.#schema, value)
      : (this.#standard ??= this.#schema['~standard']).validate(value);
    // case: a promise of another realm or library is no instance of this Promise
    return 'then' in result ? quiet(Promise.resolve(result)) : result;
  }

  #verdict(result: StandardSchemaV1.Result<unknown>): Verdict {
    return result.issues === undefined ? result : { issues: result.issues.map((issue) => this.#issue(issue)) };
  }

  #issue({ message, path = [] }: StandardSchemaV1.Issue): ValidationIssue {
    // case: ArkType's paths are arrays of a class whose `map` makes another path
    const keys = [this.programName, ...Array.from(path, keyOf)];
    return { keys, path: keys.join('.'), message };
  }

  /**
   * The default is what the schema gives for `undefined`. A schema that turns anything into a value (`coerce`, `catch`)
   * has none: it is told by what it makes of a value that no schema asks for.
   */
  #findDefault(): boolean {
    const given = this.#try(undefined);
    if (given === undefined || given.value === undefined) return false;
    const nonsense = Symbol('nonsense');
    const taken = this.#try(nonsense);
    return taken === undefined || taken.value === nonsense;
  }

  #try(value: unknown): { readonly value: unknown } | undefined {
    try {
      const result = this.#run(value);
      return result instanceof Promise || result.issues !== undefined ? undefined : result;
    } catch {
      return undefined; // coercing a symbol throws
    }
  }
}

/** A promise that may be dropped: where nobody waits for it, its rejection must not end the process. */
export function quiet<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'number' ? key : String(key);
}

/**
 * Lays what a schema made of a value over the value itself, in place where both are containers of one kind, so that
 * references which the program holds stay part of the document. Keys that the schema stripped stay.
 *
 * @returns the value to keep: the container itself, or the output where it could not be laid over.
 */
export function overlay(value: unknown, output: unknown): unknown {
  if (isLeft(value, output)) return value;
  if (Array.isArray(value) && Array.isArray(output)) return overlayElements(value, output);
  if (isPlainObject(value) && isPlainObject(output)) return overlayMembers(value, output);
  const alike = isMutable(value) && isMutable(output) && Object.getPrototypeOf(value) === Object.getPrototypeOf(output);
  return alike && equalValues(value, output) ? value : output;
}

/** True where the schema left a value as it is. Most only look, and copy what they looked at. */
export function isLeft(value: unknown, output: unknown): boolean {
  if (Object.is(value, output)) return true;
  if (typeof value !== 'object' || typeof output !== 'object' || value === null) return false;
  // case: what is frozen is taken over as a copy
  if (!Object.isExtensible(value)) return false;
  if (Array.isArray(value)) return Array.isArray(output) && areElementsLeft(value, output);
  return isPlainObject(value) && isPlainObject(output) && areMembersLeft(value, output);
}

function areElementsLeft(value: readonly unknown[], output: readonly unknown[]): boolean {
  if (value.length !== output.length) return false;
  for (let i = 0; i < value.length; i++) if (!isLeft(value[i], output[i])) return false;
  return true;
}

function areMembersLeft(value: Record<string, unknown>, output: Record<string, unknown>): boolean {
  // Without a list of the keys. One that is inherited, which nobody's are, is found not to be left.
  for (const key in output) {
    if (!Object.hasOwn(value, key)) return false;
    const before = value[key];
    const after = output[key];
    if (!Object.is(before, after) && !isLeft(before, after)) return false;
  }
  return true;
}

function overlayElements(value: unknown[], output: readonly unknown[]): unknown[] {
  const target = Object.isExtensible(value) ? value : [...value];
  const inPlace = value.length === output.length && !hasMoved(value, output);
  const laid = inPlace ? output.map((element, i) => overlay(value[i], element)) : output;
  target.length = laid.length;
  laid.forEach((element, i) => {
    target[i] = element;
  });
  return target;
}

function overlayMembers(value: Record<string, unknown>, output: Record<string, unknown>): object {
  const target = isOpen(value) ? value : { ...value };
  const keys = Object.keys(output);
  const before = keys.map((key) => (Object.hasOwn(value, key) ? value[key] : undefined));
  const after = keys.map((key) => output[key]);
  const inPlace = !hasMoved(before, after);
  keys.forEach((key, i) => setOwn(target, key, inPlace ? overlay(before[i], after[i]) : after[i]));
  return target;
}

/** True where all its members can be set. Not those of a frozen object, nor one that has only a getter. */
function isOpen(value: object): boolean {
  const members = Object.values(Object.getOwnPropertyDescriptors(value));
  return Object.isExtensible(value) && members.every(({ writable, set }) => writable === true || set !== undefined);
}

/** True where the schema put a container in the place of another. Then laying one over the other would mix them up. */
function hasMoved(before: readonly unknown[], after: readonly unknown[]): boolean {
  const containers = new Set(before.filter(isMutable));
  return after.some((element, i) => element !== before[i] && isMutable(element) && containers.has(element));
}

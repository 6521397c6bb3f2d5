import type { StandardSchemaV1 } from '@standard-schema/spec';
import { copyValue, isMutable, isPlainObject, setOwn } from './bson/copy.ts';
import { equalValues } from './bson/equal.ts';
import type { BsonKind } from './bson/types.ts';
import { SchemaError, type ValidationIssue } from './errors.ts';

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
  readonly name: string;
  /** Set for the mapper's own BSON schemas. */
  readonly kind: BsonKind | undefined;
  readonly #schema: StandardSchemaV1;
  #default: { readonly value: unknown } | undefined;

  constructor(name: string, schema: FieldSchema) {
    const standard: unknown = (schema as Partial<FieldSchema> | null | undefined)?.['~standard'];
    if (typeof (standard as { validate?: unknown } | undefined)?.validate !== 'function') {
      throw new SchemaError(
        `The field "${name}" has no Standard Schema: expected a validator such as z.string() or objectId().`,
      );
    }
    this.name = name;
    this.#schema = schema as StandardSchemaV1;
    this.kind = (schema as { '~bson'?: BsonKind })['~bson'];
  }

  /** What an absent field reads as: a fresh copy of the schema's default, `undefined` where there is none. */
  defaultValue(): unknown {
    this.#default ??= { value: this.#findDefault() };
    return copyValue(this.#default.value);
  }

  /** Runs the validator. Gives a promise only where the schema does. */
  validate(value: unknown): Verdict | Promise<Verdict> {
    const result = this.#schema['~standard'].validate(value);
    return result instanceof Promise ? result.then((settled) => this.#verdict(settled)) : this.#verdict(result);
  }

  #verdict(result: StandardSchemaV1.Result<unknown>): Verdict {
    return result.issues === undefined ? result : { issues: result.issues.map((issue) => this.#issue(issue)) };
  }

  #issue({ message, path = [] }: StandardSchemaV1.Issue): ValidationIssue {
    const keys = [this.name, ...path.map((segment) => keyOf(segment))];
    return { keys, path: keys.join('.'), message };
  }

  /**
   * The default is what the schema gives for `undefined`. A schema that turns anything into a value (`coerce`, `catch`)
   * has none: it is told by what it makes of a value that no schema asks for.
   */
  #findDefault(): unknown {
    const given = this.#try(undefined);
    if (given === undefined || given.value === undefined) return undefined;
    const nonsense = Symbol('nonsense');
    const taken = this.#try(nonsense);
    return taken === undefined || taken.value === nonsense ? given.value : undefined;
  }

  #try(value: unknown): { readonly value: unknown } | undefined {
    try {
      const result = this.#schema['~standard'].validate(value);
      return result instanceof Promise || result.issues !== undefined ? undefined : result;
    } catch {
      return undefined; // coercing a symbol throws
    }
  }
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
  if (Array.isArray(value) && Array.isArray(output)) {
    const laid = output.map((element, i): unknown => (i < value.length ? overlay(value[i], element) : element));
    value.splice(0, value.length, ...laid);
    return value;
  }
  if (isPlainObject(value) && isPlainObject(output)) {
    for (const key of Object.keys(output))
      setOwn(value, key, Object.hasOwn(value, key) ? overlay(value[key], output[key]) : output[key]);
    return value;
  }
  const alike = isMutable(value) && isMutable(output) && Object.getPrototypeOf(value) === Object.getPrototypeOf(output);
  return alike && equalValues(value, output) ? value : output;
}

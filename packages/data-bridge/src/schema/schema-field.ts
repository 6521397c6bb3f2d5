import type { StandardSchemaV1 } from '@standard-schema/spec';
import { copyValue } from '../bson/copy.ts';
import { type BsonKind, hasStandIns } from './bson-types.ts';
import type { Identities } from '../bson/identity.ts';
import { SchemaError, type ValidationIssue } from '../errors.ts';
import { withoutIdentity } from './identified.ts';
import { identitiesOf } from './identities.ts';
import type { Place } from './schema-shape.ts';
import { beginsUntold } from './named-keys.ts';
import { placeOf, somePlace, someShape } from './structure.ts';
import {
  givenTo,
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

/**
 * What stands as a field of a model: a validator of any library that has Standard Schema. Cheap on purpose: compilers need not
 * look inside to see that a schema is one, which took most of what declaring a model cost them.
 */
export interface FieldSchema {
  // oxlint-disable-next-line no-explicit-any -- what libraries put here differs, and run time looks at it
  readonly '~standard': any;
}

/** The fields of a model by name. */
export type Fields = Record<string, FieldSchema>;

/** What a field's validator made of a value. */
export type Verdict =
  | { readonly value: unknown; readonly issues?: undefined }
  | { readonly issues: readonly ValidationIssue[] };

/** What text stands for where the schema coerces it; of the types of BSON see `hasStandIns`. */
const COERCED: ReadonlySet<string> = new Set(['date', 'bigint']);

const NO_MARKS: ReadonlySet<string> = new Set();

/** One field of a model, with all that is asked of its schema found out once. */
export class SchemaField {
  /** The name under which it is stored. */
  readonly name: string;
  /** The name that the program uses. */
  readonly programName: string;
  /** True where what is stored once stays. */
  readonly isWriteOnce: boolean;
  /** True where it is read by its name alone. */
  readonly isHidden: boolean;
  /** True when the schema was seen to take its own output. */
  takesOutput = false;
  readonly #schema: StandardSchemaV1;
  readonly #declared: FieldSchema;
  /** Asked for when it is first used: Zod makes it then. */
  #standard: StandardSchemaV1['~standard'] | undefined;
  #waits: boolean | undefined;
  #onlyLooks: boolean | undefined;
  #takesText: boolean | undefined;
  #beginsUntold: boolean | undefined;
  #hasDefault: boolean | undefined;
  #identities: { readonly found: Identities | undefined } | undefined;

  constructor(name: string, schema: FieldSchema, programName = name, marks: ReadonlySet<string> = NO_MARKS) {
    const standard: unknown = (schema as Partial<FieldSchema> | null | undefined)?.['~standard'];
    if (typeof (standard as { validate?: unknown } | undefined)?.validate !== 'function') {
      throw new SchemaError(
        `The field "${programName}" has no Standard Schema: expected a validator such as z.string() or objectId().`,
      );
    }
    this.name = name;
    this.programName = programName;
    this.isWriteOnce = marks.has('writeOnce');
    this.isHidden = marks.has('hidden');
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

  /** What the library tells of what lies inside. */
  get place(): Place {
    return placeOf(this.#schema);
  }

  /** True where a function, or an unknown library, sees values of the field first, or something inside of it. */
  get beginsUntold(): boolean {
    return (this.#beginsUntold ??= somePlace(
      this.place,
      (place) => beginsUntold(place) || (place.input !== undefined && somePlace(place.input, beginsUntold)),
    ));
  }

  /** True where another value may stand for one, in the field or inside of it: text, a number, or `{ model, id }` for a reference. */
  get takesText(): boolean {
    return (this.#takesText ??= someShape(
      this.place,
      ({ kind, target }) =>
        target?.isOneOf === true || (kind !== undefined && (COERCED.has(kind) || hasStandIns(kind))),
    ));
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
    return droppable(result.then((settled) => this.#verdict(settled)));
  }

  #run(value: unknown, waits = false): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
    const result = waits
      ? runWaiting(this.#schema, value)
      : (this.#standard ??= this.#schema['~standard']).validate(givenTo(this.#schema, value));
    // case: a promise of another realm or library is no instance of this Promise
    return 'then' in result ? droppable(Promise.resolve(result)) : result;
  }

  #verdict(result: StandardSchemaV1.Result<unknown>): Verdict {
    return result.issues === undefined
      ? result
      : { issues: result.issues.map((issue) => issueBelow([this.programName], issue)) };
  }

  /**
   * The default is what the schema gives for `undefined`. A schema that turns anything into a value (`coerce`, `catch`)
   * has none: it is recognized by what it makes of a value that no schema asks for.
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

/** What a schema says is wrong, from the root of the document on. @param keys where that schema stands. */
export function issueBelow(
  keys: readonly (string | number)[],
  { message, path = [] }: StandardSchemaV1.Issue,
): ValidationIssue {
  // case: ArkType's paths are arrays of a class whose `map` makes another path
  const all = [...keys, ...Array.from(path, keyOf)];
  return { keys: all, path: all.join('.'), message };
}

/** A promise that may be dropped: where nobody waits for it, its rejection must not end the process. */
export function droppable<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'number' ? key : String(key);
}

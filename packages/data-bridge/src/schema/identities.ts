import type { Identities } from '../bson/identity.ts';
import { isObject } from '../bson/bson-classes.ts';
import { isIdentified, typesIn, withoutIdentity } from './identified.ts';
import {
  checksOf,
  definitionOf,
  type JsonSchema,
  libraryJsonSchema,
  property,
  someSchema,
  targetOf,
} from './schema-library.ts';

/*
 * What the schemas of fields declare of the arrays in them: by what their elements are told apart, and where the length of
 * one is bounded.
 */

/** What a field's schema declares of the arrays in it; undefined for nothing. All schemas must be made by then. */
export function identitiesOf(schema: unknown): Identities | undefined {
  const inner = withoutIdentity(schema);
  if (isOneOf(inner) && definitionOf(inner) === undefined) return oneOfIdentities(targetOf(inner)?.isList === true);
  if (isValibot(inner)) return new SchemaIdentities([schema]);
  if (definitionOf(inner) !== undefined)
    return someSchema(schema, (each) => keyOf(each) !== undefined || isBound(each) || isOneOf(each))
      ? new SchemaIdentities([schema])
      : undefined;
  const bounds = jsonBounds(inner);
  const key = keyOf(schema);
  if (key === undefined) return bounds;
  const at = (step: string | number): Identities | undefined => bounds?.at(step);
  return { ...ofKey(key), isBound: bounds?.isBound === true, at };
}

/** Found out step by step, as values are compared: a schema may contain itself. */
class SchemaIdentities implements Identities {
  readonly key: string | undefined;
  readonly isUnique: boolean;
  readonly isBound: boolean;
  readonly isWhole: boolean;
  /** Of an optional type that type, of a union each of its types. */
  readonly #definitions: readonly unknown[];
  /** By members that the schemas name. */
  readonly #members = new Map<string, SchemaIdentities | undefined>();
  #element: SchemaIdentities | undefined;
  #others: SchemaIdentities | undefined;

  constructor(schemas: readonly unknown[]) {
    const all = [...new Set(schemas.flatMap((schema) => meant(schema)))];
    const { key, isUnique } = ofKey(all.map(keyOf).find((found) => found !== undefined));
    this.key = key;
    this.isUnique = isUnique;
    this.isBound = all.some(isBound);
    this.isWhole = all.some(isOneOf);
    this.#definitions = all.map(structureOf);
  }

  at(step: string | number): Identities | undefined {
    if (typeof step === 'number')
      return (this.#element ??= this.#below(
        (definition) => property(definition, 'element') ?? property(definition, 'item'),
      ));
    const named = this.#definitions.some((definition) => memberOf(definition, step) !== undefined);
    if (!named) return (this.#others ??= this.#below(othersOf));
    if (!this.#members.has(step))
      this.#members.set(
        step,
        this.#below((definition) => memberOf(definition, step)),
      );
    return this.#members.get(step);
  }

  #below(part: (definition: unknown) => unknown): SchemaIdentities | undefined {
    const schemas = this.#definitions.map(part).filter((schema) => schema !== undefined);
    return schemas.length === 0 ? undefined : new SchemaIdentities(schemas);
  }
}

function ofKey(key: string | true | undefined): Pick<SchemaIdentities, 'key' | 'isUnique'> {
  return { key: key === true ? undefined : key, isUnique: key === true };
}

/** True for a reference to one of several models: what is stored of it is one thing. */
function isOneOf(schema: unknown): boolean {
  return property(property(schema, '~target'), 'isOneOf') === true;
}

/** The same for the mapper's own schemas, which are no library's. */
function oneOfIdentities(isList: boolean): Identities {
  const whole: Identities = { key: undefined, isWhole: true, at: () => undefined };
  return isList ? { key: undefined, at: () => whole } : whole;
}

/** What a schema declares itself: Zod's definitions have it, so that copies keep it. */
function keyOf(schema: unknown): string | true | undefined {
  const own = isIdentified(schema) ? schema['~identified'].key : property(definitionOf(schema), '~identified');
  return own as string | true | undefined;
}

/** What a schema is made of: of Zod's its definition, of Valibot's itself. */
function structureOf(schema: unknown): unknown {
  return isValibot(schema) ? schema : definitionOf(schema);
}

function isValibot(schema: unknown): boolean {
  return property(property(schema, '~standard'), 'vendor') === 'valibot';
}

/** The schema, and those that it stands for: what is inside a wrapper, each of a union. */
function meant(schema: unknown, seen = new Set<unknown>()): unknown[] {
  if (schema === undefined || seen.has(schema)) return [];
  seen.add(schema);
  const definition = structureOf(schema);
  const options = property(definition, 'options');
  const getter = property(definition, 'getter');
  const inside = [
    isIdentified(schema) ? schema['~identified'].schema : undefined,
    ...['innerType', 'out', 'left', 'right', 'wrapped'].map((name) => property(definition, name)),
    typeof getter === 'function' ? (getter as () => unknown)() : undefined,
    ...(Array.isArray(options) ? (options as unknown[]) : []),
  ];
  return [schema, ...inside.flatMap((each) => meant(each, seen))];
}

function memberOf(definition: unknown, name: string): unknown {
  const shape = property(definition, 'shape') ?? property(definition, 'entries');
  return isObject(shape) && Object.hasOwn(shape, name) ? property(shape, name) : undefined;
}

/** What all members of a record, or those that an object does not name, are. */
function othersOf(definition: unknown): unknown {
  const ofValibot = property(definition, 'type') === 'record' ? property(definition, 'value') : undefined;
  return (
    property(definition, 'valueType') ?? property(definition, 'catchall') ?? ofValibot ?? property(definition, 'rest')
  );
}

// ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The checks of Zod and of Valibot that bound the length of an array. */
const BOUNDS: ReadonlySet<unknown> = new Set([
  'min_length',
  'max_length',
  'length_equals',
  'length',
  'not_length',
  'empty',
  'non_empty',
]);

/** True for a tuple, and for an array with a bound on its length. */
function isBound(schema: unknown): boolean {
  const structure = structureOf(schema);
  const type = property(structure, 'type');
  if (typeof type === 'string' && type.includes('tuple')) return true;
  if (type !== 'array') return false;
  const pipe = property(structure, 'pipe');
  const actions = Array.isArray(pipe) ? (pipe as unknown[]).map((action) => property(action, 'type')) : [];
  return [...checksOf(schema).map((check) => property(check, 'check')), ...actions].some((name) => BOUNDS.has(name));
}

/** True for a JSON Schema of a tuple, or of an array with a bound on its length. */
export function boundsIn(schema: JsonSchema): boolean {
  return ['minItems', 'maxItems', 'prefixItems'].some((keyword) => schema[keyword] !== undefined);
}

/** What the JSON Schema of another library tells of bounds; undefined where there are none. */
function jsonBounds(schema: unknown): Identities | undefined {
  const root = libraryJsonSchema(schema, 'output');
  const hasSome = /"(?:minItems|maxItems|prefixItems)":/.test(JSON.stringify(root));
  return hasSome ? new JsonIdentities([root], root) : undefined;
}

class JsonIdentities implements Identities {
  readonly key = undefined;
  readonly isBound: boolean;
  readonly #types: readonly JsonSchema[];
  readonly #root: JsonSchema;

  constructor(schemas: readonly JsonSchema[], root: JsonSchema) {
    this.#types = schemas.flatMap((schema) => typesIn(schema, root));
    this.#root = root;
    this.isBound = this.#types.some(boundsIn);
  }

  at(step: string | number): Identities {
    const inside = this.#types.map((type) =>
      typeof step === 'number' ? type['items'] : (property(type['properties'], step) ?? type['additionalProperties']),
    );
    return new JsonIdentities(inside.filter(isObject) as unknown as JsonSchema[], this.#root);
  }
}

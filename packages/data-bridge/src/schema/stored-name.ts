import { setOwn } from '../bson/plain-object.ts';
import { isObject } from '../bson/bson-classes.ts';
import { typeName } from './bson-types.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { storedNameIn } from './field-marks.ts';
import type { Fields, FieldSchema } from './schema-field.ts';

/** A field's schema together with the name that the field is stored under. */
export interface StoredSchema<S extends FieldSchema> {
  readonly '~standard': S['~standard'];
  readonly '~stored': { readonly name: string; readonly schema: S };
}

/**
 * A field that is stored under another name than the program uses: because a method of documents has that name, say, or
 * because the stored name was badly chosen. The program uses the field's own name everywhere; the server sees the stored one.
 *
 * ```ts
 * class Range extends model('ranges', { minimum: stored('min', z.number()) }) {}
 * await Range.find({ minimum: { $gt: 3 } }); // sends { min: { $gt: 3 } }
 * ```
 *
 * @param name the stored name: not empty, not `_id`, without a dot and without a `$` at its start.
 * @param schema the field's schema; what is optional or has a default is said there.
 * @throws UsageError for a name that cannot be; SchemaError for what is no schema.
 */
export function stored<S extends FieldSchema>(name: string, schema: S): StoredSchema<S> {
  if (typeof name !== 'string') throw new UsageError(`stored() takes a name and a schema, got ${typeName(name)}.`);
  if (name === '' || name === '_id' || /^\$|[.\0]/.test(name)) {
    const text = `stored() takes no name that is empty or _id, starts with "$", or has a dot or a zero byte: got "${name}".`;
    throw new UsageError(text);
  }
  const standard: unknown = (schema as Partial<FieldSchema> | null | undefined)?.['~standard'];
  if (!isObject(standard))
    throw new SchemaError(`stored("${name}", …) takes a validator such as z.string() or objectId().`);
  if (storedNameIn(schema) !== undefined)
    throw new SchemaError(`stored("${name}", …) holds another stored(…): a field is stored once.`);
  return { '~standard': schema['~standard'], '~stored': { name, schema } };
}

/** The names that a model's fields have in the program, and those that they are stored under. */
export class FieldNames {
  /** Only fields whose two names differ are in these: most models have none, and then nothing is looked up. */
  readonly #storedNames = new Map<string, string>();
  readonly #programNames = new Map<string, string>();
  /** The names that the program uses. */
  readonly #known: ReadonlySet<string>;

  /**
   * @param others names of what is stored beside the fields, such as the times; they may be fields too.
   * @throws SchemaError where two fields would be stored under one name, or one under the name of another.
   */
  constructor(model: string, fields: Fields, others: readonly string[]) {
    this.#known = new Set(['_id', ...Object.keys(fields), ...others]);
    for (const [name, schema] of Object.entries(fields)) {
      const under = storedNameIn(schema);
      if (under === undefined || under === name) continue;
      const taken = this.#known.has(under) ? under : this.#programNames.get(under);
      if (name === '_id' || taken !== undefined) {
        const problem = name === '_id' ? 'the _id has this name always' : `that is the name of "${taken}"`;
        throw new SchemaError(`The field "${name}" cannot be stored as "${under}": ${problem}.`, { model });
      }
      this.#storedNames.set(name, under);
      this.#programNames.set(under, name);
    }
  }

  get renames(): boolean {
    return this.#storedNames.size > 0;
  }

  /** The path as it is stored, of one that begins with the program's name of a field. Other paths stay. */
  storedPath(path: string): string {
    if (this.#storedNames.size === 0 || (this.#known.has(path) && !this.#storedNames.has(path))) return path;
    const dot = this.#storedNames.has(path) ? -1 : path.indexOf('.');
    const head = dot < 0 ? path : path.slice(0, dot);
    return (this.#storedNames.get(head) ?? head) + path.slice(head.length);
  }

  /** The program's name of what is stored under this one. */
  programName(name: string): string {
    return this.#programNames.get(name) ?? name;
  }

  /** True where this name stands for a field that the program knows by another one. */
  isHidden(name: string): boolean {
    return this.#programNames.has(name) && !this.#known.has(name);
  }

  /** Stored fields under the program's names: the object itself where all are the same. */
  programFields<T extends object>(fields: T): T {
    if (this.#programNames.size === 0) return fields;
    const object: Record<string, unknown> = {};
    // case: a stored field that the schema does not know has the program's name of another one
    for (const [name, value] of Object.entries(fields))
      if (!this.#storedNames.has(name)) setOwn(object, this.programName(name), value);
    return object as T;
  }
}

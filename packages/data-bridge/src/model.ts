import type { DeleteOptions, DeleteResult } from 'mongodb';
import { ownAll } from './bson/arena.ts';
import { documentSize } from './bson/decode.ts';
import { encodeDocument } from './bson/encode.ts';
import { castFilter, castId } from './cast.ts';
import { ModelDefinition, type ModelOptions } from './definition.ts';
import { checkOwnFields, definitionKey, Document, lifeOf, readField, writeField } from './document.ts';
import { SchemaError } from './errors.ts';
import { insertMany, type InsertManyOptions } from './insert-many.ts';
import { translate } from './outcome.ts';
import { Query, type QueryOptions, type ReadAll } from './query.ts';
import type { SaveOptions } from './save.ts';
import type { Fields } from './schema.ts';
import { BsonBaseline } from './state/bson-baseline.ts';
import type { Class, FilterOf, IdOf, Input, Shape, ShapeOf } from './types.ts';

/** Members of every document, which no field may be called. */
type Reserved = {
  readonly [
    K in Exclude<keyof Document<unknown>, symbol>
  ]?: `"${K}" is a member of every document: give the field another name`;
};

/** What a model's class has beside its constructor. */
export interface Statics<F extends Fields> {
  /** Makes a document and stores it. @throws ValidationError, DuplicateKeyError */
  create<D>(this: Class<D>, input: Input<F>, options?: SaveOptions): Promise<D>;
  /** Stores many: plain inputs, or documents made by `new`. All are validated before anything is sent. An empty list gives an empty list. */
  insertMany<D>(
    this: Class<D>,
    inputs: readonly (Input<F> | NoInfer<D>)[],
    options: InsertManyOptions & { readonly return: 'ids' },
  ): Promise<IdOf<D>[]>;
  insertMany<D>(this: Class<D>, inputs: readonly (Input<F> | NoInfer<D>)[], options?: InsertManyOptions): Promise<D[]>;
  /** The documents that match, all by default: a query that runs when it is awaited or iterated. */
  find<D>(this: Class<D>, filter?: FilterOf<D>, options?: QueryOptions): Query<D, ShapeOf<D>>;
  /** The first document that matches, or null. */
  findOne<D>(this: Class<D>, filter?: FilterOf<D>, options?: QueryOptions): Promise<D | null>;
  /** The document with this `_id`, or null. A string of 24 hexadecimal digits is taken for an ObjectId. */
  findById<D>(this: Class<D>, id: IdOf<D> | string, options?: QueryOptions): Promise<D | null>;
  /** How many documents match. */
  count<D>(this: Class<D>, filter?: FilterOf<D>, options?: QueryOptions): Promise<number>;
  /** Deletes every document that matches; `{}` deletes all. */
  deleteMany<D>(this: Class<D>, filter: FilterOf<D>, options?: DeleteOptions): Promise<DeleteResult>;
  /** A document out of what is stored: a plain object, as the driver gives it, or BSON bytes (which are copied). */
  hydrate<D>(this: Class<D>, stored: object | Uint8Array): D;
}

/** A class of documents, bound to a collection. Extend it. */
export interface Model<F extends Fields, S = Shape<F>> extends Statics<F> {
  new (input: Input<F>): Document<S> & S;
}

/** How the statics see the class that they are called on. */
type DocumentClass = (new (input: object) => Document<unknown>) & { readonly prototype: Document<unknown> };

/**
 * Makes the base class of a model: typed accessors for the fields of a schema, and the ways to store and find documents.
 *
 * ```ts
 * class User extends model('users', { name: z.string(), tags: z.array(z.string()).default([]) }) {}
 * const user = await User.create({ name: 'Ann' });
 * user.tags.push('admin');
 * await user.save(); // sends { $push: { tags: { $each: ['admin'] } } }
 * ```
 *
 * @param collection the name of the collection.
 * @param fields a Standard Schema validator for each field: Zod, Valibot, ArkType, or this package's `objectId()` and its like.
 * @throws UsageError for a name or an option that cannot be; SchemaError for a field that cannot be.
 */
export function model<const F extends Fields>(
  collection: string,
  fields: F & Reserved,
  options: ModelOptions = {},
): Model<F> {
  const definition = new ModelDefinition(collection, fields, options);
  const base = class extends ModelDocument {};
  Object.defineProperty(base.prototype, definitionKey, { value: definition });
  for (const name of new Set(['_id', ...definition.fields.keys()])) defineAccessor(base, definition, name);
  return base as unknown as Model<F>;
}

function defineAccessor(base: typeof ModelDocument, definition: ModelDefinition, name: string): void {
  if (name in Document.prototype) {
    throw new SchemaError(`The field "${name}" has the name of a member of every document: give it another name.`, {
      model: definition.collectionName,
    });
  }
  Object.defineProperty(base.prototype, name, {
    configurable: true,
    enumerable: true,
    get(this: Document<unknown>) {
      return readField(this, name);
    },
    set(this: Document<unknown>, value: unknown) {
      writeField(this, name, value);
    },
  });
}

/** The statics once more, as they are at run time: types are `Statics`. */
class ModelDocument extends Document<unknown> {
  static async create(this: DocumentClass, input: object, options?: SaveOptions): Promise<unknown> {
    return new this(input).save(options);
  }

  static async insertMany(
    this: DocumentClass,
    inputs: readonly object[],
    options?: InsertManyOptions,
  ): Promise<unknown> {
    const documents = inputs.map((input) => (input instanceof this ? input : new this(input)));
    documents.forEach(checkOwnFields);
    const definition = definitionOf(this);
    await insertMany(definition, documents.map(lifeOf), options);
    return options?.return === 'ids' ? documents.map((document) => readField(document, '_id')) : documents;
  }

  static find(this: DocumentClass, filter: object = {}, options?: QueryOptions): Query<unknown, unknown> {
    return Query.of(definitionOf(this), readInto(this), filter, options);
  }

  static async findOne(this: DocumentClass, filter: object = {}, options?: QueryOptions): Promise<unknown> {
    return Query.of(definitionOf(this), readInto(this), filter, options).first();
  }

  static async findById(this: DocumentClass, id: unknown, options?: QueryOptions): Promise<unknown> {
    const definition = definitionOf(this);
    return Query.of(definition, readInto(this), { _id: castId(definition, id) }, options).first();
  }

  static async count(this: DocumentClass, filter: object = {}, options?: QueryOptions): Promise<number> {
    return Query.of(definitionOf(this), readInto(this), filter, options).count();
  }

  static async deleteMany(this: DocumentClass, filter: object, options?: DeleteOptions): Promise<DeleteResult> {
    const definition = definitionOf(this);
    const cast = castFilter(definition, filter);
    try {
      return await definition.collection().deleteMany(cast, options);
    } catch (error) {
      throw translate(error, { model: definition.collectionName });
    }
  }

  static hydrate(this: DocumentClass, stored: object): unknown {
    const bytes = stored instanceof Uint8Array ? stored.subarray(0, documentSize(stored, 0)) : encodeDocument(stored);
    return readInto(this)([bytes])[0];
  }
}

function definitionOf(model: DocumentClass): ModelDefinition {
  return model.prototype[definitionKey];
}

/** Reads stored documents as documents of this class. */
function readInto(model: DocumentClass): ReadAll<Document<unknown>> {
  return (documents) => {
    const layout = definitionOf(model).layout();
    const read = ownAll(documents, (bytes, start) => new model(new BsonBaseline(layout, bytes, start)));
    if (read[0] !== undefined) checkOwnFields(read[0]);
    return read;
  };
}

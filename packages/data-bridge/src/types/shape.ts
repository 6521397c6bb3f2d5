import type { BSON, Filter as MongoFilter, ObjectId, UpdateFilter } from 'mongodb';
import type { FieldSchema, Fields } from '../schema.ts';

/** What a schema gives: the type of the document's field. */
export type OutputOf<S extends FieldSchema> = NonNullable<S['~standard']['types']>['output'];
/** What a schema takes: the type in `new` and `create`. */
export type InputOf<S extends FieldSchema> = NonNullable<S['~standard']['types']>['input'];

type OwnId<F> = F extends { _id: unknown } ? unknown : { readonly _id: ObjectId };

/** The times that a model keeps, under their names. */
type Times<O> = O extends { timestamps: true }
  ? { readonly createdAt: Date; readonly updatedAt: Date }
  : O extends { timestamps: infer T extends object }
    ? { readonly [K in keyof T as T[K] & string]: Date }
    : unknown;

/** The stored fields of a document: those of the schema, `_id`, and what the model's options add. */
export type Shape<F extends Fields, O = object> = { -readonly [K in keyof F]: OutputOf<F[K]> } & OwnId<F> & Times<O>;

type OptionalKeys<F extends Fields> = { [K in keyof F]: undefined extends InputOf<F[K]> ? K : never }[keyof F];

/** What `new` and `create` take: fields with a default or that are optional may be left out. */
export type Input<F extends Fields> = { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: InputOf<F[K]> } & {
  -readonly [K in OptionalKeys<F>]?: InputOf<F[K]>;
} & (F extends { _id: unknown } ? unknown : { _id?: ObjectId | string });

/** Where a document's type keeps the type of its fields. It exists for the compiler only. */
export declare const shape: unique symbol;

/** The fields of a document class's instances. */
export type ShapeOf<D> = D extends { readonly [shape]: infer S } ? S : D;

/** The type of `_id` of a document class's instances. */
export type IdOf<D> = D extends { readonly _id: infer I } ? I : never;

/** A class whose instances are `D`. */
// oxlint-disable-next-line no-explicit-any -- any constructor will do: a subclass may take what it likes
export type Class<D> = abstract new (...args: any) => D;

/** What finds documents of a class. */
export type FilterOf<D> = MongoFilter<{ [K in keyof ShapeOf<D>]: ShapeOf<D>[K] }>;

/** What changes documents of a class: the driver's update, over the fields of the class. */
export type UpdateOf<D> = UpdateFilter<{ [K in keyof ShapeOf<D>]: ShapeOf<D>[K] }> | BSON.Document[];

/** The type of an array's elements; other types are themselves. */
export type ElementOf<V> = V extends readonly (infer E)[] ? E : V;

/** The names of the fields that hold such a value, where they hold any. */
export type NamesOf<S, V> = { [K in keyof S & string]: [NonNullable<S[K]>] extends [V] ? K : never }[keyof S & string];

/** A path that is no field's name: a dotted one, or a stored field that the schema does not name. */
export type OtherPath<S, P extends string> = P extends keyof S ? never : P;

/** What `$inc` and `$mul` take. */
export type AnyNumber = number | bigint | BSON.Long | BSON.Decimal128 | BSON.Double | BSON.Int32;

/** What `$min` and `$max` compare. */
export type Comparable = AnyNumber | string | boolean | Date | ObjectId;

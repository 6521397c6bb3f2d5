import type { ObjectId } from 'mongodb';
import type { FieldSchema, Fields } from '../schema/schema-field.ts';

/** Zod's schemas of objects. Where these may have keys of any name, `in` and `out` of their configuration say so. */
interface ZodObject {
  readonly shape: Fields;
  readonly _zod: { readonly config: { readonly in: object; readonly out: object } };
}

/** Zod's schemas of arrays. */
interface ZodArray {
  readonly element: FieldSchema;
  readonly _zod: object;
}

/** True of a Zod schema with members that are all there, and no others: `M` are its members, `Optional` is how some are marked. */
type IsPlain<M, Extra, Optional> = [M] extends [never]
  ? false
  : [keyof Extra, Extract<M, Optional>] extends [never, never]
    ? true
    : false;

interface OptionalOutput {
  readonly _zod: { readonly optout: string };
}

interface OptionalInput {
  readonly _zod: { readonly optin: string };
}

/**
 * What a schema gives: the type of the document's field. Asked for in the way that costs compilers least: as a conditional
 * type once of each schema; of plain objects member by member, which takes a third of what Zod's own way takes; and where
 * Zod's schemas say it themselves.
 */
export type OutputOf<S extends FieldSchema> = S extends ZodObject
  ? IsPlain<S['shape'][keyof S['shape']], S['_zod']['config']['out'], OptionalOutput> extends true
    ? OutputsOf<S['shape']>
    : ZodOutput<S>
  : S extends ZodArray
    ? OutputOf<S['element']>[]
    : ZodOutput<S>;

/** What each of some fields gives. */
export type OutputsOf<F extends Fields> = F extends unknown ? { -readonly [K in keyof F]: OutputOf<F[K]> } : never;

type ZodOutput<S extends FieldSchema> = S extends { readonly _zod: { readonly output: unknown } }
  ? S['_zod']['output']
  : NonNullable<S['~standard']['types']>['output'];

/** What a schema takes: the type in `new` and `create`. */
export type InputOf<S extends FieldSchema> = S extends ZodObject
  ? IsPlain<S['shape'][keyof S['shape']], S['_zod']['config']['in'], OptionalInput> extends true
    ? InputsOf<S['shape']>
    : ZodInput<S>
  : S extends ZodArray
    ? InputOf<S['element']>[]
    : ZodInput<S>;

type InputsOf<F extends Fields> = F extends unknown ? { -readonly [K in keyof F]: InputOf<F[K]> } : never;

type ZodInput<S extends FieldSchema> = S extends { readonly _zod: { readonly input: unknown } }
  ? S['_zod']['input']
  : NonNullable<S['~standard']['types']>['input'];

/**
 * One object type out of an intersection. As it comes out of a conditional type, hints and messages show its members, and not
 * how it was made.
 */
export type Flat<T> = T extends unknown ? { [K in keyof T]: T[K] } : never;

/** The `_id` of documents whose schema does not name it. */
export interface DefaultId {
  readonly _id: ObjectId;
}

/** The times that a model with `timestamps: true` keeps. */
export interface DefaultTimes {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The times that a model keeps, under their names. */
type Times<O> = O extends { timestamps: true }
  ? DefaultTimes
  : O extends { timestamps: infer T extends object }
    ? { readonly [K in keyof T as T[K] & string]: Date }
    : unknown;

/** The counter of writes, where a model has one. */
type Version<O> = O extends { version: infer V extends string }
  ? { readonly [K in V]: number }
  : O extends { concurrency: 'version' }
    ? { readonly version: number }
    : unknown;

/**
 * The fields of a document: those of the schema, `_id`, and what the model's options add.
 *
 * Nothing here looks inside a field's schema before its type is asked for: behind `ref()` stands a class that may be
 * being declared.
 */
export type Shape<F extends Fields, O = object> = F extends { readonly _id: infer I extends FieldSchema }
  ? { -readonly [K in Exclude<keyof F, '_id'>]: OutputOf<F[K]> } & { readonly _id: OutputOf<I> } & Times<O> & Version<O>
  : OutputsOf<F> & DefaultId & Times<O> & Version<O>;

/**
 * True of schemas of objects, arrays, records and tuples, as their libraries write them: compilers are spared what they give and
 * take, which may be of the very class that is being declared.
 * An intersection, since `Extract` would ask each key of each schema by itself.
 */
export type IsPlainContainer<S> = [keyof S & ('shape' | 'element' | 'valueType' | 'items' | 'rest')] extends [never]
  ? false
  : true;

/** True where a new document may leave a field out. */
type IsOptional<S extends FieldSchema> =
  IsPlainContainer<S> extends true ? false : undefined extends InputOf<S> ? true : false;

/** The fields that a new document may leave out. */
export type OptionalKeys<F extends Fields> = { [K in keyof F]: IsOptional<F[K]> extends true ? K : never }[keyof F];

/** Those that it must give. */
export type RequiredKeys<F extends Fields> = Exclude<keyof F, OptionalKeys<F>>;

/** The names of the fields that each document has whatever its schema says, and of those that options add. */
export type AddedNames<O> = '_id' | (keyof (Times<O> & Version<O>) & string);

/** The names of the fields `F` and of those that options add. */
export type NamesOf<F, O> = (keyof F & string) | AddedNames<O>;

/**
 * What `new` and `create` take: fields with a default or that are optional may be left out. Out of a conditional type, so that
 * messages show the fields, those that must be given first.
 */
export type Input<F extends Fields> = F extends unknown
  ? GivenFields<F> & NoDocument & (F extends { _id: unknown } ? unknown : { _id?: ObjectId | string })
  : never;

/** What is given of some fields. */
export type GivenFields<F extends Fields> = { -readonly [K in RequiredKeys<F>]: InputOf<F[K]> } & {
  -readonly [K in OptionalKeys<F>]?: InputOf<F[K]>;
};

/** The accessors of a document are on its class: `{ ...document }` has no fields, and as a filter it would find all. */
export interface NoDocument {
  readonly [shape]?: 'a document has no fields of its own: pass what its toObject() gives';
}

/** What `assign` takes: values of the fields that may be set. */
export type Assigned<S> = { -readonly [K in keyof S as IfWritable<S, K>]?: S[K] | undefined } & NoDocument;

/** The key itself, nothing for one that is read only: which two types in a condition show, and no plain comparison does. */
type IfWritable<S, K extends keyof S> =
  (<T>() => T extends { -readonly [P in K]: S[P] } ? 1 : 2) extends <T>() => T extends Pick<S, K> ? 1 : 2 ? K : never;

/** Where a document's type keeps the type of its fields. It exists for the compiler only. */
export declare const shape: unique symbol;

/** Where a document's type keeps what its model was declared with. */
export declare const declared: unique symbol;

/** A document of any model. */
export interface AnyDocument {
  readonly [shape]: unknown;
}

/** The fields of a document class's instances. */
export type ShapeOf<D> = D extends { readonly [shape]: () => infer S } ? S : D;

/**
 * `T`, which is about documents `D`, as soon as these are known. While compilers find out what `D` is, they would otherwise
 * work out the keys of `T` anew for each key that is written.
 */
export type Late<D, T> = [D] extends [never] ? unknown : T;

/** The type of `_id` of a document class's instances. */
export type IdOf<D> = D extends { readonly _id: infer I } ? I : never;

/** What `create` takes for documents of a class. */
export type Given<D> = D extends { readonly [declared]: () => { takes(input: infer I extends object): void } }
  ? I
  : never;

/** A model's class as its statics see it. Compilers find `D` in it without a look at what its constructor takes. */
export interface ModelClass<D> {
  readonly prototype: D;
}

/** A class whose instances are `D`. */
// oxlint-disable-next-line no-explicit-any -- any constructor will do: a subclass may take what it likes
export type Class<D> = abstract new (...args: any) => D;

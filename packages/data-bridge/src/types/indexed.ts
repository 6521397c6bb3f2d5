import type { IndexDescription } from 'mongodb';
import type { FieldSchema } from '../schema/schema-field.ts';
import type { ValueIn } from './paths.ts';
import type { NamesOf, OutputOf } from './shape.ts';

/** What the keys of indexes, and the shard key, may begin with. */
type Indexed<F, O> = NamesOf<F, O> | TypeKey<O> | `${NamesOf<F, O>}.${string}` | `$${string}`;

/** Under which name documents of a hierarchy tell their class. */
type TypeKey<O> = O extends { readonly typeKey: infer K extends string } ? K : '_type';

/** The keys of indexes that the schema does not name, of those that are known before run time. */
type WrongKeys<F, O, I> = I extends { readonly key: infer K }
  ? K extends ReadonlyMap<unknown, unknown>
    ? never
    : string extends keyof K
      ? never
      : WrongPath<F, O, keyof K>
  : never;

/** The path itself where the schema does not name it. Only of a path into a field anything looks inside the field's schema. */
type WrongPath<F, O, P> =
  P extends Indexed<F, O>
    ? P extends `${infer K}.${infer Rest}`
      ? K extends keyof F
        ? Rest extends `$${string}` | `${string}.$${string}`
          ? never
          : F[K] extends FieldSchema
            ? [ValueIn<{ readonly field: OutputOf<F[K]> }, `field.${Rest}`>] extends [never]
              ? P
              : never
            : never
        : never
      : never
    : P;

/** The members of an index that it cannot have. */
type WrongOptions<I> = I extends unknown ? Exclude<keyof I, keyof IndexDescription> : never;

/** Messages in the place of what is wrong in an index. */
type Mended<F, O, I> = { readonly [K in WrongOptions<I>]?: Wrong<'no index has this option'> } & ([
  WrongKeys<F, O, I>,
] extends [never]
  ? unknown
  : { readonly key: { readonly [K in WrongKeys<F, O, I>]?: Wrong<NoField<K>> } });

/** Tells what is wrong. An object, since compilers would make `never` of a number and a text. */
interface Wrong<Text> {
  readonly wrong: Text;
}

type AllMended<F, O, All> = { readonly [N in keyof All]: Mended<F, O, All[N]> };

/**
 * A message in the place of each key of an index, and of each part of a shard key, that the schema does not name; and of what
 * is no option of an index.
 */
export type NamesFields<F, O> = O extends { readonly unknown: 'keep' }
  ? unknown
  : (O extends { readonly indexes: readonly (infer I)[] }
      ? [WrongKeys<F, O, I> | WrongOptions<I>] extends [never]
        ? unknown
        : { readonly indexes: AllMended<F, O, O['indexes']> }
      : unknown) &
      (O extends { readonly shardKey: readonly (infer P)[] }
        ? [WrongPath<F, O, P>] extends [never]
          ? unknown
          : { readonly shardKey: readonly NoField<WrongPath<F, O, P>>[] }
        : unknown);

type NoField<K> = `the schema has no field "${K & string}"`;

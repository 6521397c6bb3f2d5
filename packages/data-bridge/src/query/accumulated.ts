import type { BSON } from 'mongodb';
import type { PathValue } from '../types/paths.ts';
import type { ShapeOf } from '../types/shape.ts';

/** What adding up values of this type gives. */
export type Sum<V> = V extends BSON.Decimal128 | bigint ? V : number;

/** What the mean of values of this type is. */
export type Average<V> = V extends BSON.Decimal128 ? V : number;

/** The type of the value at a path, where there is one. */
export type Present<M, P> = NonNullable<PathValue<ShapeOf<M>, P>>;

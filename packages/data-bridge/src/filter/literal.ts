import { UsageError } from '../errors.ts';
import { unstorable } from '../bson/storable.ts';
import { typeName } from '../schema/bson-types.ts';

/** A value that a filter compares, whatever it is. Made by `literal()`. */
export class Literal<V = unknown> {
  readonly value: V;

  get [unstorable](): string {
    return 'literal() belongs in a filter, as the condition on a field, the operand of a comparison, or in the list of $in or $nin';
  }

  /** @internal */
  constructor(value: V) {
    this.value = value;
  }
}

/** Filters and conditions that the program wrote itself. */
const known = new WeakSet<object>();

/**
 * A value that a filter compares and never takes for an operator, wherever it comes from. It stands for the condition on a
 * field, for what `$eq`, `$ne`, `$gt`, `$gte`, `$lt` or `$lte` compare with, and for an element of `$in` or `$nin`.
 *
 * ```ts
 * await User.find({ role: { $ne: 'bot' }, email: literal(request.body.email) });
 * ```
 *
 * @throws UsageError for undefined, which would widen the filter.
 */
export function literal<V>(value: V): Literal<V> {
  if (value === undefined)
    throw new UsageError(
      'literal() got undefined, which would match more than was meant: leave the key out, or pass null.',
    );
  return new Literal(value);
}

/**
 * Marks the operators of a condition, or of a whole filter, as the program's own: a connection with
 * `sanitizeFilters` takes no others. Values from outside that are part of it belong in `literal()`.
 *
 * ```ts
 * await User.find({ age: trusted({ $gte: 18 }), email: request.body.email });
 * ```
 *
 * @returns the condition itself.
 * @throws UsageError for what is no object.
 */
export function trusted<C extends object>(condition: C): C {
  if (typeof condition !== 'object' || condition === null)
    throw new UsageError(`trusted() takes a filter, or a condition with operators, got ${typeName(condition)}.`);
  known.add(condition);
  return condition;
}

/** True for what was given to `trusted()`. */
export function wasTrusted(condition: unknown): boolean {
  return typeof condition === 'object' && condition !== null && known.has(condition);
}

import { ModelDefinition } from '../definition/model-definition.ts';
import type { ModelOptions, RuleIssue } from '../definition/model-options.ts';
import type { HistoryModel, Model, Reserved, TakesOwnOutput } from './statics.ts';
import type { Fields } from '../schema/schema-field.ts';
import type { NamesFields } from '../types/indexed.ts';
import type { BackRefsOf, Plain } from '../types/ref.ts';
import type { Shape } from '../types/shape.ts';
import { defineAccessor, defineBackReference } from './accessors.ts';
import { define } from './define.ts';
import { ModelDocument } from './model-document.ts';
import { RecordedDocument } from './recorded-document.ts';

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
export function model<const F extends Fields, const O extends ModelOptions = object>(
  collection: string,
  fields: F & Reserved & TakesOwnOutput<F>,
  options?: O &
    NamesFields<F, O> & {
      readonly check?: (document: Plain<Shape<F>>) => Iterable<RuleIssue> | Promise<Iterable<RuleIssue>>;
    },
): O extends { readonly history: true | object }
  ? HistoryModel<F, O, Shape<F, O>, BackRefsOf<O>>
  : Model<F, O, Shape<F, O>, BackRefsOf<O>>;
export function model(collection: string, fields: Fields, options: ModelOptions = {}): unknown {
  const definition = new ModelDefinition(collection, fields, options);
  const base = definition.redaction === undefined ? class extends ModelDocument {} : class extends RecordedDocument {};
  define(base, definition);
  for (const name of definition.names) defineAccessor(base, definition, name);
  for (const name of definition.backRefs.keys()) defineBackReference(base, definition, name);
  return base;
}

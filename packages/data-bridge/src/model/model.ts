import { ModelDefinition } from '../definition/model-definition.ts';
import type { ModelOptions, RuleIssue } from '../definition/model-options.ts';
import { readField, readReferenceField, writeField } from '../document/tracked-document.ts';
import { Document } from '../save/document.ts';
import { SchemaError, UsageError } from '../errors.ts';
import type { HistoryModel, Model, Reserved, TakesOwnOutput } from './statics.ts';
import type { Fields } from '../schema/schema-field.ts';
import type { NamesFields } from '../types/indexed.ts';
import type { BackRefsOf, Plain } from '../types/ref.ts';
import type { Shape } from '../types/shape.ts';
import { define } from './define.ts';
import { readBack } from '../references/back-reference.ts';
import type { Linked } from '../references/linked.ts';
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

function defineAccessor(base: typeof ModelDocument, definition: ModelDefinition, name: string): void {
  const shown = definition.programName(name);
  if (shown in Document.prototype) {
    const text = `The field "${shown}" has the name of a member of every document: give it another name, as in "${shown}Value: stored('${shown}', …)".`;
    throw new SchemaError(text, definition.context);
  }
  function read(this: Document<unknown>): unknown {
    return readField(this, name);
  }
  function readReferences(this: Document<unknown>): unknown {
    return readReferenceField(this, name);
  }
  const isTime = definition.isTime(name);
  Object.defineProperty(base.prototype, shown, {
    configurable: true,
    enumerable: true,
    get: definition.references?.has(name) === true ? readReferences : read,
    set(this: Document<unknown>, value: unknown) {
      if (isTime) refuseTime(definition, shown);
      writeField(this, name, value);
    },
  });
}

/** It is no field: what would set it is refused by JavaScript itself. */
function defineBackReference(base: typeof ModelDocument, definition: ModelDefinition, name: string): void {
  if (name in base.prototype) {
    const text = `The back references "${name}" have the name of a field, or of a member of every document: give them another one.`;
    throw new SchemaError(text, definition.context);
  }
  Object.defineProperty(base.prototype, name, {
    configurable: true,
    get(this: Document<unknown>) {
      return readBack(this as unknown as Linked, name);
    },
  });
}

/** Types say that it is read only; what a request's body brings along says nothing. */
function refuseTime({ context }: ModelDefinition, name: string): never {
  throw new UsageError(`"${name}" is a time that the model keeps itself: set("${name}", …) sets another one.`, context);
}

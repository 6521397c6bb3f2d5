import type { BSON } from 'mongodb';
import type { CollectionOptions, ModelIndex } from '../definition/model-options.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { canonical } from './collection-state.ts';
import { storedIndexes } from './model-indexes.ts';
import { modelSchema } from './model-schema.ts';
import { entriesOf, plain } from './index-spec.ts';

/** What the models of one collection want of it. */
export interface Declared {
  readonly collection: string;
  readonly indexes: readonly ModelIndex[];
  /** As `create` and `collMod` take them; `validator: null` where there is to be none. */
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * What all models of a collection declare together: the one place that knows of several. Indexes are those of any, and the
 * validator takes the documents of each.
 *
 * @throws UsageError where they contradict each other.
 */
export function declaredOf(collection: string, models: readonly ModelDefinition[]): Declared {
  // Of a hierarchy the root speaks for all.
  const definitions = [...new Set(models.map(({ kin }) => kin.root.definition))];
  const indexes = new Map<string, ModelIndex>();
  for (const index of definitions.flatMap(storedIndexes)) {
    const isOfIds = entriesOf(index.key).every(([path]) => path === '_id') && Object.keys(index.key).length === 1;
    if (!isOfIds) indexes.set(canonicalIndex(index), index);
  }
  const declared = definitions.map(({ collectionOptions }) => collectionOptions);
  const options = agreed(collection, declared);
  const validator = validatorOf(collection, definitions, declared);
  return { collection, indexes: [...indexes.values()], options: { ...options, ...validator } };
}

/** The same index may be declared by several models. */
function canonicalIndex({ key, ...options }: ModelIndex): string {
  return JSON.stringify([entriesOf(key), canonical(plain(options))]);
}

/** The options that one model or all say the same of. */
function agreed(collection: string, declared: readonly CollectionOptions[]): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const each of declared)
    for (const [name, value] of Object.entries(each)) {
      if (value === undefined || name === 'validator') continue;
      if (name in options && canonical(options[name]) !== canonical(value)) throw contradiction(collection, name);
      options[name] = value;
    }
  const { changeStreamPreAndPostImages: images, ...others } = options;
  return images === undefined ? others : { ...others, changeStreamPreAndPostImages: { enabled: images } };
}

/** The validator of a collection; nothing where no model says anything of one. */
function validatorOf(
  collection: string,
  definitions: readonly ModelDefinition[],
  declared: readonly CollectionOptions[],
): { readonly validator?: BSON.Document | null } {
  const said = declared.flatMap(({ validator }) => (validator === undefined ? [] : [validator]));
  const [first] = said;
  if (first === undefined) return {};
  if (said.some((each) => canonical(plain(each)) !== canonical(plain(first))))
    throw contradiction(collection, 'validator');
  if (typeof first !== 'boolean') return { validator: first };
  return { validator: first ? schemaOf(definitions) : null };
}

/** Documents are of one of the models, or of a class that extends one. */
function schemaOf(definitions: readonly ModelDefinition[]): BSON.Document {
  const schemas = new Map(
    definitions.map(({ kin }) => modelSchema(kin.root.definition)).map((schema) => [canonical(schema), schema]),
  );
  const [first, ...others] = schemas.values();
  return { $jsonSchema: others.length === 0 ? first : { anyOf: [...schemas.values()] } };
}

function contradiction(model: string, option: string): UsageError {
  return new UsageError(
    `Models of this collection declare it with a different "${option}": say the same in all of them.`,
    {
      model,
    },
  );
}

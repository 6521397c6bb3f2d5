import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { typeName } from '../schema/bson-types.ts';
import { membersAt, targetsAt } from '../schema/references-in.ts';
import type { ReferenceTarget } from '../schema/schema-library.ts';
import type { Place } from '../schema/schema-shape.ts';
import { boundLike } from '../definition/bound-like.ts';
import { isLinked, type LinkedModel } from './linked.ts';
import { collectionOf, storedAs } from './targets.ts';

/** What `backRef` gives: it goes into the option `backRefs` of a model. */
export interface BackRefDeclaration<D> {
  readonly '~back': D;
}

/**
 * The documents of another model that refer to a document: no field, nothing of it is stored.
 *
 * ```ts
 * class Author extends model('authors', { name: z.string() }, { backRefs: { books: backRef<Book>(() => Book, 'author') } }) {}
 * class Book extends model('books', { author: ref<Author>(() => Author) }) {}
 * const [author] = await Author.find().with('books');
 * author?.books.length;
 * ```
 *
 * @param source gives the other model when it is first needed, so that models may refer to each other.
 * @param field the path of the reference in the other model. It is checked when it is first used.
 */
export function backRef<D = 'write backRef<Source>(() => Source, field)'>(
  source: unknown,
  field: string,
): BackRefDeclaration<D> {
  if (typeof source !== 'function' || typeof field !== 'string') {
    const text = `backRef() takes a function that gives a model, and the path of its reference, got ${typeName(source)} and ${typeName(field)}.`;
    throw new UsageError(text);
  }
  return Object.freeze({ source, field }) as object as BackRefDeclaration<D>;
}

/** The references of another model to this one. */
export interface BackLink {
  /** The other model, on the connection of this one. */
  readonly source: LinkedModel;
  /** The path that refers here, in the program's names. */
  readonly field: string;
  /** What stands there for the document with this id. */
  readonly stored: (id: unknown) => readonly unknown[];
  /** True where it is the id itself. */
  readonly isPlain: boolean;
}

const links = new WeakMap<ModelDefinition, Map<string, BackLink>>();

/** The back references of that name; undefined where none are declared. @throws SchemaError for a declaration that does not lead back. */
export function backLinkOf(definition: ModelDefinition, name: string): BackLink | undefined {
  const declared = definition.backRefs.get(name);
  if (declared === undefined) return undefined;
  const known = links.get(definition) ?? new Map<string, BackLink>();
  links.set(definition, known);
  const found = known.get(name) ?? newLink(definition, name, declared);
  known.set(name, found);
  return found;
}

function newLink(
  definition: ModelDefinition,
  name: string,
  { source: give, field }: { readonly source: () => unknown; readonly field: string },
): BackLink {
  const given = give();
  if (typeof given !== 'function' || !isLinked((given as { readonly prototype?: unknown }).prototype)) {
    const text = `"${name}": backRef() takes a function that gives a model, and its function gave ${typeName(given)}.`;
    throw new SchemaError(text, definition.context);
  }
  const source = given as unknown as LinkedModel;
  const other = source.prototype[definitionKey];
  const models = modelsAt(other, field);
  if (!models.some(({ prototype }) => prototype[definitionKey].collectionName === definition.collectionName)) {
    const text = `"${name}": the field "${field}" of ${source.name} is no reference to "${definition.collectionName}".`;
    throw new SchemaError(text, definition.context);
  }
  const { collectionName } = definition;
  const meant = targetsIn(other, field).filter((target) =>
    target.models().some((model) => collectionOf(model as LinkedModel) === collectionName),
  );
  const kinds = [...new Map(meant.map((target) => [target.isOneOf, target])).values()];
  const stored = (id: unknown): readonly unknown[] => kinds.map((target) => storedAs(target, collectionName, id));
  const isPlain = kinds.every(({ isOneOf }) => !isOneOf);
  return { source: boundLike(source, definition), field, stored, isPlain };
}

/** The models that the references at a path of one model refer to, each once. */
export function modelsAt(definition: ModelDefinition, path: string): LinkedModel[] {
  const models = targetsIn(definition, path).flatMap((target) => target.models() as readonly LinkedModel[]);
  return [...new Set(models)];
}

function targetsIn(definition: ModelDefinition, path: string): ReferenceTarget[] {
  const [name = '', ...names] = path.split('.');
  const field = definition.references?.get(definition.storedPath(name));
  let places: readonly Place[] = field === undefined ? [] : [field.place];
  for (const each of names) places = places.flatMap((place) => membersAt(place, each));
  return places.flatMap((place) => targetsAt(place));
}

import { encode } from '../values/bson.ts';
import { integer } from '../values/number.ts';
import { equals } from '../values/order.ts';
import { show } from '../values/text.ts';
import { type Document, isDocument, typeOf, type Value } from '../values/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { ID_INDEX } from '../storage/id-index.ts';
import { ServerError } from '../errors.ts';
import type { IndexDefinition } from '../storage/secondary-index.ts';
import { collectionName, cursorBatchSize } from '../dispatch/arguments.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { indexDefinition, isSameIndex } from './index-definition.ts';
import { type CursorReply, documentOf } from '../messages/reply.ts';

const MAX_INDEXES = 64;
const ID_INDEX_OPTIONS = new Set(['key', 'name', 'v', 'ns', 'collation', 'background']);

function createIndexes({ catalog }: Context, request: Request): Document {
  const specifications = request.fields.documents('indexes');
  if (specifications === undefined) throw request.fields.missing('indexes');
  if (specifications.length === 0) throw new ServerError(2, 'Must specify at least one index to create');
  const name = collectionName(request);
  const existing = catalog.collection(request.database, name);
  const collection = existing ?? catalog.create(request.database, name);
  const before = collection.indexCount;
  try {
    addIndexes(collection, specifications);
  } catch (error) {
    if (existing === undefined) catalog.drop(collection);
    throw error;
  }
  const after = collection.indexCount;
  return documentOf({
    numIndexesBefore: integer(before),
    numIndexesAfter: integer(after),
    createdCollectionAutomatically: existing === undefined,
    note: before === after ? 'all indexes already exist' : undefined,
  });
}

/** The index on `_id` is always there; asking for it is no error, asking for another kind of it is. */
function isIdIndex(specification: Document): boolean {
  if (!equals(specification.get('key'), ID_INDEX.get('key'))) return false;
  const option = [...specification.keys()].find((name) => !ID_INDEX_OPTIONS.has(name));
  if (option === undefined) return true;
  throw new ServerError(
    197,
    `The field '${option}' is not valid for an _id index specification. Specification: ${show(specification)}`,
  );
}

/** An index compares texts as its collection does, unless it says otherwise. */
function withDefaults(specification: Document, { collation }: Collection): Document {
  if (collation === undefined || specification.has('collation')) return specification;
  return new Map([...specification, ['collation', collation.specification]]);
}

/** Adds the described indexes that are not there yet: all of them, or none. */
export function addIndexes(collection: Collection, specifications: readonly Document[]): void {
  const wanted = specifications
    .filter((specification) => !isIdIndex(specification))
    .map((specification) => indexDefinition(withDefaults(specification, collection)));
  const added: string[] = [];
  try {
    for (const definition of wanted) {
      if (exists(collection, definition)) continue;
      if (collection.indexCount === MAX_INDEXES) {
        throw new ServerError(67, `add index fails, too many indexes for ${collection.namespace}`);
      }
      collection.addIndex(definition);
      added.push(definition.name);
    }
  } catch (error) {
    for (const name of added) collection.removeIndex(name);
    throw error;
  }
}

/** True where that very index is there. Throws 85 or 86 where it would clash with one that is. */
function exists(collection: Collection, wanted: IndexDefinition): boolean {
  const namesake = collection.index(wanted.name)?.definition;
  if (namesake !== undefined) {
    if (equals(namesake.specification, wanted.specification)) return true;
    const requested = `Requested index: ${show(wanted.specification)}, existing index: ${show(namesake.specification)}`;
    throw isSameIndex(namesake, wanted)
      ? new ServerError(85, `An equivalent index already exists with the same name but different options. ${requested}`)
      : new ServerError(
          86,
          'An existing index has the same name as the requested index. When index names are not specified, they are ' +
            `auto generated and can cause conflicts. Please refer to our documentation. ${requested}`,
        );
  }
  for (const { definition } of collection.indexes) {
    if (!isSameIndex(definition, wanted)) continue;
    throw new ServerError(85, `Index already exists with a different name: ${definition.name}`);
  }
  return false;
}

function listIndexes({ catalog, cursors }: Context, request: Request): CursorReply {
  const collection = catalog.existing(request.database, collectionName(request));
  const specifications = [ID_INDEX, ...[...collection.indexes].map(({ definition }) => definition.specification)];
  const batchSize = cursorBatchSize(request.fields);
  return cursors.open(collection.namespace, specifications.map(encode), { batchSize, session: request.session });
}

function dropIndexes({ catalog }: Context, request: Request): Document {
  const collection = catalog.existing(request.database, collectionName(request));
  const wanted = request.fields.value('index');
  if (wanted === undefined) throw request.fields.missing('index');
  const before = collection.indexCount;
  // All are looked up before the first is dropped, so that an unknown one leaves everything as it was.
  const names = wanted === '*' ? namesOf(collection) : [wanted].flat().map((index) => nameOf(collection, index));
  for (const name of names) collection.removeIndex(name);
  return documentOf({
    nIndexesWas: integer(before),
    msg: wanted === '*' ? 'non-_id indexes dropped for collection' : undefined,
  });
}

/** The name of an index that is named or described by its key. Throws 27 where there is none, 72 for that on `_id`. */
function nameOf(collection: Collection, wanted: Value): string {
  if (typeof wanted !== 'string' && !isDocument(wanted)) {
    throw new ServerError(
      14,
      `BSON field 'dropIndexes.index' is the wrong type '${typeOf(wanted)}', expected types '[string, object]'`,
    );
  }
  if (equals(wanted, '_id_') || equals(wanted, ID_INDEX.get('key'))) {
    throw new ServerError(72, 'cannot drop _id index');
  }
  if (typeof wanted === 'string') {
    if (collection.index(wanted) !== undefined) return wanted;
    throw new ServerError(27, `index not found with name [${wanted}]`);
  }
  const found = [...collection.indexes].filter(({ definition }) => equals(definition.pattern, wanted));
  const [only] = found;
  if (only === undefined) throw new ServerError(27, `can't find index with key: ${show(wanted)}`);
  if (found.length === 1) return only.definition.name;
  const names = found.map(({ definition }) => definition.name).join(', ');
  throw new ServerError(
    181,
    `${found.length} indexes found for key: ${show(wanted)}, identify by name instead: ${names}`,
  );
}

function namesOf(collection: Collection): string[] {
  return [...collection.indexes].map(({ definition }) => definition.name);
}

const drop = command(dropIndexes, ['index']);

export const indexCommands: Readonly<Record<string, Command>> = {
  createIndexes: command(createIndexes, ['indexes'], {
    unsupported: ['commitQuorum', 'ignoreUnknownIndexOptions'],
    inTransactions: true,
  }),
  listIndexes: command(listIndexes, ['cursor']),
  dropIndexes: drop,
  deleteIndexes: drop,
};

import { Double } from 'bson';
import { encode } from '../values/bson.ts';
import { matcher } from '../engine/match/compile.ts';
import { integer } from '../values/number.ts';
import { type Document, isNumeric, type Value } from '../values/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Collection } from '../catalog/collection.ts';
import { checkDatabaseName, splitNamespace } from '../catalog/namespace.ts';
import { ID_INDEX } from '../storage/id-index.ts';
import { ServerError } from '../errors.ts';
import { collectionName, cursorBatchSize, givenCollation } from '../dispatch/arguments.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { Fields } from '../messages/fields.ts';
import { indexChange } from './index-changes.ts';
import { type CursorReply, documentOf } from '../messages/reply.ts';

const CHANGEABLE = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages'];
const OPTIONS = [...CHANGEABLE, 'collation'];
const VALIDATION_LEVELS = ['off', 'strict', 'moderate'];
const VALIDATION_ACTIONS = ['error', 'warn'];

function create(context: Context, request: Request): Document {
  context.catalog.create(request.database, collectionName(request), newOptions(request.fields));
  return new Map();
}

function collMod(context: Context, request: Request): Document {
  const collection = context.catalog.existing(request.database, collectionName(request));
  const { fields } = request;
  const option = fields.document('index');
  const dryRun = fields.boolean('dryRun');
  if (dryRun && (option === undefined || CHANGEABLE.some((name) => fields.value(name) !== undefined))) {
    throw new ServerError(72, 'dryRun can only be used with the index option unique, and with no other');
  }
  // All is checked before anything is changed.
  const change = option && indexChange(collection, option, dryRun);
  if (dryRun) return new Map();
  collection.setOptions(changedOptions(fields, collection.options));
  if (change === undefined) return new Map();
  collection.changeIndex(change.index, change.definition);
  return change.reply;
}

/** The options of a new collection. Throws for any that a stored collection cannot have. */
export function collectionOptions(fields: Fields): Document {
  fields.check(new Set(OPTIONS));
  return newOptions(fields);
}

function newOptions(fields: Fields): Document {
  const options = changedOptions(fields, new Map());
  const rules = givenCollation(fields)?.rules;
  return rules === undefined ? options : options.set('collation', rules.specification);
}

/** The options of a command laid over those that there are. An empty validator takes the rule away. */
function changedOptions(fields: Fields, before: Document): Document {
  const rule = fields.document('validator') ?? before.get('validator');
  const level = oneOf(fields, 'validationLevel', VALIDATION_LEVELS) ?? before.get('validationLevel');
  const action = oneOf(fields, 'validationAction', VALIDATION_ACTIONS) ?? before.get('validationAction');
  const ruled = rule instanceof Map && rule.size > 0;
  return documentOf({
    validator: ruled ? rule : undefined,
    validationLevel: level ?? (ruled ? 'strict' : undefined),
    validationAction: action ?? (ruled ? 'error' : undefined),
    changeStreamPreAndPostImages: imagesOption(fields) ?? before.get('changeStreamPreAndPostImages'),
    collation: before.get('collation'),
  });
}

function imagesOption(command: Fields): Document | undefined {
  const images = command.document('changeStreamPreAndPostImages');
  if (images === undefined) return undefined;
  const fields = new Fields('changeStreamPreAndPostImages', images);
  fields.check(new Set(['enabled']));
  if (fields.value('enabled') === undefined) throw fields.missing('enabled');
  return fields.boolean('enabled') ? documentOf({ enabled: true }) : undefined;
}

function oneOf(fields: Fields, name: string, values: readonly string[]): string | undefined {
  const value = fields.string(name);
  if (value === undefined || values.includes(value)) return value;
  throw new ServerError(2, `Enumeration value '${value}' for field '${name}' is not a valid value.`);
}

/** Dropping what is not there succeeds, as in MongoDB 7. */
function drop({ catalog }: Context, request: Request): Document {
  const collection = catalog.collection(request.database, collectionName(request));
  if (collection === undefined) return new Map();
  catalog.drop(collection);
  return documentOf({ nIndexesWas: integer(collection.indexCount), ns: collection.namespace });
}

function renameCollection({ catalog }: Context, request: Request): Document {
  const { fields } = request;
  const from = splitNamespace(collectionName(request));
  const target = fields.string('to');
  if (target === undefined) throw fields.missing('to');
  const to = splitNamespace(target);
  checkDatabaseName(to.database);
  const collection = catalog.collection(from.database, from.name);
  if (collection === undefined)
    throw new ServerError(26, `Source collection ${collectionName(request)} does not exist`);
  if (collection.namespace === target) throw new ServerError(20, "Can't rename a collection to itself");
  catalog.rename(collection, to.database, to.name, fields.boolean('dropTarget'));
  return new Map();
}

function dropDatabase({ catalog }: Context, { database }: Request): Document {
  return documentOf({ dropped: catalog.dropDatabase(database) > 0 ? database : undefined });
}

function listCollections({ catalog, cursors }: Context, { database, fields, session }: Request): CursorReply {
  const matches = matcher(fields.document('filter') ?? new Map());
  const nameOnly = fields.boolean('nameOnly');
  const found = catalog
    .collections(database)
    .map(describe)
    .filter((description) => matches(description))
    .map((description) => (nameOnly ? documentOf({ name: description.get('name'), type: 'collection' }) : description));
  const batchSize = cursorBatchSize(fields);
  return cursors.open(`${database}.$cmd.listCollections`, found.map(encode), { batchSize, session });
}

function describe(collection: Collection): Document {
  return documentOf({
    name: collection.name,
    type: 'collection',
    options: collection.options,
    info: documentOf({ readOnly: false, uuid: collection.uuid }),
    idIndex: ID_INDEX,
  });
}

function listDatabases({ catalog }: Context, { fields }: Request): Document {
  const matches = matcher(fields.document('filter') ?? new Map());
  const described = catalog.databases().map((name) => {
    const sizeOnDisk = databaseSize(catalog, name);
    return { sizeOnDisk, description: documentOf({ name, sizeOnDisk: integer(sizeOnDisk), empty: false }) };
  });
  const found = described.filter(({ description }) => matches(description));
  if (fields.boolean('nameOnly')) {
    return documentOf({ databases: found.map(({ description }) => documentOf({ name: description.get('name') })) });
  }
  const total = found.reduce((sum, { sizeOnDisk }) => sum + sizeOnDisk, 0);
  return documentOf({
    databases: found.map(({ description }) => description),
    totalSize: integer(total),
    totalSizeMb: integer(Math.floor(total / 2 ** 20)),
  });
}

/** Bytes of the documents: what a store in memory has instead of files. */
function databaseSize(catalog: Catalog, database: string): number {
  return catalog.collections(database).reduce((sum, { records }) => sum + records.size, 0);
}

function collStats({ catalog }: Context, request: Request): Document {
  const name = collectionName(request);
  const collection = catalog.collection(request.database, name);
  const { count, size } = collection?.records ?? { count: 0, size: 0 };
  return scaled(request, {
    ns: `${request.database}.${name}`,
    size: integer(size),
    count: integer(count),
    avgObjSize: count === 0 ? undefined : integer(Math.floor(size / count)),
    nindexes: integer(collection === undefined ? 0 : collection.indexCount),
  });
}

function dbStats({ catalog }: Context, request: Request): Document {
  const collections = catalog.collections(request.database);
  const size = databaseSize(catalog, request.database);
  const objects = collections.reduce((sum, { records }) => sum + records.count, 0);
  return scaled(request, {
    db: request.database,
    collections: integer(collections.length),
    objects: integer(objects),
    avgObjSize: new Double(objects === 0 ? 0 : size / objects),
    dataSize: integer(size),
    indexes: integer(collections.reduce((sum, collection) => sum + collection.indexCount, 0)),
  });
}

/** Divides the sizes, but not the average, by the option `scale`. */
function scaled({ fields }: Request, stats: Record<string, Value | undefined>): Document {
  const scale = fields.integer('scale') ?? 1;
  if (scale < 1) throw new ServerError(51024, `BSON field 'scale' value must be >= 1, actual value '${scale}'`);
  const document = documentOf(stats);
  for (const name of ['size', 'dataSize']) {
    const size = document.get(name);
    if (isNumeric(size)) document.set(name, integer(Math.floor(Number(size) / scale)));
  }
  return document.set('scaleFactor', integer(scale));
}

export const collectionCommands: Readonly<Record<string, Command>> = {
  create: command(create, OPTIONS, {
    inTransactions: true,
    unsupported: [
      'capped',
      'size',
      'max',
      'autoIndexId',
      'viewOn',
      'pipeline',
      'timeseries',
      'expireAfterSeconds',
      'clusteredIndex',
      'encryptedFields',
      'storageEngine',
      'indexOptionDefaults',
    ],
  }),
  collMod: command(collMod, [...CHANGEABLE, 'index', 'dryRun'], {
    unsupported: ['viewOn', 'pipeline', 'expireAfterSeconds', 'timeseries'],
  }),
  drop: command(drop),
  renameCollection: command(renameCollection, ['to', 'dropTarget'], { adminOnly: true }),
  dropDatabase: command(dropDatabase),
  listCollections: command(listCollections, ['filter', 'nameOnly', 'authorizedCollections', 'cursor']),
  listDatabases: command(listDatabases, ['filter', 'nameOnly', 'authorizedDatabases'], { adminOnly: true }),
  collStats: command(collStats, ['scale']),
  collstats: command(collStats, ['scale']),
  dbStats: command(dbStats, ['scale']),
  dbstats: command(dbStats, ['scale']),
};

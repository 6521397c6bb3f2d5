// Whether a collection and its indexes agree.
// https://www.mongodb.com/docs/manual/reference/command/validate/
import { Long } from 'bson';
import { type Findings, inspect, type StrayEntry } from '../catalog/consistency.ts';
import { collectionName } from '../dispatch/arguments.ts';
import { type Command, command, type Context, type Request } from '../dispatch/command.ts';
import { ServerError } from '../errors.ts';
import { documentOf } from '../messages/reply.ts';
import { integer } from '../values/number.ts';
import type { Document } from '../values/value.ts';

/** So many entries that are wrong are told of each kind; the rest is counted. */
const MAX_TOLD = 1_000;

function validate({ catalog }: Context, request: Request): Document {
  const name = collectionName(request);
  // What it does is always a full check.
  request.fields.boolean('full');
  const collection = catalog.collection(request.database, name);
  if (collection === undefined) {
    throw new ServerError(26, `Collection '${request.database}.${name}' does not exist to validate.`);
  }
  const found = inspect(collection);
  const { records, entries, extra, missing } = found;
  const errors = errorsOf(found);
  return documentOf({
    ns: collection.namespace,
    uuid: collection.uuid,
    nrecords: integer(records),
    nIndexes: integer(collection.indexCount),
    keysPerIndex: documentOf(Object.fromEntries(Array.from(entries, ([index, count]) => [index, integer(count)]))),
    indexDetails: documentOf(
      Object.fromEntries(Array.from(entries.keys(), (index) => [index, documentOf({ valid: isWhole(found, index) })])),
    ),
    valid: errors.length === 0,
    repaired: false,
    warnings: [],
    errors,
    extraIndexEntries: extra.slice(0, MAX_TOLD).map(described),
    missingIndexEntries: missing.slice(0, MAX_TOLD).map(described),
  });
}

function errorsOf({ errors, extra, missing }: Findings): string[] {
  return [
    ...new Set(errors),
    ...(extra.length > 0 ? [`indexes have ${extra.length} entries without a document`] : []),
    ...(missing.length > 0 ? [`indexes lack ${missing.length} entries of documents`] : []),
  ];
}

function isWhole({ extra, missing }: Findings, name: string): boolean {
  return ![...extra, ...missing].some(({ index }) => index === name);
}

function described({ index, record }: StrayEntry): Document {
  return documentOf({ indexName: index, recordId: Long.fromNumber(record) });
}

export const validateCommands: Readonly<Record<string, Command>> = {
  validate: command(validate, ['full'], {
    unsupported: ['background', 'checkBSONConformance', 'enforceFastCount', 'fixMultikey', 'metadata', 'repair'],
  }),
};

/**
 * Cases that another server gets wrong, by product, as `<area>: <case>`. MongoDB's documentation decides what is wrong.
 * A case on this list is skipped there; the embedded server has no list.
 */
const FAULTS: Readonly<Record<string, readonly string[]>> = {
  secantusdb: [
    'filters: $expr $eq minds key order',
    'filters with indexes: $expr $eq minds key order',
    'filters with indexes: null on a dotted path below an array',
    'filters with indexes: a range on an array may match two elements',
    'filters with indexes: a regular expression literal',
    'filters with indexes: $in with a regular expression',
    'updates: $set of new fields adds them by name',
    'updates: $push with an unknown modifier',
    'updates: filtered elements of what is no array',
    'updates: a pipeline merges objects',
    'updates: a dotted path of a pipeline goes through arrays',
    'updates: a stage that an update cannot have',
    'collections: reading what is not there finds nothing and makes nothing',
    'collections: drop takes documents and indexes',
    'collections: names that cannot be',
    'collections: listDatabases belongs to admin',
    'indexes: keys that cannot be',
    'indexes: an option that no index has',
    'indexes: a partial index has a filter of few operators',
    'indexes: fields of one array go together in a compound index',
    'indexes: two arrays cannot be in one index',
    'bulkWrite: a command that cannot be understood does nothing',
    'inserting: an _id cannot be an array, a regular expression or an object with operators',
    'inserting: an empty timestamp is filled in',
    'inserting: each way to make a document too large has its error',
    'validating: a wrong rule is refused',
    'finding: natural order, forwards and backwards',
    'finding: an unknown option is refused',
    'finding: an option of the wrong type is refused',
    'finding: distinct takes arrays apart and compares by value',
    'large replies: a reply that no message can hold is an error',
    'cursors: a limit or a single batch leaves no cursor',
    'cursors: a cursor belongs to its collection',
  ],
};

export function knownFault(product: string, area: string, name: string): boolean {
  return FAULTS[product]?.includes(`${area}: ${name}`) ?? false;
}

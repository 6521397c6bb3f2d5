/**
 * Cases that another server gets wrong, by product and by the page of MongoDB's manual (below
 * https://www.mongodb.com/docs/manual/) that decides, each as `<area>: <case>`. They are skipped there; the embedded server
 * has no list.
 */
const FAULTS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  secantusdb: {
    changeStreams: [
      'changes of collections: the stream of the name that a collection gets ends, too',
      'pipelines of streams: stages that a stream cannot have',
      'refusals of streams: options that are unknown or wrong',
      'refusals of streams: what is no subject',
      'resuming: after the end of a collection',
      'resuming: with the token of another stream',
      'resuming: with what is no token',
      'resuming: with two beginnings',
      'resuming: at a time that is forgotten',
    ],
    'core/document': ['inserting: an _id cannot be an array, a regular expression or an object with operators'],
    'core/field-paths': [
      'expressions: paths and literals: "$a.b" of {a: [{b: 1}, 5, {}, {b: [2]}, [{b: 3}]]}',
      'expressions: paths and literals: "$a.0" of {a: [7]}',
      'expressions: paths and literals: "$$ROOT.a.b" of {a: [{b: 2}]}',
    ],
    'core/index-partial': ['indexes: a partial index has a filter of few operators'],
    'core/index-ttl': [
      'indexes of time: an index says when documents expire',
      'indexes of time: a time that cannot be is refused',
    ],
    'core/indexes/index-types/index-multikey': [
      'errors half way: two arrays meet in an index',
      'errors half way: two arrays meet in an index, beside a transaction',
      'indexes: fields of one array go together in a compound index',
      'indexes: two arrays cannot be in one index',
    ],
    'core/retryable-writes': [
      'transactions that meet: a write outside waits for the transaction',
      'the life of transactions: change streams tell its changes when it is committed',
      'the life of transactions: what is not allowed in a transaction is refused',
      'the life of transactions: indexes of what is there cannot be made in it',
      'the life of transactions: its cursors are read in it, and end with it',
      'the life of transactions: changing a collection waits for the transactions that use it',
      'the life of transactions: a transaction does not use what was changed since it began',
      'retryable writes: a write is done once and answered the same',
      'retryable writes: bulkWrite is done once and answered the same',
      'retryable writes: an older number is refused',
      'retryable writes: more statements of one number are done',
      'retryable writes: writes to many documents are refused',
      'retryable writes: a number is for writes that can be repeated',
    ],
    'core/schema-validation': ['validating: a wrong rule is refused'],
    'reference/bson-types': ['inserting: an empty timestamp is filled in'],
    'reference/change-events/update': [
      'what an update changed: a pipeline: what differs, and arrays that became shorter',
      'full documents: images before and after, of a collection that keeps them',
    ],
    'reference/collation': [
      'collation: sorting by a language, and digits as numbers',
      'collation: what is no collation is refused',
      'collations of collections and indexes: a collection compares texts by its own rules unless told otherwise',
      'collations of collections and indexes: its _ids and its indexes have the same rules',
      'collations of collections and indexes: an index serves the queries of its collation',
      'collation: expressions in a filter',
      'collation: expressions in a pipeline',
      'collation: accumulators of a group',
      'collation: a lookup',
      'collation: operators and array filters of an update',
      'collation: the element that a projection wants',
    ],
    'reference/command/bulkWrite': ['bulkWrite: a command that cannot be understood does nothing'],
    'reference/command/createIndexes': [
      'errors half way: indexes of which one cannot be made',
      'errors half way: indexes of which one cannot be made, beside a transaction',
      'indexes: keys that cannot be',
      'indexes: an option that no index has',
    ],
    'reference/command/distinct': ['finding: distinct takes arrays apart and compares by value'],
    'reference/command/drop': ['collections: drop takes documents and indexes'],
    'reference/command/find': [
      'collections: reading what is not there finds nothing and makes nothing',
      'finding: an unknown option is refused',
      'finding: an option of the wrong type is refused',
    ],
    'reference/command/getMore': [
      'cursors: a limit or a single batch leaves no cursor',
      'cursors: a cursor belongs to its collection',
    ],
    'reference/command/listDatabases': ['collections: listDatabases belongs to admin'],
    'reference/explain-results': [
      'explaining: an equality is answered by an index, the rest by a scan',
      'explaining: the statistics tell what was looked at',
      'explaining: an index gives the order of a sort, also backwards, and a limit ends it',
      'explaining: a sort by _id reads as much as it needs',
      'explaining: each branch of an $or by its own index',
      'explaining: a multikey index finds what two elements fulfil',
      'explaining: commands that change are explained and change nothing',
      'explaining: what cannot be explained is refused',
    ],
    'reference/limits': [
      'collections: names that cannot be',
      'inserting: each way to make a document too large has its error',
      'large replies: a reply that no message can hold is an error',
    ],
    'reference/method/cursor.hint': ['finding: natural order, forwards and backwards'],
    'reference/method/cursor.sort': [
      'sorting: fields of one array are taken from one element',
      'sorting: two arrays of one document are no order',
    ],
    'reference/operator/aggregation': [
      'expressions: errors: {a: 1, $add: 2} of {}',
      'expressions: errors: {a.b: 1} of {}',
      'expressions: errors: "$" of {}',
      'expressions: errors: "$a..b" of {}',
      'expressions: errors: "$a." of {}',
      'expressions: errors: "$a.$b" of {}',
      'expressions: errors: {$add: 1, $subtract: 2} of {}',
    ],
    'reference/operator/aggregation/arrayToObject': [
      'expressions: errors: {$arrayToObject: [[[1, 2]]]} of {}',
      'expressions: errors: {$arrayToObject: [[["a", 1], {k: "a", v: 1}]]} of {}',
      'expressions: errors: {$arrayToObject: [[["a"]]]} of {}',
      'expressions: errors: {$arrayToObject: [[{k: "a"}]]} of {}',
    ],
    'reference/operator/aggregation/bucket': [
      'stages: counting: [{$bucket: {groupBy: "$price", boundaries: [0, 6]}}]',
      'stages: counting: [{$bucket: {groupBy: "price", boundaries: [0, 1]}}]',
    ],
    'reference/operator/aggregation/count': ['stages: counting: [{$match: {_id: 0}}, {$count: "n"}]'],
    'reference/operator/aggregation/dateAdd': [
      'expressions: calculations with dates: {$dateAdd: {startDate: "x", unit: "day", amount: 1}} of {}',
      'expressions: calculations with dates: {$dateAdd: {startDate: date(1711845015123), unit: 1, amount: 1}} of {}',
    ],
    'reference/operator/aggregation/dateDiff': [
      'expressions: calculations with dates: {$dateDiff: {startDate: "x", endDate: date(1711845015123), unit: "day"}} of {}',
      'expressions: calculations with dates: {$dateDiff: {startDate: date(1711845015123), endDate: date(1711845015123), unit: 1}} of {}',
    ],
    'reference/operator/aggregation/dateFromParts': [
      'expressions: parts of dates: {$dateFromParts: {isoWeekYear: 2017, month: 1}} of {}',
    ],
    'reference/operator/aggregation/dateToParts': [
      'expressions: parts of dates: {$dateToParts: {date: date(1711845015123), iso8601: 1}} of {}',
    ],
    'reference/operator/aggregation/dateToString': [
      'expressions: dates as texts: {$dateToString: {date: date(1711845015123), timezone: "Europe/Berlin"}} of {}',
      'expressions: dates as texts: {$dateToString: {date: "$a", onNull: "none"}} of {}',
      'expressions: dates as texts: {$dateToString: {date: date(1711845015123), format: null}} of {}',
      'expressions: dates as texts: {$dateToString: {date: date(1711845015123), format: "%"}} of {}',
      'expressions: dates as texts: {$dateToString: {date: date(1711845015123), format: 1}} of {}',
    ],
    'reference/operator/aggregation/dateTrunc': [
      'expressions: calculations with dates: {$dateTrunc: {date: "x", unit: "day"}} of {}',
      'expressions: calculations with dates: {$dateTrunc: {date: date(1711845015123), unit: 1}} of {}',
    ],
    'reference/operator/aggregation/documents': [
      'stages: documents: must be documents',
      'stages: documents: come first',
    ],
    'reference/operator/aggregation/eq': [
      'expressions: comparison, boolean and control: {$eq: [{$literal: {a: 1, b: 2}}, {$literal: {b: 2, a: 1}}]} of {}',
      'expressions: comparison, boolean and control: {$eq: [{$literal: [NaN]}, {$literal: [NaN]}]} of {}',
    ],
    'reference/operator/aggregation/facet': [
      'stages: several pipelines: [{$facet: {a: [{$out: "x"}]}}]',
      'stages: several pipelines: [{$match: {_id: 0}}, {$facet: {n: [{$count: "n"}]}}]',
    ],
    'reference/operator/aggregation/getField': [
      'expressions: objects: {$getField: {field: "x", input: "$o"}} of {o: [{x: 1}]}',
    ],
    'reference/operator/aggregation/group': [
      'stages: grouping: [{$group: {_id: "$day", v: {$firstN: {n: "$_id", input: "$item"}}}}, {$sort: {_id: 1}}]',
      'stages: grouping: [{$group: {_id: 1, a.b: {$sum: 1}}}]',
      'stages: grouping: [{$group: {_id: 1, $a: {$sum: 1}}}]',
      'stages: grouping: [{$sort: {_id: 1}}, {$group: {_id: {d: "$day"}, v: {$firstN: {n: {$cond: [{$eq: ["$d", 1]}, 1, 2]}, input: "$item"}}}}, {$sort: {_id: 1}}]',
      'stages: grouping: [{$group: {_id: 1, a: {$foo: 1}}}]',
      'stages: grouping: [{$group: {_id: 1, a: {$sum: 1, $avg: 1}}}]',
      'stages: grouping: [{$group: {_id: 1, a: {$top: {output: 1}}}}]',
    ],
    'reference/operator/aggregation/hour': [
      'expressions: parts of dates: {$hour: {date: date(1711845015123), timezone: "+03"}} of {}',
      'expressions: parts of dates: {$hour: {date: date(1711845015123), timezone: "$tz"}} of {tz: "America/New_York"}',
    ],
    'reference/operator/aggregation/isoWeekYear': [
      'expressions: parts of dates: {$isoWeekYear: date(1711845015123)} of {}',
      'expressions: parts of dates: {$isoWeekYear: date(1451606400000)} of {}',
      'expressions: parts of dates: {$isoWeekYear: date(1546214400000)} of {}',
    ],
    'reference/operator/aggregation/last': ['expressions: arrays: {$last: "$a"} of {a: []}'],
    'reference/operator/aggregation/let': [
      'expressions: errors: {$let: {vars: {A: 1}, in: 1}} of {}',
      'expressions: comparison, boolean and control: {$let: {vars: {o: "$a"}, in: "$$o.b"}} of {a: [{b: 1}]}',
    ],
    'reference/operator/aggregation/lookup': [
      'stages: lookup: by an array on either side',
      'stages: lookup: as a path',
      'stages: lookup: an unknown argument',
      'stages: lookup: no as',
      'stages: lookup: a variable with a wrong name',
      'stages: lookup: an output inside',
      'stages: lookup: by arrays inside arrays',
      'stages: lookup with indexes: by arrays inside arrays',
      'stages: lookup with indexes: by an array on either side',
      'stages: lookup with indexes: as a path',
      'stages: lookup with indexes: an unknown argument',
      'stages: lookup with indexes: no as',
      'stages: lookup with indexes: a variable with a wrong name',
      'stages: lookup with indexes: an output inside',
    ],
    'reference/operator/aggregation/merge': [
      'errors half way: a merge that fails',
      'errors half way: a merge that fails, beside a transaction',
      'stages: merge: fails on what is new',
      'stages: merge: needs a unique index',
      'stages: merge: refuses what it does not know',
    ],
    'reference/operator/aggregation/out': [
      'errors half way: an output that fails',
      'errors half way: an output that fails, beside a transaction',
      'stages: out: replaces what is there, and keeps the indexes',
      'stages: out: changes nothing where it fails',
    ],
    'reference/operator/aggregation/pow': [
      'expressions: powers: {$pow: [1, -5]} of {}',
      'expressions: powers: {$pow: [-1, -3]} of {}',
      'expressions: powers: {$pow: [1.5m, 2]} of {}',
    ],
    'reference/operator/aggregation/project': [
      'stages: reshaping: [{$project: {n: 1, age: 0}}]',
      'stages: reshaping: [{$project: {n: 0, age: 1}}]',
      'stages: reshaping: [{$project: {n: 0, x: "$n"}}]',
      'stages: reshaping: [{$project: {at: 1, at.city: 1}}]',
      'stages: reshaping: [{$project: {at: {}}}]',
      'stages: arrays of documents: [{$project: {at: {city: 0}, tags: 0}}]',
      'stages: arrays of documents: [{$project: {c: "$at.city"}}]',
    ],
    'reference/operator/projection': [
      'projections: flags: {at..city: 1} by {}',
      'projections: flags: {at.: 1} by {}',
      'projections: arrays: {games: {$elemMatch: {score: {$gt: 5}}}, level: 1, name: 1} by {}',
      'projections: arrays: {n.$: 1, level: 1} by {n: {$gt: 5}}',
      'projections: expressions: {name: 1, scores: "$games.score"} by {}',
      'projections: expressions: {first: {$slice: ["$n", 1]}} by {}',
      'projections: expressions: {name: {$foo: 1}} by {}',
      'projections: expressions: {$name: 1} by {}',
    ],
    'reference/operator/aggregation/redact': [
      'stages: redacting: [{$redact: {$cond: [{$eq: ["$$ROOT.level", 1]}, "$$DESCEND", "$$PRUNE"]}}, {$project: {a: 1}}]',
    ],
    'reference/operator/aggregation/regexMatch': [
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: "x", options: 1}} of {}',
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: BSONRegExp(0b0000000b007800690000), options: "m"}} of {}',
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: "x", options: "q"}} of {}',
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: null}} of {}',
      'expressions: regular expressions: {$regexFindAll: {input: "ab", regex: ""}} of {}',
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: 1}} of {}',
      'expressions: regular expressions: {$regexMatch: {input: "x", regex: "[0-9"}} of {}',
    ],
    'reference/operator/aggregation/round': ['expressions: rounding: {$round: [1.5, 100]} of {}'],
    'reference/operator/aggregation/set': [
      'stages: reshaping: [{$set: {$a: 1}}]',
      'stages: reshaping: [{$set: {a.: 1}}]',
      'stages: reshaping: [{$set: {a: 1, a.b: 1}}]',
      'stages: reshaping: [{$set: {at: {street: "Corso"}}}, {$project: {at: 1}}]',
      'stages: reshaping: [{$set: {tags.x: 1}}, {$project: {tags: 1}}]',
      'stages: arrays of documents: [{$set: {at.zip: 7}}, {$project: {at: 1}}]',
    ],
    'reference/operator/aggregation/setField': [
      'expressions: errors: {$setField: {field: "$a", input: {}, value: 1}} of {}',
      'expressions: errors: {$setField: {field: "a", input: 1, value: 1}} of {}',
    ],
    'reference/operator/aggregation/sortArray': [
      'expressions: sorting and zipping: {$sortArray: {input: [3, "a", null, 1], sortBy: -1}} of {}',
    ],
    'reference/operator/aggregation/split': ['expressions: strings and numbers: {$split: ["a", 1]} of {}'],
    'reference/operator/aggregation/substrBytes': [
      'expressions: parts of strings: {$substrBytes: ["hello", "x", 1]} of {}',
      'expressions: parts of strings: {$substrBytes: ["hello", 1, "x"]} of {}',
    ],
    'reference/operator/aggregation/substrCP': [
      'expressions: parts of strings: {$substrCP: ["abc", "x", 1]} of {}',
      'expressions: parts of strings: {$substrCP: ["abc", 0, "x"]} of {}',
    ],
    'reference/operator/aggregation/sum': [
      'expressions: statistics: {$sum: [9223372036854775807L, 9223372036854775807L, -9223372036854775807L]} of {}',
      'expressions: statistics: {$sum: [2147483647, 1, -1]} of {}',
      'expressions: statistics: {$sum: [0.1, 0.2, 0.3]} of {}',
      'expressions: statistics: {$sum: "$a.b"} of {a: [{b: 1}, {b: 2}]}',
    ],
    'reference/operator/aggregation/unsetField': [
      'expressions: objects: {$unsetField: {field: "a", input: "$$ROOT"}} of {a: 1, b: 2}',
    ],
    'reference/operator/aggregation/unwind': [
      'stages: unwinding: [{$unwind: {path: "$tags", preserveNullAndEmptyArrays: true, includeArrayIndex: "i"}}, {$project: {i: 1}}]',
      'stages: unwinding: [{$unwind: {path: "$n", includeArrayIndex: "x.i"}}, {$limit: 1}, {$project: {n: 1, x: 1}}]',
    ],
    'reference/operator/aggregation/year': [
      'expressions: parts of dates: {$year: {date: date(1711845015123), timezone: "$tz"}} of {}',
    ],
    'reference/operator/aggregation/zip': [
      'expressions: sorting and zipping: {$zip: {inputs: ["$a", [1]]}} of {}',
      'expressions: sorting and zipping: {$zip: {inputs: [[1]], defaults: [1]}} of {}',
      'expressions: sorting and zipping: {$zip: {inputs: [[1]], defaults: [1, 2], useLongestLength: true}} of {}',
    ],
    'reference/operator/query/expr': [
      'filters: $expr $eq minds key order',
      'filters with indexes: $expr $eq minds key order',
    ],
    'reference/operator/query/regex': [
      'filters with indexes: a regular expression literal',
      'filters with indexes: $in with a regular expression',
    ],
    'reference/operator/update/#behavior': ['updates: $set of new fields adds them by name'],
    'reference/operator/update/positional-filtered': ['updates: filtered elements of what is no array'],
    'reference/operator/update/push': ['updates: $push with an unknown modifier'],
    'reference/command/findAndModify': [
      'errors half way: what findAndModify gives back cannot be worked out',
      'errors half way: what findAndModify gives back cannot be worked out, beside a transaction',
    ],
    'reference/command/validate': ['validate: tells what a collection has'],
    'reference/method/cursor.maxTimeMS': [
      'time limits: a limit ends a long $reduce',
      'time limits: a limit ends a long $map',
      'time limits: a limit ends a long $filter',
    ],
    'tutorial/query-arrays': ['filters with indexes: a range on an array may match two elements'],
    'tutorial/query-for-null-fields': ['filters with indexes: null on a dotted path below an array'],
    'tutorial/update-documents-with-aggregation-pipeline': [
      'updates: a pipeline merges objects',
      'updates: a dotted path of a pipeline goes through arrays',
      'updates: a stage that an update cannot have',
      'updates: a stage that there is not',
    ],
  },
};

const CASES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(FAULTS).map(([product, pages]) => [product, new Set(Object.values(pages).flat())]),
);

export function knownFault(product: string, area: string, name: string): boolean {
  return CASES.get(product)?.has(`${area}: ${name}`) ?? false;
}

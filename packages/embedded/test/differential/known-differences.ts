// What another server is known to answer otherwise than MongoDB, so that random operations do not stop at it.
import { isArray, isDocument, type Value } from '../../src/values/value.ts';
import { text, val } from '../support/engine.ts';
import { isReplacement, type Operation, type Outcome, said } from './trial.ts';
import type { Fields } from './values.ts';

/** An operation that two servers answered otherwise. */
export interface Found {
  readonly documents: readonly Fields[];
  readonly operation: Operation;
  readonly embedded: Outcome;
  readonly other: Outcome;
}

/** A found difference, with the documents and the operation as texts. */
interface Words extends Found {
  readonly stored: string;
  readonly asked: string;
}

interface Difference {
  /** What MongoDB does. */
  readonly name: string;
  /** The page of MongoDB's manual that says so, below https://www.mongodb.com/docs/manual/. */
  readonly page: string;
  readonly applies: (found: Words) => boolean;
}

const KNOWN: Readonly<Record<string, readonly Difference[]>> = {
  secantusdb: [
    {
      name: 'the positional operator fails where the filter matched no element',
      page: 'reference/operator/update/positional',
      applies: refused([2], /^The positional operator did not find/),
    },
    {
      name: 'the positional operator counts in the paths of all arrays',
      page: 'reference/operator/update/positional',
      applies: ({ operation, asked }) => operation.kind === 'update' && /[{ ](?:a|a\.x)\.\$[.:]/.test(asked),
    },
    {
      name: '$[] and $[identifier] fail on what is no array',
      page: 'reference/operator/update/positional-all',
      applies: refused([2], /apply array updates/),
    },
    {
      name: 'no field is made within what is no document',
      page: 'reference/operator/update/set',
      applies: refused([28]),
    },
    {
      name: 'paths in the way of each other are refused',
      page: 'reference/operator/update/#update-operators-with-conflicting-paths',
      applies: refused([40, 31249, 31250, 40176]),
    },
    {
      name: '$rename takes no elements, and another name',
      page: 'reference/operator/update/rename',
      applies: refused([2], /for \$rename (?:may not|must)/),
    },
    {
      name: '$pull takes logical operators',
      page: 'reference/operator/update/pull',
      applies: ({ asked, other }) => asked.includes('$pull') && isError(other, [2]),
    },
    {
      name: '$push sorts elements that are no documents as if they had no fields',
      page: 'reference/operator/update/sort',
      applies: ({ asked }) => /\$push.*\$sort: \{/.test(asked),
    },
    {
      name: '$bit of a long gives a long',
      page: 'reference/operator/update/bit',
      applies: ({ asked }) => /\$bit.*\dL/.test(asked),
    },
    {
      name: 'new fields come in the order of their names',
      page: 'reference/operator/update/#behavior',
      applies: ({ operation, embedded, other }) =>
        operation.kind === 'update' && saidByName(embedded) === saidByName(other),
    },
    {
      name: 'an upsert sets no path above or below another',
      page: 'reference/method/db.collection.update/#upsert-with-dotted-_id-query',
      applies: refused([54]),
    },
    {
      name: 'an upsert by a replacement takes only _id of the filter',
      page: 'reference/method/db.collection.replaceOne',
      applies: ({ operation, other }) =>
        operation.kind === 'update' && isReplacement(operation.update) && isError(other, [54]),
    },
    {
      name: '$all is the same as $and of equalities, also with null and whole arrays',
      page: 'reference/operator/query/all',
      applies: ({ asked }) => /\$all: \[[^\]]*(?:null|\[)/.test(asked),
    },
    {
      name: '$mod is exact on longs',
      page: 'reference/operator/query/mod',
      applies: ({ asked, stored }) => asked.includes('$mod') && /\dL/.test(stored),
    },
    {
      name: '$elemMatch takes logical operators',
      page: 'reference/operator/query/elemMatch',
      applies: ({ asked }) => /\$elemMatch: \{\$(?:and|or|nor)/.test(asked),
    },
    {
      name: '$elemMatch looks into arrays in arrays by position',
      page: 'reference/operator/query/elemMatch',
      applies: ({ asked, stored }) => asked.includes('$elemMatch') && /\[[^\]]*\[/.test(stored),
    },
    {
      name: 'sorting by fields of two arrays is refused',
      page: 'reference/method/cursor.sort',
      applies: refused([2], /parallel arrays/),
    },
    {
      name: 'elements that are no documents sort as null',
      page: 'reference/bson-type-comparison-order',
      applies: ({ asked, stored }) => /sort: \{[^}]*\w\.\w/.test(asked) && hasArray(stored),
    },
    {
      name: 'a path in an expression takes a number for a name',
      page: 'core/field-paths',
      applies: ({ asked }) => /"\$[\w.$]*\.\d/.test(asked),
    },
    {
      name: 'a path in a projection takes a number for a name',
      page: 'reference/operator/aggregation/project',
      applies: ({ operation, asked }) => operation.kind !== 'find' && /[\w"]\.\d/.test(asked),
    },
    {
      name: 'a path in a projection goes through arrays in arrays',
      page: 'reference/operator/aggregation/unset',
      applies: ({ operation, asked, stored }) =>
        operation.kind !== 'find' && /\$(?:unset|project)\b.*\w\.\w/.test(asked) && hasArray(stored),
    },
    {
      name: 'a path in an expression gives an array where it goes through one',
      page: 'core/field-paths',
      applies: ({ asked, stored }) => /"\$[^"]*\./.test(asked) && hasArray(stored),
    },
    {
      name: 'a new field goes into each element of an array, and an object takes the place of null and scalars',
      page: 'reference/operator/aggregation/addFields',
      applies: ({ asked }) => /\$(?:set|project)\b.*[{ ]\w+\.[\w.]+: /.test(asked),
    },
    {
      name: 'every number is a flag of a projection',
      page: 'reference/operator/aggregation/project',
      applies: ({ asked }) => /\$project.*(?:NaN|\d[mL])/.test(asked),
    },
    {
      name: 'operands of the wrong type are refused, also beside null',
      page: 'reference/operator/aggregation',
      applies: ({ operation, embedded }) =>
        operation.kind !== 'find' && 'code' in embedded && (embedded.code === 14 || embedded.code > 15_000),
    },
    {
      name: 'constants are computed, and fail, before there is a document; here they fail with the first',
      page: 'core/aggregation-pipeline-optimization',
      applies: ({ other }) => 'code' in other && other.message.includes('Failed to optimize'),
    },
    {
      name: '$getField of what is no document is missing',
      page: 'reference/operator/aggregation/getField',
      applies: ({ asked }) => asked.includes('$getField'),
    },
    {
      name: '$zip of null is null',
      page: 'reference/operator/aggregation/zip',
      applies: ({ asked, other }) => asked.includes('$zip') && 'code' in other,
    },
    {
      name: '$sortArray sorts all types in BSON order',
      page: 'reference/operator/aggregation/sortArray',
      applies: ({ asked, other }) => asked.includes('$sortArray') && isError(other, [1]),
    },
    {
      name: '$count of no documents gives none',
      page: 'reference/operator/aggregation/count',
      applies: ({ asked, embedded }) => asked.includes('$count') && said(embedded) === '',
    },
    {
      name: '$lookup compares with each element of an array',
      page: 'reference/operator/aggregation/lookup/#use--lookup-with-an-array',
      applies: ({ asked, stored }) => asked.includes('$lookup') && hasArray(stored),
    },
  ],
};

/** The name of what is known of such a difference. */
export function knownDifference(product: string, found: Found): string | undefined {
  const words = { ...found, stored: found.documents.map(textOf).join('\n'), asked: textOf({ ...found.operation }) };
  return KNOWN[product]?.find(({ applies }) => applies(words))?.name;
}

function textOf(input: Fields): string {
  return text(val(input));
}

function refused(codes: readonly number[], message = /./): Difference['applies'] {
  return ({ embedded }) => isError(embedded, codes) && message.test(said(embedded).replace(/^error \d+: /, ''));
}

function isError(outcome: Outcome, codes: readonly number[]): boolean {
  return 'code' in outcome && codes.includes(outcome.code);
}

function hasArray(stored: string): boolean {
  return stored.includes('[');
}

/** An outcome with the fields of all documents in the order of their names. */
function saidByName(outcome: Outcome): string {
  return 'code' in outcome ? said(outcome) : said({ answer: outcome.answer.map(byName) });
}

function byName(value: Value): Value {
  if (isArray(value)) return value.map(byName);
  if (!isDocument(value)) return value;
  const members = Array.from(value, ([name, inner]): [string, Value] => [name, byName(inner)]);
  return new Map(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}

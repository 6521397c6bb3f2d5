// The stages that let some documents through, or put them in order.
import { randomInt } from 'node:crypto';
import { ServerError } from '../../errors.ts';
import { matcher } from '../match/compile.ts';
import { toNumber, toSafeInteger } from '../../values/number.ts';
import { sortedBy, sortOrder } from '../match/sort.ts';
import { show } from '../../values/text.ts';
import { type Document, isNumeric, type Value } from '../../values/value.ts';
import { documentArgument, type StageCompiler, type StageTable } from './stage.ts';

const match: StageCompiler = (argument, context) => {
  const filter = documentArgument(argument, 15959, 'the match filter must be an expression in an object');
  const matches = matcher(filter, context);
  return function* (documents) {
    for (const document of documents) if (matches(document)) yield document;
  };
};

const sort: StageCompiler = (argument, { collation }) => {
  const spec = documentArgument(argument, 15973, 'the $sort key specification must be an object');
  if (spec.size === 0) throw new ServerError(15976, '$sort stage must have at least one sort key');
  const order = sortOrder(spec, collation?.compare);
  return (documents) => sortedBy(documents, order, (document) => document);
};

const skip: StageCompiler = (argument, _context, name) => {
  const first = countArgument(argument, name, 5107200);
  return function* (documents) {
    let position = 0;
    for (const document of documents) if (position++ >= first) yield document;
  };
};

const limit: StageCompiler = (argument, _context, name) => {
  const most = countArgument(argument, name, 5107201);
  if (most === 0) throw new ServerError(15958, 'the limit must be positive');
  return function* (documents) {
    let remaining = most;
    for (const document of documents) {
      yield document;
      if (--remaining === 0) return;
    }
  };
};

function countArgument(argument: Value, name: string, code: number): number {
  const value = toSafeInteger(argument);
  if (value !== undefined && value >= 0) return value;
  const numeric = isNumeric(argument);
  throw new ServerError(
    code,
    `invalid argument to ${name} stage: Expected a ${numeric ? 'non-negative ' : ''}number in: ${name}: ${show(argument)}`,
  );
}

const sample: StageCompiler = (argument) => {
  const spec = documentArgument(argument, 28745, 'the $sample stage specification must be an object');
  for (const key of spec.keys()) {
    if (key !== 'size') throw new ServerError(28748, `unrecognized option to $sample: ${key}`);
  }
  const size = spec.get('size');
  if (size === undefined) throw new ServerError(28749, '$sample stage must specify a size');
  if (!isNumeric(size)) throw new ServerError(28746, 'size argument to $sample must be a number');
  const most = Math.trunc(toNumber(size));
  if (!(most > 0)) throw new ServerError(28747, 'size argument to $sample must be a positive integer');
  return (documents) => shuffled(documents, most);
};

/** A few documents of many, each as likely as any other, in random order: the first steps of a Fisher-Yates shuffle. */
function shuffled(documents: Iterable<Document>, most: number): Document[] {
  const all = Array.from(documents);
  const count = Math.min(most, all.length);
  for (let at = 0; at < count; at++) {
    const from = randomInt(at, all.length);
    const [here, there] = [all[at], all[from]];
    if (here === undefined || there === undefined) break;
    all[at] = there;
    all[from] = here;
  }
  return all.slice(0, count);
}

export const SELECT: StageTable = { $match: match, $sort: sort, $skip: skip, $limit: limit, $sample: sample };

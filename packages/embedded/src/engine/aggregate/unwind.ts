// The stage `$unwind`: one document for each element of an array.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/unwind/
import { Long } from 'bson';
import { ServerError } from '../../errors.ts';
import { fieldPath } from '../expression/compile.ts';
import { type Document, isArray, isDocument, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { fieldAt, withField } from './field.ts';
import type { StageCompiler, StageTable } from './stage.ts';

interface Unwinding {
  readonly path: readonly string[];
  readonly index: readonly string[] | undefined;
  readonly keepEmpty: boolean;
}

const unwind: StageCompiler = (argument) => {
  const { path, index, keepEmpty } = unwinding(argument);
  return function* (documents) {
    for (const document of documents) {
      const value = fieldAt(document, path);
      const elements = isArray(value) ? value : isNullish(value) ? [] : undefined;
      if (elements === undefined) {
        yield withIndex(document, index, null);
      } else if (elements.length > 0) {
        for (const [position, element] of elements.entries()) {
          yield withIndex(withField(document, path, element), index, Long.fromNumber(position));
        }
      } else if (keepEmpty) {
        yield withIndex(isArray(value) ? withField(document, path, undefined) : document, index, null);
      }
    }
  };
};

function withIndex(document: Document, path: readonly string[] | undefined, index: Long | null): Document {
  return path === undefined ? document : withField(document, path, index);
}

function unwinding(argument: Value): Unwinding {
  if (typeof argument !== 'string' && !isDocument(argument)) {
    throw new ServerError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeOrMissing(argument)}`,
    );
  }
  const options = isDocument(argument) ? argument : new Map([['path', argument]]);
  const path = options.get('path');
  const index = options.get('includeArrayIndex');
  const keepEmpty = options.get('preserveNullAndEmptyArrays') ?? false;
  for (const key of options.keys()) {
    if (!['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(key)) {
      throw new ServerError(28811, `unrecognized option to $unwind stage: ${key}`);
    }
  }
  if (path === undefined) throw new ServerError(28812, 'no path specified to $unwind stage');
  if (typeof path !== 'string')
    throw new ServerError(28808, `expected a string as the path for $unwind stage, got ${typeOrMissing(path)}`);
  if (!path.startsWith('$'))
    throw new ServerError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  if (index !== undefined && (typeof index !== 'string' || index === '')) {
    throw new ServerError(28810, 'expected a non-empty string for the includeArrayIndex option to $unwind stage');
  }
  if (index?.startsWith('$') === true) {
    throw new ServerError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${index}`,
    );
  }
  if (typeof keepEmpty !== 'boolean') {
    throw new ServerError(28809, 'expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage');
  }
  return {
    path: fieldPath(path.slice(1)),
    index: index === undefined ? undefined : fieldPath(index),
    keepEmpty,
  };
}

export const UNWIND: StageTable = { $unwind: unwind };

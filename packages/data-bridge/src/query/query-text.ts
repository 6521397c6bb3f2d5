import { bsonTag, isObject } from '../bson/bson-classes.ts';
import { isPlainObject } from '../bson/plain-object.ts';
import { typeName } from '../schema/bson-types.ts';
import type { QuerySpec } from './query-spec.ts';

/** Options whose values are no data: they are shown. The others are named. */
const SHOWN = new Set(['skip', 'limit', 'batchSize', 'maxTimeMS', 'hint']);
const MAX_ELEMENTS = 3;
const MAX_DEPTH = 8;

/**
 * What a query shows in a log: its model, the shape of its filter with types in the place of values, and how it is asked.
 * Stored names stand for the fields.
 */
export function queryText(spec: QuerySpec<unknown>): string {
  const { definition, filter, options, selection } = spec;
  const { sort, session: _session, signal: _signal, ...others } = options;
  const calls = Object.entries(others).map(([name, value]) => `.${name}(${SHOWN.has(name) ? shown(value) : '…'})`);
  if (sort !== undefined) calls.unshift(`.sort(${shown(Object.fromEntries(sort as Map<string, unknown>))})`);
  if (selection !== null)
    calls.unshift(`.${selection.isOnly ? 'select' : 'omit'}(${selection.paths.map((path) => `'${path}'`).join(', ')})`);
  return `Query of "${definition.collectionName}": find(${shapeOf(filter)})${calls.join('')}, not sent until it is awaited`;
}

/** The stages of an aggregation that is shown so. */
export function aggregationText(collectionName: string, stages: readonly object[]): string {
  return `Aggregate of "${collectionName}": ${shapeOf(stages)}, not sent until it is awaited`;
}

/** A value with types in the place of what it holds: `{ age: { $gte: <number> } }`. */
function shapeOf(value: unknown, depth = 0): string {
  if (!isObject(value) || bsonTag(value) !== undefined) return `<${typeName(value).replace(/^an? /, '')}>`;
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) {
    const elements = value.slice(0, MAX_ELEMENTS).map((each) => shapeOf(each, depth + 1));
    if (value.length > MAX_ELEMENTS) elements.push(`… ${value.length - MAX_ELEMENTS} more`);
    return `[${elements.join(', ')}]`;
  }
  if (!isPlainObject(value)) return `<${typeName(value).replace(/^an? /, '')}>`;
  return inBraces(Object.entries(value).map(([key, member]) => `${keyOf(key)}: ${shapeOf(member, depth + 1)}`));
}

function shown(value: unknown): string {
  if (!isPlainObject(value)) return typeof value === 'string' ? `'${value}'` : String(value);
  return inBraces(Object.entries(value).map(([key, member]) => `${keyOf(key)}: ${shown(member)}`));
}

function inBraces(members: readonly string[]): string {
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`;
}

function keyOf(key: string): string {
  return /^[\w$]+$/.test(key) ? key : `'${key}'`;
}

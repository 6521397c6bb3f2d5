import { isPlainObject } from '../bson/plain-object.ts';
import { braced, keyText, shapeText } from '../schema/shape-text.ts';
import type { QuerySpec } from './query-spec.ts';

/** Options whose values are no data: they are shown. The others are named. */
const SHOWN = new Set(['skip', 'limit', 'batchSize', 'maxTimeMS', 'hint']);

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
  return `Query of "${definition.collectionName}": find(${shapeText(filter)})${calls.join('')}, not sent until it is awaited`;
}

/** The stages of an aggregation that is shown so. */
export function aggregationText(collectionName: string, stages: readonly object[]): string {
  return `Aggregate of "${collectionName}": ${shapeText(stages)}, not sent until it is awaited`;
}

function shown(value: unknown): string {
  if (!isPlainObject(value)) return typeof value === 'string' ? `'${value}'` : String(value);
  return braced(Object.entries(value).map(([key, member]) => `${keyText(key)}: ${shown(member)}`));
}

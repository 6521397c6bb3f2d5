import { BSON } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { describeIndex, revived } from './index-spec.ts';
import type { StepAction } from './plan-types.ts';

/** A step as one types it into MongoDB's shell. */
export function shellText(collection: string, step: StepAction): string {
  const place = `db.getCollection(${JSON.stringify(collection)})`;
  switch (step.do) {
    case 'createCollection': {
      const options = Object.keys(step.options).length === 0 ? '' : `, ${literal(revived(step.options))}`;
      return `db.createCollection(${JSON.stringify(collection)}${options})`;
    }
    case 'changeCollection':
      return runCommand({ collMod: collection, ...revived(step.options) });
    case 'createIndex': {
      const { key, ...options } = describeIndex(step.index);
      return `${place}.createIndex(${literal(key)}, ${literal(options)})`;
    }
    case 'changeIndex':
      return runCommand({ collMod: collection, index: { name: step.name, ...step.set } });
    case 'makeUnique':
      return [{ prepareUnique: true }, { unique: true }]
        .map((set) => runCommand({ collMod: collection, index: { name: step.index.name, ...set } }))
        .join('; ');
    case 'hideIndex':
      return `${place}.hideIndex(${JSON.stringify(step.name)})`;
    case 'dropIndex':
      return `${place}.dropIndex(${JSON.stringify(step.name)})`;
  }
}

function runCommand(command: object): string {
  return `db.runCommand(${literal(command)})`;
}

/** A value as the shell reads it. */
function literal(value: unknown): string {
  if (value instanceof Map) return braced([...(value as Map<string, unknown>)]);
  if (isPlainObject(value)) return braced(Object.entries(value));
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (value instanceof RegExp) return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof Date) return `ISODate(${JSON.stringify(value.toISOString())})`;
  if (value instanceof BSON.ObjectId) return `ObjectId(${JSON.stringify(value.toHexString())})`;
  if (value instanceof BSON.Decimal128) return `NumberDecimal(${JSON.stringify(value.toString())})`;
  return `EJSON.parse(${JSON.stringify(BSON.EJSON.stringify(value))})`;
}

function braced(entries: readonly (readonly [string, unknown])[]): string {
  if (entries.length === 0) return '{}';
  const members = entries.map(
    ([name, value]) => `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${literal(value)}`,
  );
  return `{ ${members.join(', ')} }`;
}

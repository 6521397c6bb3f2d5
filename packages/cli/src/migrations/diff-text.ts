import { inspect } from 'node:util';
import type { Migrated } from './migration.ts';

/** One changed document in lines: its `_id`, and each path with what it was and would be. */
export function diffText(document: Migrated): string {
  const lines = document.changes().map(({ path, from, to }) => `    ${path}: ${shown(from)} → ${shown(to)}`);
  return [`  ${shown(document.$id)}`, ...lines].join('\n');
}

function shown(value: unknown): string {
  return inspect(value, { depth: 3, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 80, maxArrayLength: 10 });
}

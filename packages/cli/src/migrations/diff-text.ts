import { valueText } from '../terminal/value-text.ts';
import type { Migrated } from './migration.ts';

/** One changed document in lines: its `_id`, and each path with what it was and would be. */
export function diffText(document: Migrated): string {
  const lines = document.changes().map(({ path, from, to }) => `    ${path}: ${valueText(from)} → ${valueText(to)}`);
  return [`  ${valueText(document.$id)}`, ...lines].join('\n');
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { behaviours, idsOf } from './support/behaviours.ts';

const folders = ['packages/data-bridge/test', 'packages/embedded/test', 'examples/test'];

/** The ids that titles of tests begin with; a title may name several: 'EDGE-01, EDGE-02 …'. */
const tested = new Set(
  folders.flatMap(sourcesOf).flatMap((source) => {
    const titles = source.matchAll(/['"`]((?:[A-Z]+-\d\d(?:, | and )?)+)/g);
    return [...titles].flatMap(([, ids = '']) => ids.match(/[A-Z]+-\d\d/g) ?? []);
  }),
);

describe('every behaviour has a test that carries its id', () => {
  it.each(Object.entries(behaviours))('%s', (group, ranges) => {
    expect(idsOf(group, ranges).filter((id) => !tested.has(id))).toEqual([]);
  });

  it('and none has a test with an id that is not listed', () => {
    const known = new Set(Object.entries(behaviours).flatMap(([group, ranges]) => idsOf(group, ranges)));
    const groups = new Set(Object.keys(behaviours));
    expect([...tested].filter((id) => groups.has(id.replace(/-.*/, '')) && !known.has(id))).toEqual([]);
  });

  it('reads ranges', () => {
    expect(idsOf('CRUD', '9 11-12')).toEqual(['CRUD-09', 'CRUD-11', 'CRUD-12']);
  });
});

function sourcesOf(folder: string): string[] {
  const path = fileURLToPath(new URL(`../${folder}/`, import.meta.url));
  const files = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));
  return files.map((file) => readFileSync(path + file, 'utf8'));
}

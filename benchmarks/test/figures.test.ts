// What becomes of measured times: medians, ratios, goals, the data of results, the pages that are made of them.
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cases } from '../src/cases.ts';
import { claimText, withClaims } from '../src/claims.ts';
import { alternate, ratio, spread, timeOf } from '../src/measure.ts';
import { pages } from '../src/pages.ts';
import { renderResults } from '../src/render.ts';
import { atLeast, atMost, byNode, compare, exactly, figure, isReached, type Row, table } from '../src/report.ts';
import { type CaseResults, jsonOf, merge, type Run } from '../src/results.ts';

const row = (what: string, cpu: number, more: Partial<Row> = {}): Row => ({
  what,
  measured: exactly(cpu),
  unit: '×',
  ...more,
});

const run = (node: string, ...rows: Row[]): Run => ({
  node,
  machine: 'a machine',
  load: 0.5,
  date: '2026-11-29',
  rows,
});

const results = (name: string, ...runs: Run[]): CaseResults => ({ name, title: `The case ${name}`, runs });

describe('measuring', () => {
  it('takes turns, every other round backwards, and times passes alone by both clocks', async () => {
    const turns: string[] = [];
    const contender = (name: string) => ({
      name,
      prepare: () => Promise.resolve(void turns.push(`prepare ${name}`)),
      pass: () => void turns.push(name),
    });
    // A slice of no time is one pass, and so is a warm-up.
    const timings = await alternate([contender('a'), contender('b')], { rounds: 3, sliceMs: 0 });
    expect(turns.filter((turn) => !turn.startsWith('prepare')).join(' ')).toBe('a b a b b a a b');
    expect(turns.filter((turn) => turn.startsWith('prepare'))).toHaveLength(8);
    expect(timings.get('a')).toHaveLength(3);
    for (const time of timings.get('b') ?? []) expect(Object.keys(time).toSorted()).toEqual(['cpu', 'wall']);
  });

  it('compares within a round, by each clock', () => {
    const timings = new Map([
      ['slow', [2, 20, 6].map((cpu) => ({ cpu, wall: 10 }))],
      ['fast', [1, 2, 2].map((cpu) => ({ cpu, wall: 5 }))],
    ]);
    expect(ratio(timings, 'slow', 'fast')).toEqual({ median: 3, low: 2.5, high: 6.5 });
    expect(compare(timings, 'slow', 'fast')).toMatchObject({ measured: { median: 3 }, wall: exactly(2) });
    expect(timeOf(timings, 'slow')).toMatchObject({ median: 6 });
    expect(() => timeOf(timings, 'nobody')).toThrow('nobody');
  });

  it('has a median between the quartiles, and both between the ends', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1 }), (series) => {
        const { median, low, high } = spread(series);
        expect([Math.min(...series), low, median, high, Math.max(...series)].toSorted((a, b) => a - b)).toEqual([
          Math.min(...series),
          low,
          median,
          high,
          Math.max(...series),
        ]);
      }),
    );
  });
});

describe('goals', () => {
  it('are reached by the median of the clock that they name', () => {
    const both = { measured: exactly(2), wall: exactly(0.9), unit: '×', what: 'x' } as const;
    expect(isReached({ ...both, goal: atLeast(1) })).toBe(true);
    expect(isReached({ ...both, goal: atLeast(1, 'wall') })).toBe(false);
    expect(isReached({ ...both, goal: atMost(1) })).toBe(false);
    expect(isReached(both)).toBeUndefined();
  });

  it('differ by version of Node.js', () => {
    const values = { 20: 9, 24: 6.5 };
    expect([18, 20, 22, 24, 26].map((major) => byNode(values, `${major}.1.0`))).toEqual([9, 9, 9, 6.5, 6.5]);
  });

  it('stand in the table of a run', () => {
    const wall = { median: 2.5, low: 2, high: 3 };
    expect(table([row('speed', 1.5, { goal: atLeast(2, 'wall'), wall })])).toBe(
      [
        '| what  | goal      | measured (CPU, middle half) | wall        | reached |',
        '| ----- | --------- | --------------------------- | ----------- | ------- |',
        '| speed | ≥ 2× wall | 1.50×                       | 2.50× (2–3) | yes     |',
      ].join('\n'),
    );
    expect([0, 0.5, 12.34, 123.4, 12345.6].map(figure)).toEqual(['0', '0.50', '12.3', '123', '12346']);
  });
});

describe('results', () => {
  it('keep the last run on each major version of Node.js, oldest first', () => {
    const all = [run('v24.1.0', row('a', 1)), run('v20.2.0', row('b', 2)), run('v24.3.0', row('c', 3))];
    const merged = all.reduce(merge, results('x'));
    expect(merged.runs.map(({ node }) => node)).toEqual(['v20.2.0', 'v24.3.0']);
    expect(merged.title).toBe('The case x');
  });

  it('are JSON with a line for each row', () => {
    const all = results('x', run('v20.2.0', row('a', 1), row('b', 2)), run('v24.2.0', row('a', 3)));
    expect(JSON.parse(jsonOf(all))).toEqual(all);
    expect(jsonOf(all).split('\n')).toHaveLength(10);
  });

  it('render a column for each version, and say where a goal is missed', () => {
    const text = renderResults(
      [
        results(
          'x',
          run('v20.1.0', row('speed', 3, { goal: atLeast(2) }), row('only there', 1)),
          run('v24.1.0', row('speed', 1, { goal: atLeast(1.5), wall: exactly(2) })),
        ),
      ],
      {
        ofCase: new Map([
          ['x', 'A note.'],
          ['moved', '## Before and after\n'],
        ]),
        closing: '## What was tried\n',
      },
    );
    expect(text).toContain('- Node 20: 1 of 1 goals reached.\n- Node 24: 0 of 1 goals reached.');
    expect(text).toMatch(/\| x +\| speed +\| Node 24 +\| ≥ 1\.5× +\| 1× +\|/);
    expect(text).toMatch(/\| speed +\| ≥ 2× \/ 1\.5× +\| 3× +\| 1×; wall 2× +\| NOT on 24 +\|/);
    expect(text).toMatch(/\| only there +\| +\| 1× +\| +\| +\|/);
    expect(text).toMatch(/A note\.\n\n## Before and after\n\n## What was tried\n$/);
  });
});

describe('claims', () => {
  const found = (name: string, reads: string, driver: readonly number[], mongoose: number) =>
    results(
      name,
      ...driver.map((median, i) =>
        run(
          `v${20 + 2 * i}.0.0`,
          row(`find 1000, ${reads}, against driver`, median),
          row(`find 1000, ${reads}, against Mongoose`, mongoose + i),
        ),
      ),
    );
  const everywhere = (name: string, ...rows: Row[]) =>
    results(name, ...[20, 22, 24].map((node) => run(`v${node}.0.0`, ...rows)));
  const all: CaseResults[] = [
    found('find-three', 'read three fields', [9.87, 7.69, 8], 20.05),
    found('find-all', 'read every field', [3, 2.5, 2.01, 0.5], 11),
    everywhere(
      'memory',
      row('memory of unread documents, against plain objects', 0.501),
      row('memory of unread documents, against Mongoose documents', 0.13),
    ),
    everywhere('tracker', row('StateTracker over objects, against structuredClone + isDeepStrictEqual', 66.9)),
    results('soak', run('v26.0.0', row('something', 1))),
  ];

  it('are the worst of the versions that all have, and never rounded up', () => {
    const text = claimText(all);
    expect(text).toContain('the worst of Node.js 20, 22, 24 |');
    expect(text).toContain('| find them and read three fields | 7.6× faster | 20.0× faster |');
    expect(text).toContain('| find them and read every field | 2.0× faster | 11.0× faster |');
    expect(text).toContain('| memory kept | 0.51× | 0.13× |');
    expect(text).toContain('is 66 times faster');
  });

  it('take the place between the two comments', () => {
    const page = 'before\n<!-- figures -->\nold\n<!-- /figures -->\nafter\n';
    const written = withClaims(page, all);
    expect(written).toBe(`before\n<!-- figures -->\n\n${claimText(all)}\n\n<!-- /figures -->\nafter\n`);
    expect(withClaims(written, all)).toBe(written);
    expect(() => withClaims('nothing', all)).toThrow('no place');
  });
});

describe('the pages', () => {
  it('say what the results say', async () => {
    const all = await pages(Object.keys(cases));
    expect(all.size).toBeGreaterThan(3);
    for (const [address, text] of all) {
      expect({ address, text: await readFile(new URL(address), 'utf8') }).toEqual({ address, text });
    }
  });
});

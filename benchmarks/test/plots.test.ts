import { describe, expect, it } from 'vitest';
import { barChart } from '../src/bar-chart.ts';
import { plots } from '../src/plots.ts';
import { exactly } from '../src/report.ts';

const widths = (svg: string): number[] =>
  Array.from(svg.matchAll(/class="bar[^"]*" [^>]*width="(\d+)"/g), ([, width]) => Number(width));

const bar = (name: string, value: number) => ({ name, value, unit: 'ms', ours: name === 'ours' });

describe('a bar chart', () => {
  const svg = barChart({
    title: 'a < b & c',
    caption: 'shorter is better',
    groups: [
      { label: 'first', bars: [bar('ours', 5), bar('theirs', 10)] },
      { label: '', bars: [bar('tiny', 0.001), bar('huge', 400)] },
    ],
  });

  it('gives each group a scale from zero that its longest bar fills', () => {
    const [ours = 0, theirs = 0, tiny = 0, huge = 0] = widths(svg);
    expect(theirs).toBe(huge);
    expect(ours).toBe(theirs / 2);
    expect(tiny).toBe(1);
  });

  it('is well-formed, says its figures in words, and knows light and dark', () => {
    expect(svg).toContain('<title>a &lt; b &amp; c</title>');
    expect(svg).toContain('<desc>first: ours 5 ms; theirs 10 ms; tiny 0.00 ms; huge 400 ms;</desc>');
    expect(svg).toContain('prefers-color-scheme: dark');
    const open: string[] = [];
    for (const [, closing, name, rest] of svg.matchAll(/<(\/?)([a-z]+)([^>]*)>/g)) {
      if (closing === '/') expect(open.pop()).toBe(name);
      else if (rest === undefined || !rest.endsWith('/')) open.push(name ?? '');
    }
    expect(open).toEqual([]);
  });
});

describe('the plots', () => {
  const time = (name: string, ms: number) =>
    ({ what: `  time of ${name}`, measured: exactly(ms), unit: 'ms' }) as const;
  const run = (node: string, ms: number) => ({
    node,
    machine: '',
    load: 0,
    date: '',
    rows: [time('data-bridge', ms), time('driver', 10 * ms), time('somebody else', 1)],
  });

  it('show the newest version of Node.js that all cases of a plot have', () => {
    const three = { name: 'find-three', title: '', runs: [run('v20.1.0', 4), run('v24.1.0', 2), run('v26.1.0', 1)] };
    const every = { name: 'find-all', title: '', runs: [run('v20.1.0', 8), run('v24.1.0', 3)] };
    expect(plots([three]).size).toBe(0);
    const made = plots([three, every]);
    expect([...made.keys()]).toEqual(['find']);
    const find = made.get('find') ?? '';
    expect(find).toContain('Node.js 24; shorter is better');
    expect(find).toContain(
      '<desc>three fields read: data-bridge 2 ms; driver 20 ms; every field read: data-bridge 3 ms; driver 30 ms;</desc>',
    );
  });
});

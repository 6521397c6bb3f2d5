import { figure } from './report.ts';

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** True where it stands out. */
  readonly ours: boolean;
}

/** Bars that share a scale. */
export interface Group {
  readonly label: string;
  readonly bars: readonly Bar[];
}

export interface Chart {
  readonly title: string;
  readonly caption: string;
  readonly groups: readonly Group[];
}

const width = 720;
const margin = 24;
const barLeft = 250;
const barRight = width - 110;
const barHeight = 18;
const step = 26;

/** A card with a background of its own, so that it reads well on whatever page it stands; dark where the reader's system is. */
const style = `
    .card { fill: #ffffff; stroke: #d8dee4 }
    text { fill: #24292f; font: 13px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
    .title { font-size: 16px; font-weight: 600 }
    .label { font-weight: 600 }
    .caption { fill: #57606a; font-size: 12px }
    .bar { fill: #a8b1bb }
    .ours { fill: #0b8457 }
    @media (prefers-color-scheme: dark) {
      .card { fill: #161b22; stroke: #30363d }
      text { fill: #e6edf3 }
      .caption { fill: #9198a1 }
      .bar { fill: #6e7681 }
      .ours { fill: #3fb98a }
    }`;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function bar({ name, value, unit, ours }: Bar, most: number, top: number): string {
  const length = Math.max(1, Math.round(((barRight - barLeft) * value) / most));
  const middle = top + barHeight / 2 + 4.5;
  return [
    `  <text x="${barLeft - 10}" y="${middle}" text-anchor="end">${escaped(name)}</text>`,
    `  <rect class="bar${ours ? ' ours' : ''}" x="${barLeft}" y="${top}" width="${length}" height="${barHeight}" rx="3" />`,
    `  <text x="${barLeft + length + 8}" y="${middle}">${escaped(`${figure(value)} ${unit}`)}</text>`,
  ].join('\n');
}

/** Horizontal bars as SVG, from zero; the longest bar of each group fills the width. */
export function barChart({ title, caption, groups }: Chart): string {
  const parts: string[] = [];
  let top = margin + 40;
  for (const { label, bars } of groups) {
    if (label !== '') {
      parts.push(`  <text class="label" x="${margin}" y="${top + 14}">${escaped(label)}</text>`);
      top += step;
    }
    const most = Math.max(...bars.map(({ value }) => value));
    for (const one of bars) {
      parts.push(bar(one, most, top));
      top += step;
    }
    top += 12;
  }
  const height = top + margin;
  const told = groups
    .flatMap(({ label, bars }) => [
      ...(label === '' ? [] : [`${label}:`]),
      ...bars.map(({ name, value, unit }) => `${name} ${figure(value)} ${unit};`),
    ])
    .join(' ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
  <title>${escaped(title)}</title>
  <desc>${escaped(told)}</desc>
  <style>${style}
  </style>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" />
  <text class="title" x="${margin}" y="${margin + 14}">${escaped(title)}</text>
${parts.join('\n')}
  <text class="caption" x="${margin}" y="${height - 16}">${escaped(caption)}</text>
</svg>
`;
}

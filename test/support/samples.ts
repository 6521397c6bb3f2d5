// The samples of a page of Markdown, made into programs that run.
//
// A page reads from the top: the blocks before its first `##` are the beginning of every section. So each section is
// one program. Its lines stand where they stand in the page: an error names the line to look at. In it,
//
// - `// → value` after a statement, or below it, says what its expression gives, or what the constant becomes;
// - `// throws Name: message` says what it throws, the message where it is told;
// - a table with the columns `change` and `update` says which update is sent when `user` is changed so and saved;
// - a block that starts with a comment that is a file's name is that file;
// - `mongodb://localhost…` stands for whatever server there is: here for the embedded one.

/** A program, or a file that programs import. */
export interface Sample {
  /** Where it lies, from the folder of all samples. */
  readonly file: string;
  /** The heading that it stands under; undefined for a file. */
  readonly title: string | undefined;
  readonly text: string;
}

interface Line {
  readonly kind: 'prose' | 'code';
  readonly text: string;
}

interface Section {
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

/** The samples of a page. `name` becomes the folder of its files. */
export function samplesOf(name: string, markdown: string): Sample[] {
  const { lines, files } = read(markdown.split('\n'));
  const [intro, ...sections] = sectionsOf(lines);
  const programs = sections.filter((section) => hasSample(lines, section));
  if (programs.length === 0) programs.push({ ...intro, from: intro.to });
  return [
    ...files.map(({ file, text }) => ({ file: `${name}/${file}`, title: undefined, text })),
    ...programs
      .filter((section) => hasSample(lines, section) || hasSample(lines, intro))
      .map((section) => ({
        file: `${name}/${slug(section.title)}.ts`,
        title: section.title,
        text: programOf(lines, [intro, section]),
      })),
  ];
}

/** Tells code from prose, and takes the files out. */
function read(source: readonly string[]): { lines: Line[]; files: { file: string; text: string }[] } {
  const lines: Line[] = [];
  const files: { file: string; text: string }[] = [];
  let block: string[] | undefined;
  let isSample = false;
  for (const text of source) {
    if (block === undefined) {
      lines.push({ kind: 'prose', text });
      if (!text.startsWith('```')) continue;
      block = [];
      isSample = /^```ts\b/.test(text);
    } else if (text.startsWith('```')) {
      const file = /^\/\/ (\S+\.ts)$/.exec(block[0] ?? '')?.[1];
      if (isSample && file !== undefined) files.push({ file, text: `${block.join('\n')}\n` });
      const kind = isSample && file === undefined ? 'code' : 'prose';
      lines.push(...block.map((line) => ({ kind, text: kind === 'code' ? line : '' }) as const));
      lines.push({ kind: 'prose', text });
      block = undefined;
    } else block.push(text);
  }
  return { lines, files };
}

function sectionsOf(lines: readonly Line[]): [Section, ...Section[]] {
  const starts = lines.flatMap(({ kind, text }, i) => (kind === 'prose' && text.startsWith('## ') ? [i] : []));
  const ends = [...starts.slice(1), lines.length];
  const sections = starts.map((from, i) => ({
    title: (lines[from]?.text ?? '').slice(3),
    from,
    to: ends[i] ?? lines.length,
  }));
  return [{ title: 'the page', from: 0, to: starts[0] ?? lines.length }, ...sections];
}

function hasSample(lines: readonly Line[], { from, to }: Section): boolean {
  return lines.slice(from, to).some(({ kind }) => kind === 'code');
}

/** The program of some sections, its first line free in every page: a heading or the fence of its front matter. */
function programOf(lines: readonly Line[], sections: readonly Section[]): string {
  const output = lines.map(() => '');
  for (const { from, to } of sections) {
    const rows = new Set(updateRows(lines, from, to));
    for (let i = from; i < to; i += 1) {
      const { kind, text } = lines[i] as Line;
      if (kind === 'code') output[i] = text.replace(/'mongodb:\/\/localhost[^']*'/, "'embedded:memory'");
      else if (rows.has(i)) output[i] = rowProgram(text, !rows.has(i - 1));
    }
  }
  output[0] = `import { expect as $expect } from 'vitest';`;
  output.forEach((_, i) => {
    if (lines[i]?.kind === 'code') check(output, i);
  });
  return `${output.join('\n')}\nexport {};\n`;
}

// ── what the comments say ───────────────────────────────────────────────────────────────────────────────────────────

/** Puts the check that a comment in line `i` asks for into the program, without moving a line. */
function check(lines: string[], i: number): void {
  const [, before = '', mark = '', said = ''] = /^(.*?)\/\/ (→|throws) (.*)$/.exec(lines[i] ?? '') ?? [];
  if (mark === '') return;
  const own = before.trim() === '';
  const last = own ? i - 1 : i;
  const first = startOfStatement(lines, last, before);
  const end = own ? (lines[last] ?? '').replace(/\s\/\/ .*$/, '') : before;
  const statement = [...lines.slice(first, last), end].join('\n').trimEnd().replace(/;$/, '');
  const expected = own ? [said, ...continued(lines, i + 1)].join('\n') : said;
  const program = mark === '→' ? valueCheck(statement, expected) : throwCheck(statement, expected.trim());
  const taken = expected.split('\n').length - 1;
  const added = program.split('\n');
  const length = i + taken - first + 1;
  // What the statement and the comment took is at least as many lines as what checks it.
  lines.splice(first, length, ...added, ...Array.from({ length: length - added.length }, () => ''));
}

/** The lines of a comment that go on below. */
function continued(lines: readonly string[], from: number): string[] {
  const end = lines.findIndex((line, i) => i >= from && !/^\s*\/\/ {2,}/.test(line));
  return lines.slice(from, end).map((line) => line.trim().slice(2));
}

/** A statement starts where no bracket is open, and not at a method call that goes on. */
function startOfStatement(lines: readonly string[], last: number, before: string): number {
  let open = 0;
  for (let i = last; i >= 0; i -= 1) {
    const text = (i === last && before.trim() !== '' ? before : (lines[i] ?? '')).replace(/'[^']*'|`[^`]*`/g, "''");
    open += (text.match(/[)\]}]/g) ?? []).length - (text.match(/[([{]/g) ?? []).length;
    if (open <= 0 && !text.trimStart().startsWith('.')) return i;
  }
  return 0;
}

function valueCheck(statement: string, expected: string): string {
  const constant = /^\s*(?:const|let) (\w+)\b/.exec(statement)?.[1];
  if (constant !== undefined) return `${statement}; $expect(${constant}).toEqual(${expected});`;
  const logged = /^\s*console\.log\(([\s\S]*)\)$/.exec(statement)?.[1];
  return `$expect(${logged ?? statement.trim()}).toEqual(${expected});`;
}

function throwCheck(statement: string, expected: string): string {
  const [, name = '', message] = /^(\w+)(?:: (.*))?$/s.exec(expected.replaceAll(/\s*\n\s*/g, ' ')) ?? [];
  const error = message === undefined ? { name } : { name, message };
  const thrown = `(async () => { ${statement}; })().then(() => undefined, (error: unknown) => error)`;
  return `$expect(await ${thrown}).toMatchObject(${JSON.stringify(error)});`;
}

// ── tables of updates ───────────────────────────────────────────────────────────────────────────────────────────────

function updateRows(lines: readonly Line[], from: number, to: number): number[] {
  const rows: number[] = [];
  let inTable = false;
  for (let i = from; i < to; i += 1) {
    const { kind, text } = lines[i] as Line;
    if (kind === 'prose' && /^\| change +\| update/.test(text)) inTable = true;
    else if (!text.startsWith('|')) inTable = false;
    else if (inTable && !text.startsWith('| ---')) rows.push(i);
  }
  return rows;
}

/** Each row begins with the document as the section's code left it, and leaves it so. */
function rowProgram(row: string, isFirst: boolean): string {
  const [change = '', update = ''] = row
    .split(/(?<!\\)\|/)
    .slice(1)
    .map((cell) =>
      [...cell.matchAll(/`([^`]+)`/g)]
        .map(([, code]) => code)
        .join('; ')
        .replaceAll('\\|', '|'),
    );
  const expected = update === '' ? '[]' : `[${update}]`;
  const start = isFirst ? 'const $stored = user.toObject(); ' : '';
  const restored = 'await User.collection.replaceOne({ _id: user._id }, $stored); await user.reload(); sent();';
  return `${start}sent(); ${change}; await user.save(); $expect(sent()).toEqual(${expected}); ${restored}`;
}

function slug(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

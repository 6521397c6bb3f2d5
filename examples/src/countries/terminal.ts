import { inspect } from 'node:util';

/** Where text goes: `process.stdout`, or anything else that takes it. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Columns: what the text was written for, and below what it is no longer broken. */
const MAX_WIDTH = 100;
const MIN_WIDTH = 50;
const BAR_WIDTH = 40;
const INDENT = '  ';

/** Writes headings, prose, tables, values and a progress bar: with colours on a terminal, as plain lines to a pipe. */
export class Terminal {
  readonly #output: Output;
  readonly #isLive: boolean;
  readonly #width: number;

  constructor(output: Output) {
    this.#output = output;
    this.#isLive = output.isTTY === true && !process.env['NO_COLOR'];
    // A terminal that does not know its width says 0.
    this.#width = Math.max(MIN_WIDTH, Math.min(output.columns || MAX_WIDTH, MAX_WIDTH));
  }

  /** The first lines: what this is. */
  title(text: string): void {
    this.#write(`\n${this.#style('1;36', text)}\n${this.#style('36', '─'.repeat(this.#width))}`);
  }

  heading(text: string): void {
    this.#write(`\n${this.#style('1;36', text)}`);
  }

  /** What happens next. */
  step(text: string): void {
    this.#write(`\n${INDENT}${this.#style('1', text)}`);
  }

  /** Sentences, broken between words. */
  prose(text: string): void {
    for (const line of wrap(text, this.#width - INDENT.length)) this.#write(`${INDENT}${line}`);
  }

  /** A result: what the eye should find. */
  result(text: string): void {
    this.#write(`${INDENT}${this.#style('32', text)}`);
  }

  /** A JavaScript value as one reads it in a shell, on as many lines as it needs. */
  value(value: unknown): void {
    const text = inspect(value, {
      depth: null,
      colors: this.#isLive,
      // As much on one line as fits.
      compact: Number.MAX_SAFE_INTEGER,
      breakLength: this.#width - 2 * INDENT.length,
    });
    for (const line of text.split('\n')) this.#write(`${INDENT}${INDENT}${line}`);
  }

  /** One line each: a path, what was there and what is there now; long values are cut. */
  changes(changes: readonly { readonly path: string; readonly from: unknown; readonly to: unknown }[]): void {
    const column = Math.max(...changes.map(({ path }) => path.length));
    const room = this.#width - column - 2 * INDENT.length - '   → '.length;
    for (const { path, from, to } of changes) {
      const before = brief(from, Math.floor(room / 2));
      const after = brief(to, room - before.length);
      this.#write(`${INDENT}${INDENT}${path.padEnd(column)}  ${before} → ${after}`);
    }
  }

  /** A table; its first row is the header, and columns of figures stand to the right. */
  table(rows: readonly (readonly string[])[]): void {
    const [header = [], ...body] = rows;
    const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    const isFigures = header.map((_, column) => body.every((row) => /^[\d,.]+$/.test(row[column] ?? '')));
    const lay = (row: readonly string[]): string =>
      row
        .map((cell, column) =>
          isFigures[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('   ')
        .trimEnd();
    this.#write(`${INDENT}${this.#style('2', lay(header))}`);
    for (const row of body) this.#write(`${INDENT}${lay(row)}`);
  }

  /** How far something is. A pipe gets the last line alone. */
  progress(done: number, total: number, what: string): void {
    const isLast = done === total;
    const count = `${done} of ${total} ${what}`;
    if (!this.#isLive) {
      if (isLast) this.prose(count);
      return;
    }
    const filled = Math.round((done / total) * BAR_WIDTH);
    const bar = this.#style('32', '█'.repeat(filled)) + this.#style('2', '░'.repeat(BAR_WIDTH - filled));
    this.#output.write(`\r${INDENT}${bar} ${count}${isLast ? '\n' : ''}`);
  }

  #write(line: string): void {
    this.#output.write(`${line}\n`);
  }

  /** @param codes of ANSI's "select graphic rendition". */
  #style(codes: string, text: string): string {
    return this.#isLive ? `\u001b[${codes}m${text}\u001b[0m` : text;
  }
}

function wrap(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function brief(value: unknown, room: number): string {
  if (value === undefined) return '(none)';
  const text = inspect(value, { depth: null, breakLength: Infinity });
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

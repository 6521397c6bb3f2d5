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
const MAX_BAR = 40;
const INDENT = '  ';

/** Codes of ANSI's "select graphic rendition". */
const HEADING = '1;36';
const BOLD = '1';
const DIM = '2';
const GREEN = '32';

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
    this.#write(`\n${this.#style(HEADING, text)}\n${this.#style(DIM, '─'.repeat(this.#width))}`);
  }

  heading(text: string): void {
    this.#write(`\n${this.#style(HEADING, text)}`);
  }

  /** What happens next. */
  step(text: string): void {
    this.#write('');
    this.#paragraph(text, BOLD);
  }

  /** Sentences, broken between words. */
  prose(text: string): void {
    this.#paragraph(text);
  }

  /** What the eye should find. */
  result(text: string): void {
    this.#paragraph(text, GREEN);
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
  table(header: readonly string[], rows: readonly (readonly string[])[]): void {
    const columns = header.map((title, i) => columnOf([title, ...rows.map((row) => row[i] ?? '')]));
    this.#write(this.#style(DIM, `${INDENT}${layOut(header, columns)}`));
    for (const row of rows) this.#write(`${INDENT}${layOut(row, columns)}`);
  }

  /** How far something is. A pipe gets the last line alone. */
  progress(done: number, total: number, what: string): void {
    const isLast = done === total;
    const count = `${String(done).padStart(String(total).length)} of ${total} ${what}`;
    if (!this.#isLive) {
      if (isLast) this.prose(count);
      return;
    }
    const length = Math.min(MAX_BAR, this.#width - INDENT.length - count.length - 1);
    const filled = Math.round((done / total) * length);
    const bar = this.#style(GREEN, '█'.repeat(filled)) + this.#style(DIM, '░'.repeat(length - filled));
    this.#output.write(`\r${INDENT}${bar} ${count}${isLast ? '\n' : ''}`);
  }

  #paragraph(text: string, codes = ''): void {
    for (const line of wrap(text, this.#width - INDENT.length)) this.#write(`${INDENT}${this.#style(codes, line)}`);
  }

  #write(line: string): void {
    this.#output.write(`${line}\n`);
  }

  #style(codes: string, text: string): string {
    return this.#isLive && codes !== '' ? `\u001b[${codes}m${text}\u001b[0m` : text;
  }
}

interface Column {
  readonly width: number;
  readonly isFigures: boolean;
}

/** @param cells the title first. */
function columnOf(cells: readonly string[]): Column {
  return {
    width: Math.max(...cells.map((cell) => cell.length)),
    isFigures: cells.slice(1).every((cell) => /^[\d,.]+$/.test(cell)),
  };
}

function layOut(cells: readonly string[], columns: readonly Column[]): string {
  const padded = columns.map(({ width, isFigures }, i) => {
    const cell = cells[i] ?? '';
    return isFigures ? cell.padStart(width) : cell.padEnd(width);
  });
  return padded.join('   ').trimEnd();
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

import { styleText } from 'node:util';
import type { Shell } from './shell.ts';

type Style = Parameters<typeof styleText>[0];

/** What a command tells: lines for people, or with `--json` one object a line for programs. */
export class Report {
  readonly isJson: boolean;
  readonly #shell: Pick<Shell, 'stdout' | 'stderr'>;
  #transient = false;

  constructor(shell: Pick<Shell, 'stdout' | 'stderr'>, isJson: boolean) {
    this.#shell = shell;
    this.isJson = isJson;
  }

  /** A result: the object with `--json`, else the text. */
  tell(object: object, text: string): void {
    this.#clear();
    this.#shell.stdout.write(this.isJson ? `${JSON.stringify(object)}\n` : `${text}\n`);
  }

  /** What people want to read on the way, and programs do not. */
  note(text: string): void {
    this.#clear();
    this.#shell.stderr.write(`${text}\n`);
  }

  /** How far long work came, in one line that the next one replaces: on a terminal only. */
  progress(text: string): void {
    const { stderr } = this.#shell;
    if (!stderr.isTTY || this.isJson) return;
    this.#clear();
    stderr.write(text.slice(0, Math.max(0, (stderr.columns ?? 80) - 1)));
    this.#transient = true;
  }

  /** With a colour where the terminal has colours, and nobody asked for none. */
  styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#shell.stdout, validateStream: true });
  }

  #clear(): void {
    if (!this.#transient) return;
    this.#transient = false;
    this.#shell.stderr.write('\r\u001B[2K');
  }
}

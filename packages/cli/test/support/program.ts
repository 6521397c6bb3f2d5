import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { main } from '../../src/main.ts';
import type { Shell } from '../../src/terminal/shell.ts';

/** What a run of the command line wrote, and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A program's folder that the command line is run in. Removed after the tests of the file. */
export class Program {
  readonly folder = mkdtempSync(join(tmpdir(), 'data-bridge-cli-'));

  constructor(files: Readonly<Record<string, string>> = {}) {
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }));
    const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url));
    symlinkSync(modules, join(this.folder, 'node_modules'));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  async run(...args: string[]): Promise<Outcome> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const shell: Shell = {
      stdout: stdout as never,
      stderr: stderr as never,
      env: { NO_COLOR: '1' },
      cwd: () => this.folder,
      on: () => {},
      off: () => {},
      exit: () => {
        throw new Error('The command line ended the process.');
      },
    };
    const code = await main(args, shell);
    return { code, out: textOf(stdout), err: textOf(stderr) };
  }
}

function textOf(stream: PassThrough): string {
  return String(stream.read() ?? '');
}

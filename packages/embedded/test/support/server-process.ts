import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A server in a process of its own, as the command line starts it. */
export class ServerProcess {
  readonly uri: string;
  readonly output: () => string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, uri: string, output: () => string) {
    this.#child = child;
    this.uri = uri;
    this.output = output;
  }

  /** Starts one, and waits until it listens. Throws what it wrote where it ends instead. */
  static async start(bin: string, args: readonly string[]): Promise<ServerProcess> {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const uri = await new Promise<string>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        const [found] = /mongodb:\S+(?=\n)/.exec(output) ?? [];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('close', () => reject(new Error(output)));
    });
    return new ServerProcess(child, uri, () => output);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends signals at once, and waits for the end. @returns the exit code, null where a signal was the end of it */
  async end(...signals: readonly NodeJS.Signals[]): Promise<number | null> {
    const closed = once(this.#child, 'close');
    for (const signal of signals) this.#child.kill(signal);
    const [code] = (await closed) as [number | null];
    return code;
  }
}

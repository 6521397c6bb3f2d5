import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A running canned server. */
export interface CannedServer {
  /** Names its one database, too. */
  readonly uri: string;
  /** How many commands clients have sent, connection upkeep aside. */
  commands(): Promise<number>;
  stop(): Promise<void>;
}

/** The path of a module beside this one. */
function sibling(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Starts a module of this folder as a process that can collect its own heap. */
export function startProcess(module: string, args: readonly string[], node = process.execPath): ChildProcess {
  return fork(sibling(module), args, { execPath: node, execArgv: ['--expose-gc'] });
}

/** The next message of a process; throws if it ends without one. */
export async function messageOf(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const ending = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`The process ended with code ${code} and sent nothing.`);
  });
  const message = once(child, 'message', { signal: ended.signal });
  try {
    const [value]: unknown[] = await Promise.race([message, ending]);
    return value;
  } finally {
    ended.abort();
    await Promise.allSettled([message, ending]);
  }
}

/** A number that a message has under a name. */
export function numberIn(message: unknown, name: string): number {
  const value = typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
  if (typeof value !== 'number') throw new Error(`Expected a message with a number "${name}".`);
  return value;
}

export async function startCannedServer(): Promise<CannedServer> {
  const child = startProcess('./canned-server.js', []);
  const port = numberIn(await messageOf(child), 'port');
  return {
    uri: `mongodb://127.0.0.1:${port}/bench?directConnection=true`,
    async commands() {
      const message = messageOf(child);
      child.send('count');
      return numberIn(await message, 'commands');
    },
    async stop() {
      const exit = once(child, 'exit');
      child.disconnect();
      await exit;
    },
  };
}

import { resolve } from 'node:path';
import { PRODUCT } from '../messages/limits.ts';
import { type RunningServer, startServer } from '../server.ts';

/** What the command line has of its process. */
export type Shell = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'on' | 'exit'>;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Exit code of a program that a signal ended: 128 and the number of SIGINT. */
const FORCED = 130;

/** Runs a server until a signal comes. A second signal does not wait for its end. */
export async function serve(path: string | undefined, port: number, shell: Shell): Promise<void> {
  const stopped = firstSignal(shell);
  const server = await listen(path, port);
  shell.stdout.write(firstScreen(server, path));
  await stopped;
  shell.stdout.write('Stopping.\n');
  await server.close();
}

async function listen(path: string | undefined, port: number): Promise<RunningServer> {
  try {
    return await startServer({ port, ...(path !== undefined && { path }) });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      const advice = 'stop the program that has it, or choose another with --port (0: a free one)';
      throw new Error(`Port ${port} is in use: ${advice}.`, { cause: error });
    }
    if (code === 'EACCES') {
      throw new Error(`Port ${port} may not be used by this user: choose one from 1024 with --port.`, { cause: error });
    }
    throw error;
  }
}

function firstScreen({ uri }: RunningServer, path: string | undefined): string {
  const place =
    path === undefined ? 'in memory, gone when the server stops (--path <folder> keeps them)' : resolve(path);
  return `${PRODUCT}: a MongoDB-protocol server for development, tests and demos.
Not for production: one machine, no users, no passwords.

  Listening on  ${uri}
  Data          ${place}

Ctrl+C stops it.
`;
}

/**
 * Answers at the first signal; the next ends the process at once. The listeners stay until the process ends: without
 * one, even for a moment, a signal would kill it halfway through its end.
 */
function firstSignal(shell: Shell): Promise<void> {
  return new Promise((done) => {
    let stopping = false;
    const onSignal = (): void => {
      if (stopping) shell.exit(FORCED);
      stopping = true;
      done();
    };
    for (const name of SIGNALS) shell.on(name, onSignal);
  });
}

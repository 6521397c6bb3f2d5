/** What the command line has of its process. */
export interface Shell {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  cwd(): string;
  on(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): never;
}

/** Done, or nothing to do. */
export const DONE = 0 as const;
/** An error; a wrong argument, too. */
export const FAILED = 1 as const;
/** There is something to do. */
export const OPEN = 2 as const;

export type ExitCode = typeof DONE | typeof FAILED | typeof OPEN;

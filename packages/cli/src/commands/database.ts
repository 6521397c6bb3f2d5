import { resolve } from 'node:path';
import { connect, type Connection } from 'data-bridge';
import { type FoundConfig, readConfig, uriOf } from '../config/config.ts';
import type { Call } from '../terminal/command.ts';

/** The configuration that a call names, or that lies nearest. */
export function configOf({ shell, text }: Call): Promise<FoundConfig> {
  return readConfig(shell.cwd(), text('config'));
}

export function migrationsFolder({ root, migrations = 'migrations' }: FoundConfig): string {
  return resolve(root, migrations);
}

/** Runs code with a connection, which is the default one of every model meanwhile, and closes it. */
export async function withDatabase<R>(
  call: Call,
  config: FoundConfig,
  code: (connection: Connection) => Promise<R>,
): Promise<R> {
  const connection = await connect(uriOf(call.text('uri'), config, call.shell.env), {
    verify: 'off',
    ...config.connect,
  });
  try {
    return await code(connection);
  } finally {
    await connection.close();
  }
}

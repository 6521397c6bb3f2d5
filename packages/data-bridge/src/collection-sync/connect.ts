import { type Connection, connect as open, type ClientOptions } from '../connection/connection.ts';
import { UsageError } from '../errors.ts';
import { VERIFY, type Verify, verify, warnOfDuplicates } from './verify.ts';

/** Options of `connect`: the driver's, and this package's own. */
export interface ConnectOptions extends ClientOptions {
  /**
   * What is done about a database whose indexes, validators and collections are not as the models declare that have been imported:
   * `off`, `warn` (warnings of the process), `refuse` (a `DriftError`), or `apply` (what is missing is made). It is looked at once in a
   * process.
   * @default a warning for a declared unique index that a collection lacks, and nothing where `NODE_ENV` is `production`
   */
  readonly verify?: Verify;
}

/**
 * Connects to a database. The first open connection is the default one of all models.
 *
 * ```ts
 * await using db = await connect('mongodb://localhost:27017/app', { verify: 'refuse' });
 * ```
 *
 * @param uri `mongodb://…`, `mongodb+srv://…`, or `embedded:memory` for a server inside this process (package
 *   `@data-bridge/embedded`); by default the environment's `MONGODB_URI`.
 * @param options the driver's, and `sanitizeFilters`, `allowServerJavaScript`, `pageSecret`, `log`, `logValues`, `middleware` and
 *   `verify`.
 * @throws NotConnectedError when there is no URI or the server does not answer. Its message never shows a password. DriftError where
 *   `verify` says so.
 */
export async function connect(
  uri: string | undefined = process.env['MONGODB_URI'],
  { verify: mode, ...options }: ConnectOptions = {},
): Promise<Connection> {
  if (mode !== undefined && !VERIFY.includes(mode))
    throw new UsageError(`connect() takes ${VERIFY.map((each) => `"${each}"`).join(', ')} as "verify".`);
  if (mode === 'off') return open(uri, options);
  if (mode === undefined) return open(uri, options, warnOfDuplicates);
  const connection = await open(uri, options);
  try {
    await verify(connection, mode);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

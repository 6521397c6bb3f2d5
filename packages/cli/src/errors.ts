import { DataBridgeError } from 'data-bridge';

/**
 * A migration that cannot be run, or that failed. `version` says which one.
 *
 * ```ts
 * if (error instanceof MigrationError) console.error(error.version, error.message);
 * ```
 */
export class MigrationError extends DataBridgeError {
  readonly code: 'DATA_BRIDGE_MIGRATION' | 'DATA_BRIDGE_IRREVERSIBLE_MIGRATION' | 'DATA_BRIDGE_LEASE' =
    'DATA_BRIDGE_MIGRATION';
  /** The version of the migration; undefined where the error is about no single one. */
  readonly version: string | undefined;

  constructor(message: string, version?: string, context?: { readonly cause?: unknown }) {
    super(message, context);
    this.version = version;
  }
}

/** A migration that has no `down` is to be taken back. Nothing was run. */
export class IrreversibleMigrationError extends MigrationError {
  override readonly code = 'DATA_BRIDGE_IRREVERSIBLE_MIGRATION';

  constructor(version: string) {
    super(`Migration ${version} has no down(), so it cannot be taken back: write one, or migrate forward.`, version);
  }
}

/** Another process migrates the database, or took over from this one. */
export class LeaseError extends MigrationError {
  override readonly code = 'DATA_BRIDGE_LEASE';
}

/** A mistake in how the command line or one of its functions was called, or in the configuration. */
export class CommandError extends DataBridgeError {
  readonly code = 'DATA_BRIDGE_COMMAND';
}

/** @throws CommandError for an option that a function does not know: it would be ignored. */
export function checkOptions(method: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new CommandError(`${method}() takes no option "${unknown}": it knows ${known.join(', ')}.`);
}

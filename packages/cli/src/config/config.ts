import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { ConnectOptions } from 'data-bridge';
import { CommandError } from '../errors.ts';
import { loadModule } from './load-module.ts';

/** What the command line has to know of a program. Paths are relative to the file that it stands in. */
export interface Config {
  /** The database. `--uri` stands above it, `MONGODB_URI` stands in for it. */
  readonly uri?: string;
  /** Globs of the files that export models. */
  readonly models: string | readonly string[];
  /**
   * The folder of migrations.
   * @default 'migrations'
   */
  readonly migrations?: string;
  /** Options of the connection. */
  readonly connect?: ConnectOptions;
}

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((extension) => `data-bridge.config.${extension}`);
const KEYS: ReadonlySet<string> = new Set<keyof Config>(['uri', 'models', 'migrations', 'connect']);

/**
 * The default export of `data-bridge.config.ts`. It gives back what it is given; it is there for its types.
 *
 * ```ts
 * export default defineConfig({ uri: process.env['DATABASE'], models: 'src/models/*.ts' });
 * ```
 */
export function defineConfig(config: Config): Config {
  return config;
}

/** A configuration with where it stands. */
export interface FoundConfig extends Config {
  /** The folder that its paths are relative to. */
  readonly root: string;
}

/**
 * The configuration of a file, or of the nearest one upwards.
 *
 * @throws CommandError where there is none, or one that says something else than it can.
 */
export async function readConfig(folder: string, file: string | undefined): Promise<FoundConfig> {
  const path = file === undefined ? nearest(folder) : isAbsolute(file) ? file : resolve(folder, file);
  if (path === undefined)
    throw new CommandError(
      `There is no ${NAMES[0]} in ${folder} or above it: "init" makes one, and --config names another.`,
    );
  if (!existsSync(path)) throw new CommandError(`There is no file ${path}.`);
  const { default: config } = (await loadModule(path)) as { readonly default?: unknown };
  return { ...checked(path, config), root: dirname(path) };
}

function nearest(folder: string): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = NAMES.map((name) => join(at, name)).find((path) => existsSync(path));
    if (found !== undefined || dirname(at) === at) return found;
  }
}

function checked(path: string, config: unknown): Config {
  const wrong = problemOf(config);
  if (wrong !== undefined)
    throw new CommandError(`${path} ${wrong}: export default defineConfig({ models: 'src/models/*.ts' }).`);
  return config as Config;
}

function problemOf(config: unknown): string | undefined {
  if (typeof config !== 'object' || config === null) return 'has no configuration as its default export';
  const { uri, models, migrations } = config as Record<string, unknown>;
  const unknown = Object.keys(config).find((key) => !KEYS.has(key));
  if (unknown !== undefined) return `has a key "${unknown}" that means nothing (known are ${[...KEYS].join(', ')})`;
  if (uri !== undefined && typeof uri !== 'string') return 'has a "uri" that is no text';
  if (migrations !== undefined && typeof migrations !== 'string') return 'has a "migrations" that is no folder';
  const globs: unknown[] = Array.isArray(models) ? models : [models];
  return globs.every((glob) => typeof glob === 'string') ? undefined : 'has "models" that are no globs of files';
}

/**
 * The database that a command works on.
 *
 * @throws CommandError where none is named.
 */
export function uriOf(
  given: string | undefined,
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const uri = given ?? config.uri ?? env['MONGODB_URI'];
  if (uri === undefined || uri === '')
    throw new CommandError('No database is named: give --uri, "uri" in the configuration, or MONGODB_URI.');
  return uri;
}

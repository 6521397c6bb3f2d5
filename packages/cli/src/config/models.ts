import { resolve } from 'node:path';
import type { AuditFinding, AuditOptions, HistoryPage, Plan, PlanOptions } from 'data-bridge';
import type { Collection } from 'mongodb';
import { glob } from 'tinyglobby';
import { CommandError } from '../errors.ts';
import type { FoundConfig } from './config.ts';
import { loadModule } from './load-module.ts';

/** A model as commands need it: every class that extends what `model()` gave is one. */
export interface LoadedModel {
  readonly name: string;
  readonly prototype: object;
  readonly jsonSchema: Readonly<Record<string, unknown>>;
  readonly collection: Collection;
  planIndexes(options?: PlanOptions): Promise<Plan>;
  audit(options?: AuditOptions): AsyncIterable<AuditFinding>;
  /** Where it keeps a history. */
  history?(id: unknown, options?: object): Promise<HistoryPage>;
  restore?(id: unknown): Promise<{ readonly $revision: number | undefined }>;
  pruneHistory?(options: { readonly olderThan: Date }): Promise<number>;
}

/**
 * The models that the files of a configuration export, each once, in the order of the files.
 *
 * @throws CommandError where no file matches, and where none of them exports a model.
 */
export async function loadModels({ models, root }: FoundConfig): Promise<LoadedModel[]> {
  const globs = typeof models === 'string' ? [models] : [...models];
  const files = await glob(globs, { cwd: root, ignore: ['**/node_modules/**', '**/*.d.ts'] });
  if (files.length === 0) throw new CommandError(`No file in ${root} matches "models": ${globs.join(', ')}.`);
  const loaded = new Set<LoadedModel>();
  for (const file of files.toSorted()) {
    const exported = (await loadModule(resolve(root, file))) as object;
    for (const value of Object.values(exported)) if (isModel(value)) loaded.add(value);
  }
  if (loaded.size === 0)
    throw new CommandError(`No file of ${globs.join(', ')} exports a model: export the classes that extend model().`);
  return [...loaded];
}

function isModel(value: unknown): value is LoadedModel {
  return typeof value === 'function' && 'planIndexes' in value && 'jsonSchema' in value;
}

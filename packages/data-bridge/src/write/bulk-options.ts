import type { BulkWriteOptions, UpdateOptions } from 'mongodb';
import type { HardOptions, ScopeOptions } from '../definition/extension.ts';
import type { RulesOptions } from '../references/delete-rules.ts';
import type { HookOptions } from '../save/run-hooks.ts';
import type { ManyOptions, StampOptions } from './write-options.ts';

/** The options of the driver that the methods of `bulk()` take, besides the package's own. */
export const IN_BULK = {
  update: ['upsert', 'arrayFilters', 'collation', 'hint'],
  replace: ['upsert', 'collation', 'hint'],
  delete: ['collation', 'hint'],
  execute: ['ordered', 'session', 'writeConcern', 'comment', 'let', 'bypassDocumentValidation', 'timeoutMS'],
} as const;

/** Options of one update of a bulk write. */
export interface BulkUpdateOptions extends Pick<UpdateOptions, (typeof IN_BULK.update)[number]>, StampOptions {}

/** Options of one replacement of a bulk write. */
export interface BulkReplaceOptions extends Pick<UpdateOptions, (typeof IN_BULK.replace)[number]>, ScopeOptions {}

/** Options of one deletion of a bulk write. */
export interface BulkDeleteOptions
  extends Pick<UpdateOptions, (typeof IN_BULK.delete)[number]>, ScopeOptions, HardOptions {}

/** Options of `execute()`: the driver's, and whether to validate. */
export interface BulkOptions
  extends
    Pick<BulkWriteOptions, (typeof IN_BULK.execute)[number]>,
    ManyOptions,
    HookOptions,
    ScopeOptions,
    RulesOptions {
  /**
   * Whether inserted and replacing documents are validated before anything is sent.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

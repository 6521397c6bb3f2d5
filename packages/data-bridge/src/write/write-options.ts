import type { ScopeOptions } from '../definition/extension.ts';
import type { HookOptions } from '../save/run-hooks.ts';

/*
 * What methods that write take besides the driver's options.
 */

/** What static updates take. */
export interface StampOptions extends ScopeOptions {
  /**
   * Whether the time of the update is written, as the model's `timestamps` says.
   * @default true
   */
  readonly timestamps?: boolean;
}

/** What methods that store a whole document take. */
export interface ValidateOptions extends HookOptions, ScopeOptions {
  /**
   * Whether the document is validated first.
   * @default the model's `validate`
   */
  readonly validate?: boolean;
}

/** What methods that write many documents take. */
export interface ManyOptions {
  /**
   * Where the model keeps a history: `false` writes without entries, which leaves a gap in the history of each document.
   * Without it the call is refused.
   */
  readonly history?: false;
}

import { makeExtension } from '../definition/extension.ts';
import type { HookName } from '../definition/hook-names.ts';
import type { Fields } from '../schema/schema-field.ts';
import type { OutputOf } from '../types/shape.ts';

/** Values of an extension's fields. */
type Values<F extends Fields> = { readonly [K in keyof F]?: OutputOf<F[K]> | undefined };

/** What several models have in common: fields, a scope, values that are written with every write, what a deletion becomes. */
export interface Extension<F extends Fields> {
  /** The name by which a call may leave its scope out. */
  readonly name: string;
  /** The fields that it needs: a model spreads them among its own. */
  readonly fields: F;
  /**
   * The condition of the documents that are meant. It is called whenever a filter is sent, and what it gives is joined to that.
   * Null means all documents. It must throw where it cannot tell.
   */
  scope?(): Readonly<Record<string, unknown>> | null;
  /** What is written with each insert and update, in the place of what the program gave. `undefined` writes nothing. */
  stamp?(kind: 'insert' | 'update'): Values<F>;
  /** What is written instead of a deletion. */
  remove?(): Values<F>;
  /** Hooks, which run before those of the class. */
  readonly on?: { readonly [K in HookName]?: (document: never) => unknown };
}

/**
 * Makes an extension: a behaviour that several models have in common.
 *
 * ```ts
 * const published = extension({
 *   name: 'published',
 *   fields: { published: z.boolean().default(false) },
 *   scope: () => ({ published: true }),
 * });
 * class Post extends model('posts', { title: z.string(), ...published.fields }, { extensions: [published] }) {}
 * ```
 *
 * @throws UsageError for what is no extension.
 */
export function extension<const F extends Fields>(parts: Extension<F>): Extension<F> {
  return makeExtension(parts);
}

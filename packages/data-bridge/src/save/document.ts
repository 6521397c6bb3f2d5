import { definitionKey } from '../definition/model-definition.ts';
import { checkOwnFields } from '../document/new-document.ts';
import { addPath, newNode } from '../references/link-tree.ts';
import { withSiblings } from '../references/siblings.ts';
import { loadTree } from '../references/load-tree.ts';
import type { LinkPaths, Loaded } from '../types/ref.ts';
import { rebase, type RebaseOptions } from './rebase.ts';
import { stampOwn } from './door.ts';
import { reload, type ReloadOptions } from './reload.ts';
import { deleteDocument, type RemoveOptions } from './delete.ts';
import { save, type SaveOptions } from './save.ts';
import { saveAll } from './save-all.ts';
import { hooksOf } from '../definition/hooks.ts';
import { hasChanges, runBefore } from './run-hooks.ts';
import type { AnyPath } from '../types/paths.ts';
import type { ConflictIn } from '../types/conflict.ts';
import { validate } from './validate.ts';
import { stateOf, TrackedDocument } from '../document/tracked-document.ts';

/**
 * A document: accessors for the schema's fields (defined by `model()`), and what can be done with it. It knows what
 * changed, nested values included, and `save()` sends just that.
 *
 * `S` is the type of its fields, `T` what its model was declared with.
 */
export abstract class Document<S, T = unknown> extends TrackedDocument<S, T> {
  /**
   * Stores what changed. An unchanged document sends nothing; a new one is inserted.
   *
   * @returns the document.
   * @throws ValidationError when a changed value is refused, and EncodeError when BSON cannot hold it; nothing was sent.
   * @throws ConflictError when another writer changed meanwhile what had to stay as it was read; nothing was written.
   * @throws DocumentNotFoundError when another writer deleted it.
   * @throws OutcomeUnknownError when the connection broke before the answer came.
   * @throws BulkSaveError with `cascade`, where any of the documents was not saved.
   */
  async save(options?: SaveOptions<ConflictIn<S>, AnyPath<S>>): Promise<this> {
    checkOwnFields(this);
    if (options?.cascade === true) {
      await saveAll([this], options);
      return this;
    }
    await stateOf(this).queue('save', () => save(stateOf(this), options));
    return this;
  }

  /**
   * Loads what the references at these paths refer to, of the documents that came with this one, too: `$load('author.publisher')`.
   * JSON shows what it showed before.
   *
   * @returns the document.
   * @throws UsageError for a path that leads to no reference.
   */
  async $load(): Promise<this>;
  async $load<const P extends readonly string[]>(...paths: LinkPaths<this, P>): Promise<Loaded<this, P[number]>>;
  async $load(...paths: readonly string[]): Promise<this> {
    const tree = newNode();
    for (const path of paths) addPath(tree, this[definitionKey], path, '$load');
    if (paths.length > 0) await loadTree(withSiblings(this), tree, { isShown: false });
    return this;
  }

  /** Validates the changed fields without saving. @throws ValidationError with every issue. */
  async validate(): Promise<void> {
    const state = stateOf(this);
    state.adoptDefaults();
    const hooks = hooksOf(this);
    if (hooks !== null && hasChanges(state)) await runBefore(state, hooks.validate.before);
    state.adoptDefaults();
    if (state.isNew) stampOwn(state);
    await validate(state, () => {});
  }

  /**
   * Reads the stored document again, or the same part of one that was loaded in part, and drops every change. Containers
   * handed out before are detached from the document.
   *
   * @returns the document.
   * @throws DocumentNotFoundError when it is gone.
   */
  async reload(options?: ReloadOptions): Promise<this> {
    await stateOf(this).queue('reload', () => reload(stateOf(this), options));
    return this;
  }

  /**
   * Reads the stored document, and applies to it what was changed here, without saving: what others changed meanwhile
   * shows, too. Containers handed out before are detached from the document, but of fields that only this document changed.
   *
   * @returns the document.
   * @throws ConflictError where both changed the same and `onConflict` does not say which goes; the document stays as it was.
   * @throws DocumentNotFoundError when it is gone.
   */
  async $rebase(options: RebaseOptions<ConflictIn<S>> = {}): Promise<this> {
    await stateOf(this).queue('$rebase', () => rebase(stateOf(this), options as RebaseOptions));
    return this;
  }

  /**
   * Deletes the stored document. With `concurrency: 'fields'` only while nothing that was loaded was changed by others,
   * with 'version' only while its version is the one that was loaded.
   *
   * @returns false when it was already gone, or was never stored.
   * @throws ConflictError where another writer changed it; nothing was deleted.
   */
  async delete(options?: RemoveOptions<AnyPath<S>>): Promise<boolean> {
    return stateOf(this).queue('delete', () => deleteDocument(stateOf(this), options));
  }
}

/** How the functions see a model's class. */
export type DocumentClass = (new (input: object) => Document<unknown>) & { readonly prototype: Document<unknown> };

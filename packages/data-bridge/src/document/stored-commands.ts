import type { BSON, FindOneAndUpdateOptions, UpdateOptions } from 'mongodb';
import { ownBytes } from '../bson/arena.ts';
import { serverCode } from '../connection/driver-error.ts';
import { DocumentNotFoundError } from '../errors.ts';
import type { DocumentState } from './document-state.ts';
import { translate } from '../connection/write-outcome.ts';
import { type Edit, type EditTree, someEdit } from '../edits/edits.ts';
import { isNameable } from '../update/operators.ts';
import type { UpdatePlan } from '../update/plan.ts';

/*
 * The commands on one stored document.
 */

/** The result of an update that matched the document: its fields, where they were asked for. */
export interface Answer {
  readonly stored: Uint8Array | null;
}

/** Sends one form of an update. Null when it matched no document, and when the document's shape does not fit it. */
export type Update = (
  state: DocumentState,
  filter: object,
  form: UpdatePlan,
  options: UpdateOptions,
) => Promise<Answer | null>;

const DONE: Answer = { stored: null };

export const update: Update = async (state, filter, form, options) => {
  try {
    const sent = form.arrayFilters || form.collation ? { ...options, ...optionsOf(form) } : options;
    const { matchedCount } = await state.definition.collection().updateOne(filter, form.update, sent);
    return matchedCount > 0 ? DONE : null;
  } catch (error) {
    return nullIfShapeError(form, error);
  }
};

/** The same, and reads the fields of the tree's operators as they are then. */
export function updateAndRead(tree: EditTree): Update {
  return (state, filter, form, options) =>
    nullIfShapeDiffers(form, async () => {
      const projection = state.baseline.selection?.projection ?? projectionOf(tree);
      const sent = { ...options, ...optionsOf(form), projection, returnDocument: 'after', raw: true } as const;
      const found: unknown = await state.definition.collection().findOneAndUpdate(filter, form.update, {
        ...(sent as FindOneAndUpdateOptions),
        includeResultMetadata: false,
      });
      return found === null ? null : { stored: ownBytes(found as Uint8Array) };
    });
}

function optionsOf({ arrayFilters, collation }: UpdatePlan): UpdateOptions {
  return {
    ...(arrayFilters && { arrayFilters: [...arrayFilters] as BSON.Document[] }),
    ...(collation && { collation }),
  };
}

/** The fields in which there are operators; all where one of them cannot be named. */
function projectionOf(tree: EditTree): object {
  const names = [...tree.children].filter(([, edit]) => hasAtomic(edit)).map(([name]) => name);
  return names.every(isNameable) ? Object.fromEntries(names.map((name) => [name, 1])) : {};
}

export function hasAtomic(edit: Edit): boolean {
  return edit.kind === 'atomic' || (edit.kind === 'object' && someEdit(edit.children, hasAtomic));
}

/** The server refuses an operator whose path does not fit the stored shape with one of these; the pipeline form always fits. */
const SHAPE_ERRORS: ReadonlySet<number | undefined> = new Set([2, 14, 28]);

/** Null where the stored shape does not fit. */
export async function nullIfShapeDiffers(form: UpdatePlan, send: () => Promise<Answer | null>): Promise<Answer | null> {
  try {
    return await send();
  } catch (error) {
    return nullIfShapeError(form, error);
  }
}

function nullIfShapeError(form: UpdatePlan, error: unknown): null {
  if (Array.isArray(form.update) || !SHAPE_ERRORS.has(serverCode(error))) throw error;
  return null;
}

/** The stored document's bytes, or null when it is gone. They lie in the driver's buffers: copy what is kept. */
export async function readRaw(state: DocumentState, options: object = {}): Promise<Uint8Array | null> {
  const { selection } = state.baseline;
  const part = selection === null ? {} : { projection: selection.projection };
  try {
    const sent = { ...options, ...part, raw: true } as const;
    const found: unknown = await state.definition.collection().findOne(state.filter as never, sent);
    return found as Uint8Array | null;
  } catch (error) {
    throw translate(error, state.context, state.definition);
  }
}

export function notFound({ context }: DocumentState): DocumentNotFoundError {
  return new DocumentNotFoundError('The document is no longer in the collection: another writer deleted it.', context);
}

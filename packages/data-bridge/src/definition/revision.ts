/** What a document whose history is kept carries: the number of its last write, and its id. */
export const REVISION = '_rev';
export const REVISION_ID = '_revId';

/** Stored fields without these. */
export function withoutRevision<T extends object>(stored: T): T {
  const { [REVISION]: _rev, [REVISION_ID]: _revId, ...fields } = stored as T & Record<string, unknown>;
  return fields as unknown as T;
}

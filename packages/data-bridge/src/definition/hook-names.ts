/** The moments around a write of a document at which a class may have code of its own. */
export const HOOK_NAMES = [
  'beforeValidate',
  'beforeSave',
  'beforeInsert',
  'beforeUpdate',
  'beforeDelete',
  'afterInsert',
  'afterUpdate',
  'afterSave',
  'afterDelete',
  'afterCommit',
] as const;

/** The name of such a moment. */
export type HookName = (typeof HOOK_NAMES)[number];

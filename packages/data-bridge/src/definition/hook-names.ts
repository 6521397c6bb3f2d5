/** The moments around a write of a document at which a class may have code of its own. */
export type HookName =
  | 'beforeValidate'
  | 'beforeSave'
  | 'beforeInsert'
  | 'beforeUpdate'
  | 'beforeDelete'
  | 'afterInsert'
  | 'afterUpdate'
  | 'afterSave'
  | 'afterDelete'
  | 'afterCommit';

export const HOOK_NAMES: readonly HookName[] = [
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
];

import { setOwn } from '../bson/plain-object.ts';
import { ruleOf } from '../edits/atomic-operators.ts';
import {
  type AtomicEdit,
  type Edit,
  type EditTree,
  type ElementsEdit,
  idOf,
  idsOf,
  type ObjectEdit,
} from '../edits/edits.ts';
import type { ValuesEdit } from '../edits/values-edit.ts';

/** The update operators that express a tree of edits: by path, what each is given. */
export type Operators = Record<string, Record<string, unknown>>;

/** True for a key that can be part of a dotted path. */
export function isNameable(key: string): boolean {
  return key !== '' && key.charCodeAt(0) !== 0x24 && !key.includes('.');
}

/** True for a key that would be an index where its parent is an array. */
export function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39 && /^\d+$/.test(key);
}

/** A tree of edits as operators, and how they find the elements that they name. */
export interface OperatorForm {
  readonly update: Operators;
  readonly arrayFilters?: object[];
}

/**
 * The edits as update operators, or `null` where one of them has no form as operators: a key on the way to it can be part
 * of no dotted path, or an array needs more than one operator.
 */
export function operators(tree: EditTree): OperatorForm | null {
  return whyPipeline(tree) === null ? expressAll(tree) : null;
}

/** The edits as operators, of which `whyPipeline` said that they can express them. */
export function expressAll(tree: EditTree): OperatorForm {
  const expressed: OperatorDraft = { update: {} };
  // Of many fields at once the pairs of a loop would be most of what is made here.
  tree.children.forEach((edit, name) => express(edit, name, expressed));
  return expressed;
}

/** Why a save is an update pipeline, where operators would be shorter: what is changed asks for it, or when it is sent. */
export type PipelineReason = EditReason | 'transaction' | 'shape-changed' | 'conflict-retry';

/** What operators cannot express. */
export type EditReason = 'unnameable-key' | 'mixed-array-edits' | 'below-element';

/**
 * What the filter of an update asks of what is stored at a path: whatever the operators need; what the mode of the save has it
 * ask, that it is the original or is of its kind; or nothing, since below an element that is found by its identity no filter
 * can.
 */
export type Asked = 'anything' | 'values' | 'kinds' | 'nothing';

/**
 * Why operators cannot express the edits, or null. At its place in an array an edit always has a form: the element is set
 * whole where something below it cannot.
 */
export function whyPipeline(edit: Edit | EditTree, asked: Asked = 'anything'): EditReason | null {
  switch (edit.kind) {
    case 'object':
      return whyPipelineOfMembers(edit, asked);
    case 'positions':
      return asked === 'nothing' ? 'below-element' : null;
    case 'elements':
      return whyPipelineOf(edit, asked);
    case 'values':
      return isOneOperator(edit) || isReplaceable(edit, asked) ? null : 'mixed-array-edits';
    default:
      return null;
  }
}

function whyPipelineOfMembers({ children }: EditTree | ObjectEdit, asked: Asked): EditReason | null {
  let reason: EditReason | null = null;
  children.forEach((child, key) => {
    if (reason !== null) return;
    if (!isNameable(key)) reason = 'unnameable-key';
    else reason = asked === 'nothing' && isIndex(key) ? 'below-element' : whyPipeline(child, asked);
  });
  return reason;
}

/** Two operators on one array would meet. */
function whyPipelineOf({ children, removed, added, isMoved }: ElementsEdit, asked: Asked): EditReason | null {
  const kinds = [children.size, removed.length, added.length].filter((count) => count > 0).length;
  if (isMoved || kinds > 1) return 'mixed-array-edits';
  if (asked === 'nothing' && added.length > 0) return 'below-element';
  for (const child of children.values()) {
    const reason = whyPipeline(child, 'nothing');
    if (reason !== null) return reason;
  }
  return null;
}

/** The longest array of values that is sent twice, as it was and as it is, so that operators can say it. */
const MAX_REPLACED = 1000;

/**
 * True where the filter says that the stored array is the original: then the array as it is now is what the merge would make
 * of it.
 */
function isReplaceable({ base, isUnique }: ValuesEdit, asked: Asked): boolean {
  if (asked === 'anything') return base.length <= MAX_REPLACED;
  return asked === 'values' && !isUnique;
}

/** Only removals, or only additions at the end of what has none twice. */
export function isOneOperator({ isMoved, removed, added, last }: ValuesEdit): boolean {
  return !isMoved && (added.length === 0 || (removed.length === 0 && last.length === added.length));
}

interface OperatorDraft {
  readonly update: Operators;
  arrayFilters?: object[];
}

function express(edit: Edit, path: string, expressed: OperatorDraft): void {
  const { update } = expressed;
  switch (edit.kind) {
    case 'set':
      setOwn((update['$set'] ??= {}), path, edit.value);
      break;
    case 'delete':
      setOwn((update['$unset'] ??= {}), path, '');
      break;
    case 'push':
      setOwn((update['$push'] ??= {}), path, { $each: edit.added });
      break;
    case 'atomic':
      expressAtomic(edit, path, update);
      break;
    case 'object':
      for (const [key, child] of edit.children) express(child, `${path}.${key}`, expressed);
      break;
    case 'positions':
      for (const [i, child] of edit.children) {
        if (whyPipeline(child) === null) express(child, `${path}.${i}`, expressed);
        else setOwn((update['$set'] ??= {}), `${path}.${i}`, edit.value[i]);
      }
      break;
    case 'elements':
      expressElements(edit, path, expressed);
      break;
    case 'values':
      if (!isOneOperator(edit)) setOwn((update['$set'] ??= {}), path, edit.value);
      // `$pull` with `$in` would also take an array that holds one of the values.
      else if (edit.removed.length > 0) setOwn((update['$pullAll'] ??= {}), path, edit.removed);
      else setOwn((update['$addToSet'] ??= {}), path, { $each: edit.added });
  }
}

function expressElements(edit: ElementsEdit, path: string, expressed: OperatorDraft): void {
  const { key, children, removed, added } = edit;
  for (const [i, child] of children) {
    const filters = (expressed.arrayFilters ??= []);
    const identifier = `e${filters.length}`;
    filters.push({ [`${identifier}.${key}`]: idOf(edit, i) });
    express(child, `${path}.$[${identifier}]`, expressed);
  }
  const { update } = expressed;
  if (removed.length > 0) setOwn((update['$pull'] ??= {}), path, { [key]: { $in: idsOf(removed, key) } });
  if (added.length > 0) setOwn((update['$push'] ??= {}), path, { $each: added });
}

function expressAtomic({ operator, operand }: AtomicEdit, path: string, update: Operators): void {
  const [name, argument] = ruleOf(operator).operator(operand);
  setOwn((update[name] ??= {}), path, argument);
}

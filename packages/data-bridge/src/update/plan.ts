import { BSON } from 'mongodb';
import { isPlainObject } from '../bson/plain-object.ts';
import { sizeOf } from '../bson/size.ts';
import { ruleOf } from '../edits/atomic-operators.ts';
import { type Edit, type EditTree, entersElements, idsOf, type PositionsEdit, someEdit } from '../edits/edits.ts';
import { shapeGuard } from './shape-guards.ts';
import { type Asked, expressAll, type PipelineReason, whyPipeline } from './operators.ts';
import { pipeline } from './pipeline.ts';

/** One update command: what `updateOne` takes besides the filter `{_id}`. */
export interface UpdatePlan {
  /** Update operators, or the stages of an update pipeline. */
  readonly update: object | object[];
  /** To be added to the filter. When nothing matches it, `fallback` of the same tree is what to send. */
  readonly guard?: object;
  readonly arrayFilters?: object[];
  /** Strings are compared as they are, whatever the collection's own collation takes for equal. */
  readonly collation?: { readonly locale: 'simple' };
  /** Why it is a pipeline. Operators need no reason. */
  readonly reason?: PipelineReason;
}

/** The largest document that a server takes, an update pipeline included: 16 MiB. */
const MAX_SIZE = 16 * 1024 * 1024;

/** When a tree is sent. */
export interface Situation {
  /** Inside a transaction, which an error would abort: there is no second try. */
  readonly inTransaction?: boolean;
  /** Again, over what another writer left. */
  readonly isRetry?: boolean;
  /**
   * What the filter asks of the paths that change: in mode `fields` their values, in mode `version` their kinds.
   * @default 'anything'
   */
  readonly asked?: Asked;
}

/** The update that brings the stored document to the values in memory: operators, if they can express it. */
export function plan(tree: EditTree, { inTransaction = false, isRetry = false, asked }: Situation = {}): UpdatePlan {
  const reason = whyPipeline(tree, asked);
  if (isRetry) return inPipeline(tree, reason ?? 'conflict-retry');
  if (inTransaction && needsPipelineInBatch(tree)) return inPipeline(tree, reason ?? 'transaction');
  if (reason !== null) return inPipeline(tree, reason);
  const form: { -readonly [K in keyof UpdatePlan]: UpdatePlan[K] } = expressAll(tree);
  const guard = shapeGuard(tree);
  if (guard !== undefined) form.guard = guard;
  if (comparesStrings(tree, false)) form.collation = SIMPLE;
  return form;
}

/**
 * What to send when the operators' guard matched nothing, or the server refused them with error 2, 14 or 28: the same
 * tree as a pipeline, which fits any stored shape.
 */
export function fallback(tree: EditTree): UpdatePlan {
  return inPipeline(tree, 'shape-changed');
}

function inPipeline(tree: EditTree, reason: PipelineReason): UpdatePlan {
  const stages = pipeline(tree);
  const update = isTooLarge(stages) ? pipeline(setWhole(tree)) : stages;
  return { update, reason, ...(comparesStrings(tree, true) && { collation: SIMPLE }) };
}

/** A collection may take 'a' and 'A' for the same. What finds or guards elements by strings must not. */
const SIMPLE = { locale: 'simple' } as const;

function comparesStrings(edit: Edit | EditTree, isPipeline: boolean): boolean {
  if (edit.kind === 'values') return edit.hasTexts;
  if (!('children' in edit)) return false;
  const isCompared =
    edit.kind === 'elements'
      ? (edit.hasTexts ?? idsOf([...edit.base, ...edit.added], edit.key).some(holdsString))
      : edit.kind === 'positions' && comparesStringsIn(edit, isPipeline);
  if (isCompared) return true;
  for (const child of edit.children.values()) if (comparesStrings(child, isPipeline)) return true;
  return false;
}

/** A pipeline that enters elements may compare the others, and one that looks for values all of them. */
function comparesStringsIn(edit: PositionsEdit, isPipeline: boolean): boolean {
  if (isPipeline && (edit.isByValue === true || entersElements(edit)))
    return holdsString(edit.base) || holdsString(edit.value);
  return [...edit.children.values()].some(({ base }) => holdsString(base));
}

/** True for a text, and for what holds one. */
export function holdsString(value: unknown): boolean {
  if (typeof value === 'string' || value instanceof BSON.BSONSymbol) return true;
  if (Array.isArray(value)) return value.some(holdsString);
  if (value instanceof Map) return [...value.values()].some(holdsString);
  return isPlainObject(value) && Object.values(value).some(holdsString);
}

/** The edits that such a pipeline makes: whole fields, where more would not fit into a command. */
export function fallbackTree(tree: EditTree): EditTree {
  return isTooLarge(pipeline(tree)) ? setWhole(tree) : tree;
}

/**
 * True where the operators need a second try when the stored shape has changed. Then a transaction or a bulk write
 * sends the pipeline at once.
 */
export function needsPipelineInBatch(tree: EditTree): boolean {
  return someEdit(tree.children, isBoundToShape);
}

/** A field as a whole can be set or removed whatever it is, and some operators take any value. */
function isBoundToShape(edit: Edit): boolean {
  if (edit.kind !== 'atomic') return edit.kind !== 'set' && edit.kind !== 'delete';
  return ruleOf(edit.operator).types !== null;
}

/** True where sending it twice leaves something else than sending it once. */
export function adds(edit: Edit | EditTree): boolean {
  if (edit.kind === 'atomic') return !ruleOf(edit.operator).repeatable(edit.operand);
  return edit.kind === 'push' || ('children' in edit && someEdit<Edit>(edit.children, adds));
}

/** A pipeline holds values twice, the whole one and the changed part; the fields as a whole take half as much. */
function setWhole(tree: EditTree): EditTree {
  const whole = ([name, edit]: [string, Edit]): [string, Edit] => {
    // An operator's operand is no larger than the value.
    const stays = edit.kind === 'delete' || edit.kind === 'atomic' || ('isPart' in edit && edit.isPart);
    return [name, stays ? edit : { kind: 'set', base: edit.base, value: edit.value }];
  };
  return { kind: 'object', children: new Map(Array.from(tree.children, whole)) };
}

/** The exact size costs more than everything else about a pipeline, so it is asked for near the limit only. */
function isTooLarge(stages: object[]): boolean {
  return sizeOf(stages) > MAX_SIZE && BSON.calculateObjectSize(stages, { ignoreUndefined: true }) > MAX_SIZE;
}

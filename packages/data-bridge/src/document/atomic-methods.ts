import { copyValue, isMutable } from '../bson/copy.ts';
import { copyInput } from '../bson/copy-input.ts';
import { ABSENT } from '../bson/encode.ts';
import { UsageError } from '../errors.ts';
import { castWhole, placeAt } from '../filter/cast-values.ts';
import { withIds } from '../filter/document-id.ts';
import type { DocumentState } from './document-state.ts';
import { keysOf, type Root, setAt, valueAt } from './path.ts';
import { checkReadable, checkWritable } from './loaded-part.ts';
import { applyAtomic, type AtomicOperator, foldAtomics, ruleOf, whyInapplicable } from '../edits/atomic-operators.ts';
import { type Keys, MAX_LEVELS } from '../edits/edits.ts';
import { equalOrBothUndefined, exactAt, isShown, type PendingAtomic } from '../tracking/pending-operators.ts';

/**
 * Does to memory at once what an atomic operator will do to the stored document, and notes the operator for the next
 * save. Of a value that was changed in another way before, the next save sends what memory shows.
 *
 * @throws UsageError where the operator does not fit the path, its value, or another operator that waits.
 */
export function operate(
  state: DocumentState,
  root: Root,
  operator: AtomicOperator,
  path: string,
  given: unknown,
): void {
  const keys = keysOf(root, path);
  const written = withIds(state.definition, path, given);
  const rule = ruleOf(operator);
  const operand = rule.castsOperand ? castValues(state, keys, written) : copyInput(written);
  checkPath(state, root, keys, operator);
  if (rule.takesPart) checkReadable(state, keys);
  else checkWritable(state, keys);
  const before = valueAt(root, keys);
  const after = applyAtomic(operator, before, operand, state.definition.programPath(keys));
  const pending = state.pending.filter((each) => isShown(state.baseline, each));
  const earlier = pending.find((each) => isAt(keys, each));
  const others = pending.filter((each) => each !== earlier);
  const whole = joined(earlier, operator, operand);
  checkOthers(state, whole === undefined ? pending : others, { keys, operator });
  const isAtomic = earlier !== undefined || (!state.isNew && isSettled(state, keys, before));
  if (isAtomic && earlier === undefined) checkStored(state, keys, operator, operand);
  show(root, keys, before, after);
  const noted = { keys, operator, operand: copyValue(whole), shown: copyValue(after) };
  state.setOperators(isAtomic ? [...others, noted] : others);
}

/** Text stands for the value that the schema makes of it. Other operands become values of the document, which the schemas see. */
function castValues({ definition }: DocumentState, keys: Keys, values: unknown): unknown {
  const place = placeAt(definition, keys.join('.'));
  return castWhole(place, copyInput(values), { definition, path: definition.programPath(keys) });
}

/** The operand that does what an operator that waits and this one do; `undefined` where none does. */
function joined(earlier: PendingAtomic | undefined, operator: AtomicOperator, operand: unknown): unknown {
  if (earlier === undefined) return foldAtomics(operator, undefined, operand);
  return earlier.operator === operator ? foldAtomics(operator, earlier.operand, operand) : undefined;
}

/** True where this field, or any, is written by an operator that no save has confirmed yet. */
export function hasAtomics({ baseline, pending, sent }: DocumentState, field?: string): boolean {
  const isOf = ({ keys }: PendingAtomic) => field === undefined || keys[0] === field;
  return sent.some(isOf) || pending.some((each) => isOf(each) && isShown(baseline, each));
}

/** The operators on one field that wait and that memory still shows. */
export function pendingOf({ baseline, pending }: DocumentState, field: string): PendingAtomic[] {
  return pending.filter((each) => each.keys[0] === field && isShown(baseline, each));
}

/** Notes that values in memory were replaced by others: so are those that these operators write. */
export function replaceOperands(
  state: DocumentState,
  operators: readonly PendingAtomic[],
  replaced: (value: unknown) => unknown,
): void {
  const pending = state.pending.map((each) => {
    if (!operators.includes(each)) return each;
    const { operand } = each;
    const shown = copyValue(valueAt({ get: (name) => state.baseline.current(name) }, each.keys));
    return { ...each, operand: Array.isArray(operand) ? operand.map(replaced) : replaced(operand), shown };
  });
  state.setOperators(pending);
}

/** The save that was to send them was refused: they wait again, beside those that were asked for meanwhile. */
export function putBack(state: DocumentState): void {
  state.setOperators(joinAtomics(state), []);
}

/** The operators that are under way and those that wait, one for each path. */
export function joinAtomics({ sent: underWay, pending: waiting }: DocumentState): readonly PendingAtomic[] {
  let pending = waiting;
  for (const sent of underWay) {
    const later = pending.find((each) => isAt(sent.keys, each));
    const others = pending.filter((each) => each !== later);
    const operand = later && joined(sent, later.operator, later.operand);
    if (later === undefined) pending = [...others, sent];
    else pending = operand === undefined ? others : [...others, { ...later, operand }];
  }
  return pending;
}

/** The save is done and the baseline has the stored values: memory takes them where the program changed nothing since. */
export function takeStored(state: DocumentState): void {
  if (state.sent.length === 0) return;
  for (const sent of state.sent) takeOne(state, sent);
  state.setOperators(state.pending, []);
}

function takeOne(state: DocumentState, { keys, shown }: PendingAtomic): void {
  const { baseline } = state;
  const before = valueAt(baseline, keys);
  const later = state.pending.find((each) => isAt(keys, each));
  if (!equalOrBothUndefined(before, later === undefined ? shown : later.shown)) return;
  const stored = valueAt({ get: (name) => baseline.original(name) }, keys);
  const others = state.pending.filter((each) => each !== later);
  // What was asked for meanwhile is done to the stored value; where it no longer fits, memory is an ordinary change.
  if (later !== undefined && whyInapplicable(later.operator, stored, later.operand) !== null) {
    state.setOperators(others);
    return;
  }
  const after =
    later === undefined
      ? stored
      : applyAtomic(later.operator, stored, later.operand, state.definition.programPath(keys));
  if (later !== undefined) state.setOperators([...others, { ...later, shown: copyValue(after) }]);
  if (!equalOrBothUndefined(before, after)) show(baseline, keys, before, after);
}

function isAt(keys: readonly string[], other: PendingAtomic): boolean {
  return keys.length === other.keys.length && isPrefix(keys, other.keys);
}

function isPrefix(keys: readonly string[], longer: readonly string[]): boolean {
  return keys.every((key, i) => key === longer[i]);
}

function checkPath(state: DocumentState, root: Root, keys: Keys, operator: AtomicOperator): void {
  const programPath = (at: readonly string[]): string => state.definition.programPath(at);
  const refuse = (problem: string): never => {
    throw new UsageError(`${operator} of "${programPath(keys)}" ${problem}.`, state.context);
  };
  if (keys[0] === '_id') refuse('would change the _id, which stays as it is');
  state.checkOwn(keys[0]);
  if (keys.length > MAX_LEVELS + 1) refuse(`goes more than ${MAX_LEVELS} levels deep: set the value instead`);
  const [name, ...inner] = keys;
  const array = inner.findIndex((_, i) => Array.isArray(valueAt(root, [name, ...inner.slice(0, i)]))) + 1;
  if (array > 0)
    refuse(
      `goes through the array "${programPath(keys.slice(0, array))}", whose elements may move: change the element in place`,
    );
}

/** Two operators of a save must not meet: the server would refuse them, or apply them in an order of its own. */
function checkOthers(
  state: DocumentState,
  others: readonly PendingAtomic[],
  { keys, operator }: Pick<PendingAtomic, 'keys' | 'operator'>,
): void {
  for (const other of others) {
    if (!isPrefix(keys, other.keys) && !isPrefix(other.keys, keys)) continue;
    const [path, otherPath] = [keys, other.keys].map((each) => state.definition.programPath(each));
    const text = `${operator} of "${path}" meets ${other.operator} of "${otherPath}", which waits for a save: save first.`;
    throw new UsageError(text, state.context);
  }
}

/** A number may be stored as a type that the operator does not fit, which memory does not show. */
function checkStored(state: DocumentState, keys: Keys, operator: AtomicOperator, operand: unknown): void {
  if (state.sent.some((each) => isAt(keys, each))) return;
  const stored = exactAt(state.baseline, keys);
  const problem = stored === ABSENT ? null : whyInapplicable(operator, stored, operand);
  if (problem !== null)
    throw new UsageError(`${operator} of "${state.definition.programPath(keys)}" ${problem}.`, state.context);
}

/** True where the value is as it is stored, or as the write under way will store it. */
function isSettled(state: DocumentState, keys: Keys, value: unknown): boolean {
  const sent = state.sent.find((each) => isAt(keys, each));
  if (sent !== undefined) return equalOrBothUndefined(value, sent.shown);
  // case: what the save under way writes to this field is not in the baseline yet
  if (state.writing?.children.has(keys[0]) === true) return false;
  const stored = exactAt(state.baseline, keys);
  return equalOrBothUndefined(value, stored === ABSENT ? undefined : stored);
}

/** An array that the program holds is changed in place. Other values are replaced: a Date that was read before stays as it is. */
function show(root: Pick<Root, 'get' | 'set'>, keys: Keys, before: unknown, after: unknown): void {
  if (!Array.isArray(before) || !Array.isArray(after) || !Object.isExtensible(before)) {
    if (!Object.is(before, after)) setAt(root, keys, after);
    return;
  }
  const elements = reuse(before, after);
  before.length = 0;
  for (const element of elements) before.push(element);
}

/** The new elements, each as the object that the program already holds where it equals one. */
function reuse(held: readonly unknown[], elements: readonly unknown[]): unknown[] {
  const left = held.filter(isMutable);
  return elements.map((element) => {
    const at = isMutable(element) ? left.findIndex((each) => equalOrBothUndefined(each, element)) : -1;
    return at < 0 ? element : left.splice(at, 1)[0];
  });
}

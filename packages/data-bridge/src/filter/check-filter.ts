import { operatorIn } from './operator-in.ts';
import { ObjectId } from 'mongodb';
import { hasToBson, isMutable } from '../bson/copy.ts';
import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, MAX_DEPTH, toExact } from '../bson/encode.ts';
import { typeName } from '../schema/bson-types.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError } from '../errors.ts';
import { withIds } from './document-id.ts';
import { Literal, wasTrusted } from './literal.ts';

/** Operators whose value is a list of filters. */
const JOINING: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);
/** Operators of a filter that compare with one value, and with each of a list: what they hold is data. */
const COMPARING: ReadonlySet<string> = new Set(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte']);
const LISTING: ReadonlySet<string> = new Set(['$in', '$nin']);
/** What runs JavaScript on the server. */
const SCRIPTS: ReadonlySet<string> = new Set(['$where', '$function', '$accumulator']);

/** Where a filter, or a part of one, stands. */
interface Place {
  readonly keys: readonly string[];
  /** True where its operators are the program's own. */
  readonly isTrusted?: boolean;
}

const TOP: Place = { keys: [] };

/**
 * A fresh copy of a filter, with what its literals stand for, that holds nothing which it should not.
 *
 * @throws UsageError for `undefined` anywhere, which would widen the filter; for what runs JavaScript on the server, unless
 *   the connection allows it; where the connection has `sanitizeFilters`, for operators that are not trusted.
 * @throws EncodeError for what BSON cannot hold: the driver would leave a function out, and so widen the filter too.
 */
export function safeFilter(definition: ModelDefinition, filter: unknown, place: Place = TOP): Record<string, unknown> {
  if (!isPlainObject(filter))
    throw new UsageError(`A filter must be an object, got ${typeName(filter)}.`, definition.context);
  const isTrusted = place.isTrusted === true || wasTrusted(filter);
  const safe: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(filter)) {
    const keys = [...place.keys, key];
    const joined = JOINING.has(key) && Array.isArray(value) ? (value as unknown[]) : undefined;
    const areTrusted = isTrusted || wasTrusted(joined);
    const each = joined?.map((one, i) =>
      safeFilter(definition, one, { keys: [...keys, String(i)], isTrusted: areTrusted }),
    );
    setOwn(safe, key, each ?? safeCondition(definition, value, { keys, isTrusted }));
  }
  return safe;
}

/** The same for the condition on a field, or for the operand of an operator that is on none. */
export function safeCondition(definition: ModelDefinition, given: unknown, { keys, isTrusted }: Place): unknown {
  // Most conditions are such: there is nothing in them to look at.
  if (isPlainValue(given) && !isOperator(keys)) return toExact(given, ABSENT, keys);
  const path = keys.at(-1) ?? '';
  const condition = path === '$expr' ? openExpression(given) : openCondition(withIds(definition, path, given));
  // A query may run later, and more than once: it must not see what becomes of the program's objects.
  const copy = toExact(condition, ABSENT, keys);
  refuseUndefined(definition, condition, keys);
  if (isTrusted !== true && definition.rules.sanitizeFilters) refuseOperators(definition, given, keys);
  refuseScripts(definition, copy, keys);
  return copy;
}

function isPlainValue(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || value instanceof ObjectId;
}

function isOperator(keys: readonly string[]): boolean {
  return keys.at(-1)?.startsWith('$') === true;
}

/**
 * Refuses what runs JavaScript on the server, anywhere in an expression, a stage or a pipeline, unless the connection
 * allows it. What `$literal` holds is data.
 *
 * @param keys where the value stands, for the message.
 * @throws UsageError
 */
export function refuseServerJavaScript(definition: ModelDefinition, value: unknown, keys: readonly string[]): void {
  if (!definition.rules.allowServerJavaScript) walk(definition, value, keys, (key) => key === '$literal');
}

/**
 * A fresh copy of a stage of an aggregation, with what its literals stand for, that holds nothing which it should not.
 *
 * @throws UsageError for what is no stage, for `undefined` anywhere, and for what runs JavaScript on the server, unless the
 *   connection allows it.
 * @throws EncodeError for what BSON cannot hold.
 */
export function safeStage(definition: ModelDefinition, stage: unknown): Record<string, unknown> {
  const [name = ''] = isPlainObject(stage) ? Object.keys(stage) : [];
  if (!isPlainObject(stage) || Object.keys(stage).length !== 1 || !name.startsWith('$')) {
    const text = 'A stage of an aggregation is an object with one key, its operator, such as { $sample: { size: 3 } }.';
    throw new UsageError(text, definition.context);
  }
  const opened = openExpression(stage);
  const copy = toExact(opened, ABSENT, []) as Record<string, unknown>;
  refuseUndefined(definition, opened, [], 'The stage');
  refuseServerJavaScript(definition, copy, []);
  return copy;
}

/** The same for a condition of a filter, where what is compared is data, too. */
function refuseScripts(definition: ModelDefinition, condition: unknown, keys: readonly string[]): void {
  if (definition.rules.allowServerJavaScript) return;
  const key = keys.at(-1) ?? '';
  if (SCRIPTS.has(key)) refuseScript(definition, keys);
  if (key === '$expr') refuseServerJavaScript(definition, condition, keys);
  else walk(definition, condition, keys, (each) => COMPARING.has(each) || LISTING.has(each));
}

function walk(
  definition: ModelDefinition,
  value: unknown,
  keys: readonly string[],
  isData: (key: string) => boolean,
): void {
  for (const [name, member] of membersOf(value)) {
    const key = String(name);
    if (SCRIPTS.has(key)) refuseScript(definition, [...keys, key]);
    if (!isData(key)) walk(definition, member, [...keys, key], isData);
  }
}

function refuseScript(definition: ModelDefinition, keys: readonly string[]): never {
  const text = `${keys.at(-1)} runs JavaScript on the server, which is dangerous: it is refused at "${keys.join('.')}". Use other operators, or pass allowServerJavaScript: true to connect().`;
  throw new UsageError(text, definition.context);
}

/**
 * Refuses every operator that the program did not wrap: the key that the condition stands under, and any key inside of it.
 * At what depth a key is an operator to the server is not asked, so that no form of a filter is overlooked.
 */
function refuseOperators(definition: ModelDefinition, condition: unknown, keys: readonly string[]): void {
  if (wasTrusted(condition)) return;
  // What an operator does with a literal is for the operator to say: `$expr` takes any as true.
  if (isOperator(keys)) refuseOperator(definition, keys);
  if (condition instanceof Literal) return;
  for (const [key, member] of membersOf(condition)) refuseOperators(definition, member, [...keys, String(key)]);
}

function refuseOperator(definition: ModelDefinition, keys: readonly string[]): never {
  const place = keys.length > 1 ? keys.slice(0, -1) : keys;
  const text = `The filter has the operator ${keys.at(-1)} at "${place.join('.')}", and the connection has sanitizeFilters: compare by literal(), or wrap what the program wrote itself in trusted().`;
  throw new UsageError(text, definition.context);
}

/** A condition with what its literals stand for. */
function openCondition(condition: unknown): unknown {
  if (condition instanceof Literal) return { $eq: condition.value };
  return isPlainObject(condition) ? mapMembers(condition, openOperand) : condition;
}

function openOperand(operand: unknown, operator: string): unknown {
  if (operand instanceof Literal && COMPARING.has(operator)) return operand.value;
  if (LISTING.has(operator) && Array.isArray(operand)) return operand.map((each) => openElement(each, operator));
  if (operator === '$not') return openCondition(operand);
  return operator === '$elemMatch' && isPlainObject(operand) ? mapMembers(operand, openMember) : operand;
}

/** One member of what elements are to match: a condition on a member of theirs, or on themselves. */
function openMember(member: unknown, key: string): unknown {
  if (!key.startsWith('$')) return openCondition(member);
  if (!JOINING.has(key) || !Array.isArray(member)) return openOperand(member, key);
  return member.map((filter: unknown) => (isPlainObject(filter) ? mapMembers(filter, openMember) : filter));
}

function openElement(element: unknown, operator: string): unknown {
  if (!(element instanceof Literal)) return element;
  const { value } = element;
  // The server matches regular expressions there, and refuses objects that look like operators.
  if (!(value instanceof RegExp) && operatorIn(value) === undefined) return value;
  const text = `literal() in ${operator} takes neither a regular expression nor an object with "$" keys: compare those by $eq.`;
  throw new UsageError(text);
}

/** An aggregation expression in which literals are never operators nor paths. */
function openExpression(expression: unknown, depth = 0): unknown {
  if (expression instanceof Literal) return { $literal: expression.value };
  // case: an expression that contains itself; that it is too deep is said when it is copied
  if (depth > MAX_DEPTH) return expression;
  const open = (inner: unknown): unknown => openExpression(inner, depth + 1);
  if (Array.isArray(expression)) return expression.map(open);
  return isPlainObject(expression) ? mapMembers(expression, open) : expression;
}

function mapMembers(object: object, change: (member: unknown, key: string) => unknown): Record<string, unknown> {
  const changed = {};
  for (const [key, member] of Object.entries(object)) setOwn(changed, key, change(member, key));
  return changed;
}

function refuseUndefined(
  definition: ModelDefinition,
  value: unknown,
  keys: readonly string[],
  whole = 'The filter',
): void {
  if (value === undefined) {
    const text = `${whole} has undefined at "${keys.join('.')}": it would match more than was meant. Leave the key out, or compare with null.`;
    throw new UsageError(text, definition.context);
  }
  for (const [key, member] of membersOf(value)) refuseUndefined(definition, member, [...keys, String(key)], whole);
}

function membersOf(value: unknown): Iterable<readonly [unknown, unknown]> {
  if (!isMutable(value)) return [];
  if (hasToBson(value)) return membersOf(value.toBSON());
  if (Array.isArray(value) || value instanceof Map) return value.entries();
  return isPlainObject(value) ? Object.entries(value) : [];
}

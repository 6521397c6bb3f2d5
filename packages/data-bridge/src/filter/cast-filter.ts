import { isPlainObject, setOwn } from '../bson/plain-object.ts';
import { ABSENT, toExact } from '../bson/encode.ts';
import { typeName } from '../schema/bson-types.ts';
import type { ModelDefinition } from '../definition/model-definition.ts';
import { UsageError, ValidationError, type ValidationIssue } from '../errors.ts';
import type { Place } from '../schema/schema-shape.ts';
import { castCondition, castElementMatch, castWhole, elementOf, placeAt } from './cast-values.ts';
import { withIds } from './document-id.ts';
import { Literal, literal } from './literal.ts';
import { safeCondition, safeFilter } from './check-filter.ts';
import { checkNewName, namedOnly } from './named-only.ts';
import { operatorIn } from './operator-in.ts';
import { renameInExpression } from './rename-in-expression.ts';

/** Operators of an update whose value becomes the field's, or is computed with it. */
const SETTING = new Set(['$set', '$setOnInsert', '$min', '$max', '$inc', '$mul']);
/** Those whose value, or each of a list, becomes an element, or is compared with one. */
const OF_ELEMENTS = new Set(['$push', '$addToSet', '$pull', '$pullAll']);
/** Operators whose value is a list of filters. */
const JOINING = new Set(['$and', '$or', '$nor']);

/**
 * An `_id` as it is stored: for models without an `_id` schema of their own, or with `objectId()`, a 24-digit
 * hexadecimal string becomes an ObjectId.
 *
 * @throws InvalidIdError for another string.
 */
export function castId(definition: ModelDefinition, id: unknown): unknown {
  return castWhole(placeAt(definition, '_id'), id, { definition, path: '_id' });
}

/** A filter for the document with this `_id`, which is never an operator. */
export function idFilter(definition: ModelDefinition, id: unknown): Record<string, unknown> {
  const cast = castId(definition, withIds(definition, '_id', id));
  return { _id: isPlainObject(cast) || cast instanceof RegExp ? literal(cast) : cast };
}

/**
 * A filter as it is sent: a fresh copy, checked as `safeFilter` does, with stored names, and text as the values that it stands
 * for where the schema says so.
 *
 * @throws UsageError for what a filter must not hold, InvalidIdError for another string where an ObjectId belongs.
 * @throws EncodeError for what BSON cannot hold.
 */
export function castFilter(definition: ModelDefinition, filter: object): Record<string, unknown> {
  return castConditions(definition, safeFilter(definition, filter));
}

function castConditions(definition: ModelDefinition, filter: object): Record<string, unknown> {
  const cast: Record<string, unknown> = {};
  for (const [key, condition] of Object.entries(filter)) {
    const path = definition.storedPath(key);
    setOwn(cast, path, castField(definition, path, condition));
  }
  return cast;
}

/** A filter for documents whose fields equal these values, which are never operators. */
export function equalityFilter(definition: ModelDefinition, values: object): Record<string, unknown> {
  if (!isPlainObject(values))
    throw new UsageError(`findBy() takes an object of values, got ${typeName(values)}.`, definition.context);
  const filter: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (name.startsWith('$'))
      throw new UsageError(`findBy() compares fields: "${name}" is no field.`, definition.context);
    const compared = withIds(definition, name, value instanceof Literal ? value.value : value);
    // Another's undefined is refused with the rest of the filter, which names its path.
    setOwn(filter, name, compared === undefined ? compared : literal(compared));
  }
  return filter;
}

/**
 * An update as it is sent: a fresh copy with text as the values that it stands for where the schema says so.
 *
 * @throws UsageError for an operator without an object of paths, InvalidIdError for another string where an ObjectId belongs.
 * @throws ValidationError for a key that the schema does not name, where the model refuses such keys.
 * @throws EncodeError for what BSON cannot hold.
 */
export function castUpdate(definition: ModelDefinition, update: object): Record<string, Record<string, unknown>> {
  const cast: Record<string, Record<string, unknown>> = {};
  const issues: ValidationIssue[] = [];
  for (const [operator, operand] of Object.entries(update)) {
    if (!isPlainObject(operand)) {
      const text = `"${operator}" of an update takes an object of paths and values, got ${typeName(operand)}.`;
      throw new UsageError(text, definition.context);
    }
    setOwn(cast, operator, castOperand(definition, operator, operand, issues));
  }
  if (issues.length > 0) throw new ValidationError(issues, definition.context);
  return cast;
}

function castOperand(
  definition: ModelDefinition,
  operator: string,
  operand: object,
  issues: ValidationIssue[],
): Record<string, unknown> {
  const cast: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(operand)) {
    refuseDollarName(definition, operator, path);
    const isWritten = SETTING.has(operator) || OF_ELEMENTS.has(operator);
    const given = isWritten ? withIds(definition, path, value) : value;
    const sent = operator === '$pull' ? safePull(definition, given, path) : toExact(given, ABSENT, [operator, path]);
    const stored = definition.storedPath(path);
    if (operator === '$rename' && typeof sent === 'string') {
      const renamed = definition.storedPath(sent);
      checkNewName({ definition, path: renamed, issues });
      setOwn(cast, stored, renamed);
      continue;
    }
    const named = sent === undefined ? sent : namedOnly(operator, sent, { definition, path: stored, issues });
    if (named !== ABSENT) setOwn(cast, stored, castWritten(definition, operator, stored, named));
  }
  return cast;
}

function castWritten(definition: ModelDefinition, operator: string, stored: string, value: unknown): unknown {
  const place = SETTING.has(operator) || OF_ELEMENTS.has(operator) ? placeAt(definition, stored) : undefined;
  if (place === undefined) return value;
  const spot = { definition, path: definition.programPath(stored.split('.')) };
  if (SETTING.has(operator)) return castWhole(place, value, spot);
  const element = elementOf(place);
  if (operator === '$pull') return castElementMatch(element, value, spot);
  if (operator === '$pullAll') return castWhole(place, value, spot);
  if (!isPlainObject(value) || !Object.hasOwn(value, '$each')) return castWhole(element, value, spot);
  return { ...value, $each: castWhole(place, value['$each'], spot) };
}

/** What `$pull` removes: values, a condition on them, or one on their members. */
function safePull(definition: ModelDefinition, value: unknown, path: string): unknown {
  const place = { keys: ['$pull', path] };
  const isFilter = isPlainObject(value) && operatorIn(value) === undefined;
  return isFilter ? safeFilter(definition, value, place) : safeCondition(definition, value, place);
}

/** In a path only the positional `$`, `$[]` and `$[name]`, and the members of a DBRef, begin with a "$". */
function refuseDollarName(definition: ModelDefinition, operator: string, path: string): void {
  const [first = '', ...inner] = path.split('.');
  const wrong = first.startsWith('$') ? first : inner.find((key) => /^\$(?!$|\[|id$|ref$|db$)/.test(key));
  if (wrong === undefined) return;
  const text = `${operator} of "${path}" would write a field of the name "${wrong}": names that begin with "$" are kept for operators.`;
  throw new UsageError(text, definition.context);
}

function castField(definition: ModelDefinition, key: string, value: unknown): unknown {
  if (JOINING.has(key) && Array.isArray(value))
    return value.map((filter: object) => castConditions(definition, filter));
  if (key === '$expr') return renameInExpression(definition, value);
  const place = placeAt(definition, key);
  return place === undefined
    ? value
    : castCondition(place, value, { definition, path: definition.programPath(key.split('.')) });
}

/** Filters of elements, by the identifiers that the paths of an update have for them: `items.$[e].qty`. */
export function castArrayFilters(
  definition: ModelDefinition,
  filters: readonly Record<string, unknown>[],
  update: object,
): Record<string, unknown>[] {
  const places = new Map<string, Place | undefined>();
  const operands = isPlainObject(update) ? Object.values(update) : [];
  for (const path of operands.flatMap((operand) => (isPlainObject(operand) ? Object.keys(operand) : [])))
    for (const { 1: name = '', index } of path.matchAll(/\.\$\[(\w+)\]/g))
      places.set(name, placeAt(definition, definition.storedPath(`${path.slice(0, index)}.$[]`)));
  const castOne = (filter: Record<string, unknown>): Record<string, unknown> => {
    const cast: Record<string, unknown> = {};
    for (const [key, condition] of Object.entries(filter)) {
      if (JOINING.has(key) && Array.isArray(condition)) setOwn(cast, key, condition.map(castOne));
      else setOwn(cast, key, castOfElement(definition, places, key, condition));
    }
    return cast;
  };
  return filters.map(castOne);
}

function castOfElement(
  definition: ModelDefinition,
  places: ReadonlyMap<string, Place | undefined>,
  key: string,
  condition: unknown,
): unknown {
  const [name = '', ...inner] = key.split('.');
  const place = places.get(name);
  const spot = { definition, path: `arrayFilters.${name}` };
  if (inner.length === 0) return castCondition(place, condition, spot);
  const member = inner.join('.');
  return (castElementMatch(place, { [member]: condition }, spot) as Record<string, unknown>)[member];
}

import { isPlainObject, setOwn } from './bson/copy.ts';
import type { ModelDefinition } from './definition.ts';
import { UsageError } from './errors.ts';

/** Operators that take the name of a field as it is, without a `$`. */
const NAMING = new Set(['$getField', '$setField', '$unsetField']);
const ROOTS = ['$$ROOT', '$$CURRENT'];

/**
 * An aggregation expression with the paths of the document's fields as they are stored. What `$literal` holds stays, and
 * so do paths below variables of the expression's own.
 */
export function storedExpression(definition: ModelDefinition, expression: unknown): unknown {
  if (!definition.renames) return expression;
  const inner = (each: unknown): unknown => storedExpression(definition, each);
  if (typeof expression === 'string') return storedReference(definition, expression);
  if (Array.isArray(expression)) return expression.map(inner);
  if (!isPlainObject(expression)) return expression;
  const stored = {};
  for (const [key, value] of Object.entries(expression)) {
    if (key === '$literal') setOwn(stored, key, value);
    else if (NAMING.has(key)) setOwn(stored, key, storedNaming(definition, value));
    else setOwn(stored, key, inner(value));
  }
  return stored;
}

/** `'$minimum'`, `'$$ROOT.minimum'`; other strings are values. */
function storedReference(definition: ModelDefinition, text: string): string {
  const root = ROOTS.find((variable) => text.startsWith(`${variable}.`));
  const start = root !== undefined ? root.length + 1 : text.startsWith('$') && !text.startsWith('$$') ? 1 : undefined;
  return start === undefined ? text : text.slice(0, start) + definition.storedPath(text.slice(start));
}

/** What `$getField` and its like take: a name alone, or a name and the object that is to have it. */
function storedNaming(definition: ModelDefinition, operand: unknown): unknown {
  if (typeof operand === 'string') return definition.storedPath(operand);
  if (!isPlainObject(operand)) return operand;
  const { field, input } = operand;
  const ofDocument = input === undefined || ROOTS.includes(input as string);
  const rest = storedExpression(definition, operand) as object;
  return { ...rest, field: typeof field === 'string' && ofDocument ? definition.storedPath(field) : field };
}

/**
 * The stages of an update with the document's fields as they are stored.
 *
 * @throws UsageError for `$replaceWith`, whose members could be of any object.
 */
export function storedStages(definition: ModelDefinition, stages: readonly unknown[]): unknown[] {
  return stages.map((stage) => (definition.renames && isPlainObject(stage) ? storedStage(definition, stage) : stage));
}

function storedStage(definition: ModelDefinition, stage: Record<string, unknown>): object {
  const stored = Object.entries(stage).map(([name, operand]) => [name, storedOperand(definition, name, operand)]);
  return Object.fromEntries(stored) as object;
}

function storedOperand(definition: ModelDefinition, stage: string, operand: unknown): unknown {
  if (stage === '$replaceWith' || stage === '$replaceRoot') {
    const text = `${stage} would make a document of stored names, and this model has others, given by stored(): use $set and $unset.`;
    throw new UsageError(text, definition.context);
  }
  if (stage === '$unset') {
    const paths: unknown[] = Array.isArray(operand) ? operand : [operand];
    return paths.map((path) => (typeof path === 'string' ? definition.storedPath(path) : path));
  }
  if (!isPlainObject(operand)) return operand;
  const stored = {};
  for (const [path, value] of Object.entries(operand))
    setOwn(stored, definition.storedPath(path), storedExpression(definition, value));
  return stored;
}

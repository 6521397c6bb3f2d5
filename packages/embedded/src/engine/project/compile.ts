// Projections of find and of the aggregation stages that reshape documents.
// https://www.mongodb.com/docs/manual/reference/operator/projection/
import { ServerError } from '../../errors.ts';
import { compileExpression, fieldPath, isKnownOperator, isOperatorExpression } from '../expression/compile.ts';
import { type Environment, truthy } from '../expression/operator.ts';
import { type MatchDetails, matcher } from '../match/compile.ts';
import { toSafeInteger } from '../../values/number.ts';
import { assign, type Branch, branch, exclude, include, type Leaf, plant } from './tree.ts';
import { show } from '../../values/text.ts';
import { type Document, isArray, isDocument, isNumeric, type Value } from '../../values/value.ts';

/** Makes the projected document; `details` are those of the filter's match, for the positional `$`. */
export type Projector = (document: Document, details?: MatchDetails) => Document;

export interface ProjectOptions extends Environment {
  /** True where this is the stage `$project`, which lacks find's own operators and must name a field. @default false */
  readonly stage?: boolean;
}

const INCLUDE: Leaf = { kind: 'include' };
const EXCLUDE: Leaf = { kind: 'exclude' };
const ID = '_id';

/**
 * Compiles a projection for many documents.
 * @throws ServerError 31253, 31254 for a mixture of inclusion and exclusion, 31249 for paths in each other's way …
 */
export function projector(spec: Document, options: ProjectOptions = {}): Projector {
  const parsed = new Parser(options);
  for (const [path, value] of spec) parsed.field(path, value);
  if (spec.size === 0) {
    if (options.stage === true) throw new ServerError(51272, 'projection specification must have at least one field');
    return (document) => document;
  }
  const { positional } = parsed;
  const project = parsed.finish();
  if (positional === undefined) return project;
  return (document, details) => withMatchedElement(project(document), document, positional, details?.index);
}

/** Puts the element that the filter matched in the place of the first array on a path. */
function withMatchedElement(
  projected: Document,
  document: Document,
  [name = '', ...rest]: readonly string[],
  index: number | undefined,
): Document {
  const value = document.get(name);
  const inner = projected.get(name);
  if (isDocument(value) && isDocument(inner) && rest.length > 0) {
    return projected.set(name, withMatchedElement(inner, value, rest, index));
  }
  if (!isArray(value)) return projected;
  const element = index === undefined ? undefined : value[index];
  if (element !== undefined) return projected.set(name, [element]);
  throw new ServerError(
    51246,
    "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array",
  );
}

/** The stage `$set`: new values by path, from expressions. `stage` is its name in errors. */
export function fieldSetter(spec: Document, stage: string, environment: Environment): (document: Document) => Document {
  const root = branch();
  try {
    plantExpressions(root, [], spec, environment);
  } catch (error) {
    throw error instanceof ServerError ? error.within(`Invalid ${stage}`) : error;
  }
  return (document) => assign(root, document, document);
}

function plantExpressions(root: Branch, prefix: readonly string[], spec: Document, environment: Environment): void {
  for (const [name, value] of spec) {
    if (prefix.length > 0 && name.includes('.')) {
      throw new ServerError(40183, `cannot use dotted field name '${name}' in a sub object`);
    }
    const path = [...prefix, ...fieldPath(name)];
    if (isDocument(value) && value.size > 0 && !isExpression(value)) {
      plantExpressions(root, path, value, environment);
    } else {
      const compute = compileExpression(value, environment);
      plant(root, path, { kind: 'compute', compute }, () => conflict(path));
    }
  }
}

/** True where an object is an expression, not more fields. */
function isExpression(object: Document): boolean {
  const isOperator = [...object.keys()].some((name) => name.startsWith('$'));
  if (isOperator && object.size > 1) {
    throw new ServerError(
      40181,
      `an expression specification must contain exactly one field, the name of the expression. Found ${object.size} fields`,
    );
  }
  return isOperator;
}

function conflict(path: readonly string[]): ServerError {
  return new ServerError(40176, `specification contains two conflicting paths, at '${path.join('.')}'`);
}

/** The stage `$unset`: the paths to leave out. */
export function fieldRemover(paths: Value): (document: Document) => Document {
  const list = isArray(paths) ? paths : [paths];
  if (list.length === 0)
    throw new ServerError(31119, '$unset specification must be a string or an array with at least one field');
  const root = branch();
  for (const path of list) {
    if (typeof path !== 'string') {
      throw new ServerError(31002, '$unset specification must be a string or an array containing only string values');
    }
    plant(root, fieldPath(path), EXCLUDE, (below) => collision(path, below));
  }
  return (document) => exclude(root, document);
}

function collision(path: string, below: readonly string[] = []): ServerError {
  return below.length === 0
    ? new ServerError(31250, `Path collision at ${path}`)
    : new ServerError(31249, `Path collision at ${path} remaining portion ${below.join('.')}`);
}

class Parser {
  /** The path to the array whose matched element is wanted: one that ended with `.$`. */
  positional: readonly string[] | undefined;
  readonly #root = branch();
  readonly #options: ProjectOptions;
  #id: boolean | undefined;
  /** What the fields other than `_id` asked for first. */
  #mode: 'include' | 'exclude' | undefined;

  constructor(options: ProjectOptions) {
    this.#options = options;
  }

  field(name: string, value: Value, prefix: readonly string[] = []): void {
    if (name.endsWith('.$') && prefix.length === 0 && this.#options.stage !== true) return this.#positionalField(name);
    const path = [...prefix, ...fieldPath(name)];
    if (typeof value === 'boolean' || isNumeric(value)) return this.#flag(path, truthy(value));
    if (isDocument(value)) return this.#document(path, value);
    this.#compute(path, value);
  }

  finish(): Projector {
    const root = this.#root;
    const mode = this.#mode ?? this.#defaultMode();
    if (mode === 'exclude') {
      if (this.#id === false) root.children.set(ID, EXCLUDE);
      return (document) => exclude(root, document);
    }
    if (this.#id !== false && !root.children.has(ID)) root.children.set(ID, INCLUDE);
    return (document) => include(root, document, document);
  }

  /** Where no field but `_id` says whether the others are wanted. */
  #defaultMode(): 'include' | 'exclude' {
    return this.#id === true ? 'include' : 'exclude';
  }

  #flag(path: readonly string[], wanted: boolean): void {
    if (path.length === 1 && path[0] === ID) {
      if (this.#id !== undefined) throw collision(ID);
      this.#id = wanted;
      return;
    }
    this.#switch(path, wanted ? 'include' : 'exclude');
    this.#plant(path, wanted ? INCLUDE : EXCLUDE);
  }

  #document(path: readonly string[], value: Document): void {
    if (value.size === 0) {
      throw new ServerError(
        51270,
        `An empty sub-projection is not a valid value. Found empty object at path ${path.join('.')}`,
      );
    }
    if (!isOperatorExpression(value)) {
      for (const [name, inner] of value) this.field(name, inner, path);
      return;
    }
    const transform = this.#options.stage === true ? undefined : findOperator(value, this.#options);
    if (transform === undefined) return this.#operator(path, value);
    // `$slice` leaves the other fields as they are, `$elemMatch` asks for its own.
    const isElemMatch = value.has('$elemMatch');
    if (isElemMatch) this.#mode ??= 'include';
    this.#plant(path, { kind: 'transform', transform, last: isElemMatch });
  }

  #operator(path: readonly string[], value: Document): void {
    const [name = ''] = value.keys();
    if (!isKnownOperator(name)) throw new ServerError(31325, `Unknown expression ${name}`);
    this.#compute(path, value);
  }

  #compute(path: readonly string[], expression: Value): void {
    const compute = compileExpression(expression, this.#options);
    if (this.#mode === 'exclude') {
      throw isDocument(expression)
        ? new ServerError(31252, 'Cannot use an expression other than $meta in exclusion projection')
        : new ServerError(31310, `Cannot use an expression ${show(expression)} in an exclusion projection`);
    }
    this.#mode = 'include';
    this.#plant(path, { kind: 'compute', compute });
  }

  #positionalField(name: string): void {
    const path = fieldPath(name.slice(0, -2));
    if (this.positional !== undefined) {
      throw new ServerError(31276, 'Cannot specify more than one positional projection per query.');
    }
    this.positional = path;
    this.#flag(path, true);
  }

  #switch(path: readonly string[], mode: 'include' | 'exclude'): void {
    this.#mode ??= mode;
    if (this.#mode === mode) return;
    const field = path.join('.');
    throw mode === 'include'
      ? new ServerError(31253, `Cannot do inclusion on field ${field} in exclusion projection`)
      : new ServerError(31254, `Cannot do exclusion on field ${field} in inclusion projection`);
  }

  #plant(path: readonly string[], leaf: Leaf): void {
    plant(this.#root, path, leaf, (below) => collision(path.join('.'), below));
  }
}

type Transform = (value: Value) => Value | undefined;

/** The operators that only find has; `undefined` for an expression. */
function findOperator(operator: Document, environment: Environment): Transform | undefined {
  const [[name = '', argument = null] = []] = operator;
  if (name === '$elemMatch') return elemMatch(argument, environment);
  if (name === '$meta') throw new ServerError(238, 'The projection $meta is not supported');
  return name === '$slice' ? slice(argument) : undefined;
}

function elemMatch(argument: Value, environment: Environment): Transform {
  if (!isDocument(argument)) throw new ServerError(31274, 'elemMatch: Invalid argument, object required');
  const matches = matcher(new Map([['a', new Map([['$elemMatch', argument]])]]), environment);
  return (value) => {
    if (!isArray(value)) return undefined;
    const details: MatchDetails = { index: undefined };
    const found = matches(new Map([['a', value]]), details) ? value[details.index ?? 0] : undefined;
    return found === undefined ? undefined : [found];
  };
}

/** `n` from the start, or from the end if negative; or `[skip, n]`. Anything else is the expression of that name. */
function slice(argument: Value): Transform | undefined {
  const [first, second] = (isArray(argument) ? argument : [argument]).map(toSafeInteger);
  if (first === undefined || (isArray(argument) && second === undefined)) return undefined;
  if (second === undefined) {
    return (value) => (isArray(value) ? (first < 0 ? value.slice(first) : value.slice(0, first)) : value);
  }
  if (second <= 0) throw new ServerError(28724, '$slice limit must be positive');
  return (value) => {
    if (!isArray(value)) return value;
    const start = first < 0 ? Math.max(0, value.length + first) : first;
    return value.slice(start, start + second);
  };
}

import { canonicalText } from '../bson/canonical-text.ts';
import { boundLike } from '../definition/bound-like.ts';
import { classOf } from '../definition/classes.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { SchemaError, UsageError } from '../errors.ts';
import { literal, trusted } from '../filter/literal.ts';
import { ELEMENTS, type RulePlace, rulePlaces, type Step, VALUES } from '../schema/references-in.ts';
import type { SchemaField } from '../schema/schema-field.ts';
import type { DeleteRule, ReferenceTarget } from '../schema/schema-library.ts';
import { isLinked, type Linked, type LinkedModel } from './linked.ts';
import { storedAs } from './targets.ts';
import { emptyAt, NOTHING } from './without-references.ts';

/*
 * The rules of references about deletions (`onDelete`), from the side of the model that is referred to: which models have some.
 */

/** What deletions of documents take. */
export interface RulesOptions {
  /**
   * Whether the delete rules of references to the documents are followed. Methods that delete many need it, where there are such
   * rules.
   * @default 'apply' for methods that delete one document
   */
  readonly rules?: 'apply' | 'ignore' | undefined;
}

/** A rule as a model declares it. */
interface Declared {
  readonly definition: ModelDefinition;
  /** What `model()` gave. */
  readonly base: LinkedModel;
  readonly field: SchemaField;
  readonly steps: readonly Step[];
  readonly target: ReferenceTarget;
}

/** A rule about the deletion of one model's documents. */
export interface Rule {
  readonly kind: DeleteRule;
  /** The model whose documents refer to them, on the same connection. */
  readonly referrers: ModelDefinition;
  /** The field with the reference. */
  readonly field: SchemaField;
  /** The path of the reference, for people. */
  readonly path: string;
  readonly target: ReferenceTarget;
  /** What stands in the reference for the document with this id. */
  readonly stored: (id: unknown) => unknown;
  /** A filter for what refers to documents with these ids, in the program's names. */
  filter(ids: readonly unknown[]): object;
  /** The class of the documents that refer. @throws UsageError where nobody named it or used it. */
  model(): LinkedModel;
}

const declared: Declared[] = [];
/** What classes of a model have in common: the prototype of what `model()` gave. */
const bases = new WeakMap<ModelDefinition, object>();
const rules = new WeakMap<ModelDefinition, { readonly rules: readonly Rule[]; readonly count: number }>();

/** Notes the rules that a model's references have. @throws SchemaError for one that could not be followed. */
export function declareRules({ prototype }: { readonly prototype: object }, definition: ModelDefinition): void {
  bases.set(definition, definition.bound === undefined ? prototype : unboundBase(prototype));
  if (definition.references === null || definition.bound !== undefined) return;
  const above = definition.kin.parent?.definition.fields;
  for (const field of definition.references.values()) {
    // Those that a class inherits are about its documents, too.
    if (above?.has(field.name) === true) continue;
    for (const at of rulePlaces(field.place)) {
      checkPlace(definition, field, at);
      declared.push({
        definition,
        base: (prototype as Linked).constructor as never,
        field,
        steps: at.steps,
        target: at.target,
      });
    }
  }
}

/** A model that `using()` bound to a connection extends the one that it was. */
function unboundBase(prototype: object): object {
  const { [definitionKey]: definition } = prototype as Linked;
  return definition.bound === undefined && Object.hasOwn(prototype, definitionKey)
    ? prototype
    : unboundBase(Object.getPrototypeOf(prototype) as object);
}

function checkPlace({ context }: ModelDefinition, field: SchemaField, { steps, place, target, isEndless }: RulePlace) {
  const path = pathOf(field, steps);
  const refuse = (text: string): never => {
    throw new SchemaError(`The reference "${path}" has a delete rule, ${text}.`, context);
  };
  if (isEndless) refuse('and a schema around it contains itself: nobody could find all documents that refer');
  if (steps.some((step) => typeof step === 'string' && /^\$|[.]/.test(step)))
    refuse('and a name on its path that no path can have: give it another one');
  const isElement = steps.at(-1) === ELEMENTS || steps.at(-1) === VALUES;
  if (target.onDelete === 'unset' && !isElement && emptyAt(place, steps.at(-1)) === NOTHING)
    refuse('"unset", and can neither be absent nor null: make it optional() or nullable()');
}

function pathOf({ programName }: SchemaField, steps: readonly Step[]): string {
  const names = steps.flatMap((step) => (step === ELEMENTS ? [] : [step === VALUES ? '*' : String(step)]));
  return [programName, ...names].join('.');
}

/** The rules about the deletion of a model's documents. */
export function rulesOf(definition: ModelDefinition): readonly Rule[] {
  const known = rules.get(definition);
  if (known?.count === declared.length) return known.rules;
  // Of a file that is evaluated twice the last one counts.
  const last = new Map<string, Declared[]>();
  for (const each of declared) {
    if (!refersTo(each, definition)) continue;
    const { collectionName, conditions } = each.definition;
    const key = [collectionName, canonicalText(conditions), pathOf(each.field, each.steps)].join('\0');
    const others = last.get(key)?.filter((other) => other.definition === each.definition) ?? [];
    last.set(key, [...others, each]);
  }
  const made = [...last.values()].flat().map((each) => ruleOf(each, definition));
  rules.set(definition, { rules: made, count: declared.length });
  return made;
}

/** True where the target is the model, extends it, or is extended by it. A class that is not there yet is none of these. */
function refersTo({ target }: Declared, definition: ModelDefinition): boolean {
  const one = bases.get(definition);
  try {
    return target.models().some((model) => {
      const other = bases.get(definitionIn(model as LinkedModel));
      return one !== undefined && other !== undefined && isFamily(one, other);
    });
  } catch {
    return false;
  }
}

function isFamily(one: object, other: object): boolean {
  return one === other || extendsIt(one, other) || extendsIt(other, one);
}

function extendsIt(prototype: object, other: object): boolean {
  return Object.prototype.isPrototypeOf.call(other, prototype);
}

function ruleOf({ base, definition, field, steps, target }: Declared, meant: ModelDefinition): Rule {
  const path = pathOf(field, steps);
  const stored = (id: unknown): unknown => storedAs(target, meant.collectionName, id);
  const named = (): LinkedModel => {
    const model =
      target.referrer?.() ?? definition.kin.claimed(isModel, definition.collectionName) ?? classOf(definition);
    if (isModel(model)) return model;
    const text = `Documents of "${definition.collectionName}" refer to these by "${path}", and their class, which may have hooks, was not used yet: name it beside the rule, as { onDelete: '${target.onDelete}', class: () => TheClass }.`;
    throw new UsageError(text, meant.context);
  };
  return {
    kind: target.onDelete as DeleteRule,
    get referrers() {
      return definitionIn(boundLike(base, meant));
    },
    field,
    path,
    target,
    filter: (ids) => referringFilter(field.programName, steps, ids.map(stored)),
    stored,
    model: () => boundLike(named(), meant),
  };
}

function isModel(value: unknown): value is LinkedModel {
  return typeof value === 'function' && isLinked((value as { readonly prototype?: unknown }).prototype);
}

function definitionIn({ prototype }: LinkedModel): ModelDefinition {
  return prototype[definitionKey];
}

/** Paths pass an array, but not one in another, and no record: there an expression looks. */
function referringFilter(name: string, steps: readonly Step[], ids: readonly unknown[]): object {
  const isPath = steps.every((step, i) => step !== VALUES && (step !== ELEMENTS || steps[i + 1] !== ELEMENTS));
  if (!isPath) return trusted({ $expr: anyIn(`$${name}`, steps, ids) });
  const path = [name, ...steps.filter((step) => step !== ELEMENTS)].join('.');
  return trusted({ [path]: { $in: ids.map((id) => literal(id)) } });
}

/** An expression: whether any of the references below a value is one of these. */
function anyIn(value: string, [step, ...steps]: readonly Step[], ids: readonly unknown[], depth = 0): object {
  if (step === undefined) return { $in: [value, { $literal: ids }] };
  if (typeof step === 'string') return anyIn(`${value}.${step}`, steps, ids, depth);
  const each = `v${depth}`;
  const list =
    step === VALUES
      ? { $cond: [{ $eq: [{ $type: value }, 'object'] }, { $objectToArray: value }, []] }
      : { $cond: [{ $isArray: [value] }, value, []] };
  const input = typeof step === 'number' ? { $slice: [list, step, 1] } : list;
  const inside = anyIn(step === VALUES ? `$$${each}.v` : `$$${each}`, steps, ids, depth + 1);
  return { $anyElementTrue: [{ $map: { input, as: each, in: inside } }] };
}

/** @throws UsageError for another value than the option takes. */
export function checkRules(method: string, { context }: ModelDefinition, value: unknown): void {
  if (value === undefined || value === 'apply' || value === 'ignore') return;
  throw new UsageError(`${method}() takes 'apply' or 'ignore' as "rules".`, context);
}

/**
 * The rules that a deletion of many documents follows.
 *
 * @throws UsageError where there are some, and the program does not say what becomes of them.
 */
export function rulesForMany(
  method: string,
  definition: ModelDefinition,
  given: RulesOptions['rules'],
): readonly Rule[] {
  checkRules(method, definition, given);
  if (given === 'ignore') return [];
  const found = rulesOf(definition);
  if (found.length === 0 || given === 'apply') return found;
  const { referrers, path } = found[0] as Rule;
  const text = `References to these documents have delete rules ("${path}" of "${referrers.collectionName}"): pass { rules: 'apply' }, which finds what refers to each of them, or { rules: 'ignore' }.`;
  throw new UsageError(`${method}(): ${text}`, definition.context);
}

import type { StandardSchemaV1 } from '@standard-schema/spec';
import { type Identities, pairElements } from '../bson/identity.ts';
import { setOwn } from '../bson/plain-object.ts';
import type { ValidationIssue } from '../errors.ts';
import { hasMember, isMembers, keysIn, memberAt, type Members } from '../schema/members.ts';
import { isSame } from '../schema/pair-elements.ts';
import { droppable, issueBelow, type SchemaField, type Verdict } from '../schema/schema-field.ts';
import { givenTo, property, runWaiting } from '../schema/schema-library.ts';
import type { Place } from '../schema/schema-shape.ts';
import { placesInto } from '../schema/structure.ts';
import type { DocumentState } from './document-state.ts';
import { extentAt } from './loaded-part.ts';

/**
 * Runs a field's validator. The schema of a field loaded in part misses what was not loaded: what it finds wrong there,
 * or with an object as a whole, counts for nothing. What was loaded as a whole inside of it, and elements that are new, are
 * given to their own schemas.
 */
export function validateLoaded(state: DocumentState, field: SchemaField, value: unknown): Verdict | Promise<Verdict> {
  const verdict = field.validate(value);
  if (extentAt(state, [field.name]) === 'whole') return verdict;
  const limit = ({ issues = [] }: Verdict): Verdict | Promise<Verdict> => {
    const counting = issues.filter(({ keys: [, ...inner] }) => extentAt(state, [field.name, ...inner]) === 'whole');
    const judge = new LoadedJudge(state, field, counting);
    const output = judge.walk([], value, state.baseline.original(field.name), [field.place], field.identities);
    const decide = (): Verdict => (judge.issues.length > 0 ? { issues: judge.issues } : { value: output });
    return judge.waiting.length > 0 ? droppable(Promise.all(judge.waiting).then(decide)) : decide();
  };
  return verdict instanceof Promise ? droppable(verdict.then(limit)) : limit(verdict);
}

/** Takes what becomes of a value, which may be later. */
type Put = (output: unknown) => void;

class LoadedJudge {
  readonly issues: ValidationIssue[];
  readonly waiting: Promise<void>[] = [];
  readonly #state: DocumentState;
  readonly #field: SchemaField;

  constructor(state: DocumentState, field: SchemaField, issues: ValidationIssue[]) {
    this.#state = state;
    this.#field = field;
    this.issues = issues;
  }

  /**
   * The value with what the schemas inside make of it.
   *
   * @param places whose schema it may be; null where nobody can tell.
   */
  walk(
    keys: readonly (string | number)[],
    value: unknown,
    original: unknown,
    places: readonly Place[] | null,
    identities: Identities | undefined,
  ): unknown {
    if (Array.isArray(value)) {
      const origins = originsOf(value, original, identities);
      const output: unknown[] = [...(value as unknown[])];
      value.forEach((element, i) => {
        const origin = origins(i);
        const inside = { keys: [...keys, i], places: stepAll(places, i, value), identities: identities?.at(i) };
        const put = (made: unknown): void => void (output[i] = made);
        if (origin === undefined) this.#judge(inside.keys, element, inside.places, put);
        else this.#inside(inside, element, origin.value, put);
      });
      return output;
    }
    if (!isMembers(value)) return value;
    const output: Members = value instanceof Map ? new Map(value) : { ...value };
    for (const key of keysIn(value)) {
      const before = hasMember(original, key) ? memberAt(original as Members, key) : undefined;
      const inside = { keys: [...keys, key], places: stepAll(places, key, value), identities: identities?.at(key) };
      this.#inside(inside, memberAt(value, key), before, (made) => {
        if (output instanceof Map) output.set(key, made);
        else setOwn(output, key, made);
      });
    }
    return output;
  }

  #inside({ keys, places, identities }: Inside, value: unknown, original: unknown, put: Put): void {
    const extent = extentAt(this.#state, [this.#field.name, ...keys]);
    if (extent === 'part') put(this.walk(keys, value, original, places, identities));
    else if (extent === 'whole' && value !== undefined && !isSame(value, original))
      this.#judge(keys, value, places, put);
  }

  /** Asks each schema that it may be. Those that take it must agree on what they make of it. */
  #judge(keys: readonly (string | number)[], value: unknown, places: readonly Place[] | null, put: Put): void {
    if (places === null) return this.#untold(keys);
    const asked = places.flatMap(({ schema }) => (isSchema(schema) ? [this.#ask(schema, value)] : []));
    const decide = (results: readonly StandardSchemaV1.Result<unknown>[]): void => {
      const [first, ...others] = results.flatMap((result) => (result.issues === undefined ? [result] : []));
      if (first === undefined) return this.#refused(keys, results[0]?.issues ?? []);
      if (others.every((other) => isSame(first.value, other.value))) put(first.value);
      else this.#untold(keys);
    };
    const waits = asked.some((result) => result instanceof Promise);
    if (waits) this.waiting.push(droppable(Promise.all(asked.map((result) => Promise.resolve(result))).then(decide)));
    else decide(asked as readonly StandardSchemaV1.Result<unknown>[]);
  }

  #ask(schema: StandardSchemaV1, value: unknown): ReturnType<StandardSchemaV1['~standard']['validate']> {
    const result = this.#field.isAsync
      ? runWaiting(schema, value)
      : schema['~standard'].validate(givenTo(schema, value));
    return 'then' in result ? droppable(Promise.resolve(result)) : result;
  }

  #untold(keys: readonly (string | number)[]): void {
    const message =
      'nobody can tell what the schema makes of this change, since the field was loaded in part: load it as a whole';
    this.#refused(keys, [{ message }]);
  }

  /** What the field's schema found is not said twice. */
  #refused(keys: readonly (string | number)[], found: readonly StandardSchemaV1.Issue[]): void {
    for (const each of found) {
      const issue = issueBelow([this.#field.programName, ...keys], each);
      if (!this.issues.some(({ path }) => path === issue.path)) this.issues.push(issue);
    }
  }
}

interface Inside {
  readonly keys: readonly (string | number)[];
  readonly places: readonly Place[] | null;
  readonly identities: Identities | undefined;
}

/** By the index of an element what it was; undefined for a new one. Without identities an array loaded in part can only grow at its end. */
function originsOf(
  value: readonly unknown[],
  original: unknown,
  identities: Identities | undefined,
): (i: number) => { readonly value: unknown } | undefined {
  const base = Array.isArray(original) ? (original as readonly unknown[]) : [];
  const origins = pairElements(value, base, identities)?.origins;
  return (i) => {
    const origin = origins === undefined ? i : (origins[i] as number);
    return origin >= 0 && origin < base.length ? { value: base[origin] } : undefined;
  };
}

function stepAll(places: readonly Place[] | null, step: string | number, value: unknown): readonly Place[] | null {
  const found = new Set<Place>();
  for (const place of places ?? []) {
    const inside = placesInto(place, step, value);
    if (inside === null) return null;
    for (const each of inside) found.add(each);
  }
  return places === null ? null : [...found];
}

function isSchema(schema: unknown): schema is StandardSchemaV1 {
  return typeof property(property(schema, '~standard'), 'validate') === 'function';
}

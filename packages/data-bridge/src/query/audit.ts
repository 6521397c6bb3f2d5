import { isPlainObject } from '../bson/plain-object.ts';
import { modelSchema } from '../collection-sync/model-schema.ts';
import { translate } from '../connection/write-outcome.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { stateOf } from '../document/tracked-document.ts';
import { UsageError } from '../errors.ts';
import { fieldOf, keyOf, type Linked } from '../references/linked.ts';
import { Reference } from '../references/reference.ts';
import { typeName } from '../schema/bson-types.ts';
import type { Document } from '../save/document.ts';
import { validateStored } from '../save/validate-stored.ts';
import type { Query } from './query.ts';

/** How `audit()` goes about it. */
export interface AuditOptions {
  /**
   * Whether every document is read and validated. Otherwise the server looks for those that break the model's JSON Schema, and
   * these alone are validated: what JSON Schema has no words for is not found.
   * @default false
   */
  readonly full?: boolean;
  /**
   * Whether it looks for references to documents that are not there.
   * @default true
   */
  readonly references?: boolean;
  /** Is told now and then how many documents were looked at. */
  readonly onProgress?: (seen: number) => unknown;
}

/** What is wrong with some stored documents in the same way. */
export interface AuditFinding {
  /** The dotted path, with `*` for each element of an array; the document as a whole where it is empty. */
  readonly path: string;
  /** The sentence of the rule that is broken, without values. */
  readonly rule: string;
  /** In how many places. */
  readonly count: number;
  /** The `_id`s of up to three of the documents. */
  readonly ids: readonly unknown[];
}

/** So many `_id`s are told of each finding. */
const SAMPLES = 3;
/** Findings beyond are counted as one: the paths of records may be as many as documents. */
const MAX_FINDINGS = 1_000;
/** So many documents come at once: what has been read of them goes with the batch. */
export const AUDIT_BATCH = 1_000;
/** So many references are looked up at once. */
const CHUNK = 1_000;
const PROGRESS = 1_000;

const SCHEMA_RULE = 'breaks the JSON Schema of the model';

/** What finds all documents that match, whatever extensions leave out. */
type Find = (filter: object) => Query<Document<unknown>>;

/**
 * Looks for stored documents that do not satisfy the model: see `Model.audit()`. The findings come when all documents have been
 * seen; what is kept meanwhile is counts and a few ids.
 */
export async function* audit(
  definition: ModelDefinition,
  find: Find,
  options: AuditOptions,
): AsyncGenerator<AuditFinding, void> {
  checkAudit(definition, options);
  const { full = false, references = true, onProgress } = options;
  const findings = new Findings();
  let seen = 0;
  const count = async (): Promise<void> => {
    if (++seen % PROGRESS === 0) await onProgress?.(seen);
  };
  try {
    await addUnclaimed(definition, findings);
    const candidates = full ? {} : { $nor: [{ $jsonSchema: modelSchema(definition) }] };
    for await (const document of find(claimed(definition, candidates)).whole()) {
      const id = stateOf(document).baseline.original('_id');
      const issues = await validateStored(stateOf(document));
      for (const { keys, rule } of issues) findings.add(pathOf(keys), rule, id);
      if (!full && issues.length === 0) findings.add('', SCHEMA_RULE, id);
      await count();
    }
    const refer = definition.kin.all.some((each) => each.definition.references !== null);
    if (references && refer) await addDangling(definition, find, findings, count);
  } catch (error) {
    throw translate(error, definition.context);
  }
  if (seen % PROGRESS !== 0 || seen === 0) await onProgress?.(seen);
  yield* findings.all();
}

class Findings {
  readonly #found = new Map<string, { path: string; rule: string; count: number; ids: unknown[] }>();

  add(path: string, rule: string, id: unknown): void {
    const key = JSON.stringify([path, rule]);
    const others = JSON.stringify(['']);
    const isKnown = this.#found.has(key) || this.#found.size < MAX_FINDINGS;
    const at = isKnown ? key : others;
    const finding =
      this.#found.get(at) ??
      (isKnown ? { path, rule, count: 0, ids: [] } : { path: '', rule: 'others', count: 0, ids: [] });
    this.#found.set(at, finding);
    finding.count++;
    if (finding.ids.length < SAMPLES && !finding.ids.some((each) => keyOf(each) === keyOf(id))) finding.ids.push(id);
  }

  /** Adds what was counted elsewhere. */
  put(finding: AuditFinding): void {
    this.#found.set(JSON.stringify([finding.path, finding.rule]), { ...finding, ids: [...finding.ids] });
  }

  /** The most frequent ones first. */
  all(): AuditFinding[] {
    return [...this.#found.values()].toSorted((a, b) => b.count - a.count);
  }
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => (typeof key === 'number' ? '*' : key)).join('.');
}

/** What finds the documents that no class of a hierarchy reads; null where there are none of that kind. */
function unclaimedIn({ kin }: ModelDefinition): Record<string, unknown> | null {
  if (kin.isAlone || kin.parent !== null || kin.unknownType === 'parent') return null;
  return { [kin.key]: { $nin: [...kin.types, null] } };
}

/** A filter without what cannot be read. */
function claimed(definition: ModelDefinition, filter: object): object {
  const unclaimed = unclaimedIn(definition);
  return unclaimed === null ? filter : { $and: [filter, { $nor: [unclaimed] }] };
}

async function addUnclaimed(definition: ModelDefinition, findings: Findings): Promise<void> {
  const unclaimed = unclaimedIn(definition);
  if (unclaimed === null) return;
  const rule = 'is a type that no class has';
  const count = await definition.collection().countDocuments(unclaimed);
  if (count === 0) return;
  const some = definition.collection().find(unclaimed, { projection: { _id: 1 }, limit: SAMPLES });
  const ids = (await some.toArray()).map(({ _id }): unknown => _id);
  findings.put({ path: definition.kin.key, rule, count, ids });
}

/** A reference of a document that was read, by where it stands. */
interface Found {
  readonly reference: Reference;
  readonly path: string;
  readonly id: unknown;
}

async function addDangling(
  definition: ModelDefinition,
  find: Find,
  findings: Findings,
  count: () => Promise<void>,
): Promise<void> {
  const { kin, references } = definition;
  const names = [...(references?.keys() ?? [])].map((name) => definition.programName(name));
  const all = find(claimed(definition, {}));
  const documents = kin.isAlone ? all.select(...(names as never[])) : all.whole();
  let waiting: Found[] = [];
  const flush = async (): Promise<void> => {
    const checked = waiting;
    waiting = [];
    for (const { path, id, reference } of await missingAmong(checked)) {
      const target = reference[definitionKey].collectionName;
      findings.add(path, `refers to a document of "${target}" that is not there`, id);
    }
  };
  for await (const document of documents as AsyncIterable<Document<unknown>>) {
    const linked = document as unknown as Linked;
    const id = stateOf(document).baseline.original('_id');
    const own = stateOf(document).definition;
    for (const name of [...(own.references?.keys() ?? [])].map((stored) => own.programName(stored)))
      for (const each of referencesIn(fieldOf(linked, name), name))
        waiting.push({ reference: each.reference, path: each.path, id });
    if (waiting.length >= CHUNK) await flush();
    await count();
  }
  await flush();
}

function* referencesIn(value: unknown, path: string): Generator<{ reference: Reference; path: string }> {
  if (value instanceof Reference) yield { reference: value, path };
  else if (Array.isArray(value)) for (const element of value) yield* referencesIn(element, `${path}.*`);
  else if (value instanceof Map)
    for (const [key, member] of value as Map<string, unknown>) yield* referencesIn(member, `${path}.${key}`);
  else if (isPlainObject(value))
    for (const [key, member] of Object.entries(value)) yield* referencesIn(member, `${path}.${key}`);
}

/** Those whose documents are not there: one query for each model that is referred to. */
async function missingAmong(found: readonly Found[]): Promise<Found[]> {
  const byTarget = new Map<ModelDefinition, Found[]>();
  for (const each of found) {
    const target = each.reference[definitionKey];
    const some = byTarget.get(target);
    if (some === undefined) byTarget.set(target, [each]);
    else some.push(each);
  }
  const missing = [...byTarget].map(async ([target, some]) => {
    const ids = [...new Map(some.map(({ reference: { $id } }) => [keyOf($id), $id])).values()];
    const filter = { ...target.conditions, _id: { $in: ids } } as object;
    const there = await target
      .collection()
      .find(filter, { projection: { _id: 1 } })
      .toArray();
    const known = new Set(there.map(({ _id }) => keyOf(_id)));
    return some.filter(({ reference: { $id } }) => !known.has(keyOf($id)));
  });
  return (await Promise.all(missing)).flat();
}

function checkAudit({ context }: ModelDefinition, options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const expected =
      name === 'onProgress' ? 'function' : name === 'full' || name === 'references' ? 'boolean' : undefined;
    if (expected === undefined)
      throw new UsageError(
        `audit() does not take the option "${name}": it takes full, references and onProgress.`,
        context,
      );
    if (value === undefined || typeof value === expected) continue;
    const text = expected === 'function' ? 'a function' : 'true or false';
    throw new UsageError(`audit() takes ${text} as "${name}", got ${typeName(value)}.`, context);
  }
}

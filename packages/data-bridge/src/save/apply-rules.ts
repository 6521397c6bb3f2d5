import type { Abortable, BSON, DeleteOptions } from 'mongodb';
import { translateWrite } from '../connection/write-outcome.ts';
import type { HardOptions, ScopeOptions, Unscoped } from '../definition/extension.ts';
import { hasHooks } from '../definition/hooks.ts';
import { definitionKey, type ModelDefinition } from '../definition/model-definition.ts';
import { run } from '../definition/operation.ts';
import { namedClass } from '../definition/stored-class.ts';
import { BulkSaveError, DocumentNotFoundError, RestrictedError } from '../errors.ts';
import { trusted } from '../filter/literal.ts';
import { ownFilter } from '../filter/own-filter.ts';
import { type Rule, rulesOf } from '../references/delete-rules.ts';
import { keyOf, type Linked, type LinkedModel, type Targets } from '../references/linked.ts';
import { amongIds, CHUNK } from '../references/load-targets.ts';
import type { Reference } from '../references/reference.ts';
import { emptyAt, GONE, withoutReferences } from '../references/without-references.ts';
import type { TrackedDocument } from '../document/tracked-document.ts';
import { removalUpdate } from './door.ts';
import { recorderOf } from './recorder.ts';
import type { HookOptions } from './run-hooks.ts';
import { saveAll } from './save-all.ts';

/*
 * What the rules of references ask for before documents are deleted: all that refers is found, nothing may restrict it, references
 * are taken out, and what goes along is deleted, from the leaves on.
 */

/** The options of a deletion that hold for what it brings along, too. */
export interface RuleOptions
  extends
    Pick<DeleteOptions, 'session' | 'comment' | 'timeoutMS' | 'writeConcern'>,
    Partial<Abortable>,
    HookOptions,
    ScopeOptions,
    HardOptions {}

/** How many documents are in memory at once. */
const BATCH = 1000;

/** Documents that refer to some of these ids, by a rule. */
interface Referring {
  readonly rule: Rule;
  readonly targets: readonly unknown[];
  readonly ids: readonly unknown[];
}

/** What is to be deleted, by collection and the text of its id: so that circles end. */
class Doomed {
  readonly #keys = new Map<string, Set<string>>();

  keysOf({ collectionName }: ModelDefinition): Set<string> {
    const keys = this.#keys.get(collectionName) ?? new Set<string>();
    this.#keys.set(collectionName, keys);
    return keys;
  }

  /** Gives those that are new. */
  add(definition: ModelDefinition, ids: readonly unknown[]): readonly unknown[] {
    const keys = this.keysOf(definition);
    return ids.filter((id) => keys.size < keys.add(keyOf(id)).size);
  }

  others(definition: ModelDefinition, ids: readonly unknown[]): readonly unknown[] {
    const keys = this.keysOf(definition);
    return ids.filter((id) => !keys.has(keyOf(id)));
  }
}

/**
 * Follows the rules about the deletion of these documents, which is left to the caller.
 *
 * @throws RestrictedError where other documents restrict it; nothing was written.
 */
export async function applyRules(
  definition: ModelDefinition,
  ids: readonly unknown[],
  options: RuleOptions,
): Promise<void> {
  const doomed = new Doomed();
  const waves = [{ definition, ids: doomed.add(definition, ids) }];
  const restricting: Referring[] = [];
  const unsetting: Referring[] = [];
  const cascading: Referring[] = [];
  // What is added is gone through, too.
  for (const wave of waves) {
    for (const rule of rulesOf(wave.definition)) {
      for (const targets of chunksOf(wave.ids, CHUNK)) {
        if (rule.kind === 'restrict') {
          restricting.push({ rule, targets, ids: [] });
          continue;
        }
        const found = await referringIds(rule, targets, options);
        if (rule.kind === 'unset') unsetting.push({ rule, targets, ids: found });
        else {
          const more = doomed.add(rule.referrers, found);
          cascading.push({ rule, targets, ids: more });
          waves.push({ definition: rule.referrers, ids: more });
        }
      }
    }
  }
  for (const each of restricting) await checkRestriction(each, doomed, definition, options);
  const left = unsetting.map((each) => ({ ...each, ids: doomed.others(each.rule.referrers, each.ids) }));
  // Whether all classes are known is found out before anything is written.
  const steps = [
    ...left.map((each) => ({ ...each, write: takeOut })),
    ...cascading.toReversed().map((each) => ({ ...each, write: deleteReferring })),
  ]
    .filter((each) => each.ids.length > 0)
    .map((each) => ({ ...each, model: each.rule.model() }));
  for (const { write, model, rule, targets, ids: all } of steps)
    for (const some of chunksOf(all, BATCH)) await write(model, { rule, targets, ids: some }, options);
}

function chunksOf(ids: readonly unknown[], size: number): (readonly unknown[])[] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.slice(i * size, (i + 1) * size));
}

/** The ids, in their BSON types, of what a filter in the program's names finds. */
function referringIds(
  { referrers, filter }: Rule,
  targets: readonly unknown[],
  options: RuleOptions,
  limit = 0,
): Promise<unknown[]> {
  const sent = ownFilter(referrers, filter(targets), scopesLeftOut(referrers, options));
  return idsOf(referrers, sent, { ...readOptions(options), limit });
}

/** The ids, in their BSON types, of what a filter as it is sent finds. */
export async function idsOf(
  definition: ModelDefinition,
  filter: BSON.Document,
  options: BSON.Document,
): Promise<unknown[]> {
  const asked = { ...options, projection: { _id: 1 }, promoteValues: false };
  const found = await run(definition, options, (collection) => collection.find(filter, asked).toArray());
  return found.map((each) => each['_id'] as unknown);
}

/** A model has its own scopes. What is really deleted is looked for among what was deleted softly, too. */
function scopesLeftOut({ extensions }: ModelDefinition, { unscoped, hard }: RuleOptions): Unscoped {
  if (unscoped === true) return true;
  const named = Array.isArray(unscoped) ? (unscoped as readonly string[]) : [];
  const left = extensions.filter(({ name, scope, remove }) => {
    const isLeft = named.includes(name) || (hard === true && remove !== undefined);
    return scope !== undefined && isLeft;
  });
  return left.map(({ name }) => name);
}

function readOptions({ session, comment, timeoutMS, signal }: RuleOptions): BSON.Document {
  return given({ session, comment, timeoutMS, signal });
}

function writeOptions({ session, comment, timeoutMS, signal, writeConcern }: RuleOptions): BSON.Document {
  return given({ session, comment, timeoutMS, signal, writeConcern });
}

function given(options: BSON.Document): BSON.Document {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

async function checkRestriction(
  { rule, targets }: Referring,
  doomed: Doomed,
  { context }: ModelDefinition,
  options: RuleOptions,
): Promise<void> {
  const { referrers, path } = rule;
  // One more than those that go along.
  const found = await referringIds(rule, targets, options, doomed.keysOf(referrers).size + 1);
  if (doomed.others(referrers, found).length === 0) return;
  const filter = ownFilter(referrers, rule.filter(targets), scopesLeftOut(referrers, options));
  const count = await run(referrers, options, (collection) => collection.countDocuments(filter, readOptions(options)));
  throw new RestrictedError(
    { referrer: referrers.collectionName, path, count: Math.max(found.length, Number(count)) },
    context,
  );
}

/** What is found when it is written, since it may refer to something else by then. */
function stillReferring({ rule, targets, ids }: Referring): object {
  return trusted({ $and: [amongIds('_id', ids), rule.filter(targets)] });
}

function documentsOf(model: LinkedModel, referring: Referring, options: RuleOptions): Targets {
  const unscoped = scopesLeftOut(referring.rule.referrers, options);
  return model.find(stillReferring(referring), { ...readOptions(options), unscoped });
}

/** Takes the references to what is deleted out of documents, and saves these. */
async function takeOut(model: LinkedModel, referring: Referring, options: RuleOptions): Promise<void> {
  const { referrers, field, target, stored } = referring.rule;
  const isPart = !runsHooks(model, options) && referrers.check === undefined;
  const whole = documentsOf(model, referring, options);
  const documents = await (isPart ? (whole as unknown as PartTargets).select(field.programName) : whole);
  const gone = new Set(referring.targets.map((id) => keyOf(stored(id))));
  const isMeant = (reference: Reference): boolean => reference.isOf(target) && gone.has(keyOf(reference.toBSON()));
  for (const document of documents as readonly (Linked & Record<string, unknown>)[]) {
    const left = withoutReferences(field.place, document[field.programName], isMeant);
    if (left === GONE) document[field.programName] = emptyAt(field.place);
  }
  const { hooks } = options;
  const unscoped = scopesLeftOut(referrers, options);
  await saveAll(documents as unknown as readonly TrackedDocument<unknown>[], {
    ...writeOptions(options),
    ...given({ hooks }),
    unscoped,
  }).catch(passOverGone);
}

/** A query that can load a part of each document. */
interface PartTargets {
  select(path: string): Targets;
}

/** What others deleted meanwhile refers to nothing any more. */
function passOverGone(error: unknown): void {
  const isGone = (each: unknown): boolean => each === undefined || each instanceof DocumentNotFoundError;
  const results = error instanceof BulkSaveError ? error.results : [{ error, hookError: undefined }];
  if (!results.every((each) => isGone(each.error) && each.hookError === undefined)) throw error;
}

/** Deletes documents: one by one where there is code to call, or a history to write. */
async function deleteReferring(model: LinkedModel, referring: Referring, options: RuleOptions): Promise<void> {
  const { referrers } = referring.rule;
  const { hard, hooks } = options;
  const unscoped = scopesLeftOut(referrers, options);
  const sent = writeOptions(options);
  if (recorderOf(referrers).needsDocuments || runsHooks(model, options)) {
    const one = { ...sent, ...given({ hard, hooks }), unscoped, concurrency: 'merge', rules: 'ignore' };
    for (const each of await documentsOf(model, referring, options)) await (each as unknown as Deletable).delete(one);
    return;
  }
  const filter = ownFilter(referrers, stillReferring(referring), unscoped);
  const update = removalUpdate(referrers, { hard, unscoped });
  const send = async (): Promise<unknown> => {
    const collection = referrers.collection();
    return update === null
      ? collection.deleteMany(filter, sent)
      : collection.updateMany(filter, recorderOf(referrers).manyUpdate(update), sent);
  };
  await run(referrers, options, send, translateWrite);
}

interface Deletable {
  delete(options: object): Promise<boolean>;
}

/** True where the class of the documents has hooks to call, or one that extends it. */
function runsHooks({ prototype }: LinkedModel, { hooks }: RuleOptions): boolean {
  const below = prototype[definitionKey].kin.all.flatMap((each) => namedClass(each.definition)?.prototype ?? []);
  return hooks !== false && [prototype, ...below].some(hasHooks);
}

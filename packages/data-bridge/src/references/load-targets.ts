import { currentAttempt } from '../connection/transaction-attempt.ts';
import { definitionKey } from '../definition/model-definition.ts';
import { literal, trusted } from '../filter/literal.ts';
import { isLinking, keyOf, type Linked, type LinkedModel, type Targets } from './linked.ts';
import { gatherFor } from './siblings.ts';

/** The most ids that one query asks for: more would come near to the greatest size of a command. */
export const CHUNK = 10_000;

/** A reference whose document is to be found. */
export interface Loadable {
  readonly $id: unknown;
  readonly model: LinkedModel;
  /** The document that it stands in; null where it stands in none. */
  readonly owner: Linked | null;
  /** Takes the document; null where there is none. */
  settle(document: Linked | null): void;
  /** Takes what ends when it is settled; null where that failed. */
  wait(pending: Promise<void> | null): void;
}

/** The query for documents that are referred to. */
export interface Asking {
  /** Changes the query, as the program asked. */
  readonly ask?: ((targets: Targets) => Targets) | null | undefined;
  /** Options of the query that goes first, which hold for these, too. */
  readonly options?: object | undefined;
}

/** Finds what these references to one model refer to: each document once. */
export async function loadTargets(
  model: LinkedModel,
  references: readonly Loadable[],
  { ask, options }: Asking = {},
): Promise<void> {
  const ids = new Map(references.map(({ $id }) => [keyOf($id), $id]));
  const found = new Map<string, Linked>();
  const all = [...ids.values()];
  for (let from = 0; from < all.length; from += CHUNK) {
    const targets = model.find(amongIds('_id', all.slice(from, from + CHUNK)), options);
    const documents = await (ask ? ask(targets) : targets);
    for (const document of documents) found.set(keyOf(document.$id), document);
    if (isLinking(model))
      gatherFor(
        references.map(({ owner }) => owner),
        documents,
      );
  }
  for (const reference of references) reference.settle(found.get(keyOf(reference.$id)) ?? null);
}

/** A filter for documents that have one of these ids at a path. What is stored is taken as it is, also where it is no valid id. */
export function amongIds(path: string, ids: readonly unknown[]): object {
  return trusted({ [path]: { $in: ids.map((id) => literal(id)) } });
}

/** References to one model that are found together. */
interface Waiting {
  readonly references: Loadable[];
  readonly done: Promise<void>;
}

/** All that is asked for in one turn of the event loop, by the transaction that asks. */
interface Round {
  readonly over: Promise<void>;
  readonly waiting: Map<unknown, Map<LinkedModel, Waiting>>;
}

let round: Round | null = null;

/** Finds what these references refer to, together with all that is asked for in this turn: one query for each model. */
export function loadSoon(references: readonly Loadable[]): void {
  const { waiting, over } = (round ??= newRound());
  const attempt = currentAttempt();
  const models = waiting.get(attempt) ?? new Map<LinkedModel, Waiting>();
  waiting.set(attempt, models);
  // A model with scopes is queried for this caller alone: others that ask in this turn may be of another tenant.
  const own = new Map<LinkedModel, Waiting>();
  for (const reference of references) {
    const { model } = reference;
    const lists = isScoped(model) ? own : models;
    const list = lists.get(model) ?? newList(model, over);
    lists.set(model, list);
    list.references.push(reference);
    reference.wait(list.done);
  }
}

function isScoped(model: LinkedModel): boolean {
  return model.prototype[definitionKey].extensions.some(({ scope }) => scope !== undefined);
}

function newRound(): Round {
  // Promises that are settled by now go first: what the program asks for then is loaded along.
  const over = new Promise((resolve) => process.nextTick(resolve)).then(() => {
    round = null;
  });
  return { over, waiting: new Map() };
}

function newList(model: LinkedModel, over: Promise<void>): Waiting {
  const references: Loadable[] = [];
  const load = async (): Promise<void> => {
    try {
      await loadTargets(model, references);
    } catch (error) {
      for (const reference of references) reference.wait(null);
      throw error;
    }
  };
  return { references, done: over.then(load) };
}

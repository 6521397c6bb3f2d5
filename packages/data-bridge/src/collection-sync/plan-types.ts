import type { IndexSettings, IndexSpec } from './index-spec.ts';

/**
 * What a step does to what is there:
 *
 * - `additive`: something is added. Nothing that is there changes.
 * - `widening`: something changes, and nothing is lost: more may be stored than before, or the same is found in another way.
 * - `destructive`: something is taken away: an index, documents whose time is over, or what may be stored.
 */
export type StepClass = 'additive' | 'widening' | 'destructive';

export const STEP_CLASSES: readonly StepClass[] = ['additive', 'widening', 'destructive'];

/** Some documents that are in the way: their `_id`s, as Extended JSON. */
export type SampleIds = readonly unknown[];

/** What a step costs, as it was when it was planned. */
export interface StepCost {
  /** So many documents the server reads. */
  readonly documents: number;
  /** The values that more than one document has, and so would keep an index from being unique: how many, and of some of them two documents. */
  readonly duplicates?: { readonly count: number; readonly samples: readonly SampleIds[] };
  /** The documents that break a new validator: how many, and some of them. */
  readonly broken?: { readonly count: number; readonly samples: SampleIds };
}

/** What happens to one index or collection: the part of a step that differs. */
export type StepAction =
  | { readonly do: 'createCollection'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly do: 'changeCollection'; readonly options: Readonly<Record<string, unknown>> }
  | { readonly do: 'createIndex'; readonly index: IndexSpec }
  | { readonly do: 'changeIndex'; readonly name: string; readonly set: IndexSettings }
  | { readonly do: 'makeUnique'; readonly index: IndexSpec }
  | { readonly do: 'hideIndex'; readonly name: string }
  | { readonly do: 'dropIndex'; readonly name: string };

/** One step of a plan. */
export type PlanStep = StepAction & {
  readonly collection: string;
  readonly class: StepClass;
  /** Why it is there, in a few words. */
  readonly why: string;
  /** The same for MongoDB's shell. */
  readonly shell: string;
  readonly cost?: StepCost;
};

/** Something that a plan leaves as it is. */
export interface PlanNote {
  readonly collection: string;
  /** The index; undefined for an option of the collection. */
  readonly name?: string;
  /** `kept`: it is as declared. `foreign`: nobody here declared it. `left`: a step would be needed that was not allowed, or that no server can do. */
  readonly kind: 'kept' | 'foreign' | 'left';
  readonly why: string;
}

/** What is known of a collection that a plan is about. */
export interface PlannedCollection {
  /** Names what was there when the plan was made, and what will be there after each of the collection's steps. */
  readonly states: readonly string[];
  /** The indexes that are the models' own once the plan was applied, by name. */
  readonly indexes: readonly string[];
  /** The options that are. */
  readonly options: readonly string[];
}

/**
 * The steps from what a database has to what models declare, made by `plan()`. It is plain JSON: write it to a file, read it,
 * and have it done by `apply()`.
 */
export interface Plan {
  readonly format: 1;
  /** The database that it was made for. */
  readonly database: string;
  /** What is to be done, in this order. Empty where the database is as declared. */
  readonly steps: readonly PlanStep[];
  readonly notes: readonly PlanNote[];
  readonly collections: Readonly<Record<string, PlannedCollection>>;
}

/** How `plan()` goes about it. */
export interface PlanOptions {
  /**
   * Whether indexes that nobody here declared are dropped, too.
   * @default false
   */
  readonly dropForeign?: boolean;
  /**
   * Whether an index that is no longer declared is hidden first: the next plan drops it. Until then it can be shown again at once.
   * @default false
   */
  readonly hideFirst?: boolean;
  /**
   * Whether an index that is there under another name is made anew under its own.
   * @default false
   */
  readonly rename?: boolean;
  /**
   * The classes of steps that it may have. What would need others is left, and a note tells of it.
   * @default all
   */
  readonly allow?: readonly StepClass[];
  /**
   * Whether the server is asked how many documents there are, and which are in the way of a unique index or a validator. That
   * reads the documents.
   * @default true
   */
  readonly costs?: boolean;
}

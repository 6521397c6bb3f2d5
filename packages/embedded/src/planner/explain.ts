// How a plan is shown.
// https://www.mongodb.com/docs/manual/reference/explain-results/
import { Int32, MaxKey, MinKey } from 'bson';
import { show } from '../values/text.ts';
import type { Document, Value } from '../values/value.ts';
import type { ScannableIndex } from '../storage/secondary-index.ts';
import type { Bounds, Interval } from './index-bounds.ts';
import type { IndexScan, Plan } from './planner.ts';
import { documentOf } from '../messages/reply.ts';

/** The stages of a plan, as MongoDB names them. */
export function shownPlan(plan: Plan, ids: ScannableIndex): Document {
  switch (plan.kind) {
    case 'collection':
      return stage('COLLSCAN', { filter: plan.filter, direction: plan.backwards ? 'backward' : 'forward' });
    case 'id':
      if (plan.filter === undefined) return stage('IDHACK', {});
      return fetch(plan.filter, shownIndex(ids, [[`[${show(plan.id)}, ${show(plan.id)}]`]], false));
    case 'index':
      return fetch(plan.filter, shownScan(plan));
    case 'union': {
      const inputStages = plan.branches.map((branch) => shownPlan(branch, ids));
      const union = stage('OR', { inputStages });
      return plan.filter === undefined ? union : fetch(plan.filter, union);
    }
  }
}

/** A stage with what it reads from. */
export function stage(name: string, fields: Record<string, Value | undefined>, inputStage?: Document): Document {
  return documentOf({ stage: name, ...fields, inputStage });
}

function fetch(filter: Document | undefined, inputStage: Document): Document {
  return stage('FETCH', { filter }, inputStage);
}

function shownScan({ index, bounds, backwards }: IndexScan): Document {
  const shown = bounds.map((field, at) => shownBounds(field, index.descending[at] === true));
  return shownIndex(index, shown, backwards);
}

/** `bounds` are those of the first fields. */
function shownIndex(index: ScannableIndex, bounds: readonly (readonly string[])[], backwards: boolean): Document {
  const { name, pattern, unique, sparse, covers, collation } = index.definition;
  const paths = [...pattern.keys()];
  return stage('IXSCAN', {
    keyPattern: pattern,
    indexName: name,
    collation: collation?.specification,
    isMultiKey: paths.some((_, field) => index.isMultikey(field)),
    isUnique: unique,
    isSparse: sparse,
    isPartial: covers !== undefined,
    indexVersion: new Int32(2),
    direction: backwards ? 'backward' : 'forward',
    indexBounds: new Map(paths.map((path, field) => [path, [...(bounds[field] ?? [EVERYTHING])]])),
  });
}

const EVERYTHING = `[${show(new MinKey())}, ${show(new MaxKey())}]`;

function shownBounds({ intervals }: Bounds, descending: boolean): string[] {
  const shown = intervals.map((interval) => shownInterval(interval, descending));
  return descending ? shown.toReversed() : shown;
}

function shownInterval({ from, to }: Interval, descending: boolean): string {
  const low = from.value === undefined ? '-inf' : show(from.value);
  const high = to.value === undefined ? 'inf' : show(to.value);
  if (descending) return `${to.included ? '[' : '('}${high}, ${low}${from.included ? ']' : ')'}`;
  return `${from.included ? '[' : '('}${low}, ${high}${to.included ? ']' : ')'}`;
}

import type { ModelDefinition } from '../definition/model-definition.ts';
import type { BulkResult } from '../errors.ts';
import { applyRules, idsOf, type RuleOptions } from '../save/apply-rules.ts';
import type { Operation } from './send-bulk.ts';

/*
 * A bulk write with deletions that follow the rules of references.
 */

/** Sends some operations. */
export type Send = (operations: readonly Operation[]) => Promise<BulkResult[]>;

export function isDeletion(name: string): boolean {
  return name === 'deleteOne' || name === 'deleteMany';
}

/**
 * Sends operations in their order, the rules of each deletion followed just before it: what came before may have changed what it
 * meets. What is between deletions goes together.
 */
export async function sendFollowing(
  definition: ModelDefinition,
  operations: readonly Operation[],
  send: Send,
  { ordered, let: variables, ...options }: RuleOptions & { readonly ordered: boolean; readonly let?: object },
): Promise<BulkResult[]> {
  const results: BulkResult[] = [];
  for (const some of inSteps(operations)) {
    const isStopped = ordered && results.some(({ error }) => error !== undefined);
    results.push(...(isStopped ? some.map(({ name }) => ({ operation: name })) : await sendStep(some)));
  }
  return results;

  async function sendStep(some: readonly Operation[]): Promise<BulkResult[]> {
    const [first] = some as [Operation];
    if (!isDeletion(first.name)) return send(some);
    try {
      const { filter, collation, hint } = first.parts;
      const limit = first.name === 'deleteOne' ? 1 : 0;
      const asked = Object.entries({ collation, hint, let: variables, session: options.session, limit });
      const given = Object.fromEntries(asked.filter(([, value]) => value !== undefined));
      const ids = await idsOf(definition, filter as object, given);
      await applyRules(definition, ids, { ...options, ...first.rule });
      return await send([{ ...first, parts: { ...first.parts, filter: { $and: [filter, { _id: { $in: ids } }] } } }]);
    } catch (error) {
      return [{ operation: first.name, error }];
    }
  }
}

/** Deletions alone, and others as they follow each other. */
function inSteps(operations: readonly Operation[]): Operation[][] {
  const steps: Operation[][] = [];
  for (const each of operations) {
    const last = steps.at(-1);
    if (last === undefined || isDeletion(each.name) || isDeletion((last[0] as Operation).name)) steps.push([each]);
    else last.push(each);
  }
  return steps;
}

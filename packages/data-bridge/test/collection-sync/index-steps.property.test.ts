import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { identityOf, type IndexSpec, indexSpec } from '../../src/collection-sync/index-spec.ts';
import { type IndexPlanOptions, type IndexStep, planIndexes } from '../../src/collection-sync/index-steps.ts';
import { afterStep, fingerprint } from '../../src/collection-sync/collection-state.ts';
import { runs } from '../support/arbitrary.ts';
import { anyIndexes } from '../support/random-indexes.ts';

const specs = anyIndexes().map((indexes) => indexes.map((index) => indexSpec(index)));
const how = fc.record({ rename: fc.boolean(), inPlace: fc.boolean(), dropForeign: fc.boolean() });

/** Does a step as a server does: it refuses a name, and an identity, that is taken. */
function serve(present: readonly IndexSpec[], step: IndexStep): readonly IndexSpec[] {
  if (step.do === 'createIndex') {
    const clash = present.find((has) => has.name === step.index.name || identityOf(has) === identityOf(step.index));
    expect(clash, `${step.index.name} is blocked`).toBeUndefined();
  } else if ('name' in step) {
    expect(present.map(({ name }) => name)).toContain(step.name);
  }
  return afterStep({ exists: true, options: {}, indexes: present }, step).indexes;
}

const state = (indexes: readonly IndexSpec[]): string => fingerprint({ exists: true, options: {}, indexes });

const ALWAYS = JSON.stringify({ _id: { $exists: true } });

/** The fields that a whole collection is unique by. */
function uniqueFields(indexes: readonly IndexSpec[]): Set<string> {
  const whole = indexes.filter(({ options: { unique, partialFilterExpression: partial, ...others } }) => {
    const isWhole = partial === undefined || JSON.stringify(partial) === ALWAYS;
    return unique === true && isWhole && Object.keys(others).length === 0;
  });
  return new Set(whole.map(({ key }) => key.map(([path]) => path).join()));
}

function expectNoWindow(start: readonly IndexSpec[], end: readonly IndexSpec[], now: readonly IndexSpec[]): void {
  const kept = uniqueFields(end);
  for (const fields of uniqueFields(start)) if (kept.has(fields)) expect(uniqueFields(now)).toContain(fields);
}

/** Done to the end, or until so many steps are done. */
function carryOut(
  start: readonly IndexSpec[],
  end: readonly IndexSpec[],
  options: IndexPlanOptions,
  stop = Infinity,
): readonly IndexSpec[] {
  let present = start;
  for (const step of planIndexes(end, start, options).steps.slice(0, stop)) {
    present = serve(present, step);
    expectNoWindow(start, end, present);
  }
  return present;
}

/** What is declared is there; what is not, is not. */
function expectDeclared(present: readonly IndexSpec[], end: readonly IndexSpec[], rename: boolean): void {
  const shown = (index: IndexSpec): string =>
    JSON.stringify([rename ? index.name : '', identityOf(index), index.settings]);
  expect(present.map(shown).toSorted()).toEqual(end.map(shown).toSorted());
}

describe('A plan for indexes', () => {
  it('leads from any start to any end, is then empty, and never leaves a window', () => {
    fc.assert(
      fc.property(specs, specs, how, (start, end, options) => {
        const managed = new Set(start.map(({ name }) => name));
        const present = carryOut(start, end, { ...options, managed });
        expectDeclared(present, end, options.rename);
        expect(planIndexes(end, present, { ...options, managed }).steps).toEqual([]);
      }),
      runs(4_000),
    );
  });

  it('ends the same when it was interrupted after any of its steps', () => {
    fc.assert(
      fc.property(specs, specs, how, (start, end, options) => {
        const managed = new Set(start.map(({ name }) => name));
        const known = new Set([...managed, ...end.map(({ name }) => name)]);
        const whole = carryOut(start, end, { ...options, managed });
        const { steps } = planIndexes(end, start, { ...options, managed });
        for (const stop of steps.keys()) {
          const half = carryOut(start, end, { ...options, managed }, stop);
          const present = carryOut(half, end, { ...options, managed: known });
          for (const fields of uniqueFields(start))
            if (uniqueFields(end).has(fields)) expect(uniqueFields(half)).toContain(fields);
          expectDeclared(present, end, options.rename);
          if (options.rename) expect(state(present)).toBe(state(whole));
        }
      }),
      runs(1_500),
    );
  });

  it('closes the window, too, where an apply towards another end was interrupted', () => {
    fc.assert(
      fc.property(specs, specs, specs, how, fc.nat({ max: 8 }), (start, other, end, options, stop) => {
        const managed = new Set([...start, ...other].map(({ name }) => name));
        const half = carryOut(start, other, { ...options, managed }, stop);
        expectDeclared(carryOut(half, end, { ...options, managed }), end, options.rename);
      }),
      runs(4_000),
    );
  });

  it('takes nothing away where nothing may be taken away', () => {
    fc.assert(
      fc.property(specs, specs, how, (start, end, options) => {
        const allow = new Set(['additive', 'widening'] as const);
        const managed = new Set(start.map(({ name }) => name));
        const { steps, notes } = planIndexes(end, start, { ...options, managed, allow });
        const present = steps.reduce<readonly IndexSpec[]>(serve, start);
        for (const has of start) expect(present.map(({ name }) => name)).toContain(has.name);
        const missing = end.filter((want) => present.every((has) => identityOf(has) !== identityOf(want)));
        expect(notes.filter(({ kind }) => kind === 'left').length).toBeGreaterThanOrEqual(missing.length);
        expect(planIndexes(end, present, { ...options, managed, allow }).steps).toEqual([]);
      }),
      runs(4_000),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { family, mistakes, program } from '../support/type-models.ts';
import { compile } from '../support/type-program.ts';

const MODELS = 50;
/** Of the instantiations that Mongoose's types need for the same program. */
const BUDGET = 0.1;
/** The cost of a class that extends a model, of that of a model with the same fields and calls. */
const EXTENDING = 6.5;

describe('the cost of the types', () => {
  it('is a small part of what Mongoose’s types cost, in a program of 50 models of 30 fields and 5 queries', async () => {
    const ours = await compile(program('data-bridge', MODELS));
    const theirs = await compile(program('mongoose', MODELS));
    expect([ours.errors, theirs.errors]).toEqual([[], []]);
    expect(ours.instantiations / theirs.instantiations).toBeLessThanOrEqual(BUDGET);
  }, 120_000);

  it('is bounded for a class that extends another, by that of a model with all its fields', async () => {
    const cost = async (form: 'extending' | 'alone'): Promise<number> => {
      const few = await compile(family(form, 2));
      const many = await compile(family(form, 6));
      expect([few.errors, many.errors]).toEqual([[], []]);
      return (many.instantiations - few.instantiations) / 4;
    };
    const ratio = (await cost('extending')) / (await cost('alone'));
    expect(ratio).toBeLessThanOrEqual(EXTENDING);
  }, 120_000);

  it('buys the refusal of every mistake', async () => {
    const wrong = mistakes('Model0');
    const { errors } = await compile(program('data-bridge', 2, wrong.join('\n')));
    const lines = errors.map((error) => Number(/model-0\.ts\((\d+),/.exec(error)?.[1]));
    expect(new Set(lines).size).toBe(wrong.length);
    expect(Math.max(...lines) - Math.min(...lines)).toBe(wrong.length - 1);
  }, 60_000);
});

import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import type { InputOf, OutputOf } from '../../src/index.ts';
import { objectId } from '../../src/zod.ts';

interface Json {
  readonly [key: string]: Json;
}

const inner = z.object({ n: z.number(), when: z.date() });
const defaulted = z.object({ a: z.string().default('a'), b: z.number() });
const node = z.object({
  name: z.string(),
  get kids() {
    return z.array(node);
  },
});

/** Objects and arrays of every form that Zod has, and what may stand in them. */
const schemas = {
  flat: inner,
  deep: z.object({ inner, list: z.array(z.array(inner)), id: objectId(), big: z.bigint() }),
  optional: z.object({ a: z.string().optional(), b: inner.optional(), c: z.string().nullish() }),
  exact: z.object({ a: z.string().exactOptional(), b: z.string() }),
  defaulted,
  nested: z.object({ defaulted, list: z.array(defaulted) }),
  prefault: z.object({ a: z.string().prefault('a') }),
  caught: z.object({ a: z.string().catch('a'), b: z.coerce.number(), c: z.stringbool() }),
  unknowns: z.object({ a: z.unknown(), b: z.any(), c: z.never().optional(), d: z.undefined() }),
  strict: z.strictObject({ a: z.string() }),
  loose: z.looseObject({ a: z.string() }),
  rest: z.object({ a: z.string() }).catchall(z.string()),
  empty: z.object({}),
  emptyLoose: z.looseObject({}),
  partial: inner.partial(),
  extended: inner.extend({ more: z.string() }),
  picked: inner.pick({ n: true }),
  readonly: z.object({ a: z.string().readonly(), b: inner.readonly() }).readonly(),
  branded: z.object({ a: z.string().brand('A') }),
  transformed: z.object({ a: z.string().transform((text) => text.length), b: z.string().pipe(z.string()) }),
  refined: inner.refine(() => true),
  union: z.array(z.union([inner, defaulted])),
  kinds: z.array(
    z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), n: z.number().default(1) }),
      z.object({ kind: z.literal('b') }),
    ]),
  ),
  both: z.intersection(inner, defaulted),
  tuple: z.tuple([inner, defaulted]),
  record: z.record(z.string(), inner),
  map: z.map(z.string(), defaulted),
  set: z.set(inner),
  optionalList: z.array(inner).optional(),
  lists: z.array(z.string().optional()),
  lazy: z.lazy(() => inner),
  node,
  json: z.custom<Json>(),
  codec: z.object({ at: z.codec(z.string(), z.date(), { decode: (text) => new Date(text), encode: String }) }),
};

type Outputs = { [K in keyof typeof schemas]: OutputOf<(typeof schemas)[K]> };
type Inputs = { [K in keyof typeof schemas]: InputOf<(typeof schemas)[K]> };

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types that schemas give and take', () => {
  it('are those that Zod infers, of objects and arrays of every form', () => {
    expectCompiled(() => {
      expectTypeOf<Outputs>().toEqualTypeOf<{ [K in keyof typeof schemas]: z.output<(typeof schemas)[K]> }>();
      expectTypeOf<Inputs>().toEqualTypeOf<{ [K in keyof typeof schemas]: z.input<(typeof schemas)[K]> }>();
      expectTypeOf<OutputOf<z.ZodObject>>().toEqualTypeOf<z.output<z.ZodObject>>();
      expectTypeOf<OutputOf<z.ZodType<Json>>>().toEqualTypeOf<Json>();
    });
  });

  it('are those that other libraries infer', () => {
    const ofValibot = v.object({ a: v.string(), b: v.optional(v.number(), 1), c: v.array(v.object({ d: v.date() })) });
    const ofArkType = type({ a: 'string', 'b?': 'number', c: { d: 'Date' } });
    expectCompiled(() => {
      expectTypeOf<OutputOf<typeof ofValibot>>().toEqualTypeOf<v.InferOutput<typeof ofValibot>>();
      expectTypeOf<InputOf<typeof ofValibot>>().toEqualTypeOf<v.InferInput<typeof ofValibot>>();
      expectTypeOf<OutputOf<typeof ofArkType>>().toEqualTypeOf<typeof ofArkType.infer>();
      return [ofValibot, ofArkType];
    });
  });
});

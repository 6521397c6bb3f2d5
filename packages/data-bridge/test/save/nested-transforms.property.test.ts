import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ValidationError } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { hidden, type Loose, looseModel, type LooseModel } from '../support/loose-models.ts';
import {
  editOf,
  type Random,
  randomOf,
  type RandomSchema,
  randomSchema,
  transformedOnce,
  withoutDefaults,
  withoutSalt,
} from '../support/random-schemas.ts';

const database = useDatabase();

const libraries: readonly (readonly [string, (schema: RandomSchema) => Loose])[] = [
  ['Zod', ({ zod }) => zod],
  ['Valibot', ({ valibot }) => valibot],
  ['ArkType', ({ arktype, name }) => (name === 'default' ? z.string().default('D') : arktype)],
  ['Zod of which nothing is told', ({ zod }) => hidden(zod)],
  ['Valibot of which nothing is told', ({ valibot }) => hidden(valibot)],
];

/** A document of the schema, new or stored and read in every way; undefined where its value is none. */
async function begin(
  { Model, load }: LooseModel,
  schema: RandomSchema,
  random: Random,
  isNew: boolean,
): Promise<Loose> {
  const start = schema.make(random, !isNew);
  if (start === undefined) return undefined;
  if (isNew) return new Model({ f: start, gate: 'ok' });
  const document = await load({ f: start, gate: 'ok', old: 1 });
  void document.f;
  document.toObject();
  await document.validate();
  expect(document.isModified()).toBe(false);
  return document;
}

function change(document: Loose, schema: RandomSchema, random: Random, log: string[]): void {
  const next = editOf(random, schema, document.f, log);
  if (next !== undefined && next !== document.f) {
    document.f = next;
    log.push('assign');
  }
  if (random() < 0.1) {
    document.f = structuredClone(document.f);
    log.push('cloned');
  }
}

async function failToSave(document: Loose, log: string[]): Promise<void> {
  document.gate = 'bad';
  const error: unknown = await document.save().catch((thrown: unknown) => thrown);
  if (!(error instanceof ValidationError)) throw new Error('Expected a ValidationError', { cause: error });
  document.gate = 'ok';
  log.push('fail');
}

describe.each(libraries)('random schemas and edits with %s', (_, of) => {
  it('take each new value once and leave what is stored, whatever failed before; a second save sends nothing', async () => {
    let saved = 0;
    const property = fc.asyncProperty(
      fc.noBias(fc.nat(2 ** 31 - 1)),
      fc.nat(2),
      fc.boolean(),
      async (seed, failures, isNew) => {
        const random = randomOf(seed);
        const schema = randomSchema(random);
        const one = looseModel(database, { f: of(schema), gate: z.literal('ok') });
        const document = await begin(one, schema, random, isNew);
        if (document === undefined) return;
        const log: string[] = [];
        for (let i = 0; i <= failures; i++) {
          if (i === 0 || random() < 0.9) change(document, schema, random, log);
          if (i < failures) await failToSave(document, log);
        }
        const expected = transformedOnce(schema, structuredClone(document.f));
        // What a library does not tell is refused rather than guessed.
        const error: unknown = await document.save().catch((thrown: unknown) => thrown);
        if (error instanceof ValidationError) return;
        const context = `${schema.name} | ${log.join(' ')}`;
        if (error !== document) throw new Error(context, { cause: error });
        saved++;
        const stored = await one.raw(document);
        const bare = (value: unknown): unknown => withoutDefaults(schema, value);
        expect({ context, f: bare(withoutSalt(stored?.['f'])) }).toEqual({ context, f: bare(withoutSalt(expected)) });
        expect({ context, f: bare(stored?.['f']) }).toEqual({ context, f: bare(document.toObject().f) });
        database.sent();
        await document.save();
        expect({ context, sent: database.sent() }).toEqual({ context, sent: [] });
        expect(document.isModified()).toBe(false);
      },
    );
    await fc.assert(property, runs(600));
    expect(saved).toBeGreaterThan(5);
  });
});

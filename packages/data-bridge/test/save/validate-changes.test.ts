import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { EncodeError, model, ValidationError } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/* What is sent is what memory holds once the schemas have run, whichever of them only look and whichever change values. */

let runsOfTransform = 0;
let meddle: (value: string[]) => void = () => {};

class Form extends model('forms', {
  plain: z.string().max(100),
  size: z.number().optional(),
  box: z.object({ a: z.number(), b: z.array(z.string()) }).optional(),
  trimmed: z.string().trim().optional(),
  count: z.coerce.number().optional(),
  shouted: z
    .string()
    .transform((text) => {
      runsOfTransform += 1;
      return text.toUpperCase();
    })
    .optional(),
  list: z
    .array(z.string())
    .refine((value) => {
      meddle(value);
      return true;
    })
    .optional(),
  mail: v.optional(v.pipe(v.string(), v.trim())),
  any: z.unknown(),
}) {}

const database = useDatabase();

const anyText = fc.constantFrom('', 'a', ' b ', 'Žofie', ' c');
const anyFields = fc.record(
  {
    plain: anyText,
    size: fc.oneof(fc.integer(), fc.double({ noNaN: true })),
    box: fc.record({ a: fc.integer(), b: fc.array(anyText, { maxLength: 3 }) }),
    trimmed: anyText,
    count: fc.oneof(fc.integer(), fc.constantFrom('7', '1.5')) as fc.Arbitrary<number>,
    shouted: anyText,
    list: fc.array(anyText, { maxLength: 3 }),
    mail: anyText,
    any: fc.oneof(anyText, fc.constantFrom(null, [1, { deep: true }])),
  },
  { requiredKeys: [] },
);

/** What the schemas make of fields that are assigned. */
function modelled(fields: Record<string, unknown>): Record<string, unknown> {
  const made = structuredClone(fields);
  for (const name of ['trimmed', 'mail']) if (name in made) made[name] = String(made[name]).trim();
  if ('count' in made) made['count'] = Number(made['count']);
  if ('shouted' in made) made['shouted'] = String(made['shouted']).toUpperCase();
  return made;
}

describe('a validated save', () => {
  it('stores what the schemas make of what was assigned, and leaves the rest', async () => {
    const collection = database.db.collection('forms');
    const property = fc.asyncProperty(
      anyFields,
      fc.array(anyFields, { minLength: 1, maxLength: 3 }),
      async (first, steps) => {
        const expected = { plain: 'p', ...modelled(first) };
        const { _id } = await Form.create({ plain: 'p', ...structuredClone(first) });
        const form = (await Form.findById(_id)) as Form;
        for (const fields of steps) {
          for (const [name, value] of Object.entries(structuredClone(fields))) form.set(name as never, value);
          Object.assign(expected, modelled(fields));
          await form.save();
          expect(form.isModified()).toBe(false);
          expect(await collection.findOne({ _id })).toEqual({ _id, ...expected });
          expect(form.toObject()).toEqual({ _id, ...expected });
        }
      },
    );
    await fc.assert(property, runs(60));
  });

  it('runs a transform once, and sends nothing the second time', async () => {
    const form = await Form.create({ plain: 'p' });
    runsOfTransform = 0;
    form.shouted = 'once';
    await form.save();
    expect(form.shouted).toBe('ONCE');
    // Its first output is validated, too: the schema has to take it.
    expect(runsOfTransform).toBeLessThanOrEqual(2);
    database.sent();
    await form.save();
    expect(database.sent()).toEqual([]);
  });

  it('sends what a validator did to the value that it was given', async () => {
    const form = await Form.create({ plain: 'p', list: ['a'] });
    meddle = (value) => {
      if (value.length < 3) value.push('by the validator');
    };
    try {
      form.list?.push('b');
      await form.save();
    } finally {
      meddle = () => {};
    }
    expect(form.isModified()).toBe(false);
    expect((await database.db.collection('forms').findOne({ _id: form._id }))?.['list']).toEqual(form.list);
  });

  it('reports what schemas refuse before what cannot be stored', async () => {
    const form = await Form.create({ plain: 'p' });
    form.plain = 1 as never;
    form.any = () => {};
    await expect(form.save()).rejects.toThrow(ValidationError);
    form.plain = 'q';
    await expect(form.validate()).resolves.toBeUndefined();
    await expect(form.save()).rejects.toThrow(EncodeError);
    expect(form.isModified('plain')).toBe(true);
    form.any = 1;
    await form.save();
    expect(await database.db.collection('forms').findOne({ _id: form._id })).toEqual({
      _id: form._id,
      plain: 'q',
      any: 1,
    });
  });

  it('takes a frozen object over as a copy, and sends the copy', async () => {
    const form = await Form.create({ plain: 'p' });
    const box = Object.freeze({ a: 1, b: ['x'] });
    form.box = box;
    await form.save();
    expect(form.box).not.toBe(box);
    form.box.a = 2;
    await form.save();
    expect((await database.db.collection('forms').findOne({ _id: form._id }))?.['box']).toEqual({ a: 2, b: ['x'] });
  });
});

import { type } from 'arktype';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { model, stored, ValidationError } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/* What is loaded and changed in place keeps every stored key, whatever its schema makes of a value. */

const zodInner = { text: z.string().trim(), list: z.array(z.object({ text: z.string() })) };
const valibotInner = { text: v.pipe(v.string(), v.trim()), list: v.array(v.object({ text: v.string() })) };
const arkInner = { text: 'string.trim', list: type({ text: 'string', '+': 'delete' }).array() } as const;

class Mixed extends model('mixed', {
  zodStrip: z.object(zodInner),
  zodStrict: z.strictObject(zodInner),
  zodLoose: stored('zl', z.looseObject(zodInner)),
  zodDefault: z.object({ ...zodInner, added: z.number().default(7) }),
  zodOther: stored(
    'zo',
    z.object(zodInner).transform(({ text, list }) => ({ text, list: list.slice(0, 1) })),
  ),
  valibotStrip: stored('vs', v.object(valibotInner)),
  valibotStrict: v.strictObject(valibotInner),
  valibotLoose: v.looseObject(valibotInner),
  arkIgnore: stored('ai', type(arkInner)),
  arkDelete: type({ ...arkInner, '+': 'delete' }),
  arkReject: type({ ...arkInner, '+': 'reject' }),
}) {}
const names = [
  ['zodStrip', 'zodStrip'],
  ['zodStrict', 'zodStrict'],
  ['zodLoose', 'zl'],
  ['zodDefault', 'zodDefault'],
  ['zodOther', 'zo'],
  ['valibotStrip', 'vs'],
  ['valibotStrict', 'valibotStrict'],
  ['valibotLoose', 'valibotLoose'],
  ['arkIgnore', 'ai'],
  ['arkDelete', 'arkDelete'],
  ['arkReject', 'arkReject'],
] as const;

const anyExtra = fc.dictionary(
  fc.constantFrom('extra', 'old', '__proto__', '$x', 'a.b', '0'),
  fc.oneof(fc.integer(), fc.constantFrom(null, ' x ', true), fc.constant({ deep: [1, { text: ' y ' }] })),
  { maxKeys: 3, noNullPrototype: true },
);
const anyElement = fc.tuple(anyExtra, fc.constantFrom('a', ' b ')).map(([extra, text]) => ({ ...extra, text }));
const anyInner = fc
  .tuple(anyExtra, fc.constantFrom('a', ' b '), fc.array(anyElement, { maxLength: 3 }))
  .map(([extra, text, list]) => ({ ...extra, text, list }));
const anyStored = fc.tuple(...names.map(() => anyInner));
const anyChange = fc.constantFrom('text', 'push', 'element', 'extra');

type Inner = { text: string; list: { text: string }[] };

/** @returns true where it sets a key that the schema does not name. */
function change(inner: Inner, what: string): boolean {
  if (what === 'text') inner.text = 'changed';
  else if (what === 'push') inner.list.push({ text: 'new' });
  else if (what === 'element' && inner.list[0] !== undefined) inner.list[0].text = 'changed';
  else return Object.assign(inner, { extra: 1 }).extra === 1;
  return false;
}

const database = useDatabase();

describe('validating what was changed in place', () => {
  it('keeps every stored key', async () => {
    const collection = database.db.collection('mixed');
    const property = fc.asyncProperty(
      anyStored,
      fc.array(anyChange, { minLength: 1, maxLength: 2 }),
      async (inners, changes) => {
        const fields = Object.fromEntries(names.map(([, storedName], i) => [storedName, inners[i]]));
        const { insertedId } = await collection.insertOne({ ...structuredClone(fields), legacy: { flag: 1 } });
        for (const [name, storedName] of names) {
          const before = await collection.findOne({ _id: insertedId });
          const document = (await Mixed.findById(insertedId)) as Mixed;
          const setsExtra = changes.map((what) => change(document[name], what)).some(Boolean);
          const refused = await document.save().then(
            () => false,
            (error: unknown) => {
              if (error instanceof ValidationError) return true;
              throw error;
            },
          );
          if (!refused) for (const what of changes) change(before?.[storedName] as Inner, what);
          // Where a field has such a key already, it may be changed.
          const isUnknown =
            setsExtra && !Object.hasOwn(inners[names.findIndex(([each]) => each === name)] ?? {}, 'extra');
          if (isUnknown && /Strip|Default|arkDelete|zodOther/.test(name)) expect(refused).toBe(true);
          expect(await collection.findOne({ _id: insertedId })).toEqual(before);
          if (!/Strict|Reject/.test(name) && !setsExtra) expect(refused).toBe(false);
        }
      },
    );
    await fc.assert(property, runs(40));
  });

  it('copies the output into a copy of the value that was assigned, of which nothing is lost but what a transform changed', async () => {
    const property = fc.asyncProperty(anyInner, async (inner) => {
      for (const name of ['zodLoose', 'valibotLoose', 'arkIgnore'] as const) {
        // What an element does not name is refused, or dropped by the schema itself.
        const given = { ...structuredClone(inner), list: inner.list.map(({ text }) => ({ text })) };
        // Zod keeps no key of this name.
        delete (given as object as Record<string, unknown>)['__proto__'];
        const document = Mixed.hydrate({ _id: 1 });
        document.set(name, given);
        await document.validate();
        expect(document.get(name)).toEqual({ ...given, text: inner.text.trim() });
        expect(document.isModified(name)).toBe(true);
      }
    });
    await fc.assert(property, runs(40));
  });

  it('refuses what is assigned with keys that a nested schema does not name', async () => {
    const property = fc.asyncProperty(anyInner, async (inner) => {
      for (const name of ['zodStrip', 'valibotStrip', 'arkDelete'] as const) {
        const document = Mixed.hydrate({ _id: 1 });
        document.set(name, structuredClone(inner) as never);
        const named = new Set(['text', 'list']);
        const isStrange =
          Object.keys(inner).some((key) => !named.has(key)) ||
          inner.list.some((element) => Object.keys(element).some((key) => key !== 'text'));
        const refused = await document.validate().then(
          () => false,
          () => true,
        );
        expect(refused).toBe(isStrange);
      }
    });
    await fc.assert(property, runs(40));
  });
});

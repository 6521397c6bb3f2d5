import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';
import { type Loose, looseModel } from '../support/loose-models.ts';

const database = useDatabase();

const element = z.object({ x: z.string().trim(), y: z.number().optional() });
type Element = z.infer<typeof element>;
const byX = (a: Element, b: Element): number => (a.x < b.x ? -1 : Number(a.x > b.x));
const transforms: Readonly<Record<string, (list: Element[]) => Element[]>> = {
  'as it is': (list) => list,
  sorted: (list) => list.toSorted(byX),
  reversed: (list) => list.toReversed(),
  'without duplicates': (list) => list.filter(({ x }, i) => list.findIndex((other) => other.x === x) === i),
  doubled: (list) => list.flatMap((each) => [each, { ...each }]),
  'the first for all': (list) => list.map(() => ({ ...(list[0] as Element) })),
  renamed: (list) => list.map(({ x, y = 0 }, i) => ({ x: `${x}${i}`, y })),
};
const input = fc.array(
  fc.record({ x: fc.constantFrom('a', ' a', 'b', ' b ', 'c'), y: fc.constantFrom(1, 2) }, { requiredKeys: ['x'] }),
  { maxLength: 4 },
);

describe('what a schema makes of a new array', () => {
  it.each(Object.entries(transforms))(
    'is stored as it is, each element an object of its own: %s',
    async (_, change) => {
      const schema = z.array(element).transform(change).optional();
      const { Model, raw } = looseModel(database, { list: schema });
      const check = async (given: readonly Element[]): Promise<void> => {
        const expected = change(z.array(element).parse(given));
        const created = await Model.create({ list: given });
        const assigned = await Model.create({});
        assigned.list = structuredClone(given);
        await assigned.save();
        for (const document of [created, assigned]) {
          expect((await raw(document))?.['list']).toEqual(expected);
          expect(document.toObject().list).toEqual(expected);
          expect(new Set<Loose>(document.list).size).toBe(expected.length);
        }
      };
      // case: an object that moved is not what stands in its old place
      await check([{ x: ' b' }, { x: 'a' }]);
      await fc.assert(fc.asyncProperty(input, check), runs(40));
    },
  );
});

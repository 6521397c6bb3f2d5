import fc from 'fast-check';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { BulkSaveError, model } from '../../src/index.ts';
import { runs } from '../support/arbitrary.ts';
import { useDatabase } from '../support/database.ts';

/*
 * Hooks that save other documents, whatever else saves these at the same time: nothing waits for ever, and nothing is refused that
 * could go on.
 */

useDatabase();

class Part extends model('waiting_parts', { n: z.int().default(0) }) {}
beforeAll(() => Part.ensureCollection());

const COUNT = 4;
const place = fc.nat(COUNT - 1);
/** Whose hook saves whom. */
const edges = fc.uniqueArray(fc.tuple(place, place), { maxLength: 5, selector: ([from, to]) => `${from} ${to}` });
/** Documents that are saved together, and how long it takes until the next call begins. */
const calls = fc.array(fc.tuple(fc.uniqueArray(place, { minLength: 1, maxLength: 2 }), fc.nat(2)), {
  minLength: 1,
  maxLength: 4,
});

it('saves whose hooks save others all end, and none is refused where no hooks lead back', async () => {
  await fc.assert(
    fc.asyncProperty(edges, calls, fc.boolean(), async (asked, started, isOrdered) => {
      // Where documents are only saved by those before them, and each call is about one, nothing can lead back.
      const saving = isOrdered ? asked.filter(([from, to]) => from < to) : asked;
      const parts = await Part.insertMany(Array.from({ length: COUNT }, () => ({})));
      const end = Part.on('beforeUpdate', async (part) => {
        await setTimeout(1);
        const own = parts.indexOf(part);
        for (const [from, to] of saving)
          if (from === own) {
            (parts[to] as Part).n += 1;
            await parts[to]?.save();
          }
      });
      const results: Promise<unknown>[] = [];
      for (const [places, pause] of started) {
        const chosen = (isOrdered ? places.slice(0, 1) : places).map((each) => parts[each] as Part);
        for (const each of chosen) each.n += 1;
        const result: Promise<unknown> = chosen.length === 1 ? (chosen[0] as Part).save() : Part.saveAll(chosen);
        result.catch(() => undefined);
        results.push(result);
        await setTimeout(pause);
      }
      const settled = await Promise.race([Promise.allSettled(results), setTimeout(20_000, null, { ref: false })]);
      end();
      const errors = settled?.flatMap((each) => (each.status === 'rejected' ? [each.reason as Error] : []));
      expect(settled, 'waits for ever').not.toBeNull();
      const reasons = errors?.flatMap((each) =>
        each instanceof BulkSaveError
          ? each.results.flatMap(({ error }) => (error === undefined ? [] : [error]))
          : [each],
      );
      if (isOrdered) expect(reasons).toEqual([]);
      for (const each of reasons ?? []) expect((each as Error).message).toMatch(/wait for itself|neither could go on/);
    }),
    runs(60),
  );
});

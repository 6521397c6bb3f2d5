import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import { hidden, type Loose } from './loose-models.ts';

const zodCity = z.object({ city: z.string() });
/** Schemas that strip what they do not name. */
export const stripping: readonly (readonly [string, Loose])[] = [
  ['Zod', zodCity],
  ['Zod, optional', zodCity.optional()],
  ['Zod under a transform', zodCity.transform((o) => o)],
  ['Zod in a pipe', zodCity.pipe(z.object({ city: z.string().trim() }))],
  ['Zod, caught', zodCity.catch({ city: 'caught' })],
  ['Zod, caught and optional', zodCity.catch({ city: 'caught' }).optional()],
  ['Zod, overwritten', zodCity.overwrite((o) => ({ ...o }))],
  ['Valibot', v.object({ city: v.string() })],
  ['Valibot with a fallback', v.fallback(v.object({ city: v.string() }), { city: 'caught' })],
  [
    'Valibot under a transform',
    v.pipe(
      v.object({ city: v.string() }),
      v.transform((o) => o),
    ),
  ],
  ['ArkType that deletes', type({ city: 'string', '+': 'delete' })],
  ['ArkType that deletes in a union', type({ city: 'string', '+': 'delete' }).or('string')],
  ['a union', z.union([zodCity, z.object({ town: z.string() })])],
  ['a library that tells nothing', hidden(zodCity)],
];
/** Schemas that keep what they do not name: what a schema keeps is kept. */
export const keeping: readonly (readonly [string, Loose])[] = [
  ['Zod, loose', z.looseObject({ city: z.string() })],
  ['a catchall', zodCity.catchall(z.string())],
  ['a record', z.record(z.string(), z.string())],
  ['ArkType', type({ city: 'string' })],
  ['Valibot, loose', v.looseObject({ city: v.string() })],
  ['unknown', z.unknown()],
  ['a library that keeps', hidden(z.looseObject({ city: z.string() }))],
];
export const strict: readonly (readonly [string, Loose])[] = [
  ['Zod', z.strictObject({ city: z.string() })],
  ['Valibot', v.strictObject({ city: v.string() })],
  ['ArkType', type({ city: 'string', '+': 'reject' })],
];

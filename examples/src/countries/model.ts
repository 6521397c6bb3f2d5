import { createRequire } from 'node:module';
import { type Input, model } from 'data-bridge';
import type { Country as Source } from 'world-countries';
import { z } from 'zod';

const names = z.object({ common: z.string().min(1), official: z.string().min(1) });
const code = z.string().length(3);

const fields = {
  /** The code of ISO 3166-1 with three letters. Without an `_id` of its own a model gets ObjectIds. */
  _id: code,
  name: names.extend({ native: z.record(z.string(), names) }),
  tld: z.array(z.string().min(2)),
  cca2: z.string().length(2),
  ccn3: z.string(),
  /** The code of the country's Olympic committee. */
  cioc: z.string().optional(),
  independent: z.boolean().nullable(),
  status: z.string(),
  unMember: z.boolean(),
  unRegionalGroup: z.string(),
  currencies: z.record(z.string(), z.object({ name: z.string(), symbol: z.string() })),
  idd: z.object({ root: z.string(), suffixes: z.array(z.string()) }),
  capital: z.array(z.string()),
  altSpellings: z.array(z.string()),
  region: z.string(),
  subregion: z.string(),
  languages: z.record(z.string(), z.string()),
  translations: z.record(z.string(), names),
  demonyms: z.record(z.string(), z.object({ f: z.string(), m: z.string() })),
  /** Latitude and longitude in degrees. */
  latlng: z.tuple([z.number().min(-90).max(90), z.number().min(-180).max(180)]),
  landlocked: z.boolean(),
  /** The codes of the countries that it borders on by land. */
  borders: z.array(code),
  /** In km². */
  area: z.number(),
  flag: z.string(),
  treaty: z.object({ signed: z.date(), inForce: z.date() }).optional(),
};

/** A country of the world. */
export class Country extends model('countries', fields) {
  /** What people call it. */
  get label(): string {
    return this.name.common;
  }
}

/** The countries of the package `world-countries`, ready for the model. */
export function worldCountries(): Input<typeof fields>[] {
  // Its type declarations promise an ES module with a default export, but it is a CommonJS module that is the array.
  const sources = createRequire(import.meta.url)('world-countries') as readonly Source[];
  return sources.map(({ cca3, ...rest }) => ({ _id: cca3, ...rest }));
}

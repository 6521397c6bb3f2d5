import { z } from 'zod';
import { type HistoryEntry, model } from '../../src/index.ts';

export class User extends model(
  'users',
  {
    name: z.string(),
    age: z.number().optional(),
    tags: z.array(z.string()).default([]),
    address: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
    seen: z.date().optional(),
    card: z.object({ kind: z.string(), number: z.string() }).optional(),
    ssn: z.string().optional(),
    lines: z.array(z.object({ sku: z.string(), price: z.number().optional() })).optional(),
  },
  { timestamps: true, history: { redact: ['ssn', 'card.number', 'lines.price'] } },
) {}

export class Place extends model(
  'places',
  { _id: z.string(), name: z.string(), size: z.number().optional() },
  { history: true },
) {}

export class Contract extends model(
  'contracts',
  { _id: z.string(), title: z.string(), tags: z.array(z.string()).default([]) },
  { history: true, concurrency: 'version', timestamps: true },
) {}

/** All entries of a document, the newest first. */
export async function entriesOf(document: {
  $history(options?: { readonly size: number }): Promise<{ readonly items: HistoryEntry[] }>;
}): Promise<HistoryEntry[]> {
  return (await document.$history({ size: 1000 })).items;
}

/** The changes of an entry: path, before, after. */
export function changesIn(entry: HistoryEntry | undefined): (readonly [string, unknown, unknown])[] | undefined {
  return entry?.changes?.map(({ path, from, to }) => [path, from, to] as const);
}

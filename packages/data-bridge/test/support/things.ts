import type { BSON } from 'mongodb';
import { z } from 'zod';
import { model } from '../../src/index.ts';

/** A model with a transform, a limit, a field for anything and a default. */
export class Thing extends model('things', {
  name: z.string().trim().optional(),
  age: z.number().min(0).optional(),
  value: z.unknown().optional(),
  tags: z.array(z.string()).default([]),
}) {}

/** What is stored in that collection under the `_id` of a document of any model, as the driver reads it. */
export function storedThing({ _id }: { readonly _id: unknown }): Promise<BSON.Document | null> {
  return Thing.collection.findOne({ _id: _id as Thing['_id'] });
}

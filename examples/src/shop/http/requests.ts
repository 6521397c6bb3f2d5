import { objectId } from 'data-bridge/zod';
import { z } from 'zod';

/** The id in an address. */
export const ById = z.object({ id: objectId() });

/** Which page of a list: the tokens are those that the page before gave. */
export const PageQuery = z.strictObject({
  size: z.coerce.number().int().min(1).max(100).default(20),
  after: z.string().nullable().default(null),
  before: z.string().nullable().default(null),
});

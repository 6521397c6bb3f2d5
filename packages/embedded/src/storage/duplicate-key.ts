import { show } from '../values/text.ts';
import type { Document } from '../values/value.ts';
import { ServerError } from '../errors.ts';

/** Error 11000 as MongoDB words it, with the fields `keyPattern` and `keyValue` that drivers and mappers read. */
export function duplicateKeyError(namespace: string, index: string, pattern: Document, values: Document): ServerError {
  const message = `E11000 duplicate key error collection: ${namespace} index: ${index} dup key: ${show(values)}`;
  return new ServerError(11000, message, { keyPattern: pattern, keyValue: values });
}

import { createHash, randomBytes } from 'node:crypto';
import { canonicalText } from '../bson/canonical-text.ts';
import { setOwn } from '../bson/plain-object.ts';
import { stateOf, type TrackedDocument } from './tracked-document.ts';

/** Nobody who sees a tag in a log can try out what the document holds. */
const secret = randomBytes(16);
let unreadable = 0;

/**
 * What a document answers `Object.prototype.toString` with: a digest of its fields. Test runners compare that first, and
 * then own properties, of which documents have none; so documents are equal to them where their fields are. The digest
 * shows no value, and differs from process to process.
 */
export function documentTag(document: TrackedDocument<unknown>): string {
  try {
    const fields = canonicalText(comparedFields(document));
    return `Document ${createHash('sha256').update(secret).update(fields).digest('base64url').slice(0, 22)}`;
  } catch {
    // case: damaged bytes, or a prototype. Whoever asks for the tag asks for a name, and is not to fail; it equals no other.
    return `Document ${++unreadable}`;
  }
}

/** What two documents are compared by: what `toObject()` gives, and what is hidden there. */
export function comparedFields(document: TrackedDocument<unknown>): Record<string, unknown> {
  const fields = document.toObject() as Record<string, unknown>;
  const state = stateOf(document);
  const { hiddenFields } = state.definition;
  if (hiddenFields.length === 0) return fields;
  const all = state.toObject();
  for (const { programName: name } of hiddenFields) if (Object.hasOwn(all, name)) setOwn(fields, name, all[name]);
  return fields;
}

import { createHash, randomBytes } from 'node:crypto';
import { canonicalText } from '../bson/canonical-text.ts';

/** Nobody who sees a tag in a log can try out what the document holds. */
const secret = randomBytes(16);
let unreadable = 0;

/**
 * What a document answers `Object.prototype.toString` with: a digest of its fields. Test runners compare that first, and
 * then own properties, of which documents have none; so documents are equal to them where their fields are. The digest
 * shows no value, and differs from process to process.
 */
export function documentTag(document: { toObject(): unknown }): string {
  try {
    const fields = canonicalText(document.toObject());
    return `Document ${createHash('sha256').update(secret).update(fields).digest('base64url').slice(0, 22)}`;
  } catch {
    // case: damaged bytes, or a prototype. Whoever asks for the tag asks for a name, and is not to fail; it equals no other.
    return `Document ${++unreadable}`;
  }
}

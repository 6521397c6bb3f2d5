import { int32 } from './bytes.ts';
import { flat } from './text.ts';

/** Longer texts are rarely the same in many documents. */
const maxShared = 20;
const slots = 512;
/** How many misses more than hits a field may have before its texts are taken for different ones. */
const credit = 16;
/** After how many texts of such a field it is tried again. */
const pause = 512;

/** What is known of the texts of one field. */
export interface Repeats {
  /** Above 0 what the field may still miss; below 0 how many texts are left until it is tried again. */
  repeats: number;
}

/**
 * Short texts that come back from document to document, such as roles and countries: each is one string for all. They are
 * looked for by their bytes, so what is found costs no new string. A field whose texts do not come back is left alone.
 *
 * There are at most 512 of at most 20 characters.
 */
export class SharedTexts {
  #texts: string[] | null = null;

  /** The ASCII text between two offsets of a string value; null where it is for the caller to make. */
  at(bytes: Uint8Array, start: number, from: number, to: number, field: Repeats): string | null {
    const length = to - from;
    if (length > maxShared || length === 0) return null;
    if (field.repeats <= 0) {
      field.repeats = field.repeats === 0 ? -pause : field.repeats === -1 ? credit : field.repeats + 1;
      return null;
    }
    const texts = (this.#texts ??= Array.from({ length: slots }, () => ''));
    const slot = slotOf(bytes, from, to);
    const known = texts[slot] as string;
    if (isTextAt(known, bytes, from, length)) {
      if (field.repeats < credit) field.repeats += 1;
      return known;
    }
    field.repeats -= 1;
    const text = flat(bytes, start, from, to);
    // What is not ASCII has fewer characters than bytes, and would not be found again.
    if (text.length === length) texts[slot] = text;
    return text;
  }
}

function isTextAt(text: string, bytes: Uint8Array, from: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

/** By the length and the first and last bytes: a loop over all of them costs more than it finds. */
function slotOf(bytes: Uint8Array, from: number, to: number): number {
  // Of a shorter text than four bytes its length stands before it, and the zero byte after it.
  const last = int32(bytes, to - 3);
  const first = to - from < 4 ? last : int32(bytes, from);
  const mixed = Math.imul(first, 0x9e37_79b1) ^ Math.imul(last + to - from, 0x85eb_ca6b);
  return (mixed >>> 16) & (slots - 1);
}

import { isUtf8 } from 'node:buffer';
import { corrupt } from './bytes.ts';

/*
 * Buffer's natives, called on any Uint8Array. They copy, so the strings they give keep no document alive.
 * @types/node does not declare them.
 */
interface Slices {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
}
const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Slices;

/** All bytes as characters U+0000 to U+00FF: a text to take substrings of. */
export function latin1(bytes: Uint8Array, from: number, to: number): string {
  return latin1Slice.call(bytes, from, to);
}

/** A flat string of the UTF-8 text between two offsets. */
export function utf8(bytes: Uint8Array, start: number, from: number, to: number): string {
  const text = utf8Slice.call(bytes, from, to);
  // utf8Slice puts U+FFFD in the place of what is invalid; the text itself may hold that character too.
  if (text.includes('\ufffd') && !isUtf8(bytes.subarray(from, to))) {
    corrupt('a text is not valid UTF-8', start, from);
  }
  return text;
}

/** Are the bytes between two offsets all below 128? */
export function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) > 127) return false;
  return true;
}

/** Is this string the UTF-8 text between two offsets? */
export function equalText(bytes: Uint8Array, from: number, to: number, text: string): boolean {
  const { length } = text;
  if (length > to - from) return false;
  let at = from;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return equalUtf8(bytes, at, to, text, i);
    if (bytes[at++] !== code) return false;
  }
  return at === to;
}

function equalUtf8(bytes: Uint8Array, from: number, to: number, text: string, index: number): boolean {
  let at = from;
  for (let i = index; i < text.length; i++) {
    if (at >= to) return false;
    const code = text.codePointAt(i) as number;
    if (code < 0x80) {
      if (bytes[at++] !== code) return false;
    } else if (code < 0x800) {
      if (bytes[at++] !== (0xc0 | (code >> 6)) || bytes[at++] !== continuation(code)) return false;
    } else if (code < 0x1_0000) {
      if (code >= 0xd800 && code < 0xe000) return false; // a lone surrogate has no UTF-8
      if (bytes[at++] !== (0xe0 | (code >> 12)) || bytes[at++] !== continuation(code >> 6)) return false;
      if (bytes[at++] !== continuation(code)) return false;
    } else {
      i++;
      if (bytes[at++] !== (0xf0 | (code >> 18)) || bytes[at++] !== continuation(code >> 12)) return false;
      if (bytes[at++] !== continuation(code >> 6) || bytes[at++] !== continuation(code)) return false;
    }
  }
  return at === to;
}

function continuation(code: number): number {
  return 0x80 | (code & 0x3f);
}

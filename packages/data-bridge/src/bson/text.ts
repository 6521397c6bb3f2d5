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

/** Of more bytes than this, no text is made to take substrings of. */
export const maxText = 256 * 1024;

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

/** Lists of arguments by their number. */
const lists: readonly number[][] = Array.from({ length: 21 }, (_, length) => Array.from({ length }, () => 0));

/** The same, faster for short ASCII: fromCharCode makes one flat string, in two thirds of the time of the native. */
export function flat(bytes: Uint8Array, start: number, from: number, to: number): string {
  const codes = lists[to - from];
  if (codes === undefined) return utf8(bytes, start, from, to);
  for (let i = 0; i < codes.length; i++) {
    const code = bytes[from + i] as number;
    if (code > 127) return utf8(bytes, start, from, to);
    codes[i] = code;
  }
  return String.fromCharCode(...codes);
}

/** True where the bytes between two offsets are all below 128. Eight at a time: twice as fast. */
export function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  for (; at + 8 <= to; at += 8) if ((four(bytes, at) | four(bytes, at + 4)) > 127) return false;
  for (; at < to; at++) if ((bytes[at] as number) > 127) return false;
  return true;
}

function four(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | (bytes[at + 1] as number) | (bytes[at + 2] as number) | (bytes[at + 3] as number);
}

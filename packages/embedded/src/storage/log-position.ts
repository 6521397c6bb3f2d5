import { Timestamp } from 'bson';
import type { LogPosition } from './storage.ts';

/** The largest number of a position. */
const LAST = 0xffff_ffff;

/** The position of the entry of that time, and that place among several. */
export function logPosition({ t, i }: Pick<Timestamp, 't' | 'i'>, index = 0): LogPosition {
  return bytesOf(t) + bytesOf(i) + bytesOf(index);
}

export function timeOf(position: LogPosition): Timestamp {
  return new Timestamp({ t: numberAt(position, 0), i: numberAt(position, 4) });
}

/** The position before every entry of a time. */
export function startOf({ t, i }: Timestamp): LogPosition {
  if (i > 0) return logPosition({ t, i: i - 1 }, LAST);
  return t > 0 ? logPosition({ t: t - 1, i: LAST }, LAST) : logPosition({ t, i });
}

/** The position behind every entry of a time. */
export function endOf(time: Timestamp): LogPosition {
  return logPosition(time, LAST);
}

/** The position in hexadecimal digits, whose order is the same. */
export function hexOf(position: LogPosition): string {
  return Buffer.from(position, 'latin1').toString('hex');
}

export function positionOf(hex: string): LogPosition {
  return Buffer.from(hex, 'hex').toString('latin1');
}

function bytesOf(number: number): string {
  return String.fromCharCode(number >>> 24, (number >>> 16) & 0xff, (number >>> 8) & 0xff, number & 0xff);
}

function numberAt(text: string, start: number): number {
  return Buffer.from(text.slice(start, start + 4), 'latin1').readUInt32BE(0);
}

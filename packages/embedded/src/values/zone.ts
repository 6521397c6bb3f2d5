// Time zones: offsets from UTC, by the data that the JavaScript engine has.
import { ServerError } from '../errors.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Offsets of local time from UTC, in milliseconds, at a time in milliseconds since 1970. */
export interface Zone {
  offsetAt(utc: number): number;
}

export const UTC: Zone = { offsetAt: () => 0 };

const named = new Map<string, Zone>();

/**
 * The zone of an Olson name, such as `Europe/Berlin`, or of an offset: `+02:00`, `-0330`, `+05`.
 * @throws ServerError 40485 where there is no such zone
 */
export function zoneOf(name: string): Zone {
  if (name === 'UTC' || name === 'GMT' || name === 'Z') return UTC;
  const offset = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(name);
  if (offset !== null) return fixed(offset);
  const zone = named.get(name) ?? olson(name);
  named.set(name, zone);
  return zone;
}

function fixed([, sign, hours, minutes = '0']: RegExpExecArray): Zone {
  const offset = Number(`${sign}1`) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
  return { offsetAt: () => offset };
}

function olson(name: string): Zone {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    return { offsetAt: (utc) => offsetIn(format.format(utc)) };
  } catch {
    throw new ServerError(40485, `unrecognized time zone identifier: "${name}"`);
  }
}

/** Reads the end of a text such as `1/31/2024, GMT-03:30`; old offsets have seconds too. */
function offsetIn(text: string): number {
  const [, sign, hours, minutes, seconds = '0'] = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? [];
  if (sign === undefined) return 0;
  return Number(`${sign}1`) * (Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * 1000);
}

/** Local time, as milliseconds since 1970-01-01T00:00 there. */
export function toLocal(utc: number, zone: Zone): number {
  return utc + zone.offsetAt(utc);
}

/** The first instant of that local time. One that a change of the clocks skips is as much later as they skip. */
export function fromLocal(local: number, zone: Zone): number {
  const before = zone.offsetAt(local - DAY);
  if (zone.offsetAt(local - before) === before) return local - before;
  const after = zone.offsetAt(local + DAY);
  return zone.offsetAt(local - after) === after ? local - after : local - before;
}

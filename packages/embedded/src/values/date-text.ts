// Dates as texts, by formats such as `%Y-%m-%d`.
// https://www.mongodb.com/docs/manual/reference/operator/aggregation/dateToString/#format-specifiers
import { ServerError } from '../errors.ts';
import {
  dayOfWeek,
  dayOfYear,
  isoDayOfWeek,
  isoWeek,
  isoWeekYear,
  partsOf,
  type TimeParts,
  timeOf,
  timeOfIsoWeek,
  weekOfYear,
} from './calendar.ts';
import { fromLocal, toLocal, UTC, type Zone, zoneOf } from './zone.ts';

const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** A time, as the writer of one specifier sees it. */
interface Moment extends TimeParts {
  readonly local: number;
  /** Minutes from UTC. */
  readonly offset: number;
}

const pad = (value: number, length: number): string => String(value).padStart(length, '0');

function offsetText(offset: number): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

const WRITERS: ReadonlyMap<string, (moment: Moment) => string> = new Map<string, (moment: Moment) => string>([
  ['%', () => '%'],
  ['Y', ({ year }) => yearText(year)],
  ['m', ({ month }) => pad(month, 2)],
  ['d', ({ day }) => pad(day, 2)],
  ['H', ({ hour }) => pad(hour, 2)],
  ['M', ({ minute }) => pad(minute, 2)],
  ['S', ({ second }) => pad(second, 2)],
  ['L', ({ millisecond }) => pad(millisecond, 3)],
  ['b', ({ month }) => MONTH_NAMES[month - 1]?.slice(0, 3) ?? ''],
  ['B', ({ month }) => MONTH_NAMES[month - 1] ?? ''],
  ['j', ({ local }) => pad(dayOfYear(local), 3)],
  ['w', ({ local }) => String(dayOfWeek(local))],
  ['u', ({ local }) => String(isoDayOfWeek(local))],
  ['U', ({ local }) => pad(weekOfYear(local), 2)],
  ['V', ({ local }) => pad(isoWeek(local), 2)],
  ['G', ({ local }) => yearText(isoWeekYear(local))],
  ['z', ({ offset }) => offsetText(offset)],
  ['Z', ({ offset }) => String(offset)],
]);

function yearText(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  throw new ServerError(
    18537,
    `Could not convert date to string: date component was outside the supported range of 0-9999: ${year}`,
  );
}

/** Writes a time in a format. @throws ServerError 18535, 18536 for a wrong format, 18537 for a year beyond 0 to 9999 */
export function formatDate(time: number, format: string, zone: Zone): string {
  const local = toLocal(time, zone);
  const moment: Moment = { ...partsOf(local), local, offset: Math.trunc((local - time) / 60_000) };
  return format.replaceAll(/%([^]?)/g, (_, specifier: string) => {
    const write = WRITERS.get(specifier);
    if (write === undefined) throw wrongFormat(specifier);
    return write(moment);
  });
}

function wrongFormat(specifier: string): ServerError {
  if (specifier === '') return new ServerError(18535, "Unmatched '%' at end of format string");
  return new ServerError(18536, `Invalid format character '%${specifier}' in format string`);
}

/** What was read of a text, by specifier. */
type Read = Map<string, string>;

/** For each specifier, the expression of what it takes. */
const READERS: ReadonlyMap<string, string> = new Map([
  ['Y', String.raw`\d{4}`],
  ['G', String.raw`\d{4}`],
  ['m', String.raw`\d{1,2}`],
  ['d', String.raw`\d{1,2}`],
  ['H', String.raw`\d{1,2}`],
  ['M', String.raw`\d{1,2}`],
  ['S', String.raw`\d{1,2}`],
  ['L', String.raw`\d{1,3}`],
  ['j', String.raw`\d{1,3}`],
  ['V', String.raw`\d{1,2}`],
  ['u', '[1-7]'],
  ['b', '[A-Za-z]{3}'],
  ['B', '[A-Za-z]+'],
  ['z', String.raw`Z|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z][A-Za-z_/+-]*`],
  ['Z', String.raw`[+-]\d+`],
]);

/**
 * Reads a text by a format. A zone in the text wins over `zone`, and both at once are an error.
 * @throws ServerError 241 where the text is no such date, 18535 or 18536 for a wrong format
 */
export function parseDate(text: string, format: string, zone: Zone | undefined): number {
  const specifiers: string[] = [];
  const pattern = format.replaceAll(
    /%([^]?)|([^%]+)/g,
    (_, specifier: string | undefined, literal: string | undefined) => {
      if (literal !== undefined) return literal.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      if (specifier === '%') return '%';
      const reader = READERS.get(specifier ?? '');
      if (reader === undefined) throw wrongFormat(specifier ?? '');
      specifiers.push(specifier ?? '');
      return `(${reader})`;
    },
  );
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null) throw notADate(text, `it does not have the format '${format}'`);
  return timeRead(new Map(specifiers.map((specifier, position) => [specifier, found[position + 1] ?? ''])), text, zone);
}

function timeRead(read: Read, text: string, zone: Zone | undefined): number {
  const own = read.get('z') ?? read.get('Z');
  if (own !== undefined && zone !== undefined) {
    throw notADate(text, 'you cannot pass in a date/time string with time zone information and a time zone argument');
  }
  const local = dayRead(read, text) + clockRead(read, text);
  if (read.has('Z')) return local - Number(own) * 60_000;
  return fromLocal(local, own === undefined ? (zone ?? UTC) : zoneOf(own));
}

function dayRead(read: Read, text: string): number {
  const number = (specifier: string, otherwise: number): number => Number(read.get(specifier) ?? otherwise);
  if (read.has('G')) {
    if (['Y', 'm', 'd', 'j'].some((specifier) => read.has(specifier))) {
      throw notADate(text, 'ISO weeks cannot be mixed with months and days');
    }
    return timeOfIsoWeek(number('G', 0), number('V', 1), number('u', 1));
  }
  const year = read.get('Y');
  if (year === undefined) throw notADate(text, 'an incomplete date/time string has been found: there is no year');
  if (read.has('j')) return timeOf({ year: Number(year), day: number('j', 1) });
  const month = monthNamed(read.get('b') ?? read.get('B'), text) ?? number('m', 1);
  const day = number('d', 1);
  const time = timeOf({ year: Number(year), month, day });
  const parts = partsOf(time);
  if (parts.month !== month || parts.day !== day) throw notADate(text, 'the parsed date was invalid');
  return time;
}

function monthNamed(name: string | undefined, text: string): number | undefined {
  if (name === undefined) return undefined;
  const wanted = name.toLowerCase();
  const found = MONTH_NAMES.findIndex((month) =>
    [month, month.slice(0, 3)].some((one) => one.toLowerCase() === wanted),
  );
  if (found < 0) throw notADate(text, 'there is no such month');
  return found + 1;
}

function clockRead(read: Read, text: string): number {
  const [hour = 0, minute = 0, second = 0] = ['H', 'M', 'S'].map((specifier) => Number(read.get(specifier) ?? 0));
  if (hour > 24 || minute > 59 || second > 60) throw notADate(text, 'the parsed time was invalid');
  return timeOf({ year: 1970, hour, minute, second, millisecond: Number((read.get('L') ?? '0').padEnd(3, '0')) });
}

const ISO =
  /^(?<Y>\d{4})-(?<m>\d{1,2})-(?<d>\d{1,2})(?:[T ](?<H>\d{1,2}):(?<M>\d{2})(?::(?<S>\d{2})(?:\.(?<L>\d+))?)?)?\s*(?<z>Z|[+-]\d{2}(?::?\d{2})?|[A-Za-z][A-Za-z_/]+)?$/i;

/**
 * Reads a date in ISO 8601: the day, then perhaps a time, then perhaps a zone. MongoDB reads more than that by itself;
 * for the rest there are formats.
 * @throws ServerError 241 for any other text
 */
export function parseIsoDate(text: string, zone?: Zone): number {
  const groups = ISO.exec(text)?.groups;
  if (groups === undefined) throw notADate(text, 'it is not in ISO 8601');
  const read = new Map(Object.entries(groups).filter(([, value]: [string, string | undefined]) => value !== undefined));
  const own = read.get('z');
  if (own !== undefined) read.set('z', own.toUpperCase() === 'Z' ? 'Z' : own);
  const fraction = read.get('L');
  if (fraction !== undefined) read.set('L', fraction.slice(0, 3));
  return timeRead(read, text, zone);
}

function notADate(text: string, reason: string): ServerError {
  return new ServerError(241, `Error parsing date string '${text}': ${reason}`);
}

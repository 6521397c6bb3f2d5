// The Gregorian calendar. Times are milliseconds since 1970-01-01T00:00, in whatever zone.
import { ServerError } from '../errors.ts';

export const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** The parts of a time. Months and days count from 1. */
export interface TimeParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

export function partsOf(time: number): TimeParts {
  const date = new Date(time);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

/** The time of some parts; those that are too large or too small carry over. */
export function timeOf({
  year,
  month = 1,
  day = 1,
  hour = 0,
  minute = 0,
  second = 0,
  millisecond = 0,
}: Partial<TimeParts> & Pick<TimeParts, 'year'>): number {
  // Date.UTC would take the years 0 to 99 for others.
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  return midnight + hour * HOUR + minute * MINUTE + second * SECOND + millisecond;
}

/** From 1 for Sunday to 7. */
export function dayOfWeek(time: number): number {
  return new Date(time).getUTCDay() + 1;
}

/** From 1 for Monday to 7. */
export function isoDayOfWeek(time: number): number {
  return new Date(time).getUTCDay() || 7;
}

/** From 1. */
export function dayOfYear(time: number): number {
  return Math.floor((time - timeOf({ year: partsOf(time).year })) / DAY) + 1;
}

/** Weeks start on Sundays; the days before the first Sunday of a year are in week 0. */
export function weekOfYear(time: number): number {
  return Math.floor((dayOfYear(time) - dayOfWeek(time) + 7) / 7);
}

/** The year that the ISO week of a time belongs to: that of its Thursday. */
export function isoWeekYear(time: number): number {
  return partsOf(thursday(time)).year;
}

/** From 1. */
export function isoWeek(time: number): number {
  return Math.ceil(dayOfYear(thursday(time)) / 7);
}

function thursday(time: number): number {
  return time + (4 - isoDayOfWeek(time)) * DAY;
}

/** The midnight that starts a day of an ISO week; what is too large or too small carries over. */
export function timeOfIsoWeek(year: number, week: number, day: number): number {
  // The fourth of January is always in week 1.
  const fourth = timeOf({ year, day: 4 });
  return fourth + ((week - 1) * 7 + day - isoDayOfWeek(fourth)) * DAY;
}

/** The same time some months later, on the last day of the month where that has no such day. */
export function addMonths(time: number, months: number): number {
  const { year, month, day } = partsOf(time);
  const lastDay = partsOf(timeOf({ year, month: month + months + 1, day: 0 })).day;
  return timeOf({ year, month: month + months, day: Math.min(day, lastDay) }) + modulo(time, DAY);
}

/** Months since January of the year 0. */
export function monthNumber(time: number): number {
  const { year, month } = partsOf(time);
  return year * 12 + month - 1;
}

/** Full days since 1970. */
export function dayNumber(time: number): number {
  return Math.floor(time / DAY);
}

/** The remainder with the sign of the divisor. */
export function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}

/** Units of time that have a fixed length, in milliseconds. Days have one too, in local time. */
export const LENGTHS = { week: WEEK, day: DAY, hour: HOUR, minute: MINUTE, second: SECOND, millisecond: 1 } as const;

/** Units of time that are so many months. */
export const MONTHS = { year: 12, quarter: 3, month: 1 } as const;

export type TimeUnit = keyof typeof LENGTHS | keyof typeof MONTHS;

export function isMonths(unit: TimeUnit): unit is keyof typeof MONTHS {
  return Object.hasOwn(MONTHS, unit);
}

/** @throws ServerError 9 for an unknown unit */
export function timeUnit(name: string): TimeUnit {
  if (Object.hasOwn(LENGTHS, name) || Object.hasOwn(MONTHS, name)) return name as TimeUnit;
  throw new ServerError(9, `unknown time unit value: ${name}`);
}

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** The number of a weekday, 0 for Sunday, by its English name or the first three letters of it. */
export function weekday(name: string): number {
  const wanted = name.toLowerCase();
  const found = WEEKDAYS.findIndex((day) => day === wanted || day.slice(0, 3) === wanted);
  if (found >= 0) return found;
  throw new ServerError(9, `unknown day of week value: ${name}`);
}

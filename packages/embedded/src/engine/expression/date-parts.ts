import { Int32, Long } from 'bson';
import { ServerError } from '../../errors.ts';
import {
  dayOfWeek,
  dayOfYear,
  isoDayOfWeek,
  isoWeek,
  isoWeekYear,
  modulo,
  partsOf,
  SECOND,
  timeOf,
  timeOfIsoWeek,
  weekOfYear,
} from '../../values/calendar.ts';
import { toSafeInteger } from '../../values/number.ts';
import { show } from '../../values/text.ts';
import {
  type Document,
  documentOf,
  isArray,
  isDocument,
  isNullish,
  typeOrMissing,
  type Value,
} from '../../values/value.ts';
import { fromLocal, toLocal } from '../../values/zone.ts';
import { dateOf, timeArgument, zoneFrom } from './date.ts';
import {
  type Compile,
  type Expression,
  namedArguments,
  type Operator,
  type OperatorTable,
  type Scope,
  required,
} from './operator.ts';

const PART_CODES = { notObject: 40535, unknown: 40535, missing: { date: 40539 } };

/** An operator that takes a date, or `{date, timezone}`. */
const partOf =
  (part: (local: number) => Value): Operator =>
  (name, argument, scope, compile) => {
    const { date, timezone } = dateArguments(name, argument);
    const time = compile(date, scope);
    const zone = zoneFrom(timezone === undefined ? undefined : compile(timezone, scope));
    return (slots) => {
      const value = time(slots);
      const where = zone(slots);
      if (isNullish(value) || where === undefined) return null;
      return part(toLocal(timeArgument(value, 16006, `can't convert to a date in ${name}`), where));
    };
  };

function dateArguments(name: string, argument: Value): { date: Value; timezone: Value | undefined } {
  if (isArray(argument)) {
    const [date] = argument;
    if (argument.length === 1 && date !== undefined) return { date, timezone: undefined };
    throw new ServerError(
      40536,
      `${name} accepts exactly one argument if given an array, but was given ${argument.length}`,
    );
  }
  const [first] = isDocument(argument) ? argument.keys() : [];
  if (!isDocument(argument) || first?.startsWith('$') === true) return { date: argument, timezone: undefined };
  const args = namedArguments(name, argument, ['timezone'], PART_CODES);
  return { date: required(args, 'date'), timezone: args.get('timezone') };
}

const int = (part: (local: number) => number): Operator => partOf((local) => new Int32(part(local)));

const TO_PARTS_CODES = { notObject: 40524, unknown: 40520, missing: { date: 40522 } };

const dateToParts: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, ['timezone', 'iso8601'], TO_PARTS_CODES);
  const date = compile(required(args, 'date'), scope);
  const zone = zoneFrom(optional(args, 'timezone', scope, compile));
  const iso = compile(args.get('iso8601') ?? false, scope);
  return (slots) => {
    const value = date(slots);
    const where = zone(slots);
    const byWeeks = iso(slots);
    if (isNullish(value) || where === undefined || isNullish(byWeeks)) return null;
    if (typeof byWeeks !== 'boolean') {
      throw new ServerError(40521, `iso8601 must evaluate to a bool, found ${typeOrMissing(byWeeks)}`);
    }
    return partsDocument(toLocal(timeArgument(value, 16006, `can't convert to a date in ${name}`), where), byWeeks);
  };
};

function partsDocument(local: number, byWeeks: boolean): Document {
  const { year, month, day, ...clock } = partsOf(local);
  const days = byWeeks
    ? { isoWeekYear: isoWeekYear(local), isoWeek: isoWeek(local), isoDayOfWeek: isoDayOfWeek(local) }
    : { year, month, day };
  return documentOf(...Object.entries({ ...days, ...clock }).map(([key, value]) => [key, new Int32(value)] as const));
}

const CLOCK = ['hour', 'minute', 'second', 'millisecond'];
const NATURAL = ['year', 'month', 'day'];
const BY_WEEKS = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'];
const FROM_PARTS_CODES = { notObject: 40519, unknown: 40518, missing: {} };

const dateFromParts: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, [...NATURAL, ...BY_WEEKS, ...CLOCK, 'timezone'], FROM_PARTS_CODES);
  const byWeeks = args.has('isoWeekYear');
  if (byWeeks && NATURAL.some((key) => args.has(key))) {
    throw new ServerError(40489, `${name} does not allow mixing natural dates with ISO dates`);
  }
  if (!byWeeks && BY_WEEKS.some((key) => args.has(key)) && args.has('year')) {
    throw new ServerError(40525, `${name} does not allow mixing natural dates with ISO dates`);
  }
  if (!byWeeks && !args.has('year')) {
    throw new ServerError(40516, `${name} requires either 'year' or 'isoWeekYear' to be present`);
  }
  const names = [...(byWeeks ? BY_WEEKS : NATURAL), ...CLOCK];
  const parts = names.map((key) => [key, optional(args, key, scope, compile) ?? (() => defaultOf(key))] as const);
  const zone = zoneFrom(optional(args, 'timezone', scope, compile));
  return (slots) => {
    const values = new Map<string, number>();
    const where = zone(slots);
    if (where === undefined) return null;
    for (const [key, expression] of parts) {
      const value = expression(slots);
      if (isNullish(value)) return null;
      values.set(key, partArgument(key, value));
    }
    return dateOf(fromLocal(byWeeks ? isoTime(values) : timeOf(Object.fromEntries(values) as TimeRecord), where));
  };
};

type TimeRecord = Parameters<typeof timeOf>[0];

function isoTime(values: ReadonlyMap<string, number>): number {
  const [year = 0, week = 1, day = 1] = BY_WEEKS.map((key) => values.get(key));
  const clock = Object.fromEntries(CLOCK.map((key) => [key, values.get(key) ?? 0]));
  return timeOfIsoWeek(year, week, day) + timeOf({ year: 1970, ...clock });
}

function defaultOf(key: string): Int32 {
  return new Int32(CLOCK.includes(key) ? 0 : 1);
}

function partArgument(key: string, value: Value): number {
  const part = toSafeInteger(value);
  if (part === undefined) {
    throw new ServerError(
      40515,
      `'${key}' must evaluate to an integer, found ${typeOrMissing(value)} with value ${show(value)}`,
    );
  }
  if ((key === 'year' || key === 'isoWeekYear') && (part < 1 || part > 9999)) {
    throw new ServerError(40523, `'${key}' must evaluate to an integer in the range 1 to 9999, found ${part}`);
  }
  if (Math.abs(part) <= 32_767 || key === 'second' || key === 'millisecond') return part;
  throw new ServerError(
    31034,
    `'${key}' must evaluate to a value in the range [-32768, 32767]; value ${part} is not in range`,
  );
}

function optional(
  args: ReadonlyMap<string, Value>,
  key: string,
  scope: Scope,
  compile: Compile,
): Expression | undefined {
  const value = args.get(key);
  return value === undefined ? undefined : compile(value, scope);
}

/** Operators on the parts of dates. */
export const DATE_PARTS: OperatorTable = {
  $year: int((local) => partsOf(local).year),
  $month: int((local) => partsOf(local).month),
  $dayOfMonth: int((local) => partsOf(local).day),
  $hour: int((local) => partsOf(local).hour),
  $minute: int((local) => partsOf(local).minute),
  $second: int((local) => partsOf(local).second),
  $millisecond: int((local) => modulo(local, SECOND)),
  $dayOfWeek: int(dayOfWeek),
  $dayOfYear: int(dayOfYear),
  $week: int(weekOfYear),
  $isoDayOfWeek: int(isoDayOfWeek),
  $isoWeek: int(isoWeek),
  $isoWeekYear: partOf((local) => Long.fromNumber(isoWeekYear(local))),
  $dateToParts: dateToParts,
  $dateFromParts: dateFromParts,
};

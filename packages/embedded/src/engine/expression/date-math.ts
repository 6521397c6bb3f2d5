import { Int32, Long } from 'bson';
import { ServerError } from '../../errors.ts';
import {
  addMonths,
  DAY,
  dayNumber,
  isMonths,
  LENGTHS,
  modulo,
  monthNumber,
  MONTHS,
  type TimeUnit,
  timeOf,
  timeUnit,
  weekday,
} from '../../values/calendar.ts';
import { toSafeInteger } from '../../values/number.ts';
import { isNullish, type Value } from '../../values/value.ts';
import { fromLocal, toLocal, type Zone } from '../../values/zone.ts';
import { dateOf, textArgument, timeArgument, zoneFrom } from './date.ts';
import { namedArguments, type NamedArgumentCodes, type Operator, type OperatorTable } from './operator.ts';

/** The arguments of one call, none of them nothing. */
interface Arguments {
  /** One that is required. */
  value(name: string): Value;
  optional(name: string): Value | undefined;
  readonly zone: Zone;
}

/** An operator of named arguments; nothing in any of them makes the answer null. */
const dateOperator =
  (optional: readonly string[], codes: NamedArgumentCodes, run: (args: Arguments, name: string) => Value): Operator =>
  (name, argument, scope, compile) => {
    const args = namedArguments(name, argument, [...optional, 'timezone'], codes);
    const expressions = Array.from(args, ([key, expression]) => [key, compile(expression, scope)] as const);
    const zone = zoneFrom(expressions.find(([key]) => key === 'timezone')?.[1]);
    return (slots) => {
      const values = new Map<string, Value>();
      for (const [key, expression] of expressions) {
        const value = expression(slots);
        if (isNullish(value)) return null;
        values.set(key, value);
      }
      const where = zone(slots);
      if (where === undefined) return null;
      return run({ value: (key) => values.get(key) ?? null, optional: (key) => values.get(key), zone: where }, name);
    };
  };

function unitArgument(args: Arguments, code: number, name: string): TimeUnit {
  return timeUnit(textArgument(args.value('unit'), code, `${name} expects string defining the time unit`));
}

/** The first day of weeks, 0 for Sunday. */
function firstWeekday(args: Arguments, code: number, name: string): number {
  const given = args.optional('startOfWeek') ?? 'sunday';
  return weekday(textArgument(given, code, `${name} requires 'startOfWeek' to be a string`));
}

const ADD_CODES = {
  notObject: 5166400,
  unknown: 5166401,
  missing: { startDate: 5166402, unit: 5166402, amount: 5166402 },
};

const add = (sign: 1 | -1): Operator =>
  dateOperator([], ADD_CODES, (args, name) => {
    const start = timeArgument(
      args.value('startDate'),
      5166403,
      `${name} requires startDate to be convertible to a date`,
    );
    const unit = unitArgument(args, 5166404, name);
    const amount = toSafeInteger(args.value('amount'));
    if (amount === undefined) throw new ServerError(5166405, `${name} expects integer amount of time units`);
    return dateOf(later(start, unit, sign * amount, args.zone));
  });

/** From days on, it is the local clock that shows the same time. */
function later(start: number, unit: TimeUnit, amount: number, zone: Zone): number {
  if (isMonths(unit)) return fromLocal(addMonths(toLocal(start, zone), amount * MONTHS[unit]), zone);
  const moved = amount * LENGTHS[unit];
  return LENGTHS[unit] < DAY ? start + moved : fromLocal(toLocal(start, zone) + moved, zone);
}

const DIFF_CODES = {
  notObject: 5166301,
  unknown: 5166302,
  missing: { startDate: 5166303, endDate: 5166304, unit: 5166305 },
};

/** How many boundaries between units lie between two dates. */
const dateDiff = dateOperator(['startOfWeek'], DIFF_CODES, (args, name) => {
  const message = `${name} requires 'startDate' and 'endDate' to be dates`;
  const start = timeArgument(args.value('startDate'), 5166307, message);
  const end = timeArgument(args.value('endDate'), 5166307, message);
  const unit = unitArgument(args, 5166306, name);
  const first = firstWeekday(args, 5439015, name);
  return Long.fromNumber(unitNumber(end, unit, args.zone, first) - unitNumber(start, unit, args.zone, first));
});

/** The number of the unit of time that a date is in. */
function unitNumber(time: number, unit: TimeUnit, zone: Zone, firstDay: number): number {
  const offset = zone.offsetAt(time);
  if (isMonths(unit)) return Math.floor(monthNumber(time + offset) / MONTHS[unit]);
  if (unit === 'week') return weekNumber(time + offset, firstDay);
  // Hours are those that pass, also where the clocks change by whole ones.
  const shift = LENGTHS[unit] < DAY ? modulo(offset, LENGTHS[unit]) : offset;
  return Math.floor((time + shift) / LENGTHS[unit]);
}

/** The first of January 1970 was a Thursday. */
const WEEKDAY_OF_EPOCH = 4;

function weekNumber(local: number, firstDay: number): number {
  return Math.floor((dayNumber(local) + modulo(WEEKDAY_OF_EPOCH - firstDay, 7)) / 7);
}

const TRUNC_CODES = { notObject: 5439007, unknown: 5439008, missing: { date: 5439009, unit: 5439010 } };

const dateTrunc = dateOperator(['binSize', 'startOfWeek'], TRUNC_CODES, (args, name) => {
  const time = timeArgument(args.value('date'), 5439012, `${name} requires 'date' to be convertible to a date`);
  const unit = unitArgument(args, 5439013, name);
  const size = toSafeInteger(args.optional('binSize') ?? new Int32(1));
  if (size === undefined) throw new ServerError(5439017, `${name} requires 'binSize' to be a 64-bit integer`);
  if (size <= 0) throw new ServerError(5439018, `${name} requires 'binSize' to be greater than 0`);
  return dateOf(truncated(time, unit, size, args.zone, firstWeekday(args, 5439016, name)));
});

/** Bins are counted from the start of this year, local time; weeks from the first one that starts in it. */
const REFERENCE = timeOf({ year: 2000 });
const WEEKDAY_OF_REFERENCE = 6;

function truncated(time: number, unit: TimeUnit, size: number, zone: Zone, firstDay: number): number {
  const local = toLocal(time, zone);
  if (isMonths(unit)) {
    const months = size * MONTHS[unit];
    const passed = monthNumber(local) - monthNumber(REFERENCE);
    return fromLocal(addMonths(REFERENCE, passed - modulo(passed, months)), zone);
  }
  const length = size * LENGTHS[unit];
  if (LENGTHS[unit] < DAY) return time - modulo(time - fromLocal(REFERENCE, zone), length);
  const reference = unit === 'week' ? REFERENCE + modulo(firstDay - WEEKDAY_OF_REFERENCE, 7) * DAY : REFERENCE;
  return fromLocal(local - modulo(local - reference, length), zone);
}

/** Calculations with dates. */
export const DATE_MATH: OperatorTable = {
  $dateAdd: add(1),
  $dateSubtract: add(-1),
  $dateDiff: dateDiff,
  $dateTrunc: dateTrunc,
};

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseCount } from '../../../../scripts/case-count.ts';
import {
  addMonths,
  DAY,
  isoDayOfWeek,
  isoWeek,
  isoWeekYear,
  partsOf,
  timeOf,
  timeOfIsoWeek,
} from '../../src/engine/calendar.ts';
import { formatDate, parseDate } from '../../src/engine/date-text.ts';
import { fromLocal, toLocal, zoneOf } from '../../src/engine/zone.ts';
import { failure } from './support.ts';

const time = fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) });
const zone = fc
  .constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    '+05:30',
    '-0330',
    '+02',
  )
  .map(zoneOf);

describe('a time zone', () => {
  it('leads back from local time, but for the hour that the clocks show twice', () => {
    fc.assert(
      fc.property(time, zone, (utc, where) => {
        const local = toLocal(utc, where);
        const back = fromLocal(local, where);
        // The first of two instants that show the same.
        expect(toLocal(back, where)).toBe(local);
        expect(back).toBeLessThanOrEqual(utc);
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('moves on what the clocks skip', () => {
    const berlin = zoneOf('Europe/Berlin');
    expect(fromLocal(Date.UTC(2024, 2, 31, 2, 30), berlin)).toBe(Date.UTC(2024, 2, 31, 1, 30));
  });

  it('has to exist', () => {
    expect(failure(() => zoneOf('No/Where')).code).toBe(40485);
    expect(failure(() => zoneOf('+2')).code).toBe(40485);
  });
});

describe('the calendar', () => {
  it('puts together what it took apart', () => {
    fc.assert(
      fc.property(time, (at) => {
        expect(timeOf(partsOf(at))).toBe(at);
        const midnight = Math.floor(at / DAY) * DAY;
        expect(timeOfIsoWeek(isoWeekYear(at), isoWeek(at), isoDayOfWeek(at))).toBe(midnight);
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('adds months one by one as all at once, from the first days of months', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 30 }), (at, months) => {
        const { year, month } = partsOf(at);
        const start = timeOf({ year, month, day: 28 });
        const steps = Array.from({ length: months }).reduce<number>((moved) => addMonths(moved, 1), start);
        expect(addMonths(start, months)).toBe(steps);
      }),
      { numRuns: caseCount(300) },
    );
  });

  it('knows the years before 100', () => {
    expect(partsOf(timeOf({ year: 50, month: 2, day: 29 }))).toMatchObject({ year: 50, month: 3, day: 1 });
  });
});

describe('a date as text', () => {
  it('is read as it was written', () => {
    const formats = fc.constantFrom(
      '%Y-%m-%dT%H:%M:%S.%L%z',
      '%d.%m.%Y %H:%M:%S,%L %z',
      '%G-W%V-%u %H:%M:%S.%L %z',
      '%Y %j %H%M%S%L%z',
    );
    fc.assert(
      fc.property(time, fc.constantFrom('UTC', '+05:30', '-0330'), formats, (at, name, format) => {
        expect(parseDate(formatDate(at, format, zoneOf(name)), format, undefined)).toBe(at);
      }),
      { numRuns: caseCount(300) },
    );
  });
});

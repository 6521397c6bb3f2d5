// What the operators on dates have in common.
import { ObjectId, Timestamp } from 'bson';
import { ServerError } from '../../errors.ts';
import { DateTime, isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { UTC, type Zone, zoneOf } from '../../values/zone.ts';
import type { Expression, Slots } from './operator.ts';

const MOST_MILLISECONDS = 8_640_000_000_000_000n;

/** Milliseconds since 1970 of a value that holds a time: a date, a timestamp or an ObjectId. */
function timeIn(value: Value | undefined): number | undefined {
  if (value instanceof DateTime) return inRange(value.milliseconds);
  if (value instanceof ObjectId) return value.getTimestamp().getTime();
  return value instanceof Timestamp ? value.t * 1000 : undefined;
}

function inRange(milliseconds: bigint): number {
  if (milliseconds >= -MOST_MILLISECONDS && milliseconds <= MOST_MILLISECONDS) return Number(milliseconds);
  throw new ServerError(18537, 'The date is outside the range that the embedded server can calculate with');
}

/** The time in an argument. @throws ServerError of that code where there is none */
export function timeArgument(value: Value, code: number, message: string): number {
  const time = timeIn(value);
  if (time !== undefined) return time;
  throw new ServerError(code, `${message}, found: ${typeOrMissing(value)}`);
}

/** The text in an argument. @throws ServerError of that code where there is none */
export function textArgument(value: Value, code: number, message: string): string {
  if (typeof value === 'string') return value;
  throw new ServerError(code, `${message}, found: ${typeOrMissing(value)}`);
}

/** A date, which must be one that BSON and JavaScript have. */
export function dateOf(time: number): DateTime {
  if (Number.isFinite(time) && Math.abs(time) <= Number(MOST_MILLISECONDS)) return new DateTime(BigInt(time));
  throw new ServerError(15, 'date overflow');
}

/** Evaluates the zone that an operator is given: UTC where it is given none, `undefined` where the value is nothing. */
export function zoneFrom(timezone: Expression | undefined): (slots: Slots) => Zone | undefined {
  if (timezone === undefined) return () => UTC;
  return (slots) => {
    const name = timezone(slots);
    return isNullish(name) ? undefined : zoneOf(textArgument(name, 40517, 'timezone must evaluate to a string'));
  };
}

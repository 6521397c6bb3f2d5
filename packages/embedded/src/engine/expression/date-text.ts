import { ServerError } from '../../errors.ts';
import { formatDate, parseDate, parseIsoDate } from '../../values/date-text.ts';
import { isNullish, typeOrMissing, type Value } from '../../values/value.ts';
import { UTC } from '../../values/zone.ts';
import { dateOf, textArgument, timeArgument, zoneFrom } from './date.ts';
import { type Expression, namedArguments, type Operator, type OperatorTable, required } from './operator.ts';

const TO_STRING_CODES = { notObject: 18629, unknown: 18534, missing: { date: 18628 } };

const dateToString: Operator = (name, argument, scope, compile) => {
  const args = namedArguments(name, argument, ['format', 'timezone', 'onNull'], TO_STRING_CODES);
  const given = (key: string): Expression | undefined => {
    const expression = args.get(key);
    return expression === undefined ? undefined : compile(expression, scope);
  };
  const date = compile(required(args, 'date'), scope);
  const [format, onNull] = [given('format'), given('onNull')];
  const zone = zoneFrom(given('timezone'));
  return (slots) => {
    const value = date(slots);
    if (isNullish(value)) return onNull === undefined ? null : onNull(slots);
    const where = zone(slots);
    if (where === undefined) return null;
    const wanted = format === undefined ? `%Y-%m-%dT%H:%M:%S.%L${where === UTC ? 'Z' : ''}` : format(slots);
    if (isNullish(wanted)) return null;
    const text = textArgument(wanted, 18533, `${name} requires that 'format' be a string`);
    return formatDate(timeArgument(value, 16006, `can't convert to a date in ${name}`), text, where);
  };
};

const FROM_STRING_CODES = { notObject: 40540, unknown: 40541, missing: { dateString: 40542 } };

const dateFromString: Operator = (name, argument, scope, compile) => {
  const optional = ['format', 'timezone', 'onNull', 'onError'];
  const args = namedArguments(name, argument, optional, FROM_STRING_CODES);
  const given = (key: string): Expression | undefined => {
    const expression = args.get(key);
    return expression === undefined ? undefined : compile(expression, scope);
  };
  const input = compile(required(args, 'dateString'), scope);
  const [format, timezone, onNull, onError] = optional.map(given);
  const zone = zoneFrom(timezone);
  return (slots) => {
    const text = input(slots);
    if (isNullish(text)) return onNull === undefined ? null : onNull(slots);
    const where = zone(slots);
    const wanted = format?.(slots);
    if (where === undefined || (format !== undefined && isNullish(wanted))) return null;
    try {
      return dateOf(timeIn(text, wanted ?? undefined, timezone === undefined ? undefined : where));
    } catch (error) {
      if (onError !== undefined && error instanceof ServerError && error.code === 241) return onError(slots);
      throw error;
    }
  };

  function timeIn(text: Value, wanted: Value | undefined, where: typeof UTC | undefined): number {
    if (typeof text !== 'string') {
      throw new ServerError(241, `${name} requires that 'dateString' be a string, found: ${typeOrMissing(text)}`);
    }
    if (wanted === undefined) return parseIsoDate(text, where);
    return parseDate(text, textArgument(wanted, 40684, `${name} requires that 'format' be a string`), where);
  }
};

/** Dates as texts. */
export const DATE_TEXT: OperatorTable = { $dateToString: dateToString, $dateFromString: dateFromString };

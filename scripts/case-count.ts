/** A server from outside may be fifty times slower than the embedded one, which has all the cases in the same deep run. */
const OUTSIDE_SHARE = 1 / 8;

/**
 * How many random cases a property tries: all that it needs in `npm run test:deep`, an eighth of that where `MONGODB_URI`
 * names a server, and the square root in `npm test`. `FC_RUNS` sets a number for every property.
 */
export function caseCount(deep: number): number {
  const { FC_RUNS: chosen, DEEP, MONGODB_URI } = process.env;
  if (chosen !== undefined) return Number(chosen);
  const few = Math.ceil(Math.sqrt(deep));
  if (DEEP === undefined) return few;
  return MONGODB_URI === undefined ? deep : Math.max(few, Math.ceil(deep * OUTSIDE_SHARE));
}

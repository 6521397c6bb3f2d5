/** True in `npm run test:deep`, for loops that take steps of another size there. */
export const IS_DEEP = process.env['DEEP'] !== undefined;

/** A server from outside may be fifty times slower than the embedded one, which has all the cases in the same deep run. */
const OUTSIDE_SHARE = 1 / 8;

/**
 * How many random cases a property tries: all that it needs in `npm run test:deep`, an eighth of that where `MONGODB_URI`
 * names a server, and half the square root in `npm test`. `FC_RUNS` sets a number for every property.
 */
export function caseCount(deep: number): number {
  const { FC_RUNS: chosen, MONGODB_URI } = process.env;
  if (chosen !== undefined) return Number(chosen);
  const root = Math.sqrt(deep);
  if (!IS_DEEP) return Math.ceil(root / 2);
  return MONGODB_URI === undefined ? deep : Math.ceil(Math.max(root, deep * OUTSIDE_SHARE));
}

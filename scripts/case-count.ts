/** True in `npm run test:deep`, for loops that take steps of another size there. */
export const IS_DEEP = process.env['DEEP'] !== undefined;

/**
 * How many random cases a property tries: all that it needs in `npm run test:deep`, the square root of that in
 * `npm test`. `FC_RUNS` sets a number for every property.
 */
export function caseCount(deep: number): number {
  const chosen = process.env['FC_RUNS'];
  if (chosen !== undefined) return Number(chosen);
  return IS_DEEP ? deep : Math.ceil(Math.sqrt(deep));
}

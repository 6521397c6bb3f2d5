/**
 * How many random cases a property tries: all that it needs in `npm run test:deep`, the square root of that in
 * `npm test`. `FC_RUNS` sets a number for every property.
 */
export function caseCount(deep: number): number {
  const chosen = process.env['FC_RUNS'];
  if (chosen !== undefined) return Number(chosen);
  return process.env['DEEP'] === undefined ? Math.ceil(Math.sqrt(deep)) : deep;
}

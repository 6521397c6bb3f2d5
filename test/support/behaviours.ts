/**
 * The ids of the behaviours that tests stand for, group by group: `CRUD: '1-9 11-20'` is CRUD-01 to CRUD-09 and CRUD-11 to
 * CRUD-20. An id is never given again, so there are gaps. What the project does not do yet is not listed.
 */
export const behaviours = {
  STATE: '1-38',
  CRUD: '1-9 11-20',
  QUERY: '1-32',
  TYPES: '1-45',
  CONSTRAINT: '1-14 16-52',
  EMBED: '1-15',
  HOOK: '1-7',
  BULK: '1-13',
  AGG: '1-15',
  SEARCH: '1-12',
  GEO: '1-8',
  SECURITY: '1-14 16-21',
  EDGE: '1-21',
  CONN: '9 11-14',
} as const;

/** The ids that a list of ranges means. */
export function idsOf(group: string, ranges: string): string[] {
  return ranges.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    return numbers.map((number) => `${group}-${String(number).padStart(2, '0')}`);
  });
}

import type { FilterPaths } from './paths.ts';

/** Ascending or descending. */
export type SortDirection = 1 | -1 | 'asc' | 'desc' | 'ascending' | 'descending';

/** The score of a `$text` search. */
interface TextScore {
  readonly $meta: 'textScore';
}

/** An order by fields and dotted paths, the first key first: `{ age: -1, 'address.city': 1 }`. `$meta` sorts by the score of a `$text` search. */
export type Sort<D> = { readonly [K in FilterPaths<D>]?: SortDirection | TextScore };

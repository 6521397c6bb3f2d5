// Documents whose time is over.
// https://www.mongodb.com/docs/manual/core/index-ttl/
import { DateTime, documentOf } from '../values/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Collection } from '../catalog/collection.ts';
import type { IndexDefinition } from '../storage/secondary-index.ts';
import { runDelete } from './delete.ts';

/** An index that makes documents of its collection expire. */
interface Expiry {
  readonly collection: Collection;
  readonly definition: IndexDefinition;
  readonly expireAfter: number;
}

/**
 * Removes the documents that have expired: those whose date, or the first of several, lies long enough back. Throws a
 * `WriteConflict` where a transaction has written one of them.
 */
export function removeExpired(catalog: Catalog): void {
  const expiries = expiriesOf(catalog);
  // Even an empty transaction costs a durable store something.
  if (expiries.length === 0) return;
  const now = DateTime.now();
  const scope = { now, variables: new Map(), collation: undefined, deadline: undefined };
  catalog.write(() => {
    for (const { collection: stored, definition, expireAfter } of expiries) {
      const collection = catalog.collection(stored.database, stored.name);
      const latest = new DateTime(now.milliseconds - BigInt(expireAfter) * 1000n);
      const [path = ''] = definition.pattern.keys();
      const filter = documentOf([path, documentOf(['$lte', latest])]);
      const hint = collection?.index(definition.name);
      runDelete(collection, { filter, multi: true, hint, collation: undefined }, scope);
    }
  });
}

function expiriesOf(catalog: Catalog): Expiry[] {
  return catalog
    .databases()
    .flatMap((database) => catalog.collections(database))
    .flatMap((collection) =>
      Array.from(collection.indexes, ({ definition }) => ({ collection, definition })).flatMap((index) => {
        const { expireAfter } = index.definition;
        return expireAfter === undefined ? [] : [{ ...index, expireAfter }];
      }),
    );
}

import { Catalog } from '../catalog/catalog.ts';
import { indexDefinition } from '../commands/index-definition.ts';
import { LmdbStorage } from '../storage/lmdb.ts';

/** Works on the data in a folder, without a server. */
export async function withCatalog<T>(path: string, work: (catalog: Catalog) => Promise<T>): Promise<T> {
  const storage = await LmdbStorage.open(path);
  try {
    return await work(new Catalog(storage, indexDefinition));
  } finally {
    await storage.close();
  }
}

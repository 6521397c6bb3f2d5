import { openDatabase } from './database.ts';

/** What another server gets wrong, by product and by the test that meets it. It is skipped there. */
const FAULTS: Readonly<Record<string, readonly string[]>> = {
  secantusdb: [
    // Of two findAndModify at once both may be given the same document as it was before.
    'a history is whole when writers work at once',
    // `$bit` makes an int of a long whose result is small.
    'a long stays one',
    // `$all` of values of different elements finds nothing, and `$elemMatch` takes no `$or`.
    'joined conditions on elements',
    // `distinct` of a path that goes through an array finds nothing.
    'distinct values inside of elements',
    // `collMod` answers that it has hidden an index, and has not.
    'hiding an index that is there',
    // In a filter's `$expr` it does not know `$$NOW`.
    'a lease whose time is over',
    // A `localField` of `$lookup` that goes through an array finds nothing.
    'lookup from inside of elements',
  ],
};

/** Is this test skipped on the server under test? It is asked before any test is collected. */
export async function askForFault(test: string): Promise<boolean> {
  if (process.env['MONGODB_URI'] === undefined) return false;
  const { connection, close } = await openDatabase();
  try {
    const info = await connection.db.admin().command({ buildInfo: 1 });
    const product = /secantus/i.test(JSON.stringify(info)) ? 'secantusdb' : 'mongodb';
    return FAULTS[product]?.includes(test) === true;
  } finally {
    await close();
  }
}

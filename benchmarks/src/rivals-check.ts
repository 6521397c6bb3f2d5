import { deepStrictEqual } from 'node:assert';
import { MongoClient } from 'mongodb';
import { startEmbedded } from './embedded.ts';
import { fixtures, type User } from './fixtures.ts';
import type { Fields, Open } from './rival.ts';

/** Lets each mapper do its work once on the embedded server, so that none is fast by leaving something out. */
export async function checkRivals(all: ReadonlyMap<string, Open>): Promise<void> {
  const server = await startEmbedded();
  const address = new URL(server.uri);
  address.pathname = '/bench';
  const client = await new MongoClient(address.href).connect();
  const stored = client.db().collection<User>('users');
  const inputs: Fields[] = fixtures
    .users()
    .docs.slice(0, 3)
    .map(({ _id, ...fields }) => fields);
  try {
    for (const open of all.values()) {
      await stored.deleteMany({});
      const rival = await open(address.href);
      const [, second] = inputs;
      if (second === undefined) throw new Error('There is no document to change.');
      await rival.insert(inputs.map((fields) => ({ ...fields })));
      await rival.save({ email: second.email, age: 777, lang: 'xx' });
      const found = (await rival.find()).length;
      await rival.close();
      const changed = { ...second, age: 777, settings: { ...second.settings, lang: 'xx' } };
      const documents = (await stored.find().toArray()).map(({ _id, ...fields }) => fields);
      deepStrictEqual([found, ...documents], [inputs.length, inputs[0], changed, inputs[2]]);
    }
  } finally {
    await client.close();
    await server.stop();
  }
}

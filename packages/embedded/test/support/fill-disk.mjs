// Fills the disk, or what of it this process may use, and reports on it: node fill-disk.mjs <index.js of the package> <folder>
import { pathToFileURL } from 'node:url';
import { MongoClient } from 'mongodb';

const [, , index, path] = process.argv;
const { startServer } = await import(pathToFileURL(index).href);
const server = await startServer({ path });
const client = new MongoClient(server.uri, { retryWrites: false });
const items = client.db('shop').collection('items');
await items.createIndex({ n: 1 });

const text = 'x'.repeat(3_000);
let stored = 0;
let error;
while (error === undefined) {
  try {
    await items.insertOne({ _id: stored, n: stored, text });
    stored += 1;
  } catch (thrown) {
    error = { code: thrown.code, codeName: thrown.codeName, message: thrown.message };
  }
}

const answer = (promise) => promise.then(() => 'ok', ({ code }) => code); // prettier-ignore
const inTransaction = async () => {
  const session = client.startSession();
  session.startTransaction();
  await items.insertMany([{ text }, { text: text.repeat(10) }], { session });
  await session.commitTransaction();
};
const others = {
  insertMany: await answer(items.insertMany([{ text: text.repeat(3) }, { text: text.repeat(20) }])),
  update: await answer(items.updateMany({}, { $set: { n: 7, text: text.repeat(2) } })),
  commit: await answer(inTransaction()),
  count: await items.countDocuments(),
  remove: await answer(items.deleteOne({ _id: 0 })),
  smaller: await answer(items.insertOne({ _id: 10_000 })),
};
console.log(`\n${JSON.stringify({ stored, error, others })}`);
await client.close();
await server.close();

// Opens stores with changed bytes one after another, and says of each what became of it. Run by a test in a process of its
// own, which may die of them: node open-damaged.mjs <index.js of the package> <folder of the whole store> <folder to use>
// <name of the file> <number of the first change> <file of JSON: for each store the bytes that change, as [place, byte]>
import { readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MongoClient } from 'mongodb';

const [, , index, whole, folder, name, first, changesFile] = process.argv;
const { startServer } = await import(pathToFileURL(index).href);
const files = new Map(['data.mdb', 'lock.mdb'].map((file) => [file, readFileSync(join(whole, file))]));
const changes = JSON.parse(readFileSync(changesFile, 'utf8'));
const say = (at, what) => writeSync(1, `${JSON.stringify({ at, ...what })}\n`);

for (let at = Number(first); at < changes.length; at += 1) {
  for (const [file, bytes] of files) writeFileSync(join(folder, file), bytes);
  const bytes = Buffer.from(files.get(name));
  for (const [place, byte] of changes[at]) bytes[place] = byte;
  writeFileSync(join(folder, name), bytes);
  say(at, { outcome: 'dead' });
  say(at, await outcome());
}

/** Reads all, and writes to all. */
async function outcome() {
  let server;
  try {
    server = await startServer({ path: folder });
  } catch (error) {
    return { outcome: 'refused', code: error.code, message: error.message };
  }
  const client = new MongoClient(server.uri, { directConnection: true, retryWrites: false });
  const collection = client.db('shop').collection('items');
  try {
    const documents = await collection.find().toArray();
    const { valid, nrecords } = await client.db('shop').command({ validate: 'items' });
    await collection.updateMany({ n: { $lt: 50 } }, { $set: { text: 'changed' } });
    await collection.insertOne({ n: -1, text: 'y'.repeat(20_000) });
    await collection.deleteMany({ n: { $gt: 100 } });
    const after = await client.db('shop').command({ validate: 'items' });
    return { outcome: 'served', documents: documents.length, nrecords, valid: valid && after.valid };
  } catch (error) {
    return { outcome: 'failed', message: error.message };
  } finally {
    await client.close();
    await server.close();
  }
}

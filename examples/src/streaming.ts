import { connect, model } from 'data-bridge';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/* Many documents in little memory: through a stream of Node.js, until a signal says stop. */

class Reading extends model('readings', { sensor: z.string(), value: z.number() }) {}

const db = await connect('embedded:memory');
const rows = Array.from({ length: 5000 }, (_, i) => ({ sensor: `s${i % 3}`, value: i }));
await Reading.insertMany(rows, { validate: false, return: 'ids' });

// A query is an async iterable, so it is a stream: slow readers hold it back.
const lines = Reading.find({ sensor: 's0' })
  .sort({ value: 1 })
  .lean()
  .map(({ value }) => `${value}\n`);
let written = 0;
const sink = new Writable({
  write(chunk: Buffer, _encoding, done) {
    written += chunk.length;
    done();
  },
});
await pipeline(Readable.from(lines), sink);
console.log(`${written} bytes`);

// A signal ends it and closes the cursor on the server.
const controller = new AbortController();
let seen = 0;
try {
  for await (const _reading of Reading.find().batchSize(100).signal(controller.signal)) {
    seen += 1;
    if (seen === 250) controller.abort(new Error('enough'));
  }
} catch (error) {
  console.log(`${error instanceof Error ? error.message : ''} after ${seen}`);
}
await db.close();

import { BulkSaveError, connect, model } from 'data-bridge';
import { z } from 'zod';

/* A stock-taking: an import, many changes at once, and what becomes of those that cannot be saved. */

class Product extends model('products', {
  _id: z.string(),
  name: z.string().min(1),
  stock: z.int().min(0),
  checked: z.date().optional(),
}) {}

class Note extends model('notes', { product: z.string(), text: z.string() }) {}

const db = await connect('embedded:memory');

// An import of what is known to be valid: neither validated nor made into documents.
const rows = Array.from({ length: 1000 }, (_, i) => ({ _id: `p${i}`, name: `Product ${i}`, stock: i % 7 }));
const ids = await Product.insertMany(rows, { validate: false, return: 'ids' });
console.log(`${ids.length} products`);

// Documents of two models, new and changed, in one command.
const counted = new Date();
const empty = await Product.find({ stock: 0 });
const notes = empty.map(({ _id }) => new Note({ product: _id, text: 'order more' }));
for (const product of empty) product.checked = counted;
const results = await Product.saveAll([...empty, ...notes]);
console.log(`${results.length} saved`);

// What cannot be saved is told, and the rest is saved all the same.
const [first, second, third] = empty;
if (first !== undefined && second !== undefined && third !== undefined) {
  first.stock = -1;
  second.stock = 12;
  third.stock = 3;
  await Product.deleteOne({ _id: third._id });
  try {
    await Product.saveAll([first, second, third]);
  } catch (error) {
    if (!(error instanceof BulkSaveError)) throw error;
    for (const { outcome, error: reason } of error.results)
      console.log(outcome, reason instanceof Error ? reason.name : '');
  }
}

// Operations that need no documents.
const [restocked, removed] = await Product.bulk()
  .updateMany({ stock: { $lt: 2 } }, { $inc: { stock: 10 } })
  .deleteMany({ stock: 6 })
  .execute();
console.log(`${restocked?.matchedCount} restocked, ${removed?.deletedCount} removed`);
await db.close();

import { type Conflict, ConflictError, connect, model } from 'data-bridge';
import mongoose from 'mongoose';
import { z } from 'zod';

/*
 * Two editors have the same order open. Ann sells three pens and orders more ink. Bob, who read the order before that,
 * sells three pens, too, and strikes the paper. Each saves, Ann first. What is stored then?
 */

interface Order {
  stock: number;
  items: { sku: string; count: number }[];
}

const begin: Order = {
  stock: 10,
  items: [
    { sku: 'paper', count: 1 },
    { sku: 'ink', count: 1 },
  ],
};

function actAsAnn(order: Order): void {
  order.stock -= 3;
  for (const item of order.items) if (item.sku === 'ink') item.count = 5;
}

function actAsBob(order: Order): void {
  order.stock -= 3;
  order.items.splice(0, 1);
}

function show(who: string, { stock, items }: Order): void {
  console.log(`${who}: stock ${stock}, ${items.map(({ sku, count }) => `${sku} ${count}`).join(', ')}`);
}

const db = await connect('embedded:memory');

// ── Mongoose ────────────────────────────────────────────────────────────────────────────────────────────────────────

const connection = await mongoose.createConnection(db.uri).asPromise();
const Theirs = connection.model<Order>(
  'Order',
  new mongoose.Schema<Order>({ stock: Number, items: [{ sku: String, count: Number }] }, { collection: 'theirs' }),
);

const stored = await Theirs.create(begin);
const [annHere, bobHere] = [await Theirs.findById(stored._id).orFail(), await Theirs.findById(stored._id).orFail()];
actAsAnn(annHere);
actAsBob(bobHere);
await annHere.save();
await bobHere.save();
show('Mongoose', await Theirs.findById(stored._id).orFail()); // three pens were sold for nothing, and nobody orders ink
await connection.close();

// ── data-bridge ─────────────────────────────────────────────────────────────────────────────────────────────────────

const Item = z.object({ _id: z.string(), sku: z.string(), count: z.int() });

class Ours extends model('ours', { stock: z.int(), items: z.array(Item) }, { concurrency: 'fields' }) {}

const order = await Ours.create({ ...begin, items: begin.items.map((item) => ({ _id: item.sku, ...item })) });
const [ann, bob] = [await Ours.find({ _id: order._id }).one(), await Ours.find({ _id: order._id }).one()];
actAsAnn(ann);
actAsBob(bob);
await ann.save();
try {
  await bob.save();
} catch (error) {
  if (!(error instanceof ConflictError)) throw error;
  for (const { path, original, mine, theirs } of error.conflicts)
    console.log(`data-bridge: ${path} was ${String(original)}, mine is ${String(mine)}, theirs ${String(theirs)}`);
}

/** Both sales count. */
const addUp = ({ original, mine, theirs }: Conflict): number => Number(theirs) + Number(mine) - Number(original);
await bob.save({ onConflict: addUp });
show('data-bridge', await Ours.find({ _id: order._id }).one());

await db.close();

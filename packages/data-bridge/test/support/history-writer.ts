import { writeSync } from 'node:fs';
import { z } from 'zod';
import { connect, model, transaction, withReason } from '../../src/index.ts';

/*
 * A program that writes documents whose history is kept until it is killed: `node history-writer.js <uri> <name> <seed>
 * <plain | transaction>`. It writes a line for each write that was acknowledged: the document's `_id`, and the reason that
 * the entry of the write has.
 */

export class Item extends model(
  'items',
  {
    _id: z.string(),
    count: z.int(),
    tags: z.array(z.string()).default([]),
    nested: z.object({ a: z.int(), b: z.string().optional() }),
    lines: z.array(z.object({ sku: z.string(), price: z.int() })).default([]),
  },
  { timestamps: true, history: true },
) {}

/** A chain of numbers that look random. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * sides);
  };
}

async function write(uri: string, name: string, seed: number, mode: string): Promise<never> {
  const connection = await connect(uri, { maxPoolSize: 4 });
  const roll = dice(seed);
  let serial = 0;

  const step = async (id: string, work: () => Promise<unknown>): Promise<void> => {
    const reason = `${name}-${(serial += 1)}`;
    await withReason(reason, () => (mode === 'transaction' ? transaction(work) : work()));
    writeSync(1, `${id} ${reason}\n`);
  };

  /** Two copies of one document in turn, so that each is behind the other's writes. */
  const run = async (id: string): Promise<never> => {
    for (;;) {
      const first = new Item({ _id: id, count: 0, nested: { a: 0 } });
      await step(id, () => first.save());
      const second = await Item.find({ _id: id }).one();
      for (let n = 4 + roll(8); n > 0; n -= 1) {
        const item = roll(2) === 0 ? first : second;
        await step(id, () => change(item, roll));
      }
      if (roll(2) === 0) await step(id, () => second.delete());
      else await step(id, () => Item.deleteOne({ _id: id }));
      if (roll(2) === 0) continue;
      await step(id, async () => (await Item.restore(id)).delete());
    }
  };
  await Promise.all([run(`${name}-a`), run(`${name}-b`)]);
  await connection.close();
  throw new Error('The loops never end');
}

function change(item: Item, roll: (sides: number) => number): Promise<unknown> {
  switch (roll(7)) {
    case 0:
      return Item.updateOne({ _id: item._id }, { $inc: { count: 1 }, $push: { tags: 'u' } });
    case 1:
      item.$inc('count', 2);
      break;
    case 2:
      item.tags.push(String(roll(100)));
      break;
    case 3:
      item.nested.a += 1;
      break;
    case 4:
      item.nested = { a: roll(10), b: 'x' };
      break;
    case 5:
      item.lines.push({ sku: String(roll(1000)), price: roll(10) });
      break;
    default:
      item.tags = [String(roll(10))];
  }
  // case: what was rolled may be there already, and a save of nothing has no entry
  if (!item.isModified()) item.count += 1;
  return item.save();
}

const [uri, name = '', seed = '1', mode = 'plain'] = process.argv.slice(2);
if (uri !== undefined) await write(uri, name, Number(seed), mode);

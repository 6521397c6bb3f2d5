import { connect, model } from 'data-bridge';
import mongoose from 'mongoose';
import { z } from 'zod';
import { baskets, type Basket } from './fixtures.ts';
import { startCannedServer } from './processes.ts';
import { alternate, type Contender, type Effort } from './measure.ts';
import { atLeast, compare, type Row, timesOf } from './report.ts';
import { withoutNetwork } from './without-network.ts';

class BridgeBasket extends model('baskets', {
  owner: z.string(),
  lines: z.array(z.object({ sku: z.string(), qty: z.number(), price: z.number(), note: z.string() })),
}) {}

const schema = new mongoose.Schema<Basket>(
  { owner: String, lines: [{ _id: false, sku: String, qty: Number, price: Number, note: String }] },
  { versionKey: false, autoCreate: false, autoIndex: false, collection: 'baskets' },
);

/** Values that no element has had before. */
let fresh = 1_000_000;

interface Editable {
  readonly lines: { qty: number }[];
  save(options?: { validate: boolean }): Promise<unknown>;
}

/** Loads the documents untimed; a pass edits an element in the middle of each and saves. */
function editing(name: string, load: () => Promise<Editable[]>, save = (one: Editable) => one.save()): Contender {
  let documents: Editable[] = [];
  return {
    name,
    prepare: async () => {
      documents = await load();
    },
    pass: async () => {
      for (const one of documents) {
        const line = one.lines[500];
        if (line === undefined) throw new Error('An element is missing.');
        line.qty = fresh++;
        await save(one);
      }
    },
  };
}

/** Loading is timed as well. */
function loadingToo({ name, prepare, pass }: Contender): Contender {
  return {
    name: `${name}, loaded`,
    pass: async () => {
      await prepare?.();
      await pass();
    },
  };
}

/** Arrays of 1,000 elements, one of them edited, saved, validated by both; nothing is sent. */
export async function editOneOfThousand(effort: Effort): Promise<Row[]> {
  const server = await startCannedServer();
  const bridge = await connect(server.uri);
  const connection = await mongoose.createConnection(server.uri).asPromise();
  const documents = connection.model<Basket>('Basket', schema);
  try {
    const ours = editing('data-bridge', async () => BridgeBasket.find());
    const unvalidated = editing(
      'data-bridge, no validation',
      async () => BridgeBasket.find(),
      (one) => one.save({ validate: false }),
    );
    const theirs = editing('Mongoose', async () => documents.find());
    const contenders = [ours, unvalidated, theirs, loadingToo(ours), loadingToo(theirs)];
    const timings = await withoutNetwork(() => alternate(contenders, effort));
    const what = 'array of 1,000 elements, one edited, saved';
    return [
      {
        what: `${what}, validated, against Mongoose`,
        goal: atLeast(6),
        ...compare(timings, 'Mongoose', 'data-bridge'),
      },
      { what: '  the same, not validated by us', ...compare(timings, 'Mongoose', 'data-bridge, no validation') },
      { what: '  the same, loaded too, validated', ...compare(timings, 'Mongoose, loaded', 'data-bridge, loaded') },
      ...timesOf(timings, `, per ${baskets}`),
    ];
  } finally {
    await Promise.all([bridge.close(), connection.close()]);
    await server.stop();
  }
}

import { connect, model } from 'data-bridge';
import { z } from 'zod';

/* Sums and joins that the server computes, typed stage by stage. */

class Customer extends model('customers', { _id: z.string(), city: z.string() }) {}

class Sale extends model('sales', {
  customer: z.string(),
  lines: z.array(z.object({ product: z.string(), count: z.int(), price: z.number() })),
}) {}

const db = await connect('embedded:memory');
await Customer.insertMany([
  { _id: 'ann', city: 'Rome' },
  { _id: 'bob', city: 'Oslo' },
]);
await Sale.insertMany([
  { customer: 'ann', lines: [{ product: 'pen', count: 2, price: 1.5 }] },
  { customer: 'bob', lines: [{ product: 'ink', count: 1, price: 4 }] },
  {
    customer: 'ann',
    lines: [
      { product: 'ink', count: 1, price: 4 },
      { product: 'pen', count: 4, price: 1.25 },
    ],
  },
]);

// The type of each row follows from the stages: `{ _id: string; sold: number; turnover: number }`.
const products = await Sale.aggregate()
  .unwind('lines')
  .group({
    _id: '$lines.product',
    sold: { $sum: '$lines.count' },
    turnover: { $sum: { $multiply: ['$lines.count', '$lines.price'] } },
  })
  .sort({ turnover: -1, _id: 1 });
for (const { _id, sold, turnover } of products) console.log(`${_id}: ${sold} for ${turnover}`);

// Another model joined by a field, and one number alone.
const [inRome] = await Sale.aggregate()
  .lookup({ from: Customer, localField: 'customer', foreignField: '_id', as: 'buyers' })
  .match({ 'buyers.city': 'Rome' })
  .count('sales');
console.log(`${inRome?.sales} sales in Rome`);

// Two answers from one pass.
const [both] = await Sale.aggregate().facet({
  large: (sales) => sales.match({ 'lines.count': { $gte: 4 } }).count('n'),
  customers: (sales) => sales.group({ _id: '$customer' }).sort({ _id: 1 }),
});
console.log(`${both?.large[0]?.n} large, by ${both?.customers.map(({ _id }) => _id).join(' and ')}`);

// Documents, where the stages only choose them: they can be changed and saved.
const [large] = await Sale.aggregate()
  .match({ 'lines.count': { $gte: 4 } })
  .hydrate();
large?.lines.pop();
await large?.save();
console.log(`${await Sale.count({ 'lines.count': { $gte: 4 } })} large`);
await db.close();

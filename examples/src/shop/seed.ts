import { Product } from './models/catalog.ts';
import { Customer, Order } from './models/sales.ts';

/** Puts some data into an empty shop, of the tenant that is named around it. @returns an order to look at. */
export async function seed(): Promise<Order> {
  const known = await Order.findOne();
  if (known !== null) return known;
  await Product.insertMany([
    { sku: 'PEN', name: 'Fountain pen', price: 3900, cost: 1700, stock: 12, tags: ['writing'] },
    { sku: 'INK', name: 'Blue ink', price: 650, cost: 200, stock: 80, tags: ['writing', 'refill'] },
    { sku: 'PAPER', name: 'Letter paper', price: 480, cost: 120, stock: 200, tags: ['paper'] },
    {
      sku: 'BOOK',
      name: 'Notebook',
      price: 1450,
      cost: 600,
      stock: 3,
      tags: ['paper'],
      description: 'Dotted, 192 pages.',
    },
  ]);
  const customer = await Customer.create({
    name: 'Zoe Ray',
    email: 'zoe@example.com',
    addresses: [{ label: 'home', street: 'Via Roma 1', city: 'Turin', country: 'IT' }],
  });
  return Order.place(customer, [
    { sku: 'PEN', quantity: 1 },
    { sku: 'INK', quantity: 2 },
  ]);
}

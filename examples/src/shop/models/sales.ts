import { backRef, model, ref, transaction, writeOnce } from 'data-bridge';
import { audit, softDelete, tenant } from 'data-bridge/extensions';
import { identified, ref as zref } from 'data-bridge/zod';
import { z } from 'zod';
import { Cents, Product } from './catalog.ts';
import { ShopError } from './shop-error.ts';

/* Customers and orders know each other, so they are in one file: a file for each would be a cycle of imports. */

const Address = z.object({
  label: z.string().min(1),
  street: z.string(),
  city: z.string(),
  country: z.string().length(2),
});

/** What a client says of a customer. */
export const CustomerInput = z.strictObject({
  name: z.string().trim().min(1),
  email: z.email().toLowerCase(),
  // What different people do to different addresses survives, whoever saves last.
  addresses: identified(z.array(Address), 'label').optional(),
});

/** Somebody who buys. */
export class Customer extends model(
  'customers',
  {
    ...CustomerInput.shape,
    addresses: CustomerInput.shape.addresses.unwrap().default([]),
    ...softDelete.fields,
    ...tenant.fields,
    ...audit.fields,
  },
  {
    extensions: [softDelete, tenant, audit],
    version: 'version',
    concurrency: 'merge',
    backRefs: { orders: backRef<Order>(() => Order, 'customer') },
    indexes: [
      { key: { tenant: 1, email: 1 }, unique: true, partialFilterExpression: { deletedAt: null } },
      { key: { tenant: 1, name: 1 } },
    ],
  },
) {}

/** A product in an order, with its name and price on that day. */
const Line = z.object({
  sku: z.string(),
  product: zref<Product>(() => Product),
  name: z.string(),
  price: Cents,
  quantity: z.int().min(1),
});

/** What a client wants to have of one product. */
export const Wish = z.strictObject({ sku: z.string(), quantity: z.int().min(1) });
export type Wish = z.output<typeof Wish>;

export const OrderStatus = z.enum(['open', 'paid', 'cancelled']);

/** What a customer ordered. Its stock is taken and given back in the same transaction in which its lines change. */
export class Order extends model(
  'orders',
  {
    // Who ordered something stays.
    customer: ref<Customer>(() => Customer, { onDelete: 'restrict' }),
    // A line is known by its product, wherever it stands: an update, and the history, is about that one alone.
    lines: identified(z.array(Line), 'sku'),
    status: OrderStatus.default('open'),
    /** In cents. */
    paid: Cents.default(0),
    note: z.string().optional(),
    placedAt: writeOnce(z.date().default(() => new Date())),
    ...tenant.fields,
  },
  {
    extensions: [tenant],
    history: true,
    concurrency: 'version',
    json: ['total'],
    check: ({ lines }: { readonly lines: readonly unknown[] }) =>
      lines.length > 0 ? [] : [{ path: 'lines', message: 'an order has a line at least' }],
    indexes: [{ key: { tenant: 1, placedAt: -1 } }, { key: { tenant: 1, customer: 1, placedAt: -1 } }],
  },
) {
  /** In cents. */
  get total(): number {
    return this.lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
  }

  /** Orders what somebody wants, if all of it is there. */
  static async place(customer: Customer, wishes: readonly Wish[], note?: string): Promise<Order> {
    return transaction(async () => {
      const products = await Product.find({ sku: { $in: wishes.map(({ sku }) => sku) } });
      const lines = wishes.map(({ sku, quantity }, i) => {
        const product = products.find((each) => each.sku === sku);
        if (product === undefined)
          throw new ShopError('UNKNOWN_PRODUCT', `lines.${i}.sku`, 'There is no such product.');
        product.take(quantity);
        return { sku, product, name: product.name, price: product.price, quantity };
      });
      const order = new Order({ customer, lines, note });
      await Order.saveAll([...products, order]);
      return order;
    });
  }

  /** Wants more or less of a product that is in the order, or none. */
  async change({ sku, quantity }: { readonly sku: string; readonly quantity: number }): Promise<void> {
    await transaction(async () => {
      this.#mustBeUnpaid();
      const line = this.lines.find((each) => each.sku === sku);
      if (line === undefined) throw new ShopError('UNKNOWN_PRODUCT', 'sku', 'The order has no such line.');
      const products = await productsOf([line]);
      for (const product of products) product.take(quantity - line.quantity);
      if (quantity === 0) this.lines = this.lines.filter((each) => each !== line);
      else line.quantity = quantity;
      await Order.saveAll([...products, this]);
    });
  }

  /** Gives everything back to the stock. */
  async cancel(): Promise<void> {
    await transaction(async () => {
      this.#mustBeUnpaid();
      const products = await productsOf(this.lines);
      for (const { sku, quantity } of this.lines) products.find((each) => each.sku === sku)?.take(-quantity);
      this.status = 'cancelled';
      await Order.saveAll([...products, this]);
    });
  }

  #mustBeUnpaid(): void {
    this.mustBeOpen();
    if (this.paid > 0) throw new ShopError('ORDER_CLOSED', 'paid', 'Something was paid for the order.');
  }

  /** @throws ShopError for an order that is paid or cancelled. */
  mustBeOpen(): void {
    if (this.status !== 'open') throw new ShopError('ORDER_CLOSED', 'status', `The order is ${this.status}.`);
  }
}

/** The products of some lines, those among them that are sold no more. */
async function productsOf(lines: Order['lines']): Promise<Product[]> {
  return Product.find({ _id: { $in: lines.map(({ product }) => product.$id) } }).unscoped('softDelete');
}

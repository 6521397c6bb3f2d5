import { hidden, model, writeOnce } from 'data-bridge';
import { audit, softDelete, tenant } from 'data-bridge/extensions';
import { z } from 'zod';
import { ShopError } from './shop-error.ts';

/** An amount of money, in cents. */
export const Cents = z.int().min(0);

/** What a client says of a product: the body of a request, and fields of the model. It has no defaults, so that a part of it can be sent. */
export const ProductInput = z.strictObject({
  sku: z.string().regex(/^[A-Z0-9-]+$/),
  name: z.string().trim().min(1),
  price: Cents,
  /** What the shop itself pays. */
  cost: Cents.optional(),
  stock: z.int().min(0).optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
});

const { sku, name, price, cost, stock, description, tags } = ProductInput.shape;

/** Something that the shop sells. */
export class Product extends model(
  'products',
  {
    sku: writeOnce(sku),
    name,
    price,
    cost: hidden(cost),
    stock: stock.unwrap().default(0),
    description,
    tags: tags.unwrap().default([]),
    ...softDelete.fields,
    ...tenant.fields,
    ...audit.fields,
  },
  {
    extensions: [softDelete, tenant, audit],
    version: 'version',
    concurrency: 'merge',
    omit: ['description'],
    json: ['isAvailable'],
    indexes: [
      { key: { tenant: 1, sku: 1 }, unique: true, partialFilterExpression: { deletedAt: null } },
      { key: { tenant: 1, name: 1 } },
      { key: { tenant: 1, price: 1 } },
    ],
  },
) {
  get isAvailable(): boolean {
    return this.stock > 0;
  }

  /** Takes pieces from the stock, or puts some back where `quantity` is negative. */
  take(quantity: number): void {
    if (this.stock < quantity) throw new ShopError('OUT_OF_STOCK', this.sku, `Of ${this.sku} there are not that many.`);
    this.stock -= quantity;
  }
}

import { connect } from 'data-bridge';
import { withActor, withTenant } from 'data-bridge/extensions';
import { buildApp } from './app.ts';
import { Product } from './models/catalog.ts';
import { Payment } from './models/payments.ts';
import { Customer, Order } from './models/sales.ts';
import { seed } from './seed.ts';

/** A shop that listens. */
export interface OpenShop {
  /** Where it listens. */
  readonly url: string;
  close(): Promise<void>;
}

export interface ShopOptions {
  /** The database; without one a server starts in this process. */
  readonly uri?: string | undefined;
  /** Without one it is a free port. */
  readonly port?: number | undefined;
}

/** Opens the shop: connects, makes collections and indexes, and listens on this machine. */
async function openShop({ uri = 'embedded:memory', port = 0 }: ShopOptions = {}): Promise<OpenShop> {
  const db = await connect(uri);
  try {
    for (const each of [Customer, Order, Payment, Product]) {
      await each.ensureCollection({ validator: true });
      await each.ensureIndexes();
    }
    const app = await buildApp();
    app.addHook('onClose', () => db.close());
    return { url: await app.listen({ host: '127.0.0.1', port }), close: () => app.close() };
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Opens the shop with some data, and says what to try. */
export async function main(print: (line: string) => void, options: ShopOptions): Promise<OpenShop> {
  const shop = await openShop(options);
  const { _id, lines } = await withTenant('acme', () => withActor('ann', seed));
  const order = `/orders/${String(_id)}`;
  const product = `/products/${String(lines[0]?.product.$id)}`;
  print(`The shop is open at ${shop.url}. Ctrl+C closes it. In another terminal, try:

  shop() { curl -is -H 'x-tenant: acme' -H 'x-actor: ann' "${shop.url}$@"; echo; }
  shop '/products?size=2&sort=cheapest'
  shop ${order}
  shop ${order}/lines/PEN -X PUT -H 'if-match: "1"' --json '{"quantity":5}'
  shop ${order}/payments --json '{"type":"card","amount":5000,"last4":"4242","token":"t"}'
  shop ${order}/payments
  shop ${order}/history
  shop ${product} -X PATCH --json '{"price":-1,"name":""}'
  shop ${product} -X DELETE
  shop ${product}/restore -X POST
`);
  return shop;
}

import fastify, { type FastifyInstance } from 'fastify';
import { useAuthorship } from './http/authorship.ts';
import { useErrors } from './http/errors.ts';
import { useZod } from './http/zod-routes.ts';
import { customers } from './routes/customers.ts';
import { orders } from './routes/orders.ts';
import { payments } from './routes/payments.ts';
import { products } from './routes/products.ts';

/** The shop as an HTTP server that does not listen yet. Its models use the connection that is open. */
export async function buildApp(): Promise<FastifyInstance> {
  const app = fastify();
  useZod(app);
  useErrors(app);
  useAuthorship(app);
  await app.register(customers, { prefix: '/customers' });
  await app.register(orders, { prefix: '/orders' });
  await app.register(payments, { prefix: '/orders/:id/payments' });
  await app.register(products, { prefix: '/products' });
  return app;
}

import { objectId } from 'data-bridge/zod';
import { z } from 'zod';
import { ById, PageQuery } from '../http/requests.ts';
import { checkVersion, sendNew, sendVersioned } from '../http/versions.ts';
import type { Routes } from '../http/zod-routes.ts';
import { HttpError } from '../http/http-error.ts';
import { Customer, Order, OrderStatus, Wish } from '../models/sales.ts';

const ListQuery = PageQuery.extend({ customer: objectId().optional(), status: OrderStatus.optional() });
const OrderInput = z.strictObject({
  customer: objectId(),
  lines: z
    .array(Wish)
    .min(1)
    .refine((lines) => new Set(lines.map(({ sku }) => sku)).size === lines.length, 'a product stands in one line only'),
  note: z.string().optional(),
});
const HistoryQuery = z.strictObject({
  size: z.coerce.number().int().min(1).max(100).default(20),
  before: z.coerce.number().int().min(1).nullable().default(null),
});
const LineOf = ById.extend({ sku: z.string() });
const AtRevision = ById.extend({ revision: z.coerce.number().int().min(1) });

export const orders: Routes = async (app) => {
  app.get('/', { schema: { querystring: ListQuery } }, async ({ query: { customer, status, ...page } }) =>
    Order.find({ ...(customer && { customer }), ...(status && { status }) })
      .sort({ placedAt: -1 })
      .with('customer', (customers) => customers.select('name'))
      .page(page),
  );

  app.post('/', { schema: { body: OrderInput } }, async ({ body: { customer: id, lines, note } }, reply) => {
    const customer = await Customer.findById(id);
    if (customer === null)
      throw new HttpError(422, 'INVALID', { issues: [{ path: 'customer', message: 'there is no such customer' }] });
    const order = await Order.place(customer, lines, note);
    return sendNew(reply, order);
  });

  // What was bought shows even where it is sold no more.
  app.get('/:id', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    const found = Order.find({ _id: id })
      .with('customer')
      .with('lines.product', (products) => products.unscoped('softDelete'));
    return sendVersioned(reply, await found.one());
  });

  app.put(
    '/:id/lines/:sku',
    { schema: { params: LineOf, body: Wish.pick({ quantity: true }).extend({ quantity: z.int().min(0) }) } },
    async (request, reply) => {
      const { id, sku } = request.params;
      const order = await Order.find({ _id: id }).one();
      checkVersion(request, order);
      await order.change({ sku, quantity: request.body.quantity });
      return sendVersioned(reply, order);
    },
  );

  app.post('/:id/cancel', { schema: { params: ById } }, async (request, reply) => {
    const order = await Order.find({ _id: request.params.id }).one();
    checkVersion(request, order);
    await order.cancel();
    return sendVersioned(reply, order);
  });

  app.get('/:id/history', { schema: { params: ById, querystring: HistoryQuery } }, async ({ params: { id }, query }) =>
    Order.history(id, query),
  );

  app.get('/:id/history/:revision', { schema: { params: AtRevision } }, async ({ params: { id, revision } }) => {
    const then = await Order.asOf(id, revision);
    if (then === null) throw new HttpError(404, 'NOT_FOUND');
    return then;
  });
};

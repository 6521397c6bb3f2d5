import { ById } from '../http/requests.ts';
import { checkVersion } from '../http/versions.ts';
import type { Routes } from '../http/zod-routes.ts';
import { pay, Payment, PaymentInput } from '../models/payments.ts';
import { Order } from '../models/sales.ts';

/** The payments of an order. */
export const payments: Routes = async (app) => {
  app.get('/', { schema: { params: ById } }, async ({ params: { id } }) =>
    Payment.find({ order: id }).sort('createdAt'),
  );

  app.post('/', { schema: { params: ById, body: PaymentInput } }, async (request, reply) => {
    const order = await Order.find({ _id: request.params.id }).one();
    checkVersion(request, order);
    const payment = await pay(order, request.body);
    return reply.code(201).send(payment);
  });
};

import { z } from 'zod';
import { ById } from '../http/requests.ts';
import { checkVersion } from '../http/versions.ts';
import type { Routes } from '../http/zod-routes.ts';
import { CardPayment, pay, Payment, PaymentInput, TransferPayment, VoucherPayment } from '../models/payments.ts';
import { Order } from '../models/sales.ts';

const kinds = { card: CardPayment, transfer: TransferPayment, voucher: VoucherPayment };
const KindQuery = z.strictObject({ type: z.enum(['card', 'transfer', 'voucher']).optional() });

/** The payments of an order. */
export const payments: Routes = async (app) => {
  app.get('/', { schema: { params: ById, querystring: KindQuery } }, async ({ params: { id }, query: { type } }) => {
    const all = Payment.find({ order: id }).sort('createdAt');
    return type === undefined ? all : all.of<Payment>(kinds[type]);
  });

  app.post('/', { schema: { params: ById, body: PaymentInput } }, async (request, reply) => {
    const order = await Order.find({ _id: request.params.id }).one();
    checkVersion(request, order);
    const payment = await pay(order, request.body);
    return reply.code(201).send(payment);
  });
};

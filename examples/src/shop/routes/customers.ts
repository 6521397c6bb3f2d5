import { transaction } from 'data-bridge';
import { ById, PageQuery } from '../http/requests.ts';
import { checkVersion, concurrencyOf, sendNew, sendVersioned } from '../http/versions.ts';
import type { Routes } from '../http/zod-routes.ts';
import { Customer, CustomerInput } from '../models/sales.ts';

export const customers: Routes = async (app) => {
  app.get('/', { schema: { querystring: PageQuery } }, async ({ query }) => Customer.find().sort('name').page(query));

  app.post('/', { schema: { body: CustomerInput } }, async ({ body }, reply) => {
    const customer = await Customer.create(body);
    return sendNew(reply, customer);
  });

  // With the newest orders: one command more, whatever the number of orders.
  app.get('/:id', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    const found = Customer.find({ _id: id }).with('orders', (orders) => orders.sort({ placedAt: -1 }).limit(3));
    return sendVersioned(reply, await found.one());
  });

  app.patch('/:id', { schema: { params: ById, body: CustomerInput.partial() } }, async (request, reply) => {
    const customer = await Customer.find({ _id: request.params.id }).one();
    checkVersion(request, customer);
    customer.assign(request.body);
    await customer.save({ concurrency: concurrencyOf(request) });
    return sendVersioned(reply, customer);
  });

  app.delete('/:id', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    await transaction(async () => {
      const customer = await Customer.find({ _id: id }).one();
      await customer.delete();
    });
    return reply.code(204).send();
  });

  app.post('/:id/restore', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    const customer = await Customer.find({ _id: id }).unscoped('softDelete').one();
    customer.deletedAt = null;
    await customer.save();
    return sendVersioned(reply, customer);
  });
};

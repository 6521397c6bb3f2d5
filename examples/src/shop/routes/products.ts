import { z } from 'zod';
import { ById, PageQuery } from '../http/requests.ts';
import { checkVersion, concurrencyOf, sendNew, sendVersioned } from '../http/versions.ts';
import type { Routes } from '../http/zod-routes.ts';
import { Product, ProductInput } from '../models/catalog.ts';

const orders = { name: { name: 1 }, cheapest: { price: 1 }, newest: { createdAt: -1 } } as const;
const ListQuery = PageQuery.extend({
  tag: z.string().optional(),
  sort: z.enum(['name', 'cheapest', 'newest']).default('name'),
});
const ProductChange = ProductInput.omit({ sku: true }).partial();
const Delivery = z.array(z.strictObject({ sku: z.string(), quantity: z.int().min(1) })).min(1);

export const products: Routes = async (app) => {
  app.get('/', { schema: { querystring: ListQuery } }, async ({ query: { tag, sort, ...page } }) =>
    Product.find(tag === undefined ? {} : { tags: tag })
      .sort(orders[sort])
      .page(page),
  );

  app.post('/', { schema: { body: ProductInput } }, async ({ body }, reply) => {
    const product = await Product.create(body);
    return sendNew(reply, product);
  });

  app.get('/:id', { schema: { params: ById } }, async ({ params: { id } }, reply) =>
    sendVersioned(reply, await Product.find({ _id: id }).whole().one()),
  );

  app.patch('/:id', { schema: { params: ById, body: ProductChange } }, async (request, reply) => {
    const product = await Product.find({ _id: request.params.id }).whole().one();
    checkVersion(request, product);
    product.assign(request.body);
    await product.save({ concurrency: concurrencyOf(request) });
    return sendVersioned(reply, product);
  });

  app.delete('/:id', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    const product = await Product.find({ _id: id }).one();
    await product.delete();
    return reply.code(204).send();
  });

  app.post('/:id/restore', { schema: { params: ById } }, async ({ params: { id } }, reply) => {
    const product = await Product.find({ _id: id }).unscoped('softDelete').whole().one();
    product.deletedAt = null;
    await product.save();
    return sendVersioned(reply, product);
  });

  app.post('/deliveries', { schema: { body: Delivery } }, async ({ body }) => {
    const skus = body.map(({ sku }) => sku);
    const found = await Product.find({ sku: { $in: skus } });
    for (const { sku, quantity } of body) found.find((each) => each.sku === sku)?.$inc('stock', quantity);
    const results = await Product.saveAll(found);
    return { delivered: results.length, unknown: skus.filter((sku) => !found.some((each) => each.sku === sku)) };
  });
};

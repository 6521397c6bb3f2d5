import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main, type OpenShop } from '../src/shop/main.ts';

let shop: OpenShop;
const printed: string[] = [];
const uri = ownDatabase(process.env['MONGODB_URI']);
beforeAll(async () => {
  shop = await main((text) => printed.push(text), { uri });
});
afterAll(async () => {
  await shop.close();
  if (uri === undefined) return;
  const client = new MongoClient(uri);
  await client.db().dropDatabase();
  await client.close();
});

it('prints what to try, and all of it can be tried', async () => {
  const tips = [...printed.join('\n').matchAll(/^ {2}shop '?(\/[^ '\n]+)'?(.*)$/gm)];
  const statuses: number[] = [];
  for (const [, path, rest = ''] of tips) {
    const [, body] = /--json '(.*)'/.exec(rest) ?? [];
    const [, method = body === undefined ? 'GET' : 'POST'] = /-X (\w+)/.exec(rest) ?? [];
    const [, seen] = /if-match: ([^']*)/.exec(rest) ?? [];
    const answer = await clientOf('acme')(`${method} ${path}`, body, seen === undefined ? {} : { 'if-match': seen });
    statuses.push(answer.status);
  }
  expect(statuses).toEqual([200, 200, 200, 201, 200, 200, 422, 204, 200]);
});

describe('products', () => {
  const ask = clientOf('goods');

  it('are changed by those who saw them as they are', async () => {
    const input = { sku: 'CUP', name: ' Cup ', price: 900, cost: 300, description: 'Blue.' };
    const { headers, ...made } = await ask('POST /products', input);
    expect(made).toMatchObject({ status: 201, body: { name: 'Cup', stock: 0, isAvailable: false, createdBy: 'ann' } });
    expect(made.body).not.toHaveProperty('cost');
    expect(headers.get('etag')).toBe('"1"');
    const path = headers.get('location');

    const seen = { 'if-match': '"1"' };
    const changed = await ask(`PATCH ${path}`, { price: 950 }, seen);
    expect(changed).toMatchObject({ status: 200, body: { price: 950, description: 'Blue.' } });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect(await ask(`PATCH ${path}`, { price: 800 }, seen)).toMatchObject({ status: 412, body: { code: 'CHANGED' } });
    // Who does not say what it saw is merged with the others.
    const both = await Promise.all([ask(`PATCH ${path}`, { tags: ['x'] }), ask(`PATCH ${path}`, { name: 'Mug' })]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await ask(`GET ${path}`)).body).toMatchObject({ price: 950, tags: ['x'], name: 'Mug', version: 4 });
  });

  it('of which two change one at once, one is told', async () => {
    const { headers } = await ask('POST /products', { sku: 'JUG', name: 'Jug', price: 900 });
    const change = (price: number) => ask(`PATCH ${headers.get('location')}`, { price }, { 'if-match': '"1"' });
    const [one, two] = (await Promise.all([change(1), change(2)])).map(({ status }) => status);
    // The other one came before the save, or after it.
    expect([one, two].filter((status) => status === 200)).toHaveLength(1);
    expect([one, two].filter((status) => status === 409 || status === 412)).toHaveLength(1);
  });

  it('come in pages that no other list takes', async () => {
    const page = clientOf('pages');
    const prices = { C: 1, A: 3, B: 2 };
    for (const [sku, price] of Object.entries(prices)) await page('POST /products', { sku, name: sku, price });
    const first = await page('GET /products?size=1');
    const second = await page(`GET /products?size=1&after=${first.body.next}`);
    const third = await page(`GET /products?size=1&after=${second.body.next}`);
    const back = await page(`GET /products?size=1&before=${third.body.previous}`);
    expect([first, second, third, back].map(skusOf)).toEqual(['A', 'B', 'C', 'B']);
    expect([first.body.previous, third.body.next]).toEqual([null, null]);
    expect(first.body.items[0]).not.toHaveProperty('description');
    expect(skusOf(await page('GET /products?sort=cheapest'))).toBe('CBA');
    for (const wrong of ['after=x', `sort=cheapest&after=${first.body.next}`])
      expect(await page(`GET /products?${wrong}`)).toMatchObject({ status: 400, body: { code: 'BAD_PAGE_TOKEN' } });
  });

  it('are deleted softly, and restored', async () => {
    const input = { sku: 'HAT', name: 'Hat', price: 100 };
    const path = (await ask('POST /products', input)).headers.get('location');
    expect(await ask('POST /products', input)).toMatchObject({
      status: 409,
      body: { code: 'DUPLICATE', issues: [{ path: 'tenant' }, { path: 'sku' }] },
    });
    expect((await ask(`DELETE ${path}`)).status).toBe(204);
    for (const request of [`GET ${path}`, `PATCH ${path}`, `DELETE ${path}`])
      expect(await ask(request, request.startsWith('PATCH') ? {} : undefined)).toMatchObject({
        status: 404,
        body: { code: 'NOT_FOUND' },
      });
    const other = await ask('POST /products', input);
    expect(other.status).toBe(201);
    // Its place is taken until the other one is gone.
    expect((await ask(`POST ${path}/restore`)).status).toBe(409);
    await ask(`DELETE ${other.headers.get('location')}`);
    expect(await ask(`POST ${path}/restore`)).toMatchObject({ status: 200, body: { sku: 'HAT', deletedAt: null } });
    expect((await ask(`GET ${path}`)).status).toBe(200);
  });

  it('are delivered together', async () => {
    await ask('POST /products', { sku: 'TEA', name: 'Tea', price: 100, stock: 1 });
    await ask('POST /products', { sku: 'BUN', name: 'Bun', price: 100 });
    const delivery = ['TEA', 'BUN', 'NONE'].map((sku) => ({ sku, quantity: 4 }));
    expect((await ask('POST /products/deliveries', delivery)).body).toEqual({ delivered: 2, unknown: ['NONE'] });
    const { items } = (await ask('GET /products?sort=newest&size=2')).body;
    expect(items.map(({ stock }: { stock: number }) => stock)).toEqual([4, 5]);
  });
});

it('customers are deleted softly, and restored, with their addresses', async () => {
  const ask = clientOf('people');
  const home = { label: 'home', street: 'Via Roma 1', city: 'Turin', country: 'IT' };
  const { headers } = await ask('POST /customers', { name: 'Eve', email: 'eve@example.com', addresses: [home] });
  const path = headers.get('location');
  const addresses = [
    { ...home, city: 'Asti' },
    { ...home, label: 'work' },
  ];
  expect((await ask(`PATCH ${path}`, { addresses })).body.addresses).toEqual(addresses);
  expect((await ask(`DELETE ${path}`)).status).toBe(204);
  expect((await ask('GET /customers')).body.items).toEqual([]);
  expect(await ask(`POST ${path}/restore`)).toMatchObject({ status: 200, body: { addresses, version: 4 } });
  expect((await ask('GET /customers')).body.items).toHaveLength(1);
});

describe('what cannot be', () => {
  const ask = clientOf('wrong');

  it.each<[string, unknown, string[]]>([
    ['POST /products', { sku: 'a b', price: -1 }, ['sku', 'name', 'price']],
    ['POST /products', { sku: 'A', name: 'A', price: 1, deletedAt: null }, ['']],
    [
      'POST /customers',
      { name: 'A', email: 'a@a.it', addresses: [{ label: 'x', street: '', city: '' }] },
      ['addresses.0.country'],
    ],
    ['POST /orders', { customer: 'x', lines: [{ sku: 'A', quantity: 0 }] }, ['customer', 'lines.0.quantity']],
    ['POST /orders', { customer: 'a'.repeat(24), lines: [{ sku: 'A', quantity: 1 }] }, ['customer']],
    ['POST /products/deliveries', [], ['']],
  ])('is refused with its paths: %s %j', async (request, body, paths) => {
    const answer = await ask(request, body);
    expect(answer).toMatchObject({ status: 422, body: { code: 'INVALID' } });
    expect(answer.body.issues.map(({ path }: { path: string }) => path)).toEqual(paths);
  });

  it.each([
    ['GET /products/abc', 400, 'BAD_REQUEST'],
    ['GET /products?size=1000', 400, 'BAD_REQUEST'],
    ['GET /products?colour=red', 400, 'BAD_REQUEST'],
    [`GET /products/${'a'.repeat(24)}`, 404, 'NOT_FOUND'],
    [`GET /orders/${'a'.repeat(24)}`, 404, 'NOT_FOUND'],
    [`GET /orders/${'a'.repeat(24)}/history/1`, 404, 'NOT_FOUND'],
    ['GET /nowhere', 404, 'NOT_FOUND'],
  ])('is told of addresses: %s', async (request, status, code) => {
    expect(await ask(request)).toMatchObject({ status, body: { code } });
  });

  it('is told of a body that is no JSON, and of a request for no tenant', async () => {
    expect(await ask('POST /products', '{ "sku"')).toMatchObject({
      status: 400,
      body: { code: 'FST_ERR_CTP_INVALID_JSON_BODY' },
    });
    expect(await clientOf('')('GET /products')).toMatchObject({ status: 400, body: { code: 'NO_TENANT' } });
  });
});

describe('tenants', () => {
  it('see nothing of each other, at once', async () => {
    const tenants = ['north', 'south'].map((name) => clientOf(name, name));
    const made = await Promise.all(
      tenants.map((ask, i) => ask('POST /products', { sku: `N${i}`, name: 'N', price: 1 })),
    );
    expect(made.map(({ body }) => body.createdBy)).toEqual(['north', 'south']);
    const lists = await Promise.all(tenants.map((ask) => ask('GET /products')));
    expect(lists.map(skusOf)).toEqual(['N0', 'N1']);
    const [, south] = tenants;
    for (const method of ['GET', 'DELETE'])
      expect((await south?.(`${method} ${made[0]?.headers.get('location')}`))?.status).toBe(404);
  });
});

describe('orders', () => {
  const ask = clientOf('sales');
  const bob = clientOf('sales', 'bob');
  let customer: string;
  beforeAll(async () => {
    const made = await ask('POST /customers', { name: 'Zoe', email: 'Zoe@Example.com' });
    customer = made.body._id;
    await ask('POST /products', { sku: 'PEN', name: 'Pen', price: 300, stock: 10 });
    await ask('POST /products', { sku: 'INK', name: 'Ink', price: 50, stock: 5 });
  });

  const order = (...lines: [sku: string, quantity: number][]) =>
    ask('POST /orders', { customer, lines: lines.map(([sku, quantity]) => ({ sku, quantity })) });
  const stocks = async (): Promise<number[]> =>
    (await ask('GET /products?sort=cheapest')).body.items.map(({ stock }: { stock: number }) => stock);

  it('take from the stock, or nothing at all', async () => {
    const [ink = 0, pen = 0] = await stocks();
    const placed = await order(['PEN', 2], ['INK', 1]);
    expect(placed).toMatchObject({ status: 201, body: { total: 650, status: 'open', customer, version: 1 } });
    expect(await stocks()).toEqual([ink - 1, pen - 2]);
    const tooMuch = await order(['PEN', 1], ['INK', 99]);
    expect(tooMuch).toMatchObject({ status: 409, body: { code: 'OUT_OF_STOCK', issues: [{ path: 'INK' }] } });
    const unknown = await order(['PEN', 1], ['GLUE', 1]);
    expect(unknown).toMatchObject({
      status: 422,
      body: { code: 'UNKNOWN_PRODUCT', issues: [{ path: 'lines.1.sku' }] },
    });
    expect(await stocks()).toEqual([ink - 1, pen - 2]);
  });

  it('change with the stock, by those who saw them as they are', async () => {
    const [ink = 0] = await stocks();
    const path = (await order(['PEN', 1], ['INK', 1])).headers.get('location');
    const change = (sku: string, quantity: number, seen: number) =>
      bob(`PUT ${path}/lines/${sku}`, { quantity }, { 'if-match': `"${seen}"` });
    expect(await change('INK', 3, 1)).toMatchObject({ status: 200, body: { version: 2, total: 450 } });
    expect((await change('INK', 1, 1)).status).toBe(412);
    expect((await change('PEN', 0, 2)).body.lines).toMatchObject([{ sku: 'INK', quantity: 3 }]);
    expect(await change('INK', 0, 3)).toMatchObject({ status: 422, body: { issues: [{ path: 'lines' }] } });
    expect((await stocks())[0]).toBe(ink - 3);

    const { items } = (await ask(`GET ${path}/history`)).body;
    expect(items).toMatchObject([
      { revision: 3, kind: 'update', actor: 'bob' },
      { revision: 2 },
      { revision: 1, actor: 'ann' },
    ]);
    expect((await ask(`GET ${path}/history?before=3&size=1`)).body).toMatchObject({
      items: [{ revision: 2 }],
      next: 2,
    });
    expect((await ask(`GET ${path}/history/1`)).body.lines).toMatchObject([
      { sku: 'PEN', quantity: 1 },
      { sku: 'INK', quantity: 1 },
    ]);
    expect((await clientOf('other')(`GET ${path}/history`)).body.items).toEqual([]);

    expect((await ask(`POST ${path}/cancel`)).body.status).toBe('cancelled');
    expect((await stocks())[0]).toBe(ink);
    expect(await ask(`POST ${path}/cancel`)).toMatchObject({ status: 409, body: { code: 'ORDER_CLOSED' } });
  });

  it('are paid in one way or several', async () => {
    const { body, headers } = await order(['PEN', 2]);
    const pay = (input: object, path = headers.get('location')) => ask(`POST ${path}/payments`, input);
    const card = { type: 'card', amount: 250, last4: '4242', token: 'secret' };
    expect(await pay(card)).toMatchObject({ status: 201, body: { type: 'card', label: 'card ending in 4242' } });
    expect((await ask(`POST ${headers.get('location')}/cancel`)).body).toMatchObject({ code: 'ORDER_CLOSED' });
    expect(await pay({ ...card, amount: 351 })).toMatchObject({ status: 409, body: { code: 'OVERPAID' } });
    expect((await pay({ type: 'voucher', amount: 100, code: 'gift' })).body.code).toBe('GIFT');
    expect((await pay({ type: 'transfer', amount: 250, iban: 'IT60X0542811101' })).status).toBe(201);
    expect(await pay(card)).toMatchObject({ status: 409, body: { code: 'ORDER_CLOSED' } });
    expect((await ask(`GET /orders/${body._id}`)).body).toMatchObject({ status: 'paid', paid: 600, version: 4 });
    const payments = (await ask(`GET /orders/${body._id}/payments`)).body;
    expect(payments.map(({ label }: { label: string }) => label)).toEqual([
      'card ending in 4242',
      'voucher GIFT',
      'transfer from IT60…',
    ]);
    expect(payments[0]).not.toHaveProperty('token');
    const vouchers = await ask(`GET /orders/${body._id}/payments?type=voucher`);
    expect(vouchers.body).toEqual([payments[1]]);

    // A voucher is good once, and what failed leaves nothing behind.
    const other = (await order(['PEN', 1])).headers.get('location');
    expect(await pay({ type: 'voucher', amount: 9, code: 'GIFT' }, other)).toMatchObject({
      status: 409,
      body: { code: 'DUPLICATE', issues: [{ path: 'tenant' }, { path: 'code' }] },
    });
    expect((await ask(`GET ${other}`)).body).toMatchObject({ status: 'open', paid: 0, version: 1 });
    for (const [input, path] of [
      [{ type: 'gold', amount: 1 }, 'type'],
      [{ ...card, amount: 0 }, 'amount'],
    ] as const)
      expect(await pay(input, other)).toMatchObject({ status: 422, body: { issues: [{ path }] } });
  });

  it('show who ordered, and what, sold still or not', async () => {
    await ask('POST /products', { sku: 'OLD', name: 'Old', price: 10_000, stock: 1 });
    const { body } = await order(['OLD', 1]);
    await ask(`DELETE /products/${body.lines[0].product}`);
    const shown = (await ask(`GET /orders/${body._id}`)).body;
    expect(shown).toMatchObject({ customer: { email: 'zoe@example.com' }, lines: [{ product: { sku: 'OLD' } }] });
    const list = (await ask(`GET /orders?size=1&status=open&customer=${customer}`)).body;
    expect(list.items).toMatchObject([{ _id: body._id, customer: { _id: customer, name: 'Zoe' }, total: 10_000 }]);
    expect(list.items[0].customer).not.toHaveProperty('email');
    const { orders } = (await ask(`GET /customers/${customer}`)).body;
    expect(orders[0]._id).toBe(body._id);
    expect(orders).toHaveLength(3);
    expect(await ask(`DELETE /customers/${customer}`)).toMatchObject({ status: 409, body: { code: 'IN_USE' } });
  });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

function skusOf({ body }: Answer): string {
  return body.items.map(({ sku }: { sku: string }) => sku).join('');
}

/** Asks as somebody of a tenant does. */
function clientOf(tenant: string, actor = 'ann') {
  return async (request: string, body?: unknown, more: Record<string, string> = {}): Promise<Answer> => {
    const [method = '', path = ''] = request.split(' ');
    const headers: Record<string, string> = { 'x-tenant': tenant, 'x-actor': actor, ...more };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(shop.url + path, { method, headers, body: text });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: answer === '' ? null : JSON.parse(answer) };
  };
}

/** The same server, a database of its own. */
function ownDatabase(server: string | undefined): string | undefined {
  if (server === undefined) return undefined;
  const url = new URL(server);
  url.pathname = `/shop-${randomBytes(6).toString('hex')}`;
  return url.href;
}

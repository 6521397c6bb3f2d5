import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { model } from '../../src/index.ts';

class Product extends model('products', {
  name: z.string(),
  price: z.number(),
  qty: z.number().optional(),
  at: z.date(),
  address: z.object({ city: z.string() }),
  items: z.array(z.object({ qty: z.number(), sku: z.string() })),
  rec: z.record(z.string(), z.number()),
  any: z.unknown(),
  tags: z.array(z.string()),
}) {}

/** Compiled and never run: what matters is what the compiler says. */
const expectCompiled = (code: () => unknown): void => expect(code).toBeTypeOf('function');

describe('the types of expressions', () => {
  it('take fields, texts and variables at every depth', () => {
    expectCompiled(() => {
      const a = Product.aggregate();
      expectTypeOf(a.project({ _id: 0, c: { d: '$address.city' } })).resolves.toEqualTypeOf<{ c: { d: string } }[]>();
      expectTypeOf(a.group({ _id: '$address.city', n: { $sum: { $multiply: ['$price', 2] } } })).resolves.toEqualTypeOf<
        { _id: string; n: number }[]
      >();
      void a.project({
        s: { $concat: ['$name', ' x'] },
        t: { $multiply: ['$price', 2] },
        lit: { $literal: '$x' },
        e: { $dateToString: { date: '$at', format: '%Y' } },
      });
      void a.project({
        s: { $cond: [{ $gt: ['$price', 5] }, '$name', 'none'] },
        t: { $cond: { if: { $eq: ['$name', 'x'] }, then: '$price', else: 0 } },
      });
      void a.project({
        f: { $filter: { input: '$items', as: 'i', cond: { $gt: ['$$i.qty', 1] } } },
        m: { $map: { input: '$tags', in: { $toUpper: '$$this' } } },
        w: { $switch: { branches: [{ case: { $eq: ['$name', 'x'] }, then: 1 }], default: '$price' } },
      });
      void a.project({
        n: '$$ROOT',
        z: { $getField: 'x' },
        y: { $ifNull: ['$qty', 0] },
        l: ['$name', '$items.qty'],
        any: '$any.a.b',
        k: '$rec.a',
        r: { $concat: ['$$ROOT.name', '$$CURRENT.address.city'] },
      });
      void a.addFields({
        total: { $sum: { $map: { input: '$items', in: { $multiply: ['$$this.qty', '$price'] } } } },
        x: { y: '$name' },
      });
      void a.group({
        _id: { c: '$address.city', y: { $year: '$at' } },
        n: { $sum: { $cond: [{ $eq: ['$name', 'a'] }, 1, 0] } },
        l: { $push: { a: '$name', b: '$items.sku' } },
        all: { $push: '$$ROOT' },
      });
      void a.group({ _id: null, n: { $sum: 1 } }).project({ m: { $add: ['$n', 1] } });
      const open: Record<string, string> = {};
      void a.addFields({ x: { $concat: open } });
    });
  });

  it('name a wrong field at every depth', () => {
    expectCompiled(() => {
      const a = Product.aggregate();
      // @ts-expect-error -- in an object
      void a.project({ c: { d: '$adress.city' } });
      // @ts-expect-error -- in objects
      void a.project({ c: { d: { e: '$nam' } } });
      // @ts-expect-error -- an argument
      void a.project({ c: { $concat: ['$nam', 'x'] } });
      // @ts-expect-error -- an argument, added
      void a.addFields({ c: { $concat: ['$nam', 'x'] } });
      // @ts-expect-error -- below an accumulator
      void a.group({ _id: null, n: { $sum: { $multiply: ['$pric', 2] } } });
      // @ts-expect-error -- in a condition
      void a.project({ c: { $cond: [{ $gt: ['$pric', 5] }, 1, 0] } });
      // @ts-expect-error -- in a condition by names
      void a.project({ c: { $cond: { if: { $gt: ['$pric', 5] }, then: 1, else: 0 } } });
      // @ts-expect-error -- in a branch
      void a.project({ c: { $cond: [{ $gt: ['$price', 5] }, '$nam', 0] } });
      // @ts-expect-error -- in the key of a group
      void a.group({ _id: { c: '$adress.city' }, n: { $sum: 1 } });
      // @ts-expect-error -- the key of a group
      void a.group({ _id: { $year: '$ta' }, n: { $sum: 1 } });
      // @ts-expect-error -- in what is pushed
      void a.group({ _id: null, l: { $push: { a: '$nam' } } });
      // @ts-expect-error -- an input
      void a.project({ f: { $filter: { input: '$itms', cond: true } } });
      // @ts-expect-error -- in a list
      void a.project({ l: ['$name', '$nam'] });
      // @ts-expect-error -- a field of the whole
      void a.project({ l: { $concat: ['$$ROOT.nam'] } });
      // @ts-expect-error -- in a case
      void a.project({ w: { $switch: { branches: [{ case: { $eq: ['$nam', 'x'] }, then: 1 }], default: 0 } } });
      // @ts-expect-error -- a field that was grouped away
      void a.group({ _id: null, n: { $sum: 1 } }).project({ m: { $add: ['$m', 1] } });
      // @ts-expect-error -- a field
      void a.project({ city: '$adress.city' });
      // @ts-expect-error -- of an accumulator
      void a.group({ _id: '$role', n: { $sum: '$scor' } });
    });
  });
});
